/**
 * The language against Postgres itself: a filter means what Postgres says that it means, on every row, in three values.
 */
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { UNICODE_CASES } from '../../src/sql/operations/cases.ts';
import type { Where, WhereLanguage } from '../../src/sql/where.ts';
import { isLookedUp } from '../support/looked-up.ts';
import { asText, DISPLAY_SETTINGS } from '../support/postgres/display-settings.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { createSamples, rowArbitrary, sampleColumns, samples, whereArbitrary, type Written } from '../support/where-expressions.ts';

const ROWS = 80;

type Texts = Readonly<Record<string, string | null>>;

let database: TestDatabase;
let session: pg.Client;
let language: WhereLanguage;

beforeAll(async () => {
  database = await createDatabase();
  session = await database.session();
  language = await loadWhereLanguage();
  await session.query(DISPLAY_SETTINGS);
  await session.query(createSamples);
  const places = samples.map((_, index) => `$${index + 2}`).join(', ');
  const rows = fc.sample(rowArbitrary, { numRuns: ROWS, seed: 20_240_229 });
  for (const [id, row] of rows.entries()) await session.query(`INSERT INTO samples VALUES ($1, ${places})`, [id, ...row]);
});

afterAll(async () => {
  await database.drop();
});

async function textsOf(sql: string, params: readonly (string | null)[] = []): Promise<readonly Texts[]> {
  const { rows } = await session.query<Texts>({ text: sql, values: [...params], types: asText });
  return rows;
}

function parse({ text, params }: Written): Where | { readonly error: string } {
  return language.parse(text, Object.fromEntries(params.map((value, index) => [index + 1, value])), sampleColumns);
}

function truthOf(value: string | null | undefined): boolean | null {
  return value === null || value === undefined ? null : value === 't';
}

function typeOf(column: string): string {
  return samples.find((sample) => sample.column === column)?.type ?? '';
}

test.each([
  ["words = 'abc'::varchar(2)", "'ab'"],
  ["words = 'abc'::char(2)", "'ab'"],
  ["words = 'abc'::char", "'a'"],
  ["words = CAST('abc' AS character varying(2))", "'ab'"],
  ["words = varchar(2) 'abc'", "'ab'"],
  ["words::varchar(2) = 'ab'", "'abc'"],
  ["exact = '1.25'::numeric(2, 1)", '1.3'],
  ["moment = '2024-02-29 12:00:00.56'::timestamp(0)", "'2024-02-29 12:00:01'"],
  ["moment = timestamp(1) '2024-02-29 12:00:00.56'", "'2024-02-29 12:00:00.6'"],
  ["instant = '2024-02-29 12:00:00.56Z'::timestamptz(0)", "'2024-02-29 12:00:01Z'"],
])('%s takes %s in Postgres, by its modifier, and so is refused', async (text, value) => {
  const [column = ''] = /^\w+/.exec(text) ?? [];
  const [row] = await textsOf(`SELECT (${text}) AS truth FROM (SELECT ${value}::${typeOf(column)} AS ${column}) AS row`);

  const where = parse({ text, params: [], literal: text });

  expect({ postgres: row?.['truth'], ...where }).toEqual({
    postgres: 't',
    error: expect.stringMatching(/^At location \d+: unsupported type \w+ with modifiers$/),
    field: 'where',
  });
});

/** As the operating system's library and Postgres itself have them. */
test.each(['pg_c_utf8', 'C.utf8'])('a letter has the upper and the lower case that it has under %s, or is refused', async (collation) => {
  const letters = await textsOf(
    `SELECT letter, lower(letter COLLATE "${collation}") AS lower, upper(letter COLLATE "${collation}") AS upper
     FROM (SELECT chr(code) AS letter FROM generate_series(1, 1114111) AS code WHERE code NOT BETWEEN 55296 AND 57343) AS letters`,
  );
  const untold: string[] = [];
  const toldOr = (run: (text: string) => string, letter: string): string | undefined => {
    try {
      return run(letter);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      untold.push(letter);
      return undefined;
    }
  };

  const unlike = letters.filter(({ letter, lower, upper }) => {
    const ours = [toldOr(UNICODE_CASES.lower, letter ?? ''), toldOr(UNICODE_CASES.upper, letter ?? '')];
    return ours[0] !== undefined && (ours[0] !== lower || ours[1] !== upper);
  });

  expect({ unlike, mostAreTold: untold.length < 1000 }).toEqual({ unlike: [], mostAreTold: true });
});

test.each(['und-x-icu', 'pg_c_utf8'])('an ASCII pattern takes by ILIKE what it takes under %s, but for two letters', async (collation) => {
  const patterns = ['_', ...'abcdefghijklmnopqrstuvwxyz'];
  const taken = await textsOf(
    `SELECT letter, pattern, letter COLLATE "${collation}" ILIKE pattern AS truth
     FROM (SELECT chr(code) AS letter FROM generate_series(1, 1114111) AS code WHERE code NOT BETWEEN 55296 AND 57343) AS letters,
       unnest($1::text[]) AS pattern
     WHERE lower(letter COLLATE "${collation}") COLLATE "C" <> letter COLLATE "C"`,
    [`{${patterns.join(',')}}`],
  );
  const wheres = new Map(patterns.map((pattern) => [pattern, parse({ text: `words ILIKE '${pattern}'`, params: [], literal: '' })]));

  const unlike = taken.filter(({ letter = null, pattern, truth }) => {
    const where = wheres.get(pattern ?? '');
    return where === undefined || 'error' in where || where.evaluate(() => letter) !== truthOf(truth);
  });

  expect({ letters: taken.length > 1000 * patterns.length, unlike: [...new Set(unlike.map(({ letter }) => letter))] }).toEqual({
    letters: true,
    unlike: ['\u0130', '\u212a'],
  });
});

test('a filter means to us what it means to Postgres, as it was written and as we print it', async () => {
  const property = fc.asyncProperty(whereArbitrary, async (expression) => {
    const where = parse(expression);
    const rows = await textsOf(`SELECT *, (${expression.literal}) AS truth FROM samples ORDER BY id`);
    const expected = rows.map(({ id, truth }) => [id, truthOf(truth)]);
    if ('error' in where) return expect(where).toEqual(expected);
    const printed = await textsOf(`SELECT id FROM samples WHERE ${where.query.sql} ORDER BY id`, where.query.params);
    expect({
      evaluated: rows.map((row) => [row['id'], where.evaluate((column) => row[column] ?? null)]),
      selected: printed.map(({ id }) => id),
      lookedUpInVain: rows.filter((row) => truthOf(row['truth']) === true && !isLookedUp(where.lookups, (column) => row[column] ?? null)),
    }).toEqual({
      evaluated: expected,
      selected: expected.filter(([, truth]) => truth === true).map(([id]) => id),
      lookedUpInVain: [],
    });
  });
  await fc.assert(property, { numRuns: 400 });
});
