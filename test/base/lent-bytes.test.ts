/** A buffer is lent to one reader at a time, and again only when the whole of it was given back. */
import { expect, test } from 'vitest';
import { giveBack, lendBytes } from '../../src/base/lent-bytes.ts';

const LENGTH = 200_000;

test('what was given back whole is lent again, by a view of its own', () => {
  const first = lendBytes(LENGTH);
  giveBack(first);
  const second = lendBytes(LENGTH - 1);
  giveBack(second);

  expect([second.buffer === first.buffer, second === first, second.length]).toEqual([true, false, LENGTH - 1]);
});

test.each([
  ['a part', (bytes: Buffer) => bytes.subarray(0, -1)],
  ['another part', (bytes: Buffer) => bytes.subarray(1)],
  ['a copy', (bytes: Buffer) => new Uint8Array(bytes)],
])('who gives back %s gives nothing back', (_, partOf) => {
  const bytes = lendBytes(LENGTH);
  giveBack(partOf(bytes));
  const next = lendBytes(LENGTH);

  expect(next.buffer === bytes.buffer).toBe(false);
});

test('nothing is lent to two, however often it is given back', () => {
  const bytes = lendBytes(LENGTH);
  for (let time = 0; time < 2; time += 1) giveBack(bytes);
  const [one, other] = [lendBytes(LENGTH), lendBytes(LENGTH)];

  expect(one.buffer === other.buffer).toBe(false);
});

test('what is small or very large is made anew', () => {
  const found = [100, 1_000_000].map((length) => {
    const bytes = lendBytes(length);
    giveBack(bytes);
    return [bytes.length, lendBytes(length).buffer === bytes.buffer && length > 4_096];
  });

  expect(found).toEqual([[100, false], [1_000_000, false]]);
});
