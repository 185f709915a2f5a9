import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import type { ChildSpec, SupervisorSpec } from '../../src/otp/child-spec.ts';
import type { ExitReason } from '../../src/otp/process.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { Family, familySpec } from './support/family.ts';
import { World } from './support/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const abc = { a: {}, b: {}, c: {} };
const crash: ExitReason = { error: { name: 'Error', message: 'crash' } };

/** Takes its time to stop, and is told so only once. */
const closing = setup({}).createMachine({
  id: 'closing',
  initial: 'open',
  states: { open: { on: { EXIT: 'closing' } }, closing: { on: { closed: 'closed' } }, closed: { type: 'final' } },
});

/** A supervisor that was asked to stop its child, and then told to end. */
async function whileClosing(child: Pick<ChildSpec, 'shutdown'>) {
  const world = new World();
  const start = () => ({ machine: closing, trapExit: true, name: '@closing' }) as const;
  const pid = await world.start(supervisor({ strategy: 'one_for_one', children: [{ id: 'closing', start, ...child }] }), 'sup');
  world.send(pid, { type: 'terminateChild', id: 'closing' });
  world.exit(pid, 'shutdown');
  return { world, pid, reason: () => world.reasonOf(pid) };
}

describe('start', () => {
  test('starts its children in order, each when the one before has started', async () => {
    const slow = setup({}).createMachine({ initial: 'connecting', states: { connecting: { tags: 'starting', on: { connected: 'up' } }, up: {} } });
    const world = new World();
    const children = ['slow', 'next'].map((id) => ({ id, start: () => ({ machine: slow, name: `@${id}` as const }) }));
    void world.start(supervisor({ strategy: 'one_for_one', children }), 'sup');
    const before = world.runtime.printTree();

    world.send('@slow', { type: 'connected' });

    expect([before, world.runtime.printTree()]).toEqual([
      'sup sup#1 starting\n└─ slow sup/slow#2 connecting',
      'sup sup#1 starting\n├─ slow sup/slow#2 up\n└─ next sup/next#3 connecting',
    ]);
  });

  test('a first start that fails takes back those before it, and says which child and why', async () => {
    const world = new World();

    const outcome: unknown = await Family.start({ a: {}, b: {}, c: { starts: ['fail'] }, d: {} }, {}, world).catch((error: unknown) => error);

    expect({ outcome, exits: world.exits.map(({ process }) => process), tree: world.runtime.tree() }).toMatchObject({
      outcome: {
        name: 'StartError',
        reason: { shutdown: { type: 'failed_to_start_child', id: 'c', reason: { error: { message: 'c cannot start' } } } },
      },
      exits: ['sup/c#4', 'sup/b#3', 'sup/a#2', 'sup#1'],
      tree: [],
    });
  });

  test('waits for a subtree to be up', async () => {
    const world = new World();
    const inner = { id: 'inner', start: () => familySpec(abc) };

    await world.start(supervisor({ strategy: 'one_for_all', children: [inner] }), 'top');

    expect(world.runtime.printTree()).toBe(
      ['top top#1 running', '└─ inner top/inner#2 running', '   ├─ a top/inner/a#3 awake', '   ├─ b top/inner/b#4 awake', '   └─ c top/inner/c#5 awake'].join('\n'),
    );
  });
});

