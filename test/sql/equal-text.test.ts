import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalValue } from '../../src/sql/values/canonical-value.ts';
import { equalText } from '../../src/sql/values/equal-text.ts';

test.each([
  { type: 'bool', oid: 16, texts: ['true', 't'], one: 't' },
  { type: 'numeric', oid: 1700, texts: ['1', '1.0', '1.00'], one: '1' },
  { type: 'numeric', oid: 1700, texts: ['NaN'], one: 'NaN' },
  { type: 'float8', oid: 701, texts: ['0', '-0'], one: '0' },
  { type: 'bpchar', oid: 1042, texts: ['ab', 'ab  '], one: 'ab' },
  { type: 'date', oid: 1082, texts: ['2024-02-29'], one: '1709164800000000' },
  { type: 'timestamptz', oid: 1184, texts: ['2024-02-29 10:00:00+00', '2024-02-29 11:00:00+01'], one: '1709200800000000' },
  { type: 'jsonb', oid: 3802, texts: ['{"a": 1.0}', '{"a": 1}'], one: '{"a": 1}' },
])('$type: $texts are the one value $one', ({ oid, texts, one }) => {
  expect(texts.map((text) => equalText(oid)?.(text))).toEqual(texts.map(() => one));
});

test.each([
  { type: 'text', oid: 25, texts: fc.string({ unit: 'grapheme' }) },
  { type: 'varchar', oid: 1043, texts: fc.string({ unit: 'grapheme' }) },
  { type: 'name', oid: 19, texts: fc.string({ unit: 'grapheme', maxLength: 5 }) },
  { type: 'uuid', oid: 2950, texts: fc.uuid() },
  { type: 'int2', oid: 21, texts: fc.integer({ min: -32_768, max: 32_767 }).map(String) },
  { type: 'int4', oid: 23, texts: fc.integer().map(String) },
  { type: 'int8', oid: 20, texts: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
])('what Postgres writes for $type is the value as it is compared, and nothing has to be made of it', ({ type, oid, texts }) => {
  expect(equalText(oid)).toBeUndefined();
  fc.assert(fc.property(texts, (text) => canonicalValue(type, text) === text));
});

test('each text of a type that no filter compares is a value by itself, and none of one that is cast', () => {
  expect([equalText(114), equalText(25, ['int4'])?.(' 07 ')]).toEqual([undefined, '7']);
});
