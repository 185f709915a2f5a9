/** Supervisors of supervisors: how giving up climbs, how an order to end descends, and whose orders count. */
import { describe, expect, test } from 'vitest';
import type { ChildSpec, Restart } from '../../../../src/otp/supervision/child-spec.ts';
import type { ExitReason } from '../../../../src/otp/process.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { FAILS_FOR_EVER, Family, familySpec, type ChildPlan } from '../../../support/otp/family.ts';
import { World } from '../../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const CRASH: ExitReason = { error: { name: 'Error', message: 'crash' } };

/** A tree of two levels: supervisors named `x`, `y`, … under `top`. */
async function treeOf(
  below: Readonly<Record<string, Readonly<Record<string, ChildPlan>>>>,
  restart: Restart = 'permanent',
): Promise<World> {
  const world = new World();
  const children: readonly ChildSpec[] = Object.entries(below).map(([id, plans]) => {
    const spec = familySpec(plans, { maxRestarts: 1 });
    return { id, restart, start: () => spec };
  });
  await world.start(supervisor({ strategy: 'one_for_all', children }), 'top');
  return world;
}

function linesOf(world: World): readonly string[] {
  return world.runtime.printTree().split('\n').map((line) => line.replace(/^.* (\S+) \S+$/, '$1'));
}