describe('restart', () => {
  const reasons: readonly (readonly [string, ExitReason])[] = [
    ['normal', 'normal'],
    ['shutdown', 'shutdown'],
    ['shutdown with a cause', { shutdown: 'moved' }],
    ['killed', 'killed'],
    ['noproc', 'noproc'],
    ['a crash', crash],
  ];
  const cases = STRATEGIES.flatMap((strategy) =>
    (['permanent', 'transient', 'temporary'] as const).flatMap((restart) =>
      reasons.map(([name, reason]) => ({ strategy, restart, name, reason, comesBack: restart === 'permanent' || (restart === 'transient' && ['killed', 'noproc', 'a crash'].includes(name)) })),
    ),
  );

  test.each(cases)('$strategy, $restart, $name: comes back $comesBack', async ({ strategy, restart, reason, comesBack }) => {
    const family = await Family.start({ a: { restart } }, { strategy });

    family.end('a', reason);

    const status = { permanent: 'down', transient: 'down', temporary: undefined }[restart];
    const children = family.world.runtime.call(family.pid, { type: 'whichChildren' });
    family.world.runtime.drain();
    const kept = status === undefined ? [] : [{ id: 'a', pid: undefined, status, type: 'worker' }];
    expect({ running: family.running, children: await children }).toEqual({
      running: comesBack ? ['a#3'] : [],
      children: { type: 'children', children: comesBack ? [{ id: 'a', pid: 'sup/a#3', status: 'up', type: 'worker' }] : kept },
    });
  });

  test.each([
    ['one_for_one', ['a#2', 'b#5', 'c#4'], ['b error']],
    ['one_for_all', ['a#5', 'b#6', 'c#7'], ['b error', 'c shutdown', 'a shutdown']],
    ['rest_for_one', ['a#2', 'b#5', 'c#6'], ['b error', 'c shutdown']],
  ] as const)('%s starts over whom it must, in order', async (strategy, running, ends) => {
    const family = await Family.start(abc, { strategy });

    family.crash('b');

    expect({ running: family.running, ends: family.endsSince() }).toEqual({ running, ends });
  });

  test.each(STRATEGIES)('%s: an end that is no reason to restart leaves the siblings alone', async (strategy) => {
    const family = await Family.start({ a: {}, b: { restart: 'transient' }, c: { restart: 'temporary' }, d: {} }, { strategy });

    family.end('b', 'normal');
    family.crash('c');

    expect(family.running).toEqual(['a#2', 'd#5']);
  });

  test('a group restart drops temporary siblings and brings back finished ones', async () => {
    const family = await Family.start({ a: {}, b: { restart: 'transient' }, c: { restart: 'temporary' } }, { strategy: 'one_for_all' });
    family.end('b', 'normal');

    family.crash('a');

    expect({ running: family.running, ends: family.endsSince() }).toEqual({ running: ['a#5', 'b#6'], ends: ['b normal', 'a error', 'c shutdown'] });
  });

  test('one_for_one tries a restart that fails again, and counts each try', async () => {
    const family = await Family.start({ a: {}, b: { starts: ['up', 'fail', 'fail'] } }, { maxRestarts: 3 });

    family.crash('b');
    const first = { running: family.running, alive: family.isAlive };
    family.crash('b');

    expect({ first, reason: family.reason }).toEqual({ first: { running: ['a#2', 'b#6'], alive: true }, reason: 'shutdown' });
  });

  test('one_for_all ends those that it had restarted, and starts over', async () => {
    const family = await Family.start({ a: {}, b: { starts: ['up', 'fail'] }, c: {} }, { strategy: 'one_for_all' });

    family.crash('a');

    expect({ running: family.running, ends: family.endsSince() }).toEqual({
      running: ['a#7', 'b#8', 'c#9'],
      ends: ['a error', 'c shutdown', 'b shutdown', 'b error', 'a shutdown'],
    });
  });

  test('rest_for_one keeps those that it had restarted, and retries from the one that failed', async () => {
    const family = await Family.start({ a: {}, b: { starts: ['up', 'fail'] }, c: {} }, { strategy: 'rest_for_one' });

    family.crash('a');

    expect({ running: family.running, ends: family.endsSince() }).toEqual({
      running: ['a#5', 'b#7', 'c#8'],
      ends: ['a error', 'c shutdown', 'b shutdown', 'b error'],
    });
  });

  test('a second try that is due while another child is restarted waits, and is not lost', async () => {
    const family = await Family.start({ a: { starts: ['up', 'fail'] }, b: {} });
    const { runtime } = family.world;

    runtime.send('@a', { type: 'fail' });
    runtime.send('@b', { type: 'fail' });
    runtime.drain();

    expect(family.running).toEqual(['a#6', 'b#5']);
  });

  test('rest_for_one: a try that is due for a later child does not start it before an earlier one whose restart failed since', async () => {
    const family = await Family.start({ a: { starts: ['up', 'fail'] }, b: {}, c: { starts: ['up', 'fail'] } }, { strategy: 'rest_for_one' });
    const { runtime } = family.world;
    const begun: string[] = [];
    // The earlier one ends while the later one is being started over: its end is handled first, and its own restart fails.
    runtime.lifecycle((record) => {
      if (record.type === 'spawn') begun.push(record.process);
      if (record.type === 'spawn' && begun.length === 1) runtime.exit('@a', 'kill');
    });

    family.crash('c');

    expect(begun).toEqual(['sup/c#5', 'sup/a#6', 'sup/a#7', 'sup/b#8', 'sup/c#9']);
  });

  test('can be asked and stopped while it restarts in a loop', async () => {
    const forever: readonly ('up' | 'fail')[] = ['up', ...Array.from({ length: 10_000 }, () => 'fail' as const)];
    const family = await Family.start({ a: {}, b: { starts: forever } }, { maxRestarts: 1_000_000 });
    const { runtime } = family.world;

    runtime.send('@b', { type: 'fail' });
    for (let step = 0; step < 500; step += 1) runtime.step();
    const asked = runtime.call(family.pid, { type: 'whichChildren' });
    for (let step = 0; step < 500; step += 1) runtime.step();
    const stopped = runtime.stop(family.pid);
    const steps = runtime.drain();

    expect({ asked: await asked, stopped: await stopped, stepsToStop: steps < 100 }).toMatchObject({
      asked: { children: [{ id: 'a', status: 'up' }, { id: 'b' }] },
      stopped: 'shutdown',
      stepsToStop: true,
    });
  });

  test('lists a child whose restart failed as restarting, and those that wait behind it as down', async () => {
    const forever: readonly ('up' | 'fail')[] = ['up', ...Array.from({ length: 10_000 }, () => 'fail' as const)];
    const family = await Family.start({ a: {}, b: { starts: forever }, c: {} }, { strategy: 'rest_for_one', maxRestarts: 1_000_000 });
    const { runtime } = family.world;

    runtime.send('@b', { type: 'fail' });
    for (let step = 0; step < 500; step += 1) runtime.step();
    const answers = [runtime.call(family.pid, { type: 'whichChildren' }), runtime.call(family.pid, { type: 'countChildren' })];
    for (let step = 0; step < 500; step += 1) runtime.step();

    expect(await Promise.all(answers)).toEqual([
      { type: 'children', children: [{ id: 'a', pid: 'sup/a#2', status: 'up', type: 'worker' }, { id: 'b', pid: undefined, status: 'restarting', type: 'worker' }, { id: 'c', pid: undefined, status: 'down', type: 'worker' }] },
      { type: 'children.counted', specs: 3, active: 1, supervisors: 0, workers: 3 },
    ]);
  });
});

