/** A sibling that dies while the supervisor is busy with another, in every strategy: nothing is lost, nothing is done twice. */
import { describe, expect, test } from 'vitest';
import type { SupervisorSpec } from '../../../../src/otp/supervision/child-spec.ts';
import { Family } from '../../../support/otp/family.ts';

type Strategy = SupervisorSpec['strategy'];

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

/** The pids without their numbers. */
const idsOf = (running: readonly string[]): readonly string[] => running.map((pid) => pid.replace(/#\d+$/, ''));

/** b has crashed, and the supervisor waits for c, which does not obey. */
async function stoppingC(strategy: Strategy, maxRestarts = 9): Promise<Family> {
  const family = await Family.start({ a: {}, b: {}, c: { stubborn: true, shutdown: 100 }, d: {} }, { strategy, maxRestarts });
  family.crash('b');
  return family;
}

describe('while it stops one of a group', () => {
  test('S5-054 one_for_all: an earlier one that crashes is down already, and comes back with the group, once', async () => {
    const family = await stoppingC('one_for_all', 1);

    family.crash('a');
    family.world.advance(100);

    expect({ state: family.state, running: idsOf(family.running), ends: family.endsSince() }).toEqual({
      state: 'running',
      running: ['a', 'b', 'c', 'd'],
      ends: ['b error', 'd shutdown', 'a error', 'c killed'],
    });
  });

  test('S5-054 rest_for_one: one before the group that crashes is dealt with afterwards, and takes the group along again', async () => {
    const family = await stoppingC('rest_for_one', 2);

    family.crash('a');
    family.world.advance(100);
    const between = { state: family.state, waits: idsOf(family.running) };
    family.world.advance(100);

    expect({ between, running: idsOf(family.running), ends: family.endsSince() }).toEqual({
      between: { state: 'clearing', waits: ['b', 'c'] },
      running: ['a', 'b', 'c', 'd'],
      ends: ['b error', 'd shutdown', 'a error', 'c killed', 'd shutdown', 'c killed', 'b shutdown'],
    });
  });

  test('S5-069 rest_for_one: one before the group that crashes counts as a restart of its own', async () => {
    const family = await stoppingC('rest_for_one', 1);

    family.crash('a');
    family.world.advance(100);
    family.world.advance(100);

    expect({ reason: family.reason, ends: family.endsSince().slice(3) }).toEqual({
      reason: 'shutdown',
      ends: ['c killed', 'd shutdown', 'c killed', 'b shutdown', 'sup shutdown'],
    });
  });

  test.each(['one_for_all', 'rest_for_one'] as const)(
    'S5-054 %s: one of the group that crashes before its turn is down already',
    async (strategy) => {
      const family = await Family.start({ a: {}, b: {}, c: {}, d: { stubborn: true, shutdown: 100 } }, { strategy, maxRestarts: 1 });
      family.crash('b');

    family.crash('c');
    family.world.advance(100);

      const group = strategy === 'one_for_all' ? ['a shutdown'] : [];
      expect({ running: idsOf(family.running), ends: family.endsSince() }).toEqual({
        running: ['a', 'b', 'c', 'd'],
        ends: ['b error', 'c error', 'd killed', ...group],
      });
    },
  );

  test.each(['transient', 'temporary'] as const)(
    'S5-055 rest_for_one: a %s one before the group that finishes stays down',
    async (restart) => {
      const family = await Family.start(
        { a: { restart }, b: {}, c: { stubborn: true, shutdown: 100 }, d: {} },
        { strategy: 'rest_for_one' },
      );
      family.crash('b');

    family.end('a', 'normal');
    family.world.advance(100);

    expect(idsOf(family.running)).toEqual(['b', 'c', 'd']);
  });

  test.each(['one_for_all', 'rest_for_one'] as const)(
    'S5-055 %s: a temporary one of the group that ends meanwhile is gone with its specification',
    async (strategy) => {
      const family = await Family.start({ a: {}, b: { restart: 'temporary' }, c: { stubborn: true, shutdown: 100 } }, { strategy });
      family.crash('a');

    family.crash('b');
    family.world.advance(100);

    expect({ running: idsOf(family.running), counts: await family.counts() }).toEqual({ running: ['a', 'c'], counts: [2, 2, 0, 2] });
  });

  test('S5-124 rest_for_one: a significant one before the group that ends meanwhile ends the supervisor when it is free', async () => {
    const plans = { a: { restart: 'temporary', significant: true }, b: {}, c: { stubborn: true, shutdown: 100 } } as const;
    const family = await Family.start(plans, { strategy: 'rest_for_one', autoShutdown: 'any_significant' });
    family.crash('b');

    family.end('a', 'normal');
    family.world.advance(100);
    family.world.advance(100);

    expect({ reason: family.reason, ends: family.endsSince() }).toEqual({
      reason: 'shutdown',
      ends: ['b error', 'a normal', 'c killed', 'c killed', 'b shutdown', 'sup shutdown'],
    });
  });
});

describe('while it starts one of a group again', () => {
  /** b has crashed and comes back slowly: the supervisor waits until it says that it is up. */
  async function startingB(strategy: Strategy): Promise<Family> {
    const family = await Family.start({ a: {}, b: { starts: ['up', 'slow'] }, c: {} }, { strategy });
    family.crash('b');
    return family;
  }

  test.each(STRATEGIES)('S5-057 S5-058 %s: an earlier one that crashes is dealt with when the start is over', async (strategy) => {
    const family = await startingB(strategy);
    const busy = family.state;

    family.crash('a');
    family.world.send('@b', { type: 'up' });

    expect({ busy, state: family.state, running: idsOf(family.running) }).toEqual({
      busy: 'restarting',
      state: 'running',
      running: ['a', 'b', 'c'],
    });
  });

  test('S5-051 one_for_one: a later one that crashes is dealt with when the start is over', async () => {
    const family = await startingB('one_for_one');

    family.crash('c');
    const before = idsOf(family.running);
    family.world.send('@b', { type: 'up' });

    expect({ before, after: idsOf(family.running) }).toEqual({ before: ['a', 'b'], after: ['a', 'b', 'c'] });
  });

  test.each(STRATEGIES)('S5-074 %s: the order to stop is obeyed before the start is over', async (strategy) => {
    const family = await startingB(strategy);

    family.world.exit(family.pid, 'shutdown');

    expect({ reason: family.reason, left: family.world.runtime.tree() }).toEqual({ reason: 'shutdown', left: [] });
  });
});

test.each(STRATEGIES)('S5-051 S5-052 S5-053 %s: two that crash at once both come back', async (strategy) => {
  const family = await Family.start({ a: {}, b: {}, c: {} }, { strategy });

  family.world.runtime.send('@a', { type: 'fail' });
  family.world.runtime.send('@c', { type: 'fail' });
  family.world.runtime.drain();

  expect(idsOf(family.running)).toEqual(['a', 'b', 'c']);
});
