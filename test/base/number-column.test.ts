/** Numbers in pages: what was never written is 0, and takes no memory. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NumberColumn } from '../../src/base/packed/number-column.ts';

test('a page of which nothing was written is not there', () => {
  const column = new NumberColumn();
  column.set(3, 7);
  column.set(1_000_000, 8);
  const copy = column.copy();
  column.set(5000, 9);

  const indices = [0, 3, 9, 4095, 5000, 999_999, 1_000_000, 2_000_000];
  expect({ column: indices.map((index) => column.get(index)), copy: indices.map((index) => copy.get(index)) }).toEqual({
    column: [0, 7, 0, 0, 9, 0, 8, 0], copy: [0, 7, 0, 0, 0, 0, 8, 0],
  });
  expect([copy.bytes < 17_000, column.bytes < 34_000]).toEqual([true, true]);
});

test('whatever is written, under few indices or many, is read, and a copy goes its own way', () => {
  const anyWrite = fc.tuple(fc.oneof(fc.nat(20), fc.nat(10_000)), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1));
  const run = fc.property(fc.array(anyWrite, { maxLength: 40 }), fc.array(anyWrite, { maxLength: 5 }), (writes, later) => {
    const column = new NumberColumn();
    for (const [index, value] of writes) column.set(index, value);
    const copy = column.copy();
    for (const [index, value] of later) column.set(index, value);

    const indices = [...writes, ...later].map(([index]) => index);
    const read = (from: NumberColumn) => indices.map((index) => from.get(index));
    const told = (by: ReadonlyMap<number, number>) => indices.map((index) => by.get(index) ?? 0);
    expect([read(copy), read(column)]).toEqual([told(new Map(writes)), told(new Map([...writes, ...later]))]);
  });
  fc.assert(run);
});
