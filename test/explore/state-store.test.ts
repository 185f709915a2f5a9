import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PairTable } from './checker/pair-table.ts';
import { StateStore } from './checker/state-store.ts';

const WIDTH = 5;
/** Few numbers, so that halves come again. */
const anyVector = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: WIDTH, maxLength: WIDTH });
const vectors = fc.array(anyVector, { minLength: 1, maxLength: 200 });

test('pairs have one number each, and are found by it, however many there are', () => {
  const table = new PairTable();
  const side = 100;
  const pairs = Array.from({ length: side * side }, (_, index) => [index % side, Math.floor(index / side) - side] as const);

  const ids = pairs.map(([left, right]) => table.idOf(left, right));
  const again = pairs.map(([left, right]) => table.idOf(left, right));

  expect({ again, count: table.count, unknown: table.find(side, side) }).toEqual({ again: ids, count: side * side, unknown: -1 });
  expect(ids.map((id) => [table.leftOf(id), table.rightOf(id)])).toEqual(pairs);
});

test('a state is one number for equal vectors, whatever was read before, and the vector is found by it', () => {
  fc.assert(
    fc.property(vectors, fc.array(fc.nat(), { maxLength: 20 }), (given, reads) => {
      const store = new StateStore(WIDTH);
      const ids = given.map((vector, index) => {
        const read = reads[index];
        if (read !== undefined && store.count > 0) store.vectorOf(read % store.count);
        return store.add(Int32Array.from(vector), 0, 0);
      });

      const numbers = new Map(given.map((vector, index) => [vector.join(), ids[index]]));
      expect(given.map((vector) => numbers.get(vector.join()))).toEqual(ids);
      expect(ids.map((id) => [...store.vectorOf(id)])).toEqual(given);
      expect(store.count).toBe(numbers.size);
    }),
  );
});

test('the way to a state is the one by which it was reached first', () => {
  const store = new StateStore(WIDTH);
  const add = (part: number, parent: number, step: number): number => store.add(new Int32Array(WIDTH).fill(part), parent, step);

  const states = [add(0, 0, 0), add(1, 0, 7), add(2, 1, 4), add(2, 0, 9)];

  expect({ states, way: store.wayTo(2) }).toEqual({ states: [0, 1, 2, 2], way: [7, 4] });
});
