import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { effects } from '../../../src/otp/effects.ts';
import { replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { call } from '../../../src/otp/kernel/calls.ts';
import { link } from '../../../src/otp/kernel/links.ts';
import { monitor } from '../../../src/otp/kernel/monitors.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import { createRuntime } from '../../../src/otp/runtime.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { World } from '../../support/otp/world.ts';
import { EchoTable, puppetSpec } from '../../support/otp/puppet.ts';

test('delivers the messages of one sender in the order of sending', async () => {
  const world = new World();
  const [a, b] = [await world.puppet('a'), await world.puppet('b')];

  world.tell(a, ...['1', '2', '3'].map((n) => ({ type: 'send' as const, params: { to: b, event: { type: `seen.${n}` } } })));

  expect(world.seen(b).map(({ type }) => type)).toEqual(['seen.1', 'seen.2', 'seen.3']);
});

test('passes a message along a chain of 5,000 processes without growing the stack', async () => {
  const world = new World();
  const pids = await Promise.all(Array.from({ length: 5_000 }, (_, index) => world.puppet(`p${index}`)));
  const forward = pids.reduceRight(
    (inner: { type: string }, to) => ({ type: 'do', effects: [{ type: 'send', params: { to, event: inner } }] }),
    { type: 'seen.end' },
  );

  world.send(pids[0] ?? '@none', forward);

  expect(world.seen(pids[4_999] ?? '@none')).toEqual([{ type: 'seen.end' }]);
});

test('a message to a dead process vanishes', async () => {
  const world = new World();
  const [a, b] = [await world.puppet('a'), await world.puppet('b')];
  world.send(b, { type: 'finish' });

  world.tell(a, { type: 'send', params: { to: b, event: { type: 'seen.late' } } });

  expect({ a: world.isAlive(a), b: world.reasonOf(b) }).toEqual({ a: true, b: 'normal' });
});

test('an event that no state handles ends the process with the names of both', async () => {
  const world = new World();
  const strict = setup({}).createMachine({ id: 'strict', initial: 'closed', states: { closed: { on: { open: {} } } } });
  const pid = await world.start({ machine: strict }, 'strict');

  world.send(pid, { type: 'open' });
  world.send(pid, { type: 'knock' });

  expect(world.reasonOf(pid)).toMatchObject({
    error: { name: 'UnhandledEventError', message: "machine 'strict' in state 'closed' has no transition for event 'knock'" },
  });
});

test('an event whose guards all say no is handled by no state', async () => {
  const world = new World();
  const guarded = setup({ guards: { never: () => false } }).createMachine({ id: 'guarded', on: { ask: { guard: 'never', actions: [] } } });
  const pid = await world.start({ machine: guarded }, 'guarded');

  world.send(pid, { type: 'ask' });

  expect(world.reasonOf(pid)).toMatchObject({ error: { name: 'UnhandledEventError' } });
});

test('asking a machine what it could do does not end a process of it', async () => {
  const world = new World();
  const machine = setup({}).createMachine({ on: { known: {} } });
  const pid = await world.start({ machine }, 'asked');

  const can = world.runtime.refOf(pid)?.getSnapshot().can({ type: 'unknown' });
  world.send(pid, { type: 'known' });

  expect({ can, alive: world.isAlive(pid) }).toEqual({ can: false, alive: true });
});

test('redelivers postponed events after a change of state, before others, in their order', async () => {
  const world = new World();
  const pid = await world.puppet('p');

  world.send(pid, { type: 'sleep' });
  world.send(pid, { type: 'seen.1' });
  world.send(pid, { type: 'seen.2' });
  world.runtime.send(pid, { type: 'wake' });
  world.runtime.send(pid, { type: 'seen.3' });
  world.runtime.drain();

  expect(world.seen(pid).map(({ type }) => type)).toEqual(['seen.1', 'seen.2', 'seen.3']);
});

test('to postpone without an event changes nothing', async () => {
  const world = new World();
  const machine = setup({ actions: { ...effects } }).createMachine({
    entry: { type: 'postpone' },
    initial: 'a',
    states: { a: { on: { go: 'b' } }, b: {} },
  });
  const pid = await world.start({ machine }, 'p');
  const before = world.runtime.processInfo(pid)?.mailboxLength;
  world.send(pid, { type: 'go' });

  expect({ before, state: world.runtime.processInfo(pid)?.state }).toEqual({ before: 0, state: 'b' });
});

test("delivers a table's answer before whatever waits, and before what was postponed", async () => {
  const world = new World();
  const pid = await world.puppet('p');

  world.runtime.send(pid, {
    type: 'do',
    effects: ['1', '2'].map((n) => ({ type: 'apply', params: { table: 'echo', change: { echo: { type: `seen.answer${n}` } } } })),
  });
  world.runtime.send(pid, { type: 'seen.later' });
  world.runtime.drain();

  expect(world.seen(pid).map(({ type }) => type)).toEqual(['seen.answer1', 'seen.answer2', 'seen.later']);
});

test('a table that throws crashes its owner', async () => {
  const world = new World();
  const pid = await world.puppet('p');

  world.tell(pid, { type: 'apply', params: { table: 'echo', change: { bad: true } } });

  expect(world.reasonOf(pid)).toMatchObject({ error: { message: 'a bad change' } });
});

test('a machine that throws performs none of the effects of that transition', async () => {
  const world = new World();
  const [a, b] = [await world.puppet('a'), await world.puppet('b')];

  world.send(a, { type: 'doAndFail', effects: [{ type: 'send', params: { to: b, event: { type: 'seen.early' } } }] });

  expect({ a: world.reasonOf(a), b: world.seen(b) }).toMatchObject({ a: { error: { name: 'Error', message: 'told to fail' } }, b: [] });
});

test('gives a machine its pid as input, beside what its specification says', async () => {
  const world = new World();
  const machine = setup({}).createMachine({ context: ({ input }) => ({ input }) });
  const pid = await world.start({ machine, input: { handle: 'h' } }, 'p');

  expect(world.runtime.refOf(pid)?.getSnapshot().context).toEqual({ input: { handle: 'h', self: pid } });
});

test('crashes a process whose mailbox overflows', async () => {
  const world = new World();
  const pid = await world.puppet('p', { mailboxMax: 3 });

  for (let count = 0; count < 4; count += 1) world.runtime.send(pid, { type: 'seen.flood' });
  world.runtime.drain();

  expect(world.reasonOf(pid)).toMatchObject({ error: { name: 'MailboxOverflowError' } });
});

test('never gives out a pid twice', async () => {
  const world = new World();
  const first = await world.puppet('p');
  world.send(first, { type: 'finish' });
  const second = await world.puppet('p');

  expect({ first, second }).toEqual({ first: 'p#1', second: 'p#2' });
});

test('rejects a start that fails with its reason, and nothing is left of it', async () => {
  const world = new World();
  const failing = setup({
    actions: {
      fail: () => {
        throw new Error('no disk');
      },
    },
  }).createMachine({ entry: 'fail' });

  const outcome = await world.start({ machine: failing, name: '@failing' }, 'failing').catch((error: unknown) => error);

  expect({ outcome, name: world.runtime.whereis('@failing'), tree: world.runtime.tree() }).toMatchObject({
    outcome: { name: 'StartError', reason: { error: { message: 'no disk' } } },
    name: undefined,
    tree: [],
  });
});

test('counts a machine as started when it leaves the states tagged as starting', async () => {
  const world = new World();
  const slow = setup({}).createMachine({
    initial: 'connecting',
    states: { connecting: { tags: 'starting', on: { connected: 'up' } }, up: {} },
  });
  let started = false;
  const starting = world.runtime.start({ machine: slow }, { id: 'slow' }).then(() => (started = true));
  world.runtime.drain();
  await Promise.resolve();
  const before = started;

  world.send(world.runtime.tree()[0]?.pid ?? '@none', { type: 'connected' });
  await starting;

  expect({ before, after: started }).toEqual({ before: false, after: true });
});

test('a machine that ends while it starts has failed to start, unless it had just finished', async () => {
  const world = new World();
  const ending = (reason: string) =>
    setup({}).createMachine({ initial: 'done', states: { done: { type: 'final' } }, output: { reason } });

  const outcomes = await Promise.allSettled([
    world.start({ machine: ending('shutdown') }, 'refused'),
    world.start({ machine: ending('normal') }, 'finished'),
  ]);

  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: { reason: 'shutdown' } },
    { status: 'fulfilled', value: 'finished#2' },
  ]);
});