describe('intensity', () => {
  test.each(STRATEGIES)('%s: one restart too many ends the supervisor and all its children in reverse order', async (strategy) => {
    const family = await Family.start(abc, { strategy, maxRestarts: 1, maxSeconds: 3_600 });
    family.crash('a');
    const before = family.world.exits.length;

    family.crash('a');

    expect({ ends: family.endsSince(before), reason: family.reason }).toEqual({ ends: ['a error', 'c shutdown', 'b shutdown', 'sup shutdown'], reason: 'shutdown' });
  });

  test.each([
    [2_100, true],
    [900, false],
  ])('one restart a second, crashes %d ms apart: lives %s', async (apartMs, lives) => {
    const family = await Family.start({ a: {} }, { maxRestarts: 1, maxSeconds: 1 });

    for (let count = 0; count < 4 && family.isAlive; count += 1) {
      family.crash('a');
      family.world.advance(apartMs);
    }

    expect(family.isAlive).toBe(lives);
  });

  test('counts whole seconds: two restarts 1.9 s apart can fall into one second', async () => {
    const family = await Family.start({ a: {} }, { maxRestarts: 1, maxSeconds: 1 });

    family.world.advance(50);
    family.crash('a');
    family.world.advance(1_900);
    family.crash('a');

    expect(family.isAlive).toBe(false);
  });

  test('none allowed: the first crash is one too many', async () => {
    const family = await Family.start(abc, { maxRestarts: 0 });

    family.crash('b');

    expect(family.reason).toBe('shutdown');
  });

  test('counts each try of a restart that fails: the siblings end with the supervisor', async () => {
    const forever: readonly ('up' | 'fail')[] = ['up', ...Array.from({ length: 10 }, () => 'fail' as const)];
    const family = await Family.start({ a: {}, b: { starts: forever } }, { maxRestarts: 4, maxSeconds: 3_600 });

    family.crash('b');

    expect(family.endsSince()).toEqual(['b error', 'b error', 'b error', 'b error', 'b error', 'a shutdown', 'sup shutdown']);
  });

  test('counts a group as one, and the marks of all children together', async () => {
    const family = await Family.start(abc, { strategy: 'one_for_all', maxRestarts: 2 });

    family.crash('a');
    family.crash('b');
    const alive = family.isAlive;
    family.crash('c');

    expect({ alive, after: family.isAlive }).toEqual({ alive: true, after: false });
  });
});

