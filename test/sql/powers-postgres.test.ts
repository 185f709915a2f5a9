/** Powers of numerics whose exponents are no whole numbers: to the last digit what Postgres gives, or the same error. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where, WhereColumn } from '../../src/sql/where.ts';
import { invariant } from '../../src/base/invariant.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';

const COLUMNS: readonly WhereColumn[] = ['base', 'exponent', 'power'].map((name) => {
  return { name, typeName: name === 'power' ? 'text' : 'numeric', dimensions: 0 };
});
const POWER = `
  CREATE FUNCTION power_text(base numeric, exponent numeric) RETURNS text LANGUAGE plpgsql AS $$
  BEGIN RETURN (base ^ exponent)::text; EXCEPTION WHEN others THEN RETURN 'error ' || SQLSTATE; END $$`;
const PAIRS = 4000;
/** Of those that lie in the middle between two results. */
const UNTOLD = 'a power that is not exact is not supported';

const digits = (max: number) => fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: max }).map((each) => each.join(''));
const written = fc.oneof(
  fc.tuple(digits(3), digits(5)).map(([whole, decimals]) => `${whole}.${decimals}`),
  fc.tuple(fc.integer({ min: 0, max: 30 }), digits(6)).map(([zeros, decimals]) => `0.${'0'.repeat(zeros)}${decimals}`),
  fc.tuple(fc.integer({ min: 0, max: 30 }), digits(6)).map(([zeros, decimals]) => `1.${'0'.repeat(zeros)}${decimals}`),
  fc.tuple(fc.integer({ min: 0, max: 30 }), digits(3)).map(([nines, decimals]) => `0.${'9'.repeat(nines)}${decimals}`),
  fc.tuple(digits(30), digits(30)).map(([whole, decimals]) => `${whole}.${decimals}`),
  fc.integer({ min: 0, max: 40 }).map((half) => `${half}.50`), fc.integer({ min: -9, max: 30 }).map((exponent) => `1e${exponent}`),
);
const signed = fc.tuple(fc.constantFrom('', '', '-'), written).map((parts) => parts.join(''));

let database: TestDatabase;
let power: Where;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(POWER);
  const where = (await loadWhereLanguage()).parse('(base ^ exponent)::text = power', {}, COLUMNS);
  invariant(!('error' in where), 'the language has powers');
  power = where;
});

afterAll(async () => {
  await database.drop();
});

interface Row extends Record<string, string> {
  base: string;
  exponent: string;
  power: string;
}

function agrees(row: Row): boolean | null | string {
  try {
    return power.evaluate((column) => row[column] ?? null);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return `error ${error.code}` === row.power ? true : error.message;
  }
}

test('they have as many digits as Postgres shows, and the same ones', async () => {
  const pairs = fc.sample(fc.tuple(written, signed), { numRuns: PAIRS, seed: 7 });
  const rows = await database.query<Row>(`
    SELECT base::text, exponent::text, power_text(base, exponent) AS power
    FROM unnest($1::numeric[], $2::numeric[]) pairs (base, exponent)`,
  [pairs.map(([base]) => base), pairs.map(([, exponent]) => exponent)]);
  const shown = rows.filter(({ power: { length } }) => length < 1000);
  const answers = shown.map((row) => ({ ...row, answer: agrees(row) }));
  expect(answers.filter(({ answer }) => answer !== true && answer !== UNTOLD)).toEqual([]);
  expect(answers.filter(({ answer }) => answer === UNTOLD).length / answers.length).toBeLessThan(0.02);
});

test('a power of more than a thousand digits is an error, and told in good time', () => {
  expect(agrees({ base: '12345678901.5', exponent: '190.1', power: '' })).toBe(UNTOLD);
});
