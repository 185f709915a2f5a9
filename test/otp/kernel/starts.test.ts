/** What a process makes for itself, at the edges: a start that is late, a task that is none. */
import { expect, test } from 'vitest';
import { sendTo, setup } from 'xstate';
import { choosingScheduler, replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { effects } from '../../../src/otp/effects.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import type { Address, ProcessSpec } from '../../../src/otp/process.ts';
import { limitStart } from '../../../src/otp/kernel/starts.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { puppetSpec } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const slow = setup({}).createMachine({
  id: 'slow',
  initial: 'connecting',
  states: { connecting: { tags: 'starting', on: { connected: 'up' } }, up: {} },
});

test('a start that comes up when its time is over, before it is killed for that, has failed all the same', async () => {
  const world = new World();
  const pid = await world.puppet('p', { spawns: { slow: () => ({ machine: slow }) } });
  world.tell(pid, { type: 'start', params: { template: 'slow', as: 'seen', timeoutMs: 10 } });
  world.runtime.send(world.runtime.tree()[0]?.children[0]?.pid ?? pid, { type: 'connected' });
  world.advance(10);

  expect({ seen: world.seen(pid), reasons: world.exits.map(({ reason }) => reason) }).toEqual({
    seen: [{ type: 'seen.failed', id: 'slow', reason: 'timeout' }],
    reasons: ['killed'],
  });
});

test('a machine that finishes in the middle of its start had started', async () => {
  const world = new World();
  const machine = setup({}).createMachine({ tags: 'starting', initial: 'done', states: { done: { type: 'final' } } });
  const pid = await world.puppet('p', { spawns: { quick: () => ({ machine }) } });

  world.tell(pid, { type: 'start', params: { template: 'quick', as: 'seen' } });

  expect(world.seen(pid).map(({ type }) => type)).toEqual(['seen.started']);
});

test('a machine that goes on has started, whatever tags its state has besides', async () => {
  const world = new World();
  const machine = setup({}).createMachine({ tags: 'ignore' });
  const pid = await world.puppet('p', { spawns: { tagged: () => ({ machine }) } });

  world.tell(pid, { type: 'start', params: { template: 'tagged', as: 'seen' } });

  expect(world.seen(pid).map(({ type }) => type)).toEqual(['seen.started']);
});

const unfit = setup({ actions: { ...effects } }).createMachine({ entry: { type: 'apply', params: { table: 'missing', change: {} } } });
const flooding = setup({}).createMachine({
  entry: [sendTo(({ self }) => self, { type: 'more' }), sendTo(({ self }) => self, { type: 'more' })],
});

test.each([
  ['by its first effect', unfit, 'InvariantError'],
  ['in the middle of its first transition', flooding, 'MailboxOverflowError'],
])('a start that fails %s has one outcome', async (_, machine, name) => {
  const world = new World();
  const pid = await world.puppet('p', { spawns: { failing: () => ({ machine, mailboxMax: 1 }) } });

  world.tell(pid, { type: 'start', params: { template: 'failing', as: 'seen' } });

  expect(world.seen(pid)).toMatchObject([{ type: 'seen.failed', reason: { error: { name } } }]);
});

test('a root that comes up too late has failed when nothing of it is left, and not before', async () => {
  const world = new World(choosingScheduler((candidates) => Math.max(0, candidates.findIndex(({ what }) => what === 'STARTED'))));
  const failed: unknown[] = [];
  world.runtime.start({ machine: slow }, { id: 'slow', timeoutMs: 10 }).catch((error: unknown) => failed.push(error));
  world.runtime.drain();
  const pid: Address = world.runtime.tree()[0]?.pid ?? '@none';
  world.runtime.send(pid, { type: 'connected' });
  world.clock.advance(10);
  for (let step = 0; step < 2; step += 1) world.runtime.step(); // It comes up, and the outside hears of it; then it is killed.
  await Promise.resolve();
  const before = { alive: world.isAlive(pid), failed: failed.length };
  await world.settle();
  await world.settle();

  expect({ before, alive: world.isAlive(pid), failed }).toMatchObject({
    before: { alive: true, failed: 0 },
    alive: false,
    failed: [{ reason: 'timeout' }],
  });
});

test('a start that was in time keeps nothing of its limit', () => {
  const [clock, scheduler] = [new ManualClock(), replayScheduler()];
  const kernel = new ProcessKernel(clock, scheduler);
  const entry = kernel.spawn(puppetSpec(), { id: 'p', parent: kernel.outside });
  limitStart(entry, 10, () => undefined);
  while (scheduler.step());

  expect({ overdue: entry.overdue, timers: clock.pendingTimers }).toEqual({ overdue: undefined, timers: 0 });
});

test('who awaits a machine as a task has a bug', async () => {
  const world = new World();
  const pid = await world.puppet('p', { spawns: { machine: () => puppetSpec() } });

  world.tell(pid, { type: 'async', params: { template: 'machine', as: 'seen' } });

  expect(world.reasonOf(pid)).toMatchObject({ error: { message: "'machine' makes a task" } });
});

test.each([[null], [undefined], ['text'], [{ open: 1 }], [{ machine: null }], [{ machine: 1 }], [{}]])(
  'of a template that makes %j the start fails, and says that this is no process',
  async (made) => {
    const world = new World();
    const templates: Readonly<Record<string, () => unknown>> = { made: () => made };
    const pid = await world.puppet('p', { spawns: templates as Record<string, () => ProcessSpec> });

  world.tell(pid, { type: 'start', params: { template: 'made', as: 'seen' } });

    expect(world.seen(pid)).toMatchObject([
      { type: 'seen.failed', reason: { error: { message: `${JSON.stringify(made)} is neither a machine nor a port` } } },
    ]);
  },
);

test('a template that is given nothing to go by is given its name', async () => {
  const world = new World();
  const given: unknown[] = [];
  const pid = await world.puppet('p', { spawns: { noting: (args) => (given.push(args), puppetSpec()) } });

  world.tell(pid, { type: 'spawn', params: { template: 'noting', as: 'seen' } });

  expect(given).toEqual([{ type: 'noting' }]);
});
