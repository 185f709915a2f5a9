import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects } from '../../../../src/otp/effects.ts';
import type { ExitReason, MachineSpec, Message, Pid, ReplyTo } from '../../../../src/otp/process.ts';
import type { Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { startSpec, type StartName } from '../support/starts.ts';

interface DeskContext {
  readonly held: readonly ReplyTo[];
  /** Why it ended; `unknown`, since a machine can say what is no reason. */
  readonly reason: unknown;
}

const base = setup({
  types: {
    context: {} as DeskContext,
    events: {} as
      | { type: 'ask' | 'hold'; replyTo: ReplyTo }
      | { type: 'answer' | 'fail' }
      | { type: 'leave' | 'answerAndLeave'; reason: ExitReason }
      | { type: 'end'; reason: unknown },
  },
  actions: {
    ...effects,
    hold: assign({ held: ({ context, event }) => ('replyTo' in event ? [...context.held, event.replyTo] : context.held) }),
    keepReason: assign({ reason: ({ event }) => ('reason' in event ? event.reason : 'normal') }),
    fail: () => {
      throw new Error('state failed');
    },
  },
});
const answerNow = base.enqueueActions(({ enqueue, event }) => {
  if ('replyTo' in event) enqueue({ type: 'reply', params: { to: event.replyTo, event: { type: 'seen.answer' } } });
});
const answerHeld = base.enqueueActions(({ enqueue, context }) => {
  for (const [index, to] of context.held.entries()) enqueue({ type: 'reply', params: { to, event: { type: `seen.answer${index + 1}` } } });
});
const leave = base.enqueueActions(({ enqueue, event }) => {
  if (event.type === 'leave' || event.type === 'answerAndLeave') enqueue({ type: 'stop', params: { reason: event.reason } });
});
const machines = base.extend({ actions: { answerNow, answerHeld, leave } });
const context: DeskContext = { held: [], reason: 'normal' };
const output = ({ context: { reason } }: { context: DeskContext }) => ({ reason });

/** All events in one place, whatever the state. */
const oneHandler = machines.createMachine({
  id: 'desk',
  context,
  output,
  initial: 'free',
  on: {
    ask: { actions: 'answerNow' },
    hold: { target: '.busy', actions: 'hold' },
    answer: { target: '.free', actions: 'answerHeld' },
    leave: { actions: 'leave' },
    answerAndLeave: { actions: ['answerHeld', 'leave'] },
    fail: { actions: 'fail' },
    end: { target: '.ended', actions: 'keepReason' },
  },
  states: { free: {}, busy: {}, ended: { type: 'final' } },
});

const ending = {
  leave: { actions: 'leave' },
  answerAndLeave: { actions: ['answerHeld', 'leave'] },
  fail: { actions: 'fail' },
  end: { target: 'ended', actions: 'keepReason' },
} as const;

/** Each state with the events that it knows. */
const statePerState = machines.createMachine({
  id: 'desk',
  context,
  output,
  initial: 'free',
  states: {
    free: { on: { ...ending, ask: { actions: 'answerNow' }, hold: { target: 'busy', actions: 'hold' } } },
    busy: {
      on: { ...ending, ask: { actions: 'answerNow' }, hold: { actions: 'hold' }, answer: { target: 'free', actions: 'answerHeld' } },
    },
    ended: { type: 'final' },
  },
});

const STYLES: readonly (readonly [string, MachineSpec['machine']])[] = [
  ['one handler for all states', oneHandler],
  ['a handler in each state', statePerState],
];

async function callerAndDesk(machine: MachineSpec['machine']) {
  const world = new World();
  const caller = await world.puppet('caller', { trapExit: true });
  return { world, caller, desk: await world.start({ machine, name: '@desk' }, 'desk') };
}

const call = (to: Pid | '@desk', request: Message, timeoutMs?: number): Told => ({
  type: 'call',
  params: { to, request, as: 'seen.call', ...(timeoutMs === undefined ? {} : { timeoutMs }) },
});
const failed = (to: Pid | '@desk', request: string, reason: unknown) => ({ type: 'seen.call.failed', to, request, reason });

test.each<[StartName, unknown]>([
  ['ignoring', 'ignore'],
  ['refusing', { shutdown: 'no licence' }],
  ['stopping', { shutdown: 'no licence' }],
  ['raising', { error: { name: 'Error', message: 'cannot begin' } }],
  ['slow', { error: { name: 'StartTimeout' } }],
])('S3-001 a machine with states starts, and fails to start, as any server: %s', async (how, reason) => {
  const world = new World();
  const up = await world.start(startSpec('up', { name: '@machine' }), 'up');
  const taken = await world.start(startSpec('up', { name: '@machine' }), 'second').catch((error: unknown) => error);

  const failing = world.start(startSpec(how, { reason: { shutdown: 'no licence' } }), 'failing').catch((error: unknown) => error);
  world.advance(1_000);

  expect({ up, taken, failure: await failing, left: world.runtime.tree().map(({ id }) => id) }).toMatchObject({
    up: 'up#1',
    taken: { name: 'StartError', reason: { error: { name: 'already_started' } } },
    failure: { name: 'StartError', reason },
    left: ['up'],
  });
});

test('S3-003 a machine whose output is no exit reason ends with that claim: its caller and its links are told', async () => {
  const { world, caller, desk } = await callerAndDesk(statePerState);

  world.tell(caller, { type: 'link', params: { process: desk } }, call(desk, { type: 'hold' }));
  world.send(desk, { type: 'end', reason: 'because' });

  const reason = { error: { name: 'InvalidExitReasonError', message: expect.stringContaining('because') } };
  expect(world.seen(caller)).toMatchObject([{ type: 'EXIT', process: desk, reason }, failed(desk, 'hold', reason)]);
});

test.each(STYLES)('S3-002 S3-004 calls are answered, now or later, fail in time, and fail when nobody is there: %s', async (_, machine) => {
  const { world, caller, desk } = await callerAndDesk(machine);

  world.tell(caller, call('@desk', { type: 'ask' }), call(desk, { type: 'hold' }));
  world.send(desk, { type: 'answer' });
  world.tell(caller, call(desk, { type: 'hold' }, 100));
  world.advance(100);
  world.exit(desk, 'shutdown');
  world.tell(caller, call('@desk', { type: 'ask' }), call(desk, { type: 'ask' }));

  expect(world.seen(caller)).toEqual([
    { type: 'seen.answer' },
    { type: 'seen.answer1' },
    failed(desk, 'hold', 'timeout'),
    failed('@desk', 'ask', 'noproc'),
    failed(desk, 'ask', 'noproc'),
  ]);
});

test.each([-1, Number.NaN])(
  'S3-004 a limit that is no time is a fault of the caller, and the machine is not asked: %d',
  async (timeoutMs) => {
    const { world, caller, desk } = await callerAndDesk(oneHandler);

  world.tell(caller, call(desk, { type: 'hold' }, timeoutMs));

  expect({ caller: world.reasonOf(caller), handled: world.runtime.processInfo(desk)?.handled }).toMatchObject({
    caller: { error: { name: 'InvariantError', message: expect.stringContaining('timeoutMs') } },
    handled: 0,
  });
});

test.each(STYLES)(
  'S3-002 S3-005 who is linked to a machine that stops with a cause gets that exit and nothing else: %s',
  async (_, machine) => {
    const { world, caller, desk } = await callerAndDesk(machine);

  world.tell(caller, { type: 'link', params: { process: desk } });
  world.send(desk, { type: 'leave', reason: { shutdown: 'closing time' } });
  world.advance(60_000);

  expect(world.seen(caller)).toEqual([{ type: 'EXIT', process: desk, reason: { shutdown: 'closing time' }, fromParent: false }]);
});

test.each(STYLES)(
  'S3-002 S3-006 a machine replies to all and ends: the replies come in their order, then the end: %s',
  async (_, machine) => {
    const { world, caller, desk } = await callerAndDesk(machine);

  world.tell(caller, { type: 'link', params: { process: desk } }, call(desk, { type: 'hold' }), call(desk, { type: 'hold' }));
  world.send(desk, { type: 'answerAndLeave', reason: { shutdown: 'closing time' } });

  expect(world.seen(caller).map(({ type }) => type)).toEqual(['seen.answer1', 'seen.answer2', 'EXIT']);
});

test.each(STYLES)('S3-002 a machine that raises ends with the error, and caller and links are told: %s', async (_, machine) => {
  const { world, caller, desk } = await callerAndDesk(machine);

  world.tell(caller, { type: 'link', params: { process: desk } }, call(desk, { type: 'hold' }));
  world.send(desk, { type: 'fail' });

  const reason = { error: { name: 'Error', message: 'state failed' } };
  expect(world.seen(caller)).toMatchObject([{ type: 'EXIT', process: desk, reason }, failed(desk, 'hold', reason)]);
});