test('says about a process what it is, does and waits for', async () => {
  const world = new World();
  const [a, b] = [await world.puppet('a'), await world.puppet('b', { name: '@b' })];
  world.tell(
    a,
    { type: 'monitor', params: { process: b, as: 'peer' } },
    { type: 'link', params: { process: b } },
    { type: 'startTimer', params: { name: 'tick', delayMs: 10 } },
  );
  world.send(a, { type: 'sleep' });
  world.send(a, { type: 'seen.1' });

  expect([world.runtime.processInfo(a), world.runtime.processInfo('@b')]).toEqual([
    {
      pid: a,
      id: 'a',
      name: undefined,
      names: [],
      label: undefined,
      parent: 'outside',
      state: 'asleep',
      tags: [],
      machine: 'puppet',
      context: { seen: [] },
      tables: ['echo'],
      memoryBytes: 4_050,
      mailboxLength: 1,
      hibernates: false,
      dropped: 0,
      links: ['outside', b],
      monitors: [b],
      monitoredBy: [],
      timers: [{ name: 'tick', leftMs: 10 }],
      handled: 3,
      restarts: 0,
      sinceMs: 0,
    },
    {
      pid: b,
      id: 'b',
      name: '@b',
      names: ['@b'],
      label: undefined,
      parent: 'outside',
      state: 'awake',
      tags: [],
      machine: 'puppet',
      context: { seen: [] },
      tables: ['echo'],
      memoryBytes: 3_650,
      mailboxLength: 0,
      hibernates: false,
      dropped: 0,
      links: ['outside', a],
      monitors: [],
      monitoredBy: [a],
      timers: [],
      handled: 0,
      restarts: 0,
      sinceMs: 0,
    },
  ]);
});

