/** A set of few, against a set. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FewSet } from '../../src/base/few-set.ts';

/** More than lie in a list. */
const ITEMS = Array.from({ length: 12 }, (_, index) => `item ${index}`);
const anyStep = fc.record({ does: fc.constantFrom('add', 'delete'), item: fc.constantFrom(...ITEMS) } as const);

test('it has what was added and not deleted, in order', () => {
  const run = fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
    const [few, model] = [new FewSet<string>(), new Set<string>()];
    for (const { does, item } of steps) {
      few[does](item);
      model[does](item);
    }

    const told = [few.size, ITEMS.map((item) => few.has(item)), [...few]];
    expect(told).toEqual([model.size, ITEMS.map((item) => model.has(item)), [...model]]);
  });
  fc.assert(run);
});

test('what is deleted before its turn does not come, however many there are', () => {
  const run = fc.property(fc.subarray(ITEMS), fc.array(fc.constantFrom(...ITEMS)), (items, deletions) => {
    const [few, model] = [new FewSet<string>(), new Set<string>()];
    for (const item of items) for (const set of [few, model]) set.add(item);

    const [seen, expected] = [few, model].map((set) => {
      const left = deletions.values();
      return Array.from(set, (item) => {
        set.delete(left.next().value ?? item);
        return item;
      });
    });
    expect(seen).toEqual(expected);
  });
  fc.assert(run);
});
