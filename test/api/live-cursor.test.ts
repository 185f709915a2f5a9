/** The cursor: one for a window, never the same twice for one client. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextCursor } from '../../src/api/live-cursor.ts';
import { seededRandom } from '../../src/base/random.ts';

const EPOCH_MICROS = Date.UTC(2024, 9, 9) * 1000;

test.each([
  [0, '0'],
  [1, '20'],
  [20, '20'],
  [20.5, '20'],
  [21, '40'],
])('%d seconds after the epoch it is %s', (seconds, cursor) => {
  const isZero = cursor === '0'; // Not above a missing cursor, which counts as 0: then it jumps.
  const result = nextCursor(EPOCH_MICROS + seconds * 1e6, 20, undefined, seededRandom(1));
  expect(isZero ? Number(result) > 0 : result).toBe(isZero ? true : cursor);
});

test('without a window it is 0', () => {
  expect(nextCursor(EPOCH_MICROS, 0, '17', seededRandom(1))).toBe('0');
});

test.each(['', 'x', '1.5', '99999999999999999999'])('a cursor "%s" counts as none', (previous) => {
  expect(nextCursor(EPOCH_MICROS + 1e6, 20, previous, seededRandom(1))).toBe('20');
});

test('it is always above the one before, by an hour at most', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 60 }), fc.nat(2e9), fc.nat(), (seconds, windowSeconds, previous, seed) => {
      const cursor = Number(nextCursor(EPOCH_MICROS + seconds * 1e6, windowSeconds, String(previous), seededRandom(seed)));
      const window = Math.ceil(seconds / windowSeconds) * windowSeconds;
      return cursor > previous && (cursor === window || cursor <= previous + 3600);
    }),
  );
});