test('says since when a process lives, in whole milliseconds on the scale of the clock', async () => {
  const clock = new ManualClock();
  clock.advance(1_000);
  const runtime = createRuntime({ clock, scheduler: replayScheduler() });
  clock.advance(500.4);
  const starting = runtime.start(puppetSpec(), { id: 'p' });
  runtime.drain();

  expect(runtime.processInfo(await starting)?.sinceMs).toBe(1_500);
});

test('counts what is delivered next among what waits, and links a spawned process to nobody by itself', async () => {
  const world = new World();
  const pid = await world.puppet('p', { spawns: { child: () => puppetSpec() } });
  world.tell(pid, { type: 'spawn', params: { template: 'child', as: 'seen' } });
  const child = world.runtime.tree()[0]?.children[0]?.pid ?? '@none';
  world.runtime.suspend(pid);
  for (const type of ['seen.1', 'seen.2']) world.send(pid, { type });
  world.runtime.resume(pid);

  expect({ waiting: world.runtime.processInfo(pid)?.mailboxLength, links: world.runtime.processInfo(child)?.links }).toEqual({
    waiting: 2,
    links: [],
  });
});

test('shows the tables of a process to who reads them from outside, as long as it lives', async () => {
  const world = new World();
  const board = new EchoTable();
  await world.puppet('owner', { name: '@owner', tables: () => ({ board }) });
  const tables = () => [world.runtime.tableOf('@owner', 'board'), world.runtime.tableOf('@owner', 'other')];

  const living = tables();
  world.exit('@owner', 'kill');

  expect({ living, ended: tables() }).toEqual({ living: [board, undefined], ended: [undefined, undefined] });
});

