/** Hibernation: nobody can tell from outside whether a process is awake or only a row. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { randomScheduler, replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { effects } from '../../../src/otp/effects.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import { link, unlink } from '../../../src/otp/kernel/links.ts';
import { demonitor, monitor } from '../../../src/otp/kernel/monitors.ts';
import type { MachineSpec, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { createRuntime } from '../../../src/otp/runtime.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { EchoTable, puppetSpec, type Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const hibernate: Told = { type: 'hibernate', params: undefined };

async function sleeper(world: World, options: Partial<MachineSpec> = {}): Promise<Pid> {
  const pid = await world.puppet('sleeper', options);
  world.tell(pid, hibernate);
  return pid;
}

const isAsleep = (world: World, pid: Pid): boolean | undefined => world.runtime.processInfo(pid)?.hibernates;

/** Counts its entries, and remembers by a history state where it was interrupted. */
const worker = setup({
  types: { context: {} as { entries: number }, events: {} as { type: 'begin' | 'next' | 'interrupt' | 'resume' | 'rest' } },
  actions: { ...effects, count: assign({ entries: ({ context }) => context.entries + 1 }) },
}).createMachine({
  id: 'worker',
  context: { entries: 0 },
  initial: 'idle',
  on: { rest: { actions: { type: 'hibernate' } } },
  states: {
    idle: { entry: 'count', on: { begin: 'working' } },
    working: {
      initial: 'first',
      states: { first: { entry: 'count', on: { next: 'second' } }, second: { entry: 'count' }, last: { type: 'history' } },
      on: { interrupt: 'paused' },
    },
    paused: { on: { resume: 'working.last' } },
  },
});

test('the figures of all processes are those that each tells by itself, asleep or awake', async () => {
  const world = new World();
  const [asleep, awake] = [await sleeper(world), await world.puppet('awake')];

  const figures = [...world.runtime.processes()].map(({ pid, state, hibernates, mailboxLength, handled, restarts }) => {
    return { pid, state, hibernates, mailboxLength, handled, restarts };
  });

  const told = [asleep, awake].map((pid) => {
    const { state, hibernates, mailboxLength, handled, restarts } = world.runtime.processInfo(pid) ?? {};
    return { pid, state, hibernates, mailboxLength, handled, restarts };
  });
  expect([figures, figures.map(({ hibernates }) => hibernates)]).toEqual([told, [true, false]]);
});

test.each([
  ['a delay of xstate’s is waiting', { after: { 1000: 'done' } }],
  ['an actor of its own is at work', { invoke: { src: 'work' } }],
] as const)('a process stays awake while %s, which would end with its actor', async (_, waiting) => {
  const world = new World();
  const machine = setup({
    types: { events: {} as { type: 'rest' } },
    actors: { work: fromPromise(() => new Promise(() => undefined)) },
    actions: effects,
  }).createMachine({ id: 'm', initial: 'waiting', on: { rest: { actions: { type: 'hibernate' } } }, states: { waiting, done: {} } });
  const pid = await world.start({ machine }, 'm');

  world.send(pid, { type: 'rest' });

  expect(isAsleep(world, pid)).toBe(false);
});

test('a process that is to hibernate does so though what still waited for it was nothing to it', async () => {
  const world = new World();
  const pid = await world.puppet('sleeper');

  world.runtime.send(pid, { type: 'do', effects: [hibernate] });
  world.runtime.exit(pid, 'normal');
  world.runtime.drain();

  expect(isAsleep(world, pid)).toBe(true);
});

test('a process wakes with the very context that it had, whatever it looks like', async () => {
  const world = new World();
  const context = { seen: [], link: { xstate$$type: 1, id: 'nobody' } };
  const machine = setup({ types: { events: {} as { type: 'rest' | 'wake' } }, actions: effects }).createMachine({
    id: 'm',
    context,
    on: { rest: { actions: { type: 'hibernate' } }, wake: {} },
  });
  const pid = await world.start({ machine }, 'm');

  world.send(pid, { type: 'rest' });
  world.send(pid, { type: 'wake' });

  expect(world.runtime.refOf(pid)?.getSnapshot()).toMatchObject({ context: { seen: [], link: { xstate$$type: 1, id: 'nobody' } } });
});

