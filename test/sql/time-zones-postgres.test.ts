/** Time zones: what their clocks show, and when they show it, is to us what it is to Postgres, from its first day to its last. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { zoneOf } from '../../src/postgres/catalog/time-zones.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where, WhereColumn, WhereError } from '../../src/sql/where.ts';
import { DISPLAY_SETTINGS } from '../support/postgres/display-settings.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { timeZonesOf, zonedParse, type ZonedParse } from '../support/zoned-language.ts';

const COLUMNS: readonly WhereColumn[] = ['timestamp', 'timestamptz'].map((typeName) => ({ name: typeName, typeName, dimensions: 0 }));
const ZONES = [
  'Europe/Berlin', 'america/new_york', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kolkata', 'Pacific/Apia', 'Europe/Dublin',
  'America/Nuuk', 'Asia/Jerusalem', 'America/Sao_Paulo', 'Antarctica/Troll', 'Africa/Monrovia', 'EST5EDT', 'PST', 'NONE-5',
  'CET-1CEST,M3.5.0,M10.5.0/3', 'XYZ3ABC,J60/25,J300/-5', 'A5:30:15', 'EST', 'MSK', 'VET', 'fkst', 'KRAT',
];
const AROUND = [-86_400, -7200, -3600, -1800, -1, 0, 1, 1800, 3600, 7200, 86_400];
/** 24 November 4714 BC and 1 January 294277, and where people live. */
const SECONDS = fc.oneof(
  fc.integer({ min: -210_866_803_200, max: 9_224_318_015_999 }), fc.integer({ min: -4_000_000_000, max: 5_000_000_000 }),
  fc.integer({ min: -1_700_000_000, max: 2_600_000_000 }),
);
const MOMENTS = 1500;

let database: TestDatabase;
let parse: ZonedParse;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(DISPLAY_SETTINGS);
  parse = zonedParse(await loadWhereLanguage(), timeZonesOf(database));
});

afterAll(async () => {
  await database.drop();
});

interface Seen extends Record<string, string> {
  timestamp: string;
  timestamptz: string;
  shown: string;
  meant: string;
}

/** Around each change of the zone in these years, and anywhere. */
async function seenIn(zone: string): Promise<readonly Seen[]> {
  const known = await timeZonesOf(database).zone(zone);
  const changes = typeof known === 'string' ? [] : [...known.changes, ...(known.shown?.changes ?? [])].flatMap(([second, offset]) => {
    return AROUND.flatMap((distance) => [second + distance, second + offset + distance]);
  });
  const seconds = [...changes, ...fc.sample(SECONDS, { numRuns: MOMENTS, seed: 1 })].map((second) => `${second}.25`);
  return await database.query<Seen>(`
    SELECT timestamp::text, timestamptz::text, timezone($2, timestamptz)::text AS shown, timezone($2, timestamp)::text AS meant
    FROM unnest($1::float8[]) second, LATERAL (SELECT to_timestamp(second) AS timestamptz) z,
      LATERAL (SELECT timezone('UTC', timestamptz) AS timestamp) t
    WHERE timestamp BETWEEN '4713-01-01 BC' AND '294276-12-01'`, [seconds, zone]);
}

function filterOf(zone: string): Promise<Where | WhereError> {
  const name = `'${zone}'`;
  const columns = [...COLUMNS, ...COLUMNS.map((column) => ({ ...column, name: column.name === 'timestamp' ? 'shown' : 'meant' }))];
  return parse(`timestamptz AT TIME ZONE ${name} = shown AND timestamp AT TIME ZONE ${name} = meant`, columns);
}

test.each(ZONES)('%s', async (zone) => {
  const [seen, where] = [await seenIn(zone), await filterOf(zone)];

  const others = 'error' in where ? where.error : seen.filter((row) => where.evaluate((column) => row[column] ?? null) !== true);

  expect({ others, count: seen.length >= MOMENTS - 100 }).toEqual({ others: [], count: true });
});

test('infinite moments stay what they are', async () => {
  const where = await filterOf('Europe/Berlin');
  expect('error' in where ? where.error : where.evaluate(() => 'infinity')).toBe(true);
});

test('a name that is none is refused in the words of Postgres, where it stands', async () => {
  const names = ['Nowhere', 'Europe/Berlin ', 'CET-1CEST,M13.5.0,M10.5.0/3', 'constructor'];
  const answers = await Promise.all(names.map((name) => parse(`timestamp AT TIME ZONE '${name}' = timestamptz`, COLUMNS)));
  expect(answers).toEqual(names.map((name) => {
    return { error: `At location 10: time zone "${name}" not recognized`, field: 'where' };
  }));
});

test('clocks that change twice in a day, or in some later years only, are not understood', () => {
  const twice = [{ second: 100, before: 0, after: 3600 }, { second: 86_500, before: 7200, after: 0 }];
  const late = [{ second: 4_200_000_000, before: 0, after: 3600 }];
  expect([zoneOf(0, twice), zoneOf(0, late)]).toEqual([undefined, undefined]);
});
