import { expect, test } from 'vitest';
import { equalText } from '../../src/sql/values/equal-text.ts';

test.each([
  { type: 'bool', oid: 16, texts: ['true', 't'], one: 't' },
  { type: 'numeric', oid: 1700, texts: ['1', '1.0', '1.00'], one: '1' },
  { type: 'numeric', oid: 1700, texts: ['NaN'], one: 'NaN' },
  { type: 'float8', oid: 701, texts: ['0', '-0'], one: '0' },
  { type: 'bpchar', oid: 1042, texts: ['ab', 'ab  '], one: 'ab' },
  { type: 'text', oid: 25, texts: ['1.0'], one: '1.0' },
  { type: 'date', oid: 1082, texts: ['2024-02-29'], one: '1709164800000000' },
  { type: 'timestamptz', oid: 1184, texts: ['2024-02-29 10:00:00+00', '2024-02-29 11:00:00+01'], one: '1709200800000000' },
  { type: 'jsonb', oid: 3802, texts: ['{"a": 1.0}', '{"a": 1}'], one: '{"a": 1}' },
  { type: 'json, which no filter compares', oid: 114, texts: ['{"a": 1.0}'], one: '{"a": 1.0}' },
])('$type: $texts are the one value $one', ({ oid, texts, one }) => {
  expect(texts.map(equalText(oid))).toEqual(texts.map(() => one));
});
