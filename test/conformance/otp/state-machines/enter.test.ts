/**
 * What state enter calls are here: entry actions. They are part of the transition that leads to the state, and see its
 * event; what gen_statem tells besides, the state before, a machine that needs it writes into its context. An entry action
 * leads nowhere: it can neither change the state nor repeat it.
 */
import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects } from '../../../../src/otp/effects.ts';
import type { Message, Pid, ReplyTo } from '../../../../src/otp/process.ts';
import { World } from '../../../support/otp/world.ts';
import { logOf } from '../support/office.ts';

type TurnstileEvent =
  | { type: 'coin' | 'push' | 'stay' | 'repeat'; then?: Message; replyTo?: ReplyTo }
  | { type: `note.${string}` | `timeout.${string}` };

const base = setup({
  types: { context: {} as { log: readonly string[]; visits: number }, events: {} as TurnstileEvent },
  actions: {
    ...effects,
    write: assign(({ context }, line: string) => ({ log: [...context.log, line] })),
    hear: assign(({ context, event }) => ({ log: [...context.log, event.type] })),
    count: assign({ visits: ({ context }) => context.visits + 1 }),
  },
});
const then = base.enqueueActions(({ enqueue, event }) => {
  if ('then' in event && event.then !== undefined) enqueue({ type: 'continue', params: { event: event.then } });
});
const answer = base.enqueueActions(({ enqueue, event, context }) => {
  if ('replyTo' in event && event.replyTo !== undefined) {
    enqueue({ type: 'reply', params: { to: event.replyTo, event: { type: 'entered', visits: context.visits } } });
  }
});
const zero = (name: string) => ({ type: 'startTimer', params: { name, delayMs: 0 } }) as const;
const enter = (state: string) => ({ type: 'write', params: `enter ${state}` }) as const;

/** Locked it greets; open it counts, answers whoever let it open, and sets two time-outs in a row. */
const turnstile = base.extend({ actions: { then, answer } }).createMachine({
  id: 'turnstile',
  context: { log: [], visits: 0 },
  initial: 'locked',
  on: { 'note.*': { actions: 'hear' }, 'timeout.*': { actions: 'hear' } },
  states: {
    locked: {
      entry: enter('locked'),
      on: {
        coin: { target: 'open', actions: ['hear', zero('ofTransition'), 'then'] },
        stay: { actions: 'hear' },
        repeat: { target: 'locked', reenter: true, actions: 'hear' },
      },
    },
    open: {
      entry: [enter('open'), 'count', 'answer', zero('b'), zero('a')],
      on: { push: { target: 'locked', actions: 'hear' } },
    },
  },
});

/** The same without entry actions. */
const plain = base.createMachine({
  id: 'plain',
  context: { log: [], visits: 0 },
  initial: 'locked',
  states: { locked: { on: { stay: { actions: 'hear' }, repeat: { target: 'locked', reenter: true, actions: 'hear' } } } },
});

async function startMachine(machine: typeof turnstile | typeof plain, ...waiting: readonly Message[]) {
  const world = new World();
  const starting = world.runtime.start({ machine }, { id: 'machine' });
  for (const { pid } of world.runtime.tree()) arrive(world, pid, ...waiting);
  world.runtime.drain();
  return { world, pid: await starting };
}

function arrive(world: World, pid: Pid, ...messages: readonly Message[]): void {
  for (const message of messages) world.runtime.send(pid, message);
  world.runtime.drain();
}

test('S3-028 the first state is entered before the first event', async () => {
  const { world, pid } = await startMachine(turnstile, { type: 'note.1' });

  expect(logOf(world, pid)).toEqual(['enter locked', 'note.1']);
});

test('S3-029 S3-032 a new state is entered before the transition’s continued events and time-outs, which keep their order', async () => {
  const { world, pid } = await startMachine(turnstile);

  arrive(world, pid, { type: 'coin', then: { type: 'note.continued' } }, { type: 'note.waiting' });

  expect(logOf(world, pid)).toEqual([
    'enter locked', 'coin', 'enter open',
    'note.continued', 'timeout.ofTransition', 'timeout.b', 'timeout.a', 'note.waiting',
  ]);
});

test('S3-030 staying in a state enters nothing, repeating it enters it again', async () => {
  const { world, pid } = await startMachine(turnstile);

  arrive(world, pid, { type: 'stay' }, { type: 'repeat' }, { type: 'stay' });

  expect(logOf(world, pid)).toEqual(['enter locked', 'stay', 'repeat', 'enter locked', 'stay']);
});

test('S3-031 entering a state may reply, change the context and set time-outs', async () => {
  const { world, pid } = await startMachine(turnstile);
  const asked = world.runtime.call(pid, { type: 'coin' });
  world.runtime.drain();

  expect({ answer: await asked, log: logOf(world, pid)?.slice(1) }).toEqual({
    answer: { type: 'entered', visits: 1 },
    log: ['coin', 'enter open', 'timeout.ofTransition', 'timeout.b', 'timeout.a'],
  });
});

const eager = setup({
  types: { context: {} as { log: readonly string[] } },
  actions: {
    ...effects,
    hear: assign({ log: ({ context, event }: { context: { log: readonly string[] }; event: Message }) => [...context.log, event.type] }),
  },
}).createMachine({
  id: 'eager',
  context: { log: [] },
  initial: 'waiting',
  states: {
    waiting: { on: { begin: 'working' } },
    working: {
      entry: ['postpone', { type: 'continue', params: { event: { type: 'first' } } }],
      on: { first: { actions: 'hear' }, begin: { actions: 'hear' }, other: { actions: 'hear' } },
    },
  },
});

test('S3-031 entering a state cannot change it; unlike in OTP it may continue and postpone: the event comes again', async () => {
  const world = new World();
  const pid = await world.start({ machine: eager }, 'eager');

  arrive(world, pid, { type: 'begin' }, { type: 'other' });

  expect(logOf(world, pid)).toEqual(['first', 'begin', 'other']);
});

test('S3-033 a machine without entry actions is told of no entering: to repeat a state is to stay in it', async () => {
  const { world, pid } = await startMachine(plain);

  arrive(world, pid, { type: 'stay' }, { type: 'repeat' });

  expect(logOf(world, pid)).toEqual(['stay', 'repeat']);
});
