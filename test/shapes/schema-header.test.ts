import { expect, test } from 'vitest';
import type { Column, Relation } from '../../src/model/relation.ts';
import { schemaHeader } from '../../src/shapes/schema-header.ts';

function headerOf(columns: readonly Partial<Column>[]): string {
  const whole = columns.map((column, index) => ({
    name: `c${index}`, typeOid: 25, typeMod: -1, typeName: 'text', dimensions: 0, notNull: false, generated: false, ...column,
  }));
  const relation: Relation = { oid: 1, schema: 'public', name: 'items', columns: whole };
  return schemaHeader(relation, whole.map(({ name }) => name));
}

const interval = (range: number, precision = 0xffff): number => (range << 16) | precision;
const [YEAR, MONTH, DAY, HOUR, MINUTE, SECOND] = [4, 2, 8, 1024, 2048, 4096];

test.each<[string, number, object]>([
  ['int4', -1, {}],
  ['varchar', 127, { max_length: 123 }],
  ['varchar', -1, {}],
  ['bpchar', 5, { length: 1 }],
  ['bpchar', -1, {}],
  ['bit', 1, { length: 1 }],
  ['varbit', 5, { length: 5 }],
  ['varbit', -1, { length: -1 }],
  ['numeric', -1, {}],
  ['numeric', ((5 << 16) | 3) + 4, { precision: 5, scale: 3 }],
  ['numeric', (5 << 16) + 4, { precision: 5, scale: 0 }],
  ['numeric', ((5 << 16) | (-2 & 0x7ff)) + 4, { precision: 5, scale: -2 }],
  ['time', 3, { precision: 3 }],
  ['timestamptz', 3, { precision: 3 }],
  ['timestamp', 0, { type_mod: 0 }],
  ['timestamp', -1, {}],
  ['interval', -1, {}],
  ['interval', interval(0x7fff, 3), { precision: 3 }],
  ['interval', interval(YEAR), { fields: 'YEAR' }],
  ['interval', interval(YEAR | MONTH), { fields: 'YEAR TO MONTH' }],
  ['interval', interval(DAY | HOUR | MINUTE | SECOND, 2), { fields: 'DAY TO SECOND', precision: 2 }],
  ['interval', interval(MINUTE | SECOND), { fields: 'MINUTE TO SECOND' }],
  ['geometry', 1107460, { type_mod: 1107460 }],
])('%s with modifier %i', (typeName, typeMod, details) => {
  expect(JSON.parse(headerOf([{ typeName, typeMod }]))).toEqual({ c0: { type: typeName, ...details } });
});

test('tells keys, arrays and what is never null', () => {
  const columns = [
    { name: 'id', typeName: 'int8', pkIndex: 0, notNull: true },
    { name: 'tags', dimensions: 1, typeName: 'varchar', typeMod: 127 },
  ];
  expect(headerOf(columns)).toBe('{"id":{"type":"int8","pk_index":0,"not_null":true},"tags":{"type":"varchar","dims":1,"max_length":123}}');
});

test('is ASCII, and means the same', () => {
  const name = 'größe \u{1F600}\u007f';
  const header = headerOf([{ name }]);
  expect([/^[\x20-\x7e]*$/.test(header), JSON.parse(header)]).toEqual([true, { [name]: { type: 'text' } }]);
});
