/** Significant children, and a supervisor that ends with the first or the last of them. */
import { describe, expect, test } from 'vitest';
import type { ChildSpec, Restart } from '../../../../src/otp/supervision/child-spec.ts';
import type { ExitReason } from '../../../../src/otp/process.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { FAILS_FOR_EVER, Family, familySpec, type ChildPlan } from '../../../support/otp/family.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const ANY_OR_ALL = ['any_significant', 'all_significant'] as const;
const CRASH: ExitReason = { error: { name: 'Error', message: 'crash' } };
const ENDINGS: readonly ExitReason[] = ['normal', 'shutdown', { shutdown: 'moved' }, CRASH, 'killed'];

describe('who is not significant', () => {
  const cases = (['never', ...ANY_OR_ALL] as const).flatMap((autoShutdown) =>
    (['transient', 'temporary'] as const).flatMap((restart) => ENDINGS.map((reason) => [autoShutdown, restart, reason] as const)),
  );

  test.each(cases)('S5-118 %s: a %s child that ends with %o ends nobody', async (autoShutdown, restart, reason) => {
    const family = await Family.start({ a: { restart }, b: {} }, { autoShutdown });

    family.end('a', reason);

    expect({ alive: family.isAlive, b: family.running.includes('b#3') }).toEqual({ alive: true, b: true });
  });
});

describe('any_significant', () => {
  test.each(ENDINGS.map((reason) => [reason]))(
    'S5-119 S5-126 a temporary one that ends with %o: all others end, then the supervisor with shutdown',
    async (reason) => {
      const family = await Family.start({ a: {}, b: significant('temporary'), c: {} }, { autoShutdown: 'any_significant' });

    family.end('b', reason);

    expect(family.world.exits).toEqual([
      { process: 'sup/b#3', reason },
      { process: 'sup/c#4', reason: 'shutdown' },
      { process: 'sup/a#2', reason: 'shutdown' },
      { process: 'sup#1', reason: 'shutdown' },
    ]);
  });

  test.each([CRASH, 'killed'] as const)('S5-120 a transient one that ends with %o comes back, and nobody ends', async (reason) => {
    const family = await Family.start({ a: significant('transient'), b: {} }, { autoShutdown: 'any_significant' });

    family.end('a', reason);

    expect(family.running).toEqual(['a#4', 'b#3']);
  });

  test.each(['normal', 'shutdown', { shutdown: 'moved' }] as const)(
    'S5-120 a transient one that ends with %o: all others end, then the supervisor',
    async (reason) => {
      const family = await Family.start({ a: significant('transient'), b: {} }, { autoShutdown: 'any_significant' });

    family.end('a', reason);

      expect({ reason: family.reason, ends: family.world.exits.map(({ process }) => process) }).toEqual({
        reason: 'shutdown',
        ends: ['sup/a#2', 'sup/b#3', 'sup#1'],
      });
    },
  );
});

describe('all_significant', () => {
  test.each(['transient', 'temporary'] as const)(
    'S5-122 %s: the first end is none, the last one is, and others do not count',
    async (restart) => {
      const family = await Family.start(
        { a: significant(restart), b: significant(restart), c: { restart: 'temporary' } },
        { autoShutdown: 'all_significant' },
      );
      family.end('c', 'normal');
      family.end('a', 'normal');
      const alive = family.isAlive;

    family.end('b', 'normal');

    expect({ alive, reason: family.reason }).toEqual({ alive: true, reason: 'shutdown' });
  });

  test('S5-123 one whose restart is still being tried counts as alive', async () => {
    const plans = { a: { ...significant('transient'), starts: FAILS_FOR_EVER }, b: significant('transient') };
    const family = await Family.start(plans, { autoShutdown: 'all_significant', maxRestarts: 1_000_000 });
    family.crashInLoop('a');

    family.world.runtime.send('@b', { type: 'finish' });
    family.world.run(200);

    expect({ alive: family.isAlive, children: await family.children() }).toEqual({ alive: true, children: ['a restarting', 'b down'] });
  });

  test('S5-123 one that finished before does not', async () => {
    const family = await Family.start({ a: significant('transient'), b: significant('transient') }, { autoShutdown: 'all_significant' });

    family.end('a', 'normal');
    family.end('b', 'shutdown');

    expect(family.reason).toBe('shutdown');
  });
});

test.each(STRATEGIES.flatMap((strategy) => ANY_OR_ALL.map((autoShutdown) => [strategy, autoShutdown] as const)))(
  'S5-124 %s, %s: one that a sibling\'s restart has ended ends nobody',
  async (strategy, autoShutdown) => {
    const family = await Family.start({ a: {}, b: significant('temporary'), c: significant('transient') }, { strategy, autoShutdown });

    family.crash('a');

    const running = strategy === 'one_for_one' ? ['a', 'b', 'c'] : ['a', 'c'];
    expect(family.running.map((pid) => pid.slice(0, 1))).toEqual(running);
  },
);

test.each([
  ['significant: both end', true, ['top/lower/worker#4', 'top/lower#3', 'top/other#2', 'top#1']],
  ['not significant: the upper one lives', false, ['top/lower/worker#4', 'top/lower#3']],
])('S5-125 a supervisor that shuts itself down is %s', async (_, isSignificant, ends) => {
  const world = new World();
  const lower = familySpec({ worker: significant('transient') }, { autoShutdown: 'any_significant' });
  const children: readonly ChildSpec[] = [
    { id: 'other', start: () => puppetSpec() },
    { id: 'lower', start: () => lower, restart: 'transient', significant: isSignificant },
  ];
  await world.start(supervisor({ strategy: 'one_for_one', children, autoShutdown: 'any_significant' }), 'top');

  world.send('@worker', { type: 'finish' });

  expect(world.exits.map(({ process }) => process)).toEqual(ends);
});

test('S5-127 a significant child that finds at its restart that it is not needed ends nobody', async () => {
  const plans = { a: { ...significant('transient'), starts: ['up', 'ignore'] as const }, b: {} };
  const family = await Family.start(plans, { autoShutdown: 'any_significant' });

  family.crash('a');

  expect({ running: family.running, children: await family.children() }).toEqual({ running: ['b#3'], children: ['a down', 'b sup/b#3'] });
});

function significant(restart: Exclude<Restart, 'permanent'>): ChildPlan & { readonly significant: true } {
  return { restart, significant: true };
}
