/** Powers: to the last digit what Postgres gives, or the same error. Of numerics those whose exponents are no whole numbers. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where, WhereColumn } from '../../src/sql/where.ts';
import { invariant } from '../../src/base/invariant.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';

const columnsOf = (type: string): readonly WhereColumn[] => ['base', 'exponent', 'power'].map((name) => {
  return { name, typeName: name === 'power' ? 'text' : type, dimensions: 0 };
});
const powerOf = (type: string): string => `
  CREATE FUNCTION power_text(base ${type}, exponent ${type}) RETURNS text LANGUAGE plpgsql AS $$
  BEGIN RETURN (base ^ exponent)::text; EXCEPTION WHEN others THEN RETURN 'error ' || SQLSTATE || ' ' || SQLERRM; END $$`;
const PAIRS = 4000;
/** Of those that lie in the middle between two results. */
const UNTOLD = ['a power that is not exact is not supported', 'a power between two float8 is not supported'];
const FLOAT_PAIRS = 24_000;

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
let floatPower: Where;

beforeAll(async () => {
  database = await createDatabase();
  const language = await loadWhereLanguage();
  const filterOf = async (type: string): Promise<Where> => {
    await database.query(powerOf(type));
    const where = language.parse('(base ^ exponent)::text = power', {}, columnsOf(type));
    invariant(!('error' in where), 'the language has powers');
    return where;
  };
  [power, floatPower] = [await filterOf('numeric'), await filterOf('float8')];
});

afterAll(async () => {
  await database.drop();
});

interface Row extends Record<string, string> {
  base: string;
  exponent: string;
  power: string;
}

function agrees(where: Where, row: Row): boolean | null | string {
  try {
    return where.evaluate((column) => row[column] ?? null);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return row.power.startsWith(`error ${error.code} ${error.message}`) ? true : error.message;
  }
}

function powersOf(type: string, pairs: readonly (readonly [string, string])[]): Promise<readonly Row[]> {
  return database.query<Row>(`
    SELECT base::text, exponent::text, power_text(base, exponent) AS power
    FROM unnest($1::${type}[], $2::${type}[]) pairs (base, exponent)`,
  [pairs.map(([base]) => base), pairs.map(([, exponent]) => exponent)]);
}

/** How large they may be together, so that most powers are numbers: a base, and what the logarithm of its power shall be. */
const floats = fc.double({ noNaN: true, min: 0, minExcluded: true, noDefaultInfinity: true });
const bases = fc.oneof(
  floats, floats, fc.double({ noNaN: true, min: 0.5, max: 2 }), fc.double({ noNaN: true, min: 1e-3, max: 1e3 }),
  fc.integer({ min: -60, max: 60 }).map((steps) => 1 + steps * 2 ** -52), fc.integer({ min: 1, max: 300 }).map((tenths) => tenths / 10),
  fc.integer({ min: 1, max: 5000 }).map((steps) => steps * 5e-324), fc.constantFrom(2, 4, 10, 0.5, 1e22, 1.7976931348623157e308),
);
const logarithms = fc.oneof(
  fc.double({ noNaN: true, min: -760, max: 720 }), fc.double({ noNaN: true, min: -745.2, max: -708 }),
  fc.double({ noNaN: true, min: 709.7, max: 709.8 }),
  fc.double({ noNaN: true, min: -5, max: 5 }), fc.double({ noNaN: true, min: -1e-12, max: 1e-12 }),
);
const exponents = fc.oneof(
  fc.integer({ min: -40, max: 40 }), fc.integer({ min: -40, max: 40 }).map((half) => half / 2), fc.double(),
  fc.constantFrom(0.1, 1 / 3, 0.3, -0.7, 2.5, 1e300, -0, NaN, Infinity, -Infinity),
);
const floatPairs = fc.oneof(
  fc.tuple(bases, logarithms).map(([base, logarithm]) => [base, base === 1 ? logarithm : logarithm / Math.log(base)] as const),
  fc.tuple(fc.oneof(bases, bases.map((base) => -base), fc.constantFrom(0, -0, -1, NaN, Infinity, -Infinity)), exponents),
);

test('those of float8 are those of the library below Postgres, and errors where it has them', async () => {
  const pairs = fc.sample(floatPairs, { numRuns: FLOAT_PAIRS, seed: 11 });
  const rows = await powersOf('float8', pairs.map(([base, exponent]) => [String(base), String(exponent)]));
  const answers = rows.map((row) => ({ ...row, answer: agrees(floatPower, row) }));
  const told = answers.filter(({ power: shown }) => !shown.startsWith('error'));
  const untold = answers.filter(({ answer }) => UNTOLD.includes(String(answer)));
  expect({
    others: answers.filter(({ answer }) => answer !== true && !UNTOLD.includes(String(answer))),
    areUntoldFew: untold.length < 0.05 * told.length,
    areMostNumbers: told.length > 0.6 * FLOAT_PAIRS,
  }).toEqual({ others: [], areUntoldFew: true, areMostNumbers: true });
});

test('they have as many digits as Postgres shows, and the same ones', async () => {
  const pairs = fc.sample(fc.tuple(written, signed), { numRuns: PAIRS, seed: 7 });
  const rows = await powersOf('numeric', pairs);
  const shown = rows.filter(({ power: { length } }) => length < 1000);
  const answers = shown.map((row) => ({ ...row, answer: agrees(power, row) }));
  expect(answers.filter(({ answer }) => answer !== true && !UNTOLD.includes(String(answer)))).toEqual([]);
  expect(answers.filter(({ answer }) => UNTOLD.includes(String(answer))).length / answers.length).toBeLessThan(0.02);
});

test('a power of more than a thousand digits is an error, and told in good time', () => {
  expect(agrees(power, { base: '12345678901.5', exponent: '190.1', power: '' })).toBe(UNTOLD[0]);
});
