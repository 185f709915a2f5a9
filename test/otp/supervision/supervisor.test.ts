/** Supervisors: how they start, whom they restart, and when they give up. */
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import type { ExitReason } from '../../../src/otp/process.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import { Family, familySpec } from '../../support/otp/family.ts';
import { World } from '../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const abc = { a: {}, b: {}, c: {} };
const crash: ExitReason = { error: { name: 'Error', message: 'crash' } };

describe('start', () => {
  test('starts its children in order, each when the one before has started', async () => {
    const slow = setup({}).createMachine({
      initial: 'connecting',
      states: { connecting: { tags: 'starting', on: { connected: 'up' } }, up: {} },
    });
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

    const outcome: unknown = await Family.start({ a: {}, b: {}, c: { starts: ['fail'] }, d: {} }, {}, world).catch(
      (error: unknown) => error,
    );

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
      [
        'top top#1 running',
        '└─ inner top/inner#2 running',
        '   ├─ a top/inner/a#3 awake',
        '   ├─ b top/inner/b#4 awake',
        '   └─ c top/inner/c#5 awake',
      ].join('\n'),
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
      reasons.map(([name, reason]) => ({
        strategy,
        restart,
        name,
        reason,
        comesBack: restart === 'permanent' || (restart === 'transient' && ['killed', 'noproc', 'a crash'].includes(name)),
      })),
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

    expect({ running: family.running, ends: family.endsSince() }).toEqual({
      running: ['a#5', 'b#6'],
      ends: ['b normal', 'a error', 'c shutdown'],
    });
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
    const family = await Family.start(
      { a: { starts: ['up', 'fail'] }, b: {}, c: { starts: ['up', 'fail'] } },
      { strategy: 'rest_for_one' },
    );
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
      {
        type: 'children',
        children: [
          { id: 'a', pid: 'sup/a#2', status: 'up', type: 'worker' },
          { id: 'b', pid: undefined, status: 'restarting', type: 'worker' },
          { id: 'c', pid: undefined, status: 'down', type: 'worker' },
        ],
      },
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

    expect({ ends: family.endsSince(before), reason: family.reason }).toEqual({
      ends: ['a error', 'c shutdown', 'b shutdown', 'sup shutdown'],
      reason: 'shutdown',
    });
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
