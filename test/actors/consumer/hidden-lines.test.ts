/** How much of lines that nobody sees may stay in memory. */
import { expect, test } from 'vitest';
import { hiddenLines } from '../../../src/actors/consumer/hidden-lines.ts';

const [one, other, third] = [{}, {}, {}];

test('lines may stay while all shapes together have few, and those of one shape while they are few', () => {
  const hidden = hiddenLines(10, 6);

  expect([hidden.mayStay(one, 6), hidden.mayStay(other, 4), hidden.mayStay(third, 1)]).toEqual([true, true, false]);
  expect([hidden.mayStay(one, 7), hidden.mayStay(third, 6)]).toEqual([false, true]);
});

test('who has more by now is counted once', () => {
  const hidden = hiddenLines(10, 10);

  expect([4, 6, 10].map((bytes) => hidden.mayStay(one, bytes))).toEqual([true, true, true]);
  expect(hidden.mayStay(other, 1)).toBe(false);
});

test('what is seen, or must leave, makes room for others', () => {
  const hidden = hiddenLines(10, 10);
  hidden.mayStay(one, 10);
  hidden.release(one);
  hidden.release(one);

  expect([hidden.mayStay(other, 10), hidden.mayStay(other, 11), hidden.mayStay(third, 10)]).toEqual([true, false, true]);
});