describe('stop', () => {
  test.each(STRATEGIES)('%s: in reverse order, one by one', async (strategy) => {
    const family = await Family.start(abc, { strategy });

    family.world.exit(family.pid, 'shutdown');

    expect(family.endsSince()).toEqual(['c shutdown', 'b shutdown', 'a shutdown', 'sup shutdown']);
  });

  test('with the reason that its own supervisor gave', async () => {
    const family = await Family.start(abc);

    family.world.exit(family.pid, { shutdown: 'drain' });

    expect(family.reason).toEqual({ shutdown: 'drain' });
  });

  test('tells a child to stop once, also when its own end comes while it waits for that', async () => {
    const { world, pid, reason } = await whileClosing({ shutdown: 'infinity' });
    world.send('@closing', { type: 'closed' });

    expect({ reason: reason(), ends: world.exits.map((end) => end.reason), isAlive: world.isAlive(pid) }).toEqual({ reason: 'shutdown', ends: ['normal', 'shutdown'], isAlive: false });
  });

  test('kills a child that was told to stop before its own end came, when its time is over', async () => {
    const { world } = await whileClosing({ shutdown: 100 });
    world.advance(100);

    expect(world.exits.map((end) => end.reason)).toEqual(['killed', 'shutdown']);
  });

  test('takes no order from a stranger', async () => {
    const family = await Family.start(abc);
    const stranger = await family.world.puppet('stranger');

    family.world.tell(stranger, { type: 'exit', params: { process: family.pid, reason: 'shutdown' } });
    family.world.send(family.pid, { type: 'nonsense' });

    expect(family.running).toEqual(['a#2', 'b#3', 'c#4']);
  });

  test('kills a child that does not obey in time, and waits for the next only then', async () => {
    const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 300 }, c: {} });

    family.world.exit(family.pid, 'shutdown');
    family.world.advance(299);
    const before = family.endsSince();
    family.world.advance(1);

    expect({ before, after: family.endsSince() }).toEqual({ before: ['c shutdown'], after: ['c shutdown', 'b killed', 'a shutdown', 'sup shutdown'] });
  });

  test('waits without limit, kills at once, or kills after no time, as each child says', async () => {
    const family = await Family.start({
      patient: { stubborn: true, shutdown: 'infinity' },
      brutal: { stubborn: true, shutdown: 'brutal_kill' },
      zero: { stubborn: true, shutdown: 0 },
    });

    family.world.exit(family.pid, 'shutdown');
    family.world.advance(0);
    family.world.advance(1_000_000);
    const before = family.endsSince();
    family.end('patient', { shutdown: 'at last' });

    expect({ before, after: family.endsSince().slice(2) }).toEqual({ before: ['zero killed', 'brutal killed'], after: ['patient shutdown', 'sup shutdown'] });
  });

  test('a child that ends by itself meanwhile keeps its own reason and does not come back', async () => {
    const family = await Family.start({ a: {}, b: {}, c: { stubborn: true } });

    family.world.exit(family.pid, 'shutdown');
    family.crash('a');
    family.crash('c');

    expect(family.endsSince()).toEqual(['a error', 'c error', 'b shutdown', 'sup shutdown']);
  });

  test('kill runs no stop: its children die with it, and their names are free', async () => {
    const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 100 } });

    family.world.exit(family.pid, 'kill');
    const before = family.endsSince();
    family.world.advance(100);

    expect({ before, after: family.endsSince(), names: [family.world.runtime.whereis('@a'), family.world.runtime.whereis('@b')] }).toEqual({
      before: ['sup killed', 'a killed'],
      after: ['sup killed', 'a killed', 'b killed'],
      names: [undefined, undefined],
    });
  });

  test('kill reaches those who unlinked themselves, and a child that obeys leaves no timer behind', async () => {
    const family = await Family.start({ a: {}, b: {} });
    family.world.tell('@a', { type: 'unlink', params: { process: family.pid } });

    family.world.exit(family.pid, 'kill');

    expect({ ends: family.endsSince(), timers: family.world.clock.pendingTimers }).toEqual({ ends: ['sup killed', 'a killed', 'b killed'], timers: 0 });
  });

  test('resolves for the outside when everything below is down too', async () => {
    const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 100 } });

    const stopped = family.world.runtime.stop(family.pid, 'kill').then((reason) => ({ reason, tree: family.world.runtime.tree(), b: family.world.runtime.whereis('@b') }));
    family.world.runtime.drain();
    await family.world.settle();
    family.world.advance(100);
    await family.world.settle();

    expect(await stopped).toEqual({ reason: 'killed', tree: [], b: undefined });
  });
});

