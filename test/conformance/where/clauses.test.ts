/** Every clause of the WHERE language: each of its forms is taken, and is what it is in Postgres, or is refused in the words given. */
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';
import type { WhereLanguage, WhereQuery } from '../../../src/sql/where.ts';
import { DISPLAY_SETTINGS } from '../../support/postgres/display-settings.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { timeZonesOf, zonedParse, type ZonedParse } from '../../support/zoned-language.ts';
import { CLAUSES } from './clauses.ts';
import { REFUSALS } from './refusals.ts';
import { C, columns, createThings, textOf } from './things.ts';

const PARAMETERS = { 1: '7', 2: 'x' };

let language: WhereLanguage;
let parse: ZonedParse;
let database: TestDatabase;
let session: pg.Client;

beforeAll(async () => {
  language = await loadWhereLanguage();
  database = await createDatabase();
  parse = zonedParse(language, timeZonesOf(database));
  session = await database.session();
  await session.query(`${DISPLAY_SETTINGS}; ${createThings}`);
});

afterAll(async () => {
  await database.drop();
});

test.each(CLAUSES)('$heading: $says', async ({ forms }) => {
  const answers: unknown[] = [];
  for (const [form] of forms) {
    const where = await parse(form, columns, PARAMETERS);
    const ours = 'error' in where ? where.error : where.evaluate(textOf);
    const { rows } = await session.query<{ truth: boolean | null }>(`SELECT (${form}) AS truth FROM things`);
    answers.push({ form, ours, postgres: rows[0]?.truth, isTaken: 'error' in where ? undefined : await isTaken(where.query) });
  }
  expect(answers).toEqual(forms.map(([form, truth]) => ({ form, ours: truth, postgres: truth, isTaken: truth === true })));
});

/** By Postgres, of what is printed. */
async function isTaken({ sql, params }: WhereQuery): Promise<boolean> {
  const { rowCount } = await session.query(`SELECT FROM things WHERE ${sql}`, [...params]);
  return rowCount === 1;
}

/** The protocol's own name for it. */
test('Conditions: ilike is a function here, though not in Postgres', () => {
  const where = language.parse("ilike(title, 'a%')", {}, columns, undefined, { collation: C });
  expect('error' in where ? where.error : where.evaluate(textOf)).toBe(true);
});

test('docs/where.md has every heading that a clause names', () => {
  const page = readFileSync(new URL('../../../docs/where.md', import.meta.url), 'utf8');
  const headings = new Set(CLAUSES.map(({ heading }) => heading));
  expect([...headings].filter((heading) => !page.includes(`\n## ${heading}\n`))).toEqual([]);
});

describe('Mistakes:', () => {
  test.each(REFUSALS)('$says', async ({ forms }) => {
    const answers = await Promise.all(forms.map(async ([form]) => [form, await parse(form, columns, PARAMETERS)]));
    expect(answers).toEqual(forms.map(([form, error]) => [form, { error, field: 'where' }]));
  });
});