test('one that has ended lets go of its tables and its siblings, whoever still has a message of it', () => {
  const scheduler = replayScheduler();
  const kernel = new ProcessKernel(new ManualClock(), scheduler);
  const [, entry] = ['before', 'p', 'after'].map((id) => kernel.spawn(puppetSpec(), { id, parent: kernel.outside }));
  while (scheduler.step());
  const held = () =>
    [entry?.tables, ...['previous', 'next'].map((field) => Reflect.get(entry ?? {}, field))].map((what) => what !== undefined);
  const before = held();
  if (entry !== undefined) kernel.end(entry, 'shutdown');

  expect({ before, after: held() }).toEqual({ before: [true, true, true], after: [false, false, false] });
});

test('one that has ended holds nobody', () => {
  const scheduler = replayScheduler();
  const kernel = new ProcessKernel(new ManualClock(), scheduler);
  const born = (id: string) => kernel.spawn(puppetSpec({ trapExit: true }), { id, parent: kernel.outside });
  const [one, other] = [born('one'), born('other')];
  while (scheduler.step());
  link(one, other.pid);
  monitor(one, other.pid, 'seen');
  monitor(other, one.pid, 'seen');
  call(one, { to: other.pid, request: { type: 'seen.request' } });
  const held = () => [one.links, one.monitors, one.watchers, one.calls].map((what) => what?.size);
  const before = held();
  kernel.end(one, 'shutdown');

  expect({ before, after: held() }).toEqual({ before: [1, 1, 1, 1], after: [undefined, undefined, undefined, undefined] });
});

test('to say again that it has started changes nothing else of a process', () => {
  const kernel = new ProcessKernel(new ManualClock(), replayScheduler());
  const entry = kernel.spawn(puppetSpec(), { id: 'p', parent: kernel.outside });
  entry.noteHandled();
  for (const is of [true, true]) entry.started = is;

  expect({ started: entry.started, alive: entry.alive, handled: entry.handled }).toEqual({ started: true, alive: true, handled: 1 });
});

test('a throwing machine is no uncaught exception, and leaves no actor of its own behind', async () => {
  const world = new World();
  const uncaught: unknown[] = [];
  const listen = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', listen);
  const pid = await world.start(puppetSpec(), 'p');
  const actor = world.runtime.refOf(pid);

  world.send(pid, { type: 'fail' });
  await world.settle();
  process.off('uncaughtException', listen);

  expect({ uncaught, status: actor?.getSnapshot().status, tree: world.runtime.tree() }).toEqual({
    uncaught: [],
    status: 'error',
    tree: [],
  });
});

test('sends one message to each of a few', async () => {
  const world = new World();
  const [a, b, c] = [await world.puppet('a'), await world.puppet('b'), await world.puppet('c')];

  world.tell(a, { type: 'sendToEach', params: { to: [b, c], event: { type: 'seen.both' } } });

  expect([world.seen(b), world.seen(c)]).toEqual([[{ type: 'seen.both' }], [{ type: 'seen.both' }]]);
});

test('tells who listens of starts, ends and restarts alone, until the listener leaves', async () => {
  const world = new World();
  const heard: string[] = [];
  const stop = world.runtime.lifecycle((record) => heard.push(record.type));
  const pid = await world.puppet('a');
  world.send(pid, { type: 'seen.1' });
  world.send(pid, { type: 'finish' });
  stop();
  await world.puppet('b');

  expect(heard).toEqual(['spawn', 'exit']);
});

test('a table that cannot be made is a start that fails, and the machine does not begin', async () => {
  const world = new World();
  const begun: string[] = [];
  const machine = setup({}).createMachine({ entry: () => begun.push('begun') });
  const tables = () => {
    throw new Error('no room');
  };

  const outcome = await world.start({ machine, tables }, 'p').catch((error: unknown) => error);

  expect({ begun, outcome }).toMatchObject({ begun: [], outcome: { reason: { error: { message: 'no room' } } } });
});
