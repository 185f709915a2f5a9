import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Multimap } from '../../src/shapes/multimap.ts';

const KEYS = ['k', 'l', null];
const VALUES = ['a', 'b', 'c'];
const step = fc.record({ does: fc.constantFrom('add', 'delete'), key: fc.constantFrom(...KEYS), value: fc.constantFrom(...VALUES) });

test('holds what a set of pairs holds, whether a key has one value or many', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const map = new Multimap<string | null, string>();
      const pairs = new Map<string, readonly [string | null, string]>();
      for (const { does, key, value } of steps) {
        const name = JSON.stringify([key, value]);
        if (does === 'add') {
          map.add(key, value);
          pairs.set(name, [key, value]);
        } else {
          map.delete(key, value);
          pairs.delete(name);
        }
      }
      const expected = KEYS.map((key) => [...pairs.values()].filter(([own]) => own === key).map(([, value]) => value).sort());

      expect({
        of: KEYS.map((key) => [...map.of(key)].sort()),
        counts: KEYS.map((key) => map.countOf(key)),
        has: KEYS.map((key) => VALUES.filter((value) => map.has(key, value))),
        all: [...map.values()].sort(),
        keys: new Set(map.keys()),
        size: map.size,
      }).toEqual({
        of: expected,
        counts: expected.map(({ length }) => length),
        has: expected,
        all: expected.flat().sort(),
        keys: new Set(KEYS.filter((_, index) => (expected[index] ?? []).length > 0)),
        size: expected.filter(({ length }) => length > 0).length,
      });
    }),
  );
});
