/** Supervisors: how they stop their children, and what becomes of those around. */
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import type { ChildSpec, SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import { Family, familySpec } from '../../support/otp/family.ts';
import { World } from '../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const abc = { a: {}, b: {}, c: {} };

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

    expect({ reason: reason(), ends: world.exits.map((end) => end.reason), isAlive: world.isAlive(pid) }).toEqual({
      reason: 'shutdown',
      ends: ['normal', 'shutdown'],
      isAlive: false,
    });
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

    expect({ before, after: family.endsSince() }).toEqual({
      before: ['c shutdown'],
      after: ['c shutdown', 'b killed', 'a shutdown', 'sup shutdown'],
    });
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

    expect({ before, after: family.endsSince().slice(2) }).toEqual({
      before: ['zero killed', 'brutal killed'],
      after: ['patient shutdown', 'sup shutdown'],
    });
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

    expect({ ends: family.endsSince(), timers: family.world.clock.pendingTimers }).toEqual({
      ends: ['sup killed', 'a killed', 'b killed'],
      timers: 0,
    });
  });

  test('resolves for the outside when everything below is down too', async () => {
    const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 100 } });

    const stopped = family.world.runtime
      .stop(family.pid, 'kill')
      .then((reason) => ({ reason, tree: family.world.runtime.tree(), b: family.world.runtime.whereis('@b') }));
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
    const outcomes = [
      await crashWhileStopping('rest_for_one', 'd'),
      await crashWhileStopping('one_for_all', 'd'),
      await crashWhileStopping('one_for_all', 'a'),
    ];

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

    expect({ alive, reason: family.reason, ends: family.endsSince() }).toEqual({
      alive: true,
      reason: 'shutdown',
      ends: ['a error', 'a normal', 'b shutdown', 'sup shutdown'],
    });
  });

  test('any_significant: a temporary one ends it however it ends', async () => {
    const family = await Family.start({ a: significant('temporary'), b: {} }, { autoShutdown: 'any_significant' });

    family.crash('a');

    expect(family.reason).toBe('shutdown');
  });

  test('all_significant: the last one counts, and others do not', async () => {
    const family = await Family.start(
      { a: significant('transient'), b: significant('temporary'), c: { restart: 'temporary' } },
      { autoShutdown: 'all_significant' },
    );
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
