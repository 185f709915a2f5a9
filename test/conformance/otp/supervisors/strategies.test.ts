/** Whom a restart takes along, in which order, and what happens when another child fails to come back with it. */
import { describe, expect, test } from 'vitest';
import { FAILS_FOR_EVER, Family } from '../../../support/otp/family.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const GROUPS = ['one_for_all', 'rest_for_one'] as const;
const abc = { a: {}, b: {}, c: {} };

test('S5-051 one_for_one: the others keep their processes', async () => {
  const family = await Family.start(abc, { strategy: 'one_for_one' });

  family.crash('a');

  expect({ running: family.running, ends: family.endsSince() }).toEqual({ running: ['a#5', 'b#3', 'c#4'], ends: ['a error'] });
});

test('S5-052 one_for_all: the others are shut down, and all are new', async () => {
  const family = await Family.start({ a: {}, b: {} }, { strategy: 'one_for_all' });
  const old = [family.child('a'), family.child('b')];

  family.crash('a');

  expect({ running: family.running, ends: family.endsSince(), old: old.map((pid) => family.world.isAlive(pid)) }).toEqual({
    running: ['a#4', 'b#5'],
    ends: ['a error', 'b shutdown'],
    old: [false, false],
  });
});

test('S5-053 rest_for_one: those behind are shut down and new, the one before keeps its process', async () => {
  const family = await Family.start(abc, { strategy: 'rest_for_one' });

  family.crash('b');

  expect({ running: family.running, ends: family.endsSince() }).toEqual({
    running: ['a#2', 'b#5', 'c#6'],
    ends: ['b error', 'c shutdown'],
  });
});

test.each([
  ['one_for_all', ['m#7', 'z#8', 'c#9', 'x#10', 'b#11'], ['c error', 'b shutdown', 'x shutdown', 'z shutdown', 'm shutdown']],
  ['rest_for_one', ['m#2', 'z#3', 'c#7', 'x#8', 'b#9'], ['c error', 'b shutdown', 'x shutdown']],
] as const)(
  'S5-054 %s: stops from the last to the first and starts from the first to the last, whatever the ids',
  async (strategy, running, ends) => {
    const family = await Family.start({ m: {}, z: {}, c: {}, x: {}, b: {} }, { strategy });

  family.crash('c');

  expect({ running: family.running, ends: family.endsSince() }).toEqual({ running, ends });
});

test.each(GROUPS)(
  'S5-055 S5-116 %s: a temporary sibling that the group restart has ended is gone with its specification',
  async (strategy) => {
    const family = await Family.start({ a: {}, b: { restart: 'temporary' }, c: {} }, { strategy });

  family.crash('a');

  expect({ running: family.running, ends: family.endsSince(), counts: await family.counts() }).toEqual({
    running: ['a#5', 'c#6'],
    ends: ['a error', 'c shutdown', 'b shutdown'],
    counts: [2, 2, 0, 2],
  });
});

test('S5-055 one_for_one: a temporary sibling is a bystander', async () => {
  const family = await Family.start({ a: {}, b: { restart: 'temporary' } });

  family.crash('a');

  expect(family.running).toEqual(['a#4', 'b#3']);
});

describe('a sibling that was down', () => {
  test.each(GROUPS)('S5-056 %s: a finished transient child is started with the group', async (strategy) => {
    const family = await Family.start({ a: {}, b: { restart: 'transient' }, c: {} }, { strategy });
    family.end('b', 'normal');

    family.crash('a');

    expect(family.running).toEqual(['a#5', 'b#6', 'c#7']);
  });

  test.each(GROUPS)('S5-056 %s: a child that found itself unneeded is tried with the group', async (strategy) => {
    const family = await Family.start({ a: {}, b: { starts: ['ignore', 'up'] }, c: {} }, { strategy });
    const before = family.running;

    family.crash('a');

    expect({ before, after: family.running }).toEqual({ before: ['a#2', 'c#4'], after: ['a#5', 'b#6', 'c#7'] });
  });

  test('S5-056 one_for_one: stays down', async () => {
    const family = await Family.start({ a: {}, b: { restart: 'transient' } });
    family.end('b', 'normal');

    family.crash('a');

    expect(family.running).toEqual(['a#4']);
  });
});

