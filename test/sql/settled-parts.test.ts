/** What of a filter is worked out when it is read, and what is left for each row: as it shows in what is printed, and in what is read. */
import { beforeAll, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where, WhereColumn, WhereLanguage } from '../../src/sql/where.ts';

const COLUMNS: readonly WhereColumn[] = [
  ['id', 'int4'], ['title', 'text'], ['label', 'varchar'], ['done', 'bool'], ['day', 'date'], ['at', 'timestamp'], ['ratio', 'float4'],
].map(([name = '', typeName = '']) => ({ name, typeName, dimensions: 0 }));

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

function accepted(text: string): Where {
  const where = language.parse(text, {}, COLUMNS);
  invariant(!('error' in where), `the language accepts ${text}`);
  return where;
}

test.each([
  ["coalesce(NULL, title, NULL) = 'a'", "title = 'a'"],
  ["coalesce(title, 'b', label) = 'a'", "coalesce(title, 'b') = 'a'"],
  ["NULLIF(title, NULL) = 'a'", "title = 'a'"],
])('%s is %s', (text, same) => {
  expect(accepted(text).canonical).toBe(accepted(same).canonical);
});

test('nothing is read where a NULL that stands in the filter decides', () => {
  expect(['NULLIF(NULL, title) IS NULL', 'id + NULL IS NULL'].map((text) => accepted(text).columns)).toEqual([[], []]);
});

test.each([
  // It depends on settings in Postgres, which works it out for each row.
  ["title = concat('a', 'b')", '("title" = concat($1::text, $2::text))'],
  // An item in which a column stands is none of the list, whatever became of the column; nor is it when it is cast.
  ['id IN (1, id + NULL::int4, 2)', '(("id" IN ($1::int4, $2::int4)) OR ("id" = $3::int4))'],
  ['id IN (1, (id + NULL::int8)::int4, 2)', '(("id" IN ($1::int4, $2::int4)) OR ("id" = $3::int4))'],
  // Text is ordered by its bytes.
  ["title < 'a'", '("title" COLLATE "C" < $1::text)'],
  ["title = 'a'", '("title" = $1::text)'],
  ["greatest(title, label) = 'a'", '(greatest("title" COLLATE "C", ("label")::text COLLATE "C") = $1::text)'],
])('%s is printed as %s', (text, sql) => {
  expect(accepted(text).query.sql).toBe(sql);
});

test.each([
  // A day is compared with a moment also where no moment reaches.
  ['day > at', { day: '5874897-12-31', at: '2024-02-29 00:00:00' }, true],
  ["ratio = 0.1::float8", { ratio: '0.1' }, false],
  ['done::name = \'t\'', { done: 't' }, true],
  ['done::text = \'true\'', { done: 't' }, true],
])('%s in %o is %s', (text, row: Readonly<Record<string, string>>, truth) => {
  expect(accepted(text).evaluate((column) => row[column] ?? null)).toBe(truth);
});
