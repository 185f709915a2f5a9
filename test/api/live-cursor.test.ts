/** The cursor: one for a window, and another than before for a client that stays where it was. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextCursor, type CursorRequest } from '../../src/api/live-cursor.ts';
import { seededRandom } from '../../src/base/random.ts';

const EPOCH_MICROS = Date.UTC(2024, 9, 9) * 1000;

function cursorAt(seconds: number, request: Partial<CursorRequest> = {}, seed = 1): number {
  const asked = { epochMicros: EPOCH_MICROS + seconds * 1e6, windowSeconds: 20, previous: undefined, isSamePlace: true, ...request };
  return Number(nextCursor(asked, seededRandom(seed)));
}

test.each([
  [1, 20],
  [20, 20],
  [20.5, 20],
  [21, 40],
])('%d seconds after the epoch it is %i', (seconds, cursor) => {
  expect(cursorAt(seconds)).toBe(cursor);
});

test('without a window it is 0', () => {
  expect(cursorAt(0, { windowSeconds: 0, previous: '17' })).toBe(0);
});

test.each(['', 'x', '1.5', '99999999999999999999'])('a cursor "%s" counts as none', (previous) => {
  expect(cursorAt(1, { previous })).toBe(20);
});

test('who is brought further gets the end of the window, whatever he came with', () => {
  const previous = ['', '19', '20', '21', '4000'];
  expect(previous.map((each) => cursorAt(1, { previous: each, isSamePlace: false }))).toEqual([20, 20, 20, 20, 20]);
});

const seconds = fc.nat(1e9);
const windows = fc.integer({ min: 1, max: 60 });

test('who stays where he was gets one above his own, by less than a window where it is not the end of his', () => {
  fc.assert(
    fc.property(seconds, windows, fc.nat(2e9), fc.nat(), (elapsed, windowSeconds, previous, seed) => {
      const cursor = cursorAt(elapsed, { windowSeconds, previous: String(previous) }, seed);
      const window = Math.ceil(elapsed / windowSeconds) * windowSeconds;
      return cursor > previous && (cursor === window || cursor <= previous + Math.max(1, windowSeconds - 1));
    }),
  );
});

test('a jump is over with the next window: then all have its end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 2, max: 60 }), fc.nat(), (elapsed, windowSeconds, seed) => {
      const asked = cursorAt(elapsed, { windowSeconds, previous: '0' }, seed);
      const jumped = cursorAt(elapsed, { windowSeconds, previous: String(asked) }, seed);
      const next = elapsed + windowSeconds;
      return cursorAt(next, { windowSeconds, previous: String(jumped) }, seed) === cursorAt(next, { windowSeconds }, seed);
    }),
  );
});