test('stopping a root does not wait for what is below another root of the same id', async () => {
  const world = new World();
  const [one] = [await world.start(familySpec({ a: {} }), 'sup'), await world.start(familySpec({ b: {} }), 'sup')];

  const stopped = world.runtime.stop(one);
  world.runtime.drain();

  expect({ reason: await stopped, left: world.runtime.tree().map(({ pid }) => pid) }).toEqual({ reason: 'shutdown', left: ['sup#3'] });
});

describe('a sibling that ends while the supervisor stops another', () => {
  /** b has crashed; c, which is being stopped for it, does not obey yet; now `id` crashes. */
  async function crashWhileStopping(strategy: SupervisorSpec['strategy'], id: 'a' | 'd') {
    const family = await Family.start({ a: {}, b: {}, c: { stubborn: true, shutdown: 100 }, d: {} }, { strategy, maxRestarts: 5 });
    const { runtime } = family.world;
    runtime.send('@b', { type: 'fail' });
    if (id === 'd') runtime.send('@d', { type: 'fail' });
    runtime.drain();
    if (id === 'a') family.crash('a');
    const busy = family.state;
    family.world.advance(100);
    // c may be in the way a second time.
    family.world.advance(100);
    return { busy, running: family.running.map((pid) => pid.slice(0, 1)), ends: family.endsSince(), alive: family.isAlive };
  }

  test('rest_for_one: an earlier one is restarted afterwards, and those behind it again', async () => {
    const outcome = await crashWhileStopping('rest_for_one', 'a');

    expect(outcome).toEqual({
      busy: 'clearing',
      running: ['a', 'b', 'c', 'd'],
      // c comes back for b, is stopped once more for a, and obeys as little as before.
      ends: ['b error', 'd shutdown', 'a error', 'c killed', 'd shutdown', 'c killed', 'b shutdown'],
      alive: true,
    });
  });

  test('rest_for_one, one_for_all: one of the group is simply down already', async () => {
    const outcomes = [await crashWhileStopping('rest_for_one', 'd'), await crashWhileStopping('one_for_all', 'd'), await crashWhileStopping('one_for_all', 'a')];

    expect(outcomes).toEqual([
      { busy: 'clearing', running: ['a', 'b', 'c', 'd'], ends: ['b error', 'd error', 'c killed'], alive: true },
      { busy: 'clearing', running: ['a', 'b', 'c', 'd'], ends: ['b error', 'd error', 'c killed', 'a shutdown'], alive: true },
      { busy: 'clearing', running: ['a', 'b', 'c', 'd'], ends: ['b error', 'd shutdown', 'a error', 'c killed'], alive: true },
    ]);
  });
});

