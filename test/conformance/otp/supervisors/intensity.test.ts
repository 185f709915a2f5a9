/** How many restarts a supervisor allows itself: OTP's window of whole seconds, border included, on a clock that the test moves. */
import { describe, expect, test } from 'vitest';
import { FAILS_FOR_EVER, Family } from '../../../support/otp/family.ts';
import { Nursery } from '../../../support/otp/nursery.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

describe('the window', () => {
  /** @returns at which crash the supervisor gave up, counted from 1; undefined when it lives. */
  async function fatalCrash(maxRestarts: number, maxSeconds: number, atMs: readonly number[]): Promise<number | undefined> {
    const family = await Family.start({ a: {} }, { maxRestarts, maxSeconds });
    for (const [index, ms] of atMs.entries()) {
      family.world.advance(ms - family.world.clock.nowMs());
      family.crash('a');
      if (!family.isAlive) return index + 1;
    }
    return undefined;
  }

  test.each([
    ['as many as allowed within the window', 2, 5, [0, 0], undefined],
    ['one more than allowed within the window', 2, 5, [0, 0, 0], 3],
    ['none allowed', 0, 5, [0], 1],
    ['the mark at the border of the window counts', 1, 5, [0, 5_000], 2],
    ['the last millisecond of the border second counts', 1, 5, [0, 5_999], 2],
    ['the second behind the border does not count', 1, 5, [0, 6_000], undefined],
    ['the start of a second is what counts, not the moment', 1, 5, [999, 6_000], undefined],
    ['the window slides: old marks fall out one by one', 2, 2, [0, 1_000, 3_000, 4_000, 6_000], undefined],
    ['the window slides: a mark that is still in it counts', 2, 2, [0, 1_000, 3_000, 3_500], 4],
  ] as const)('S5-062 S5-064 %s', async (_, maxRestarts, maxSeconds, atMs, fatal) => {
    expect(await fatalCrash(maxRestarts, maxSeconds, atMs)).toBe(fatal);
  });

  test.each([
    ['2.1 s apart: never two in one window', 2_100, undefined],
    ['0.9 s apart: too many', 900, 2],
  ] as const)('S5-065 S5-066 one restart a second, %s', async (_, apartMs, fatal) => {
    expect(await fatalCrash(1, 1, [0, 1, 2, 3].map((index) => index * apartMs))).toBe(fatal);
  });

  test.each([
    ['in neighbouring whole seconds', [50, 1_950], 2],
    ['two whole seconds apart', [150, 2_050], undefined],
  ] as const)('S5-066 one restart a second, crashes 1.9 s apart, %s', async (_, atMs, fatal) => {
    expect(await fatalCrash(1, 1, atMs)).toBe(fatal);
  });
});

describe('one too many', () => {
  test.each(STRATEGIES)(
    'S5-063 S5-069 %s: the offender is not started again, the others end in reverse order, then the supervisor with shutdown',
    async (strategy) => {
      const family = await Family.start({ a: {}, b: {}, c: {} }, { strategy, maxRestarts: 2, maxSeconds: 3_600 });
      family.crash('b');
      family.crash('b');
      const before = family.world.exits.length;

    family.crash('b');

      expect({ ends: family.endsSince(before), reason: family.reason }).toEqual({
        ends: ['b error', 'c shutdown', 'a shutdown', 'sup shutdown'],
        reason: 'shutdown',
      });
    },
  );

  test('S5-063 S6-018 dynamic: the others end, then the supervisor with shutdown', async () => {
    const nursery = await Nursery.start({ maxRestarts: 2, maxSeconds: 3_600 });
    await nursery.add('a', { restart: 'permanent' });
    await nursery.add('b');

    for (let count = 0; count < 3; count += 1) nursery.end('a', 'normal');

    expect(nursery.ends.slice(2)).toEqual([['a', 'normal'], ['b', 'shutdown'], ['nursery', 'shutdown']]);
  });

  test.each(STRATEGIES)('S5-064 %s: with none allowed the first crash of a permanent child is the end', async (strategy) => {
    const family = await Family.start({ a: {}, b: {} }, { strategy, maxRestarts: 0 });

    family.crash('a');

    expect({ reason: family.reason, ends: family.endsSince() }).toEqual({
      reason: 'shutdown',
      ends: ['a error', 'b shutdown', 'sup shutdown'],
    });
  });
});

describe('what counts', () => {
  test('S5-067 each try of a restart that fails counts: four are allowed, the fifth is the end of all', async () => {
    const family = await Family.start({ a: {}, b: { starts: FAILS_FOR_EVER } }, { maxRestarts: 4, maxSeconds: 3_600 });

    family.crash('b');

    expect(family.endsSince()).toEqual(['b error', ...Array.from({ length: 4 }, () => 'b error'), 'a shutdown', 'sup shutdown']);
  });

  test.each(STRATEGIES)('S5-068 %s: the restarts of all children count together', async (strategy) => {
    const family = await Family.start({ a: {}, b: {}, c: {} }, { strategy, maxRestarts: 2 });

    family.crash('a');
    family.crash('b');
    const alive = family.isAlive;
    family.crash('c');

    expect({ alive, after: family.isAlive }).toEqual({ alive: true, after: false });
  });

  test.each(STRATEGIES)('S5-070 %s: an end without a restart does not count', async (strategy) => {
    const family = await Family.start({ a: { restart: 'transient' }, b: { restart: 'temporary' }, c: {} }, { strategy, maxRestarts: 1 });

    family.end('a', 'normal');
    family.crash('b');
    family.crash('c');

    expect(family.isAlive).toBe(true);
  });

  test.each([
    [1, 5, 5_999, false],
    [1, 5, 6_000, true],
  ])('S5-071 dynamic: %d restart in %d s, the second crash at %d ms: lives %s', async (maxRestarts, maxSeconds, atMs, lives) => {
    const nursery = await Nursery.start({ maxRestarts, maxSeconds });
    await nursery.add('a');

    nursery.end('a', 'killed');
    nursery.world.advance(atMs);
    nursery.end('a', 'killed');

    expect(nursery.reason === undefined).toBe(lives);
  });
});
