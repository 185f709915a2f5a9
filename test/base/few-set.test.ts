/** A set of few, against a set. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FewSet } from '../../src/base/few-set.ts';

test('it has what was added and not deleted, in order', () => {
  const anyStep = fc.record({ does: fc.constantFrom('add', 'delete'), item: fc.constantFrom('a', 'b', 'c') } as const);
  const run = fc.property(fc.array(anyStep, { maxLength: 20 }), (steps) => {
    const [few, model] = [new FewSet<string>(), new Set<string>()];
    for (const { does, item } of steps) {
      few[does](item);
      model[does](item);
    }

    const told = [few.size, ['a', 'b', 'c'].map((item) => few.has(item)), [...few]];
    expect(told).toEqual([model.size, ['a', 'b', 'c'].map((item) => model.has(item)), [...model]]);
  });
  fc.assert(run);
});