describe('auto-shutdown', () => {
  const significant = (restart: 'transient' | 'temporary') => ({ restart, significant: true });

  test('any_significant: its end for good is the end of the supervisor; a restart is not', async () => {
    const family = await Family.start({ a: significant('transient'), b: {} }, { autoShutdown: 'any_significant' });
    family.crash('a');
    const alive = family.isAlive;
    family.end('a', 'normal');

    expect({ alive, reason: family.reason, ends: family.endsSince() }).toEqual({ alive: true, reason: 'shutdown', ends: ['a error', 'a normal', 'b shutdown', 'sup shutdown'] });
  });

  test('any_significant: a temporary one ends it however it ends', async () => {
    const family = await Family.start({ a: significant('temporary'), b: {} }, { autoShutdown: 'any_significant' });

    family.crash('a');

    expect(family.reason).toBe('shutdown');
  });

  test('all_significant: the last one counts, and others do not', async () => {
    const family = await Family.start({ a: significant('transient'), b: significant('temporary'), c: { restart: 'temporary' } }, { autoShutdown: 'all_significant' });
    family.crash('c');
    family.end('a', 'normal');
    const alive = family.isAlive;
    family.end('b', 'normal');

    expect({ alive, reason: family.reason }).toEqual({ alive: true, reason: 'shutdown' });
  });

  test('one that a group restart has ended ends nothing', async () => {
    const family = await Family.start({ a: {}, b: significant('temporary') }, { strategy: 'one_for_all', autoShutdown: 'any_significant' });

    family.crash('a');

    expect(family.running).toEqual(['a#4']);
  });
});

describe('trees', () => {
  test('a supervisor that gives up is restarted by its own, with all its children', async () => {
    const world = new World();
    const spec = (id: string) => ({ id, start: () => familySpec({ [`${id}1`]: {}, [`${id}2`]: {} }, { maxRestarts: 0 }) });
    const top = await world.start(supervisor({ strategy: 'one_for_one', children: [spec('x'), spec('y')] }), 'top');

    world.send('@x1', { type: 'fail' });

    expect({ alive: world.isAlive(top), ends: world.exits.map(({ process }) => process), tree: world.runtime.printTree() }).toEqual({
      alive: true,
      ends: ['top/x/x1#3', 'top/x/x2#4', 'top/x#2'],
      tree: [
        'top top#1 running',
        '├─ x top/x#8 running',
        '│  ├─ x1 top/x/x1#9 awake',
        '│  └─ x2 top/x/x2#10 awake',
        '└─ y top/y#5 running',
        '   ├─ y1 top/y/y1#6 awake',
        '   └─ y2 top/y/y2#7 awake',
      ].join('\n'),
    });
  });

  test('a subtree has all the time it needs to stop', async () => {
    const world = new World();
    const slow = { id: 'inner', start: () => familySpec({ slow: { stubborn: true, shutdown: 60_000 } }) };
    const top = await world.start(supervisor({ strategy: 'one_for_one', children: [slow] }), 'top');

    world.exit(top, 'shutdown');
    world.advance(59_999);
    const before = world.isAlive(top);
    world.advance(1);

    expect({ before, ends: world.exits.map(({ process, reason }) => [process, reason]) }).toEqual({
      before: true,
      ends: [['top/inner/slow#3', 'killed'], ['top/inner#2', 'shutdown'], ['top#1', 'shutdown']],
    });
  });

  test('a restart is told to who traces', async () => {
    const family = await Family.start({ a: {} });
    const restarts: unknown[] = [];
    family.world.runtime.trace((record) => record.type === 'restart' && restarts.push(record));

    family.crash('a');

    expect(restarts).toMatchObject([{ type: 'restart', supervisor: 'sup#1', id: 'a', process: 'sup/a#3' }]);
  });
});
