/** Numbers in pages: what was never written is 0, and takes no memory. */
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