describe('a process that hibernates', () => {
  test('has no actor, and its state, tags and info are still told', async () => {
    const world = new World();
    const pid = await world.start({ machine: worker }, 'worker');
    world.send(pid, { type: 'begin' });
    world.send(pid, { type: 'rest' });

    expect({ actor: world.runtime.refOf(pid), info: world.runtime.processInfo(pid), tree: world.runtime.printTree() }).toMatchObject({
      actor: undefined,
      info: { hibernates: true, state: { working: 'first' }, handled: 2, mailboxLength: 0 },
      tree: 'worker worker#1 {"working":"first"}',
    });
  });

  test('is woken by a message in the state in which it was, without any entry action, history states included', async () => {
    const world = new World();
    const pid = await world.start({ machine: worker }, 'worker');
    for (const type of ['begin', 'next', 'interrupt', 'rest', 'resume']) world.send(pid, { type });

    const { value, context } = world.runtime.refOf(pid)?.getSnapshot() as { value: unknown; context: { entries: number } };
    expect({ value, context }).toEqual({ value: { working: 'second' }, context: { entries: 4 } });
  });

  test('goes on being monitored, linked and named, with its tables and its timers', async () => {
    const world = new World();
    const watcher = await world.puppet('watcher', { trapExit: true });
    const board = new EchoTable();
    const pid = await world.puppet('sleeper', { name: '@sleeper', tables: () => ({ board }) });
    world.tell(watcher, { type: 'monitor', params: { process: pid, as: 'seen' } }, { type: 'link', params: { process: pid } });
    world.tell(pid, { type: 'startTimer', params: { name: 'tick', delayMs: 50 } }, hibernate);
    const before = [isAsleep(world, pid), world.runtime.whereis('@sleeper'), world.runtime.tableOf(pid, 'board') === board];

    world.advance(50);
    const woken = [isAsleep(world, pid), world.seen(pid)];
    world.tell(pid, hibernate);
    world.exit(pid, 'shutdown');

    expect({ before, woken, told: world.seen(watcher).map(({ type, reason }) => [type, reason]) }).toEqual({
      before: [true, pid, true],
      woken: [false, [{ type: 'timeout.tick' }]],
      told: [['EXIT', 'shutdown'], ['seen.down', 'shutdown']],
    });
  });

  test('tells its tables, each time, which may let go of what they make again', async () => {
    const world = new World();
    const told: string[] = [];
    const pid = await world.puppet('sleeper', {
      tables: () => ({ first: Object.assign(new EchoTable(), { hibernate: () => told.push('first') }), second: new EchoTable() }),
    });
    const before = [...told];
    for (const _ of [1, 2]) world.tell(pid, hibernate);

    expect({ before, told }).toEqual({ before: [], told: ['first', 'first'] });
  });

  test('tells its own monitors and links, when it is woken by them', async () => {
    const world = new World();
    const other = await world.puppet('other');
    const pid = await world.puppet('sleeper', { trapExit: true });
    world.tell(pid, { type: 'monitor', params: { process: other, as: 'seen' } }, { type: 'link', params: { process: other } }, hibernate);
    world.exit(other, 'shutdown');

    expect(world.seen(pid).map(({ type }) => type)).toEqual(['EXIT', 'seen.down']);
  });

  test('is ended by exit and kill without being woken, and its children with it', async () => {
    const world = new World();
    const woken: string[] = [];
    world.runtime.trace(({ type }) => type === 'wake' && woken.push(type));
    const pid = await sleeper(world, { spawns: { below: () => puppetSpec() } });
    world.tell(pid, { type: 'spawn', params: { template: 'below', as: 'seen' } }, hibernate);
    const below = world.seen(pid).length;
    woken.length = 0;
    world.exit(pid, 'kill');

    expect({ below, woken, tree: world.runtime.tree() }).toEqual({ below: 0, woken: [], tree: [] });
  });
});

