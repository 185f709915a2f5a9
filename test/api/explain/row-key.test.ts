/** The key of a row, as lines have it, and back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyText, keyValues, type KeyValue } from '../../../src/api/explain/row-key.ts';
import type { ShapeDefinition } from '../../../src/model/shape.ts';

const COLUMNS = ['a', 'b', 'yes'];
const definition: ShapeDefinition = {
  relation: { oid: 1, schema: 'public', name: 'it"s/"1"' },
  columns: COLUMNS,
  selectsAll: true,
  primaryKey: COLUMNS,
  reads: COLUMNS.map((name) => ({ name, typeOid: name === 'yes' ? 16 : 25, typeMod: -1 })),
  replica: 'default',
  log: 'full',
};

function values(...texts: readonly (string | null)[]): readonly KeyValue[] {
  return texts.map((text, index) => ({ column: COLUMNS[index] ?? '', text }));
}

test('slashes stand twice, NULL is a sign of its own, and a boolean is its first letter', () => {
  expect(keyText(definition, values('a/b', null, 'true'))).toBe('"public"."it""s/""1"""/"a//b"/_/"t"');
});

test('any values come back from their key', () => {
  const parts = fc.array(fc.constantFrom('/', '"', '_', 'a', '//', '"/"', '/_', '\n', '\u{1F600}'));
  const text = fc.option(parts.map((some) => some.join('')));
  fc.assert(fc.property(text, text, fc.constantFrom('t', 'f', null), (first, second, third) => {
    const key = values(first, second, third);
    expect(keyValues(definition, keyText(definition, key))).toEqual(key);
  }), { numRuns: 2000 });
});

test('what is no key of the table is none', () => {
  const table = '"public"."it""s/""1"""';
  const texts = [
    '', table, `${table}/"a"/"b"`, `${table}/"a"/"b"/"t"/"x"`, `${table}/a/b/c`, `${table}/"a"/"b"/"t`, '"public"."other"/"a"/"b"/"t"',
    `${table}/"${'"'.repeat(250_000)}`,
  ];
  expect(texts.map((text) => keyValues(definition, text))).toEqual(texts.map(() => undefined));
});