describe('up', () => {
  test.each([
    ['permanent', ['top#1', 'top/x#6', 'top/x/a#7', 'top/y#8', 'top/y/b#9']],
    ['transient', ['top#1', 'top/y#4', 'top/y/b#5']],
    ['temporary', ['top#1', 'top/y#4', 'top/y/b#5']],
  ] as const)('S5-079 a supervisor that gives up has shut down: a %s one', async (restart, tree) => {
    const world = await treeOf({ x: { a: {} }, y: { b: {} } }, restart);

    world.send('@a', { type: 'fail' });
    const before = linesOf(world).length;
    world.send('@a', { type: 'fail' });

    // The first restart took a number of its own.
    const expected = tree.map((pid) => pid.replace(/#(\d+)$/, (_, n: string) => `#${Number(n) > 5 ? Number(n) + 1 : n}`));
    expect({ before, tree: linesOf(world) }).toEqual({ before: 5, tree: expected });
  });

  test('S5-080 a leaf that comes back disturbs nobody; one that does not takes its supervisor down, and so all of them', async () => {
    const world = await treeOf({ x: { a: {} }, y: { b: { starts: ['up', 'up', 'fail'] } }, z: { c: {} } });

    world.send('@b', { type: 'fail' });
    const first = linesOf(world);
    world.advance(60_000);
    world.send('@b', { type: 'fail' });

    expect({ first, second: linesOf(world) }).toEqual({
      first: ['top#1', 'top/x#2', 'top/x/a#3', 'top/y#4', 'top/y/b#8', 'top/z#6', 'top/z/c#7'],
      second: ['top#1', 'top/x#10', 'top/x/a#11', 'top/y#12', 'top/y/b#13', 'top/z#14', 'top/z/c#15'],
    });
  });

  test('S5-080 a supervisor that starts anew has the children of its specification, those that were ended too, and no others', async () => {
    const world = await treeOf({ x: { a: {}, b: {} }, y: { c: {} } });
    const [top] = world.runtime.tree();
    const [x = '@nobody', y = '@nobody'] = top?.children.map(({ pid }) => pid) ?? [];
    await world.ask(x, { type: 'startChild', template: 'puppet', args: { type: 'args', id: 'extra', plan: {} } });
    await world.ask(x, { type: 'terminateChild', id: 'b' });
    await world.ask(top?.pid ?? '@nobody', { type: 'terminateChild', id: 'y' });
    const before = linesOf(world);

    world.exit(x, 'kill');

    expect({ y: world.isAlive(y), before, after: linesOf(world) }).toEqual({
      y: false,
      before: ['top#1', 'top/x#2', 'top/x/a#3', 'top/x/extra#7'],
      after: ['top#1', 'top/x#8', 'top/x/a#9', 'top/x/b#10', 'top/y#11', 'top/y/c#12'],
    });
  });
});

describe('down', () => {
  test.each(['normal', 'shutdown', { shutdown: 'drain' }, CRASH] as const)(
    'S5-082 who has started a supervisor ends with %o: the children end in reverse order, then the supervisor, for that reason',
    async (reason) => {
      const world = new World();
      const owner = await world.puppet('owner', { spawns: { sup: () => familySpec({ a: {}, b: {} }) } });
      world.tell(owner, { type: 'start', params: { template: 'sup', as: 'sup', link: true } });

    world.tell(owner, { type: 'stop', params: { reason } });

    expect(world.exits).toEqual([
      { process: 'owner#1', reason },
      { process: 'owner/sup/b#4', reason: 'shutdown' },
      { process: 'owner/sup/a#3', reason: 'shutdown' },
      { process: 'owner/sup#2', reason },
    ]);
  });

  test('S5-081 S5-085 a supervisor that is killed stops nobody: its children die with it, it comes back, and names are free', async () => {
    const world = await treeOf({ x: { a: {}, b: {} } });

    world.exit(world.runtime.tree()[0]?.children[0]?.pid ?? '@nobody', 'kill');

    expect({
      exits: world.exits.map(({ process, reason }) => [process, reason]),
      tree: linesOf(world),
      a: world.runtime.whereis('@a'),
    }).toEqual({
      exits: [
        ['top/x#2', 'killed'],
        ['top/x/a#3', 'killed'],
        ['top/x/b#4', 'killed'],
      ],
      tree: ['top#1', 'top/x#5', 'top/x/a#6', 'top/x/b#7'],
      a: 'top/x/a#6',
    });
  });

  test('S5-081 a child that traps is told that its supervisor was killed, and has its shutdown time', async () => {
    const family = await Family.start({ a: { stubborn: true, shutdown: 100 } });
    const child = family.child('a');

    family.world.exit(family.pid, 'kill');
    const told = family.world.seen(child);
    family.world.advance(100);

    expect({ told, ends: family.endsSince() }).toEqual({
      told: [{ type: 'EXIT', process: family.pid, reason: 'killed', fromParent: true }],
      ends: ['sup killed', 'a killed'],
    });
  });

  test.each(
    STRATEGIES.flatMap((strategy) =>
      (['normal', 'shutdown', { shutdown: 'drain' }, CRASH] as const).map((reason) => [strategy, reason] as const),
    ),
  )(
    'S5-082 S5-083 %s: its own supervisor says %o, and it ends its children in reverse order, and itself for that reason',
    async (strategy, reason) => {
      const family = await Family.start({ a: {}, b: {} }, { strategy });

      family.world.exit(family.pid, reason);

      expect(family.world.exits).toEqual([
        { process: 'sup/b#3', reason: 'shutdown' },
        { process: 'sup/a#2', reason: 'shutdown' },
        { process: 'sup#1', reason },
      ]);
    },
  );

  test.each(STRATEGIES)('S5-083 %s: takes no order to end from a stranger', async (strategy) => {
    const family = await Family.start({ a: {}, b: {} }, { strategy });
    const stranger = await family.world.puppet('stranger');

    family.world.tell(stranger, { type: 'exit', params: { process: family.pid, reason: 'shutdown' } });

    expect({ running: family.running, ends: family.endsSince() }).toEqual({ running: ['a#2', 'b#3'], ends: [] });
  });

  test.each(['normal', 'shutdown', { shutdown: 'drain' }, CRASH] as const)(
    'S5-084 stopped from outside with %o: resolves when children and supervisor have ended',
    async (reason) => {
      const family = await Family.start({ a: {}, b: {} });

    const stopped = family.world.runtime.stop(family.pid, reason).then((ended) => ({ ended, left: family.world.runtime.tree() }));
    family.world.runtime.drain();

    expect({ stopped: await stopped, ends: family.world.exits.map(({ process }) => process) }).toEqual({
      stopped: { ended: reason, left: [] },
      ends: ['sup/b#3', 'sup/a#2', 'sup#1'],
    });
  });

  test('S5-084 stopped from outside without a reason: with shutdown (OTP: normal)', async () => {
    const family = await Family.start({ a: {} });

    const stopped = family.world.runtime.stop(family.pid);
    family.world.runtime.drain();

    expect(await stopped).toBe('shutdown');
  });

  test('S5-085 killed, it has not stopped anybody itself', async () => {
    const family = await Family.start({ a: {}, b: { starts: FAILS_FOR_EVER } });

    family.world.exit(family.pid, 'kill');

    expect(family.endsSince()).toEqual(['sup killed', 'a killed', 'b killed']);
  });
});