test('of one that holds nothing, only a state value and a context are left, and nothing of them when it wakes', () => {
  const [clock, scheduler] = [new ManualClock(), replayScheduler()];
  const kernel = new ProcessKernel(clock, scheduler);
  const entry = kernel.spawn({ machine: worker, hibernateAfterMs: 100 }, { id: 'worker', parent: kernel.outside });
  const handle = (type: string) => {
    kernel.enqueue(entry, { kind: 'message', source: kernel.outside, message: { type } });
    while (scheduler.step());
    return [entry.value, entry.context, Reflect.get(entry, 'awakeState') === undefined, Reflect.get(entry, 'holdings')];
  };

  while (scheduler.step());
  expect({ born: Reflect.get(entry, 'holdings'), resting: handle('rest'), timers: clock.pendingTimers, awake: handle('begin') }).toEqual({
    born: undefined,
    resting: ['idle', { entries: 1 }, true, undefined],
    timers: 0,
    awake: [undefined, undefined, false, undefined],
  });
});

test('of one that is awake and idle, no signal is held that it has handled', () => {
  const scheduler = replayScheduler();
  const kernel = new ProcessKernel(new ManualClock(), scheduler);
  const entry = kernel.spawn({ machine: worker }, { id: 'worker', parent: kernel.outside });
  kernel.enqueue(entry, { kind: 'message', source: kernel.outside, message: { type: 'begin' } });
  while (scheduler.step());

  expect({ isAwake: entry.isAwake, current: entry.current }).toEqual({ isAwake: true, current: undefined });
});

test('of one that held others and let them go nothing is left of that', () => {
  const scheduler = replayScheduler();
  const kernel = new ProcessKernel(new ManualClock(), scheduler);
  const born = (id: string) => kernel.spawn({ machine: worker }, { id, parent: kernel.outside });
  const [entry, other] = [born('a'), born('b')];
  while (scheduler.step());
  link(entry, other.pid);
  unlink(entry, other.pid);
  monitor(entry, other.pid, 'seen');
  demonitor(entry, { process: other.pid });
  kernel.enqueue(entry, { kind: 'message', source: kernel.outside, message: { type: 'rest' } });
  while (scheduler.step());

  expect(Reflect.get(entry, 'holdings')).toBeUndefined();
});

test('who sleeps and wakes is traced, and the actor that goes is stopped', async () => {
  const world = new World();
  const traced: unknown[] = [];
  const pid = await world.puppet('sleeper');
  world.runtime.trace((record) => (record.type === 'hibernate' || record.type === 'wake') && traced.push([record.type, record.process]));
  const actor = world.runtime.refOf(pid);
  world.tell(pid, hibernate);
  world.send(pid, { type: 'seen.more' });

  expect({ traced, status: actor?.getSnapshot().status }).toEqual({ traced: [['hibernate', pid], ['wake', pid]], status: 'stopped' });
});

test('what is nothing to a process that hibernates leaves it nothing to be awake with', async () => {
  const world = new World();
  const [pid, other] = [await world.puppet('sleeper'), await world.puppet('other')];
  world.tell(pid, hibernate);
  const { kernel } = world.runtime as unknown as { kernel: { resolve: (pid: Pid) => { isAwake: boolean } } };
  const isAwake = (): boolean => kernel.resolve(pid).isAwake;
  const before = isAwake();
  world.tell(other, { type: 'exit', params: { process: pid, reason: 'normal' } });
  const ignoring = isAwake();
  world.runtime.suspend(pid);
  world.runtime.resume(pid);
  world.runtime.drain();

  expect({ before, ignoring, resumed: isAwake() }).toEqual({ before: false, ignoring: false, resumed: false });
});

