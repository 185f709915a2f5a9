/**
 * Timekeeper: a machine with two states and any timers, for what ends a timer and when it comes. It writes down each
 * event that it handled, in which state, and what a time-out carried. Idle, it keeps `later.*` for when it is busy.
 */
import { assign, setup } from 'xstate';
import { effects, type EffectParams } from '../../../../src/otp/effects.ts';
import type { MachineSpec, Message } from '../../../../src/otp/process.ts';

export type TimerParams = EffectParams['startTimer'];

type TimekeeperEvent =
  | { type: 'begin' | 'rest' | 'stay' | 'repeat'; timers?: readonly TimerParams[]; then?: readonly Message[] }
  | { type: 'cancel'; name: string }
  | { type: 'update'; name: string; content: unknown }
  | { type: `timeout.${string}`; content?: unknown }
  | { type: `note.${string}` | `later.${string}` };

const base = setup({
  types: { input: {} as { first?: readonly TimerParams[] }, context: {} as { log: readonly string[]; first: readonly TimerParams[] }, events: {} as TimekeeperEvent },
  actions: {
    ...effects,
    write: assign(({ context, event }, state: string) => ({ log: [...context.log, `${state} ${describe(event)}`] })),
  },
});

const perform = base.enqueueActions(({ enqueue, event, context }) => {
  const { timers = [], then = [] } = 'timers' in event || 'then' in event ? event : { timers: context.first };
  for (const timer of timers) enqueue({ type: 'startTimer', params: timer });
  for (const one of then) enqueue({ type: 'continue', params: { event: one } });
});
const write = (state: string) => ({ type: 'write', params: state }) as const;

const timekeeper = base.extend({ actions: { perform } }).createMachine({
  id: 'timekeeper',
  context: ({ input }) => ({ log: [], first: input.first ?? [] }),
  entry: 'perform',
  on: {
    cancel: { actions: { type: 'cancelTimer', params: ({ event }) => ({ name: event.name }) } },
    update: { actions: { type: 'updateTimer', params: ({ event }) => ({ name: event.name, content: event.content }) } },
  },
  initial: 'idle',
  states: {
    idle: {
      on: {
        begin: { target: 'busy', actions: [write('idle'), 'perform'] },
        stay: { actions: [write('idle'), 'perform'] },
        repeat: { target: 'idle', reenter: true, actions: [write('idle'), 'perform'] },
        'note.*': { actions: write('idle') },
        'timeout.*': { actions: write('idle') },
        'later.*': { actions: 'postpone' },
      },
    },
    busy: {
      on: {
        rest: { target: 'idle', actions: [write('busy'), 'perform'] },
        stay: { actions: [write('busy'), 'perform'] },
        'note.*': { actions: write('busy') },
        'timeout.*': { actions: write('busy') },
        'later.*': { actions: write('busy') },
      },
    },
  },
});

function describe(event: TimekeeperEvent): string {
  return 'content' in event && event.content !== undefined ? `${event.type} ${JSON.stringify(event.content)}` : event.type;
}

/** @param first the timers that it sets at its start. */
export function timekeeperSpec(first: readonly TimerParams[] = [], options: Partial<MachineSpec> = {}): MachineSpec {
  return { machine: timekeeper, input: { first }, ...options };
}
