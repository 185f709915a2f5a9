/** Dates and times, however they are spelled: what we read Postgres reads too, as the same moment, whatever its settings are. */
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VALUE_TYPES } from '../../src/sql/values/value-types.ts';
import { daytimes, momentSpellings } from '../support/moment-spellings.ts';
import { DISPLAY_SETTINGS } from '../support/postgres/display-settings.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';

const READ = `
  CREATE FUNCTION pg_temp.read(type text, written text) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE value text;
  BEGIN EXECUTE format('SELECT (%L::%s)::text', written, type) INTO value; RETURN value; EXCEPTION WHEN others THEN RETURN 'none'; END $$`;
const TEXTS = 4000;
const TYPES = ['date', 'time', 'timestamp', 'timestamptz'] as const;

let database: TestDatabase;
let session: pg.Client;

beforeAll(async () => {
  database = await createDatabase();
  session = await database.session();
  await session.query(`${DISPLAY_SETTINGS}; ${READ}`);
});

afterAll(async () => {
  await database.drop();
});

async function readBy(type: string, texts: readonly string[]): Promise<readonly string[]> {
  const { rows } = await session.query<{ value: string }>(
    'SELECT pg_temp.read($1, written) AS value FROM unnest($2::text[]) WITH ORDINALITY AS given (written, place) ORDER BY place',
    [type, texts],
  );
  return rows.map(({ value }) => value);
}

test.each(TYPES.flatMap((type) => ['DMY', 'MDY', 'YMD'].map((order) => [type, order] as const)))(
  'a %s is read as Postgres reads it where days are written as %s', async (type, order) => {
    const texts = fc.sample(type === 'time' ? daytimes : momentSpellings, { numRuns: TEXTS, seed: 24 });
    await session.query(`SET DateStyle = 'ISO, ${order}'`);
    const { parse, print } = VALUE_TYPES[type];

    const theirs = await readBy(type, texts);
    const ours = texts.map((text) => {
      const value = parse(text);
      return value === undefined ? 'none' : print(value);
    });

    const unlike = texts.flatMap((text, at) => (ours[at] === theirs[at] ? [] : [{ text, ours: ours[at], postgres: theirs[at] }]));
    expect({ unlike, areMostRead: ours.filter((value) => value !== 'none').length > TEXTS / 3 }).toEqual({ unlike: [], areMostRead: true });
  },
);
