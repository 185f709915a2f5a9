/** Text of columns under several collations: which of them holds for the whole, Postgres decides by where each comes from. */
import { expect, test } from 'vitest';
import type { Collation } from '../../src/model/collation.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereColumn } from '../../src/sql/where.ts';
import { C } from '../support/where-expressions.ts';

const UNICODE: Collation = { name: 'C.UTF-8', order: 'bytes', cases: 'unicode', isDeterministic: true };
const COLUMNS: readonly WhereColumn[] = [
  { name: 'title', typeName: 'text', dimensions: 0, collation: UNICODE },
  { name: 'subtitle', typeName: 'text', dimensions: 0, collation: UNICODE },
  { name: 'code', typeName: 'text', dimensions: 0, collation: C },
];
const language = await loadWhereLanguage();

function errorOf(text: string): string | undefined {
  const where = language.parse(text, {}, COLUMNS, undefined, { collation: UNICODE });
  return 'error' in where ? where.error : undefined;
}

test('a case of letters under two collations that differ on them is refused, since one of the two would be a guess', () => {
  expect(['lower(title || code)', 'upper(concat(code, title))', 'lower(title || subtitle)', 'lower(code)'].map((text) => {
    return errorOf(`${text} = 'É'`);
  })).toEqual([
    'At location 0: lower under both the collations C.UTF-8 and C is not supported',
    'At location 0: upper under both the collations C and C.UTF-8 is not supported',
    undefined,
    undefined,
  ]);
});

test('an ILIKE between texts whose collations differ on letters is refused', () => {
  expect(errorOf('title ILIKE code')).toBe('At location 6: ILIKE under both the collations C.UTF-8 and C is not supported');
});
