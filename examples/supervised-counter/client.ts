/**
 * Client: counts, sees to it that the count is safe, and then sends an event that the counter does not know.
 *
 * It watches the counter before it asks it for anything. So it hears of the counter's death as an event of its own, at
 * any moment, and no call of its can hang.
 */
import { describeReason, effects, type ExitReason, type MachineSpec } from 'armature/otp';
import { setup } from 'xstate';

type ClientEvent =
  | { type: 'counter.counted'; count: number }
  | { type: 'counter.saved' }
  | { type: 'counter.down'; reason: ExitReason }
  | { type: 'timeout.pause' };

const PAUSE_MS = 100;
const ANSWER_MS_MAX = 1_000;

const watch = { type: 'monitor', params: { process: '@counter', as: 'counter' } } as const;

export const clientMachine = setup({
  types: { events: {} as ClientEvent },
  actions: {
    ...effects,
    say: (_, { line }: { line: string }) => console.log(`client: ${line}`),
  },
}).createMachine({
  id: 'client',
  initial: 'counting',
  states: {
    counting: {
      entry: [watch, { type: 'call', params: { to: '@counter', request: { type: 'increment', by: 42 } } }],
      on: {
        'counter.counted': { target: 'waitingUntilSaved', actions: { type: 'say', params: countOf } },
        'counter.down': 'pausing',
      },
    },
    waitingUntilSaved: {
      entry: { type: 'call', params: { to: '@counter', request: { type: 'untilSaved' } } },
      on: { 'counter.saved': 'provoking', 'counter.down': 'pausing' },
    },
    provoking: {
      entry: { type: 'send', params: { to: '@counter', event: { type: 'explode' } } },
      on: { 'counter.down': { target: 'pausing', actions: { type: 'say', params: reasonOf } } },
    },
    pausing: {
      entry: { type: 'startTimer', params: { name: 'pause', delayMs: PAUSE_MS } },
      on: { 'timeout.pause': 'reading' },
    },
    reading: {
      entry: [watch, { type: 'call', params: { to: '@counter', request: { type: 'read' }, timeoutMs: ANSWER_MS_MAX } }],
      on: {
        'counter.counted': { target: 'content', actions: { type: 'say', params: countOf } },
        'counter.down': 'pausing',
      },
    },
    content: { type: 'final' },
  },
});

export const client: MachineSpec = { machine: clientMachine };

function countOf({ event }: { event: { count: number } }) {
  return { line: `the count is ${event.count}` };
}

function reasonOf({ event }: { event: { reason: ExitReason } }) {
  return { line: `the counter is down: ${describeReason(event.reason)}` };
}