describe('another child fails to come back', () => {
  test('S5-057 one_for_all: those that were new already are shut down, and all are tried again', async () => {
    const family = await Family.start({ a: {}, b: { starts: ['up', 'fail'] } }, { strategy: 'one_for_all' });

    family.crash('a');

    expect({ running: family.running, ends: family.endsSince() }).toEqual({
      running: ['a#6', 'b#7'],
      ends: ['a error', 'b shutdown', 'b error', 'a shutdown'],
    });
  });

  test('S5-058 rest_for_one: those that were new already stay, and the next try begins at the one that failed', async () => {
    const family = await Family.start({ a: {}, b: { starts: ['up', 'fail', 'fail'] }, c: {} }, { strategy: 'rest_for_one' });

    family.crash('a');

    expect({ running: family.running, ends: family.endsSince() }).toEqual({
      running: ['a#5', 'b#8', 'c#9'],
      ends: ['a error', 'c shutdown', 'b shutdown', 'b error', 'b error'],
    });
  });

  test('S5-058 one_for_one: the others take no notice', async () => {
    const family = await Family.start({ a: { starts: ['up', 'fail', 'fail'] }, b: {} });

    family.crash('a');

    expect({ running: family.running, ends: family.endsSince() }).toEqual({
      running: ['a#6', 'b#3'],
      ends: ['a error', 'a error', 'a error'],
    });
  });

  test.each([
    ['one_for_one', ['a sup/a#2', 'b restarting', 'c sup/c#4'], [3, 2, 0, 3]],
    ['rest_for_one', ['a sup/a#2', 'b restarting', 'c down'], [3, 1, 0, 3]],
  ] as const)(
    'S5-059 %s: between two tries it is listed as restarting, those behind as the strategy left them',
    async (strategy, children, counts) => {
      const family = await Family.start({ a: {}, b: { starts: FAILS_FOR_EVER }, c: {} }, { strategy, maxRestarts: 1_000_000 });

    family.crashInLoop('b');

    expect({ children: await family.children(), counts: await family.counts() }).toEqual({ children, counts });
  });

  test.each(STRATEGIES)('S5-069 S5-067 %s: a sibling whose restart never succeeds ends the supervisor and everybody', async (strategy) => {
    const family = await Family.start({ a: {}, b: { starts: FAILS_FOR_EVER }, c: {} }, { strategy, maxRestarts: 3, maxSeconds: 3_600 });

    family.crash('b');

    expect({ running: family.running, reason: family.reason, last: family.endsSince().at(-1) }).toEqual({
      running: [],
      reason: 'shutdown',
      last: 'sup shutdown',
    });
  });
});

test.each(STRATEGIES)(
  'S5-060 %s: a child that finds at its restart that it is not needed stays down, its specification is kept',
  async (strategy) => {
    const family = await Family.start({ a: { starts: ['up', 'ignore', 'up'] }, b: {} }, { strategy, maxRestarts: 1 });

  family.crash('a');

  expect({ children: (await family.children()).map((line) => line.replace(/#\d+/, '')), counts: await family.counts() }).toEqual({
    children: ['a down', 'b sup/b'],
    counts: [2, 1, 0, 2],
  });
});

test.each(GROUPS)('S5-061 %s: a group counts as one restart', async (strategy) => {
  const family = await Family.start({ a: {}, b: {}, c: {}, d: {} }, { strategy, maxRestarts: 1 });

  family.crash('a');

  expect({ alive: family.isAlive, running: family.running.length }).toEqual({ alive: true, running: 4 });
});