describe('the time to hibernate', () => {
  test('waits until no call is out', async () => {
    const world = new World();
    const [pid, silent] = [await world.puppet('sleeper'), await world.puppet('silent')];
    world.tell(pid, { type: 'call', params: { to: silent, request: { type: 'seen.request' }, as: 'seen' } }, hibernate);
    const calling = isAsleep(world, pid);
    const { replyTo } = world.seen(silent)[0] as unknown as { replyTo: ReplyTo };
    world.tell(silent, { type: 'reply', params: { to: replyTo, event: { type: 'seen.answer' } } });
    const answered = isAsleep(world, pid);

    expect({ calling, answered }).toEqual({ calling: false, answered: true });
  });

  test('does not come while something is postponed', async () => {
    const world = new World();
    const pid = await world.puppet('sleeper', { hibernateAfterMs: 100 });
    world.send(pid, { type: 'sleep' }); // A state that postpones everything.
    world.send(pid, { type: 'seen.later' });
    world.advance(300);
    const postponing = isAsleep(world, pid);
    world.send(pid, { type: 'wake' });
    world.advance(200);

    expect({ postponing, seen: world.seen(pid), after: isAsleep(world, pid) }).toEqual({ postponing: false, seen: [], after: true });
  });

  test('comes again to one that was suspended when it came', async () => {
    const world = new World();
    const pid = await world.puppet('sleeper', { hibernateAfterMs: 100 });
    world.runtime.suspend(pid);
    world.advance(150);
    world.runtime.resume(pid);
    world.advance(49);
    const before = isAsleep(world, pid);
    world.advance(1);

    expect({ before, after: isAsleep(world, pid) }).toEqual({ before: false, after: true });
  });

  test('comes by itself when the process was idle for as long as its specification says', async () => {
    const world = new World();
    const pid = await world.puppet('sleeper', { hibernateAfterMs: 100 });
    world.advance(60);
    world.send(pid, { type: 'seen.something' });
    world.advance(60);
    const active = isAsleep(world, pid);
    world.advance(40);
    const idle = isAsleep(world, pid);
    world.send(pid, { type: 'seen.more' });
    world.advance(100);

    expect({ active, idle, again: isAsleep(world, pid), timersLeft: world.clock.pendingTimers }).toEqual({
      active: false,
      idle: true,
      again: true,
      timersLeft: 0,
    });
  });
});

test('a world in which everybody hibernates after every event sees what one sees in which nobody does', async () => {
  const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(2), fc.constantFrom('tell', 'call', 'watch', 'sleep', 'wake', 'end')), {
    maxLength: 30,
  });

  await fc.assert(
    fc.asyncProperty(steps, fc.nat(), async (told, seed) => {
      expect(await live(told, seed, [hibernate])).toEqual(await live(told, seed, []));
    }),
    { numRuns: 300 },
  );
});

type Step = readonly [from: number, to: number, what: string];
const everybody = ['@p0', '@p1', '@p2'] as const;

/** @returns what was delivered to whom, and in which states they are in the end. */
async function live(steps: readonly Step[], seed: number, afterwards: readonly Told[]) {
  const runtime = createRuntime({ clock: new ManualClock(), scheduler: randomScheduler(seed) });
  const starting = everybody.map((name) => runtime.start(puppetSpec({ name }), { id: name.slice(1) }));
  runtime.drain();
  await Promise.all(starting);
  const delivered: string[] = [];
  runtime.trace(
    (record) => record.type === 'deliver' && record.message.type !== 'do' && delivered.push(`${record.to} ${record.message.type}`),
  );
  for (const [from, to, what] of steps) {
    for (const message of whatToDo(`@p${to}`, what)) runtime.send(`@p${from}`, message);
    runtime.drain();
    for (const name of everybody) runtime.send(name, { type: 'do', effects: afterwards });
    runtime.drain();
  }
  return { delivered, states: everybody.map((name) => runtime.processInfo(name)?.state) };
}

function whatToDo(to: `@${string}`, what: string) {
  if (what === 'sleep' || what === 'wake') return [{ type: what }];
  if (what === 'end') return [{ type: 'do', effects: [{ type: 'exit', params: { process: to, reason: 'shutdown' } }] }];
  if (what === 'watch') return [{ type: 'do', effects: [{ type: 'monitor', params: { process: to, as: 'seen' } }] }];
  if (what === 'call') {
    return [{ type: 'do', effects: [{ type: 'call', params: { to, request: { type: 'seen.request' }, as: 'seen', timeoutMs: 10 } }] }];
  }
  return [{ type: 'do', effects: [{ type: 'send', params: { to, event: { type: 'seen.message' } } }] }];
}
