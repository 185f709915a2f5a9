/** Values of plain JSON that say the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { areAlike } from '../../src/base/alike.ts';

test('a value is alike with its copy, whatever it is, and with nothing that says something else', () => {
  const sameAsWords = fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
    expect(areAlike(left, JSON.parse(JSON.stringify(left)))).toBe(true);
    expect(areAlike(left, right)).toBe(inOrder(left) === inOrder(right));
  });

  fc.assert(sameAsWords, { numRuns: 500 });
});

test('fields may stand in any order, and items may not; a list is no object', () => {
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [{ a: 1, b: 2 }, { b: 2, a: 1 }], [undefined, undefined],
    [[1, 2], [2, 1]], [[], {}], [{}, []], [{ a: undefined }, { b: undefined }], [null, {}], [[1], [1, 2]],
  ];

  expect(pairs.map(([left, right]) => areAlike(left, right))).toEqual([true, true, false, false, false, false, false, false]);
});

function inOrder(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return { fields: Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)) };
  });
}
