/**
 * ExpressionJudge: what an expression is in each row of a table of samples, to us and to a real Postgres.
 *
 * Values are compared by their text: a numeric `1.0` is not the `1.00` that Postgres has.
 */
import fc from 'fast-check';
import pg from 'pg';
import { invariant } from '../../src/base/invariant.ts';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where, WhereColumn } from '../../src/sql/where.ts';
import { asText, DISPLAY_SETTINGS } from './postgres/display-settings.ts';
import type { TestDatabase } from './postgres/postgres.ts';
import { createSamples, rowArbitrary, sampleColumns, samples } from './where-expressions.ts';
import { timeZonesOf, zonedParse } from './zoned-language.ts';

export interface Mismatch {
  readonly expression: string;
  readonly row: Readonly<Record<string, string | null>> | undefined;
  readonly ours: string;
  readonly postgres: string;
}

export interface Judge {
  judge(expression: string): Promise<Judgement>;
  /**
   * The rows that Postgres takes by a condition as it is written, and by what we print of it; null for each where it has an error.
   * Undefined for a condition that is refused.
   */
  taken(condition: string): Promise<{ readonly written: Taken; readonly printed: Taken } | undefined>;
}

type Taken = readonly (string | null)[] | null;

export interface Judgement {
  /** Empty when both agree in every row. */
  readonly mismatches: readonly Mismatch[];
  /** In how many rows Postgres has an error. */
  readonly errors: number;
}

type Texts = Readonly<Record<string, string | null>>;

export const ROWS = 12;
/** The expression's text in each row, or the code of its error behind a bell, which no text of ours has. */
const JUDGE = `
  CREATE FUNCTION pg_temp.judge(expression text) RETURNS TABLE (id int, verdict text) LANGUAGE plpgsql AS $$
  BEGIN
    FOR id IN SELECT samples.id FROM samples ORDER BY 1 LOOP
      BEGIN
        EXECUTE format('SELECT (%s)::text FROM samples WHERE id = $1', expression) INTO verdict USING id;
      EXCEPTION WHEN others THEN
        verdict := E'\\x07' || SQLSTATE || ' ' || SQLERRM;
      END;
      RETURN NEXT;
    END LOOP;
  END $$`;
const VERSION = `SELECT current_setting('server_version_num')::int / 10000 AS version`;
const INFINITE_INTERVALS_SINCE = 17;
const ERROR = '\u0007';
/** What cannot be calculated is refused where it stands, also behind what decides alone: there Postgres does not look at it. */
const MISTAKES = [
  'could not cast value ', 'division by zero', 'cannot ', 'argument must be empty', 'multidimensional ', 'number of array ',
  '.* out of range', 'unit ', 'negative substring ', 'invalid escape ',
  'interval time zone ', 'time zone ', 'zero raised to ', 'a negative number raised to ',
].join('|');
const OF_A_CONSTANT = new RegExp(`^At location \\d+: (?:${MISTAKES})`, 's');
/** What is refused of versions to which it means something else than to newer ones, or is an error to us alone. */
const STRICTER: readonly { readonly below: number; readonly refused: RegExp }[] = [
  { below: 15, refused: /unknown cast from type \w+ to type interval$/ }, { below: 16, refused: /powers of numeric have other digits/ },
  // A difference of moments that is larger than an interval wraps around there.
  { below: 17, refused: /^interval out of range$/ },
  { below: 18, refused: /^unit ".*" not recognized/s },
];
/** What no version tells for certain. */
const UNTOLD = /^(?:At location \d+: )?a power between two float8 is not supported$/;
const VERDICT: WhereColumn = { name: 'verdict', typeName: 'text', dimensions: 0 };

/** @param seed of the rows. */
export async function openJudge(database: TestDatabase, seed = 20_240_229, timeZones = timeZonesOf(database)): Promise<Judge> {
  const language = await loadWhereLanguage();
  const session = await database.session();
  const textsOf = async (text: string, values: readonly (string | null | number)[] = []): Promise<readonly Texts[]> => {
    const { rows } = await session.query<Texts>({ text, values: [...values], types: asText });
    return rows;
  };
  for (const sql of [DISPLAY_SETTINGS, createSamples, JUDGE]) await session.query(sql);
  const [{ version = 0 } = {}] = (await session.query<{ version: number }>(VERSION)).rows;
  const parse = zonedParse(language, timeZones, version);
  const places = samples.map((_, index) => `$${index + 2}`).join(', ');
  for (const [id, row] of fc.sample(rowArbitrary, { numRuns: ROWS, seed }).entries()) {
    const held = row.map((value, at) => heldBy(version, samples[at]?.type, value));
    await session.query(`INSERT INTO samples VALUES ($1, ${places})`, [id, ...held]);
  }
  const rows = await textsOf('SELECT * FROM samples ORDER BY id');
  const isStricter = (ours: string): boolean => {
    return UNTOLD.test(ours) || STRICTER.some(({ below, refused }) => version < below && refused.test(ours));
  };
  const idsWhere = async (condition: string, values: readonly (string | null)[] = []): Promise<Taken> => {
    try {
      return (await textsOf(`SELECT id FROM samples WHERE ${condition} ORDER BY id`, values)).map(({ id = null }) => id);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      return null;
    }
  };
  return {
    judge: async (written) => {
      const hasInfinite = version >= INFINITE_INTERVALS_SINCE;
      const expression = hasInfinite ? written : written.replaceAll("'infinity'::interval", "'1 day'::interval");
      const verdicts = (await textsOf('SELECT verdict FROM pg_temp.judge($1)', [expression])).map(({ verdict = null }) => verdict);
      const where = await parse(`(${expression})::text IS NOT DISTINCT FROM verdict`, [...sampleColumns, VERDICT]);
      const errors = verdicts.filter(isError).length;
      if ('error' in where) {
        const refused = { expression, row: undefined, ours: where.error, postgres: verdicts.join('; ') };
        const isTaken = errors < verdicts.length && !OF_A_CONSTANT.test(where.error) && !isStricter(where.error);
        return { mismatches: isTaken ? [refused] : [], errors };
      }
      const mismatches = verdicts.flatMap((verdict, at) => {
        const row = rows[at];
        invariant(row !== undefined, 'each row is judged');
        const ours = answerOf(where, row, verdict);
        return ours === 'agrees' || isStricter(ours) ? [] : [{ expression, row: readBy(where, row), ours, postgres: String(verdict) }];
      });
      return { mismatches, errors };
    },
    taken: async (condition) => {
      const where = await parse(condition, sampleColumns);
      if ('error' in where) return undefined;
      return { written: await idsWhere(condition), printed: await idsWhere(where.query.sql, where.query.params) };
    },
  };
}

/** NULL for what a version does not have. */
function heldBy(version: number, type: string | undefined, value: string | null): string | null {
  return version < INFINITE_INTERVALS_SINCE && type === 'interval' && value === 'infinity' ? null : value;
}

function isError(verdict: string | null): boolean {
  return verdict?.startsWith(ERROR) === true;
}

function answerOf(where: Where, row: Texts, verdict: string | null): string {
  try {
    const isAlike = where.evaluate((column) => (column === 'verdict' ? verdict : (row[column] ?? null)));
    return isAlike === true ? 'agrees' : 'another value';
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return isError(verdict) ? 'agrees' : error.message;
  }
}

function readBy({ columns }: Where, row: Texts): Texts {
  return Object.fromEntries(columns.filter((column) => column !== 'verdict').map((column) => [column, row[column] ?? null]));
}
