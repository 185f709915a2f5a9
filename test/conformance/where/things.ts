/** One row with a column of each type, which the clauses of the WHERE language are asked about. */
import type { Collation } from '../../../src/model/collation.ts';
import type { WhereColumn } from '../../../src/sql/where.ts';

export const C: Collation = { name: 'C', order: 'bytes', cases: 'ascii', isDeterministic: true };

const THINGS: readonly (readonly [name: string, type: string, text: string | null])[] = [
  ['flag', 'bool', 't'], ['small', 'int2', '2'], ['id', 'int4', '7'], ['large', 'int8', '9007199254740993'],
  ['price', 'numeric', '1.50'], ['single', 'float4', '0.1'], ['ratio', 'float8', '0.5'],
  ['title', 'text', 'Ab c'], ['label', 'varchar', 'x'], ['padded', 'bpchar', 'ab  '], ['tag', 'name', 'n'],
  ['owner', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'], ['raw', 'bytea', '\\x00ff'], ['data', 'jsonb', '{"a": 1}'],
  ['day', 'date', '2024-02-29'], ['clock', 'time', '10:30:00'], ['at', 'timestamp', '2024-02-29 10:30:00'],
  ['seen', 'timestamptz', '2024-02-29 10:30:00+00'], ['span', 'interval', 'P1M2D'],
  ['numbers', 'int4[]', '{1,2,3}'], ['tags', 'text[]', '{a,b}'], ['grid', 'int4[]', '{{1,2,3},{4,5,6}}'],
  ['nothing', 'int4', null], ['place', 'point', '(1,2)'],
];

export const columns: readonly WhereColumn[] = [
  ...THINGS.map(([name, type]) => ({
    name, typeName: type.replace('[]', ''), dimensions: type.endsWith('[]') ? 1 : 0,
    ...(['text', 'varchar', 'bpchar', 'name', 'text[]'].includes(type) ? { collation: C } : {}),
  })),
  { name: 'mood', typeName: 'mood', dimensions: 0, isEnum: true },
  { name: 'feeling', typeName: 'mood', dimensions: 0, isEnum: true },
];

const texts: ReadonlyMap<string, string | null> = new Map([
  ...THINGS.map(([name, , text]) => [name, text] as const), ['mood', 'sad'] as const, ['feeling', 'sad'] as const,
]);

export function textOf(column: string): string | null {
  return texts.get(column) ?? null;
}

const declared = THINGS.map(([name, type]) => {
  return `${name} ${type === 'bpchar' ? 'char(4)' : type}${['text', 'varchar', 'bpchar', 'text[]'].includes(type) ? ' COLLATE "C"' : ''}`;
});

export const createThings = `
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
  CREATE TABLE things (${declared.join(', ')}, mood mood, feeling mood);
  INSERT INTO things VALUES (${[...texts.values()].map((text) => (text === null ? 'NULL' : `'${text}'`)).join(', ')})`;
