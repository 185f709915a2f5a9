/**
 * TimeZones: when clocks change in a zone, as the database's own tables have it, found out by asking it for offsets.
 *
 * Every day of four centuries is asked for, and each change is narrowed down to its second. Later years Postgres itself takes from one rule
 * for all of them, which the last hundred of these years show. Nothing of it is believed: what was made of the answers is held to Postgres
 * again, in further millennia, and around each change for what clocks show. A zone that is not as it was understood is refused.
 */
import type { ClockChange, TimeZone, YearlyChanges } from '../../model/time-zone.ts';
import { offsetAt, offsetShown, startOf, YEAR_KINDS, yearKind, yearOf } from '../../sql/values/clocks.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../connection/database-error.ts';
import { type DatabasePool, PoolTimeoutError } from '../connection/pool.ts';

export interface TimeZones {
  /**
   * @returns a text for a zone that Postgres does not have, in its words, or for one that is not understood.
   * @throws {DatabaseUnreachableError} nothing is known about the zone.
   */
  zone(name: string): Promise<TimeZone | string>;
}

interface FoundChange {
  readonly second: number;
  readonly before: number;
  readonly after: number;
}

const INVALID_PARAMETER_VALUE = '22023';
const ZONES_MAX = 1000;
/** Each day from one to the other is asked for. */
const [YEAR_FIRST, YEAR_END] = [1800, 2201];
/** What happens every year shows in these, among which each kind of year is found several times. */
const YEARLY_FIRST = 2101;
/** Half years from one to the other are asked for when all is understood. */
const [CHECKED_FIRST, CHECKED_END] = [-4712, 10_000];
const HALF_YEAR = 181 * 86_400;
/** How far from a change what clocks show is asked for, in seconds. */
const AROUND = [-86_399, -3600, -1, 0, 1, 1800, 3600, 21_600, 43_200, 64_800, 82_800, 86_399, 86_400, 90_000];

const OFFSET = (second: string): string => `extract(epoch FROM timezone($1, to_timestamp(${second})))::int8 - ${second}`;
const CHANGES_SQL = `
  WITH RECURSIVE days AS (SELECT second, ${OFFSET('second')} AS ahead FROM generate_series($2::int8, $3::int8, 86400) second),
  pairs AS (SELECT second, ahead, lag(second) OVER days AS before, lag(ahead) OVER days AS was FROM days WINDOW days AS (ORDER BY second)),
  changes AS (
    SELECT before AS low, second AS high, was, ahead FROM pairs WHERE ahead <> was
    UNION ALL
    SELECT CASE WHEN at_middle = was THEN middle ELSE low END, CASE WHEN at_middle = was THEN high ELSE middle END, was,
           CASE WHEN at_middle = was THEN ahead ELSE at_middle END
    FROM (SELECT *, ${OFFSET('middle')} AS at_middle FROM (SELECT *, (low + high) / 2 AS middle FROM changes WHERE high - low > 1) c) m
  )
  SELECT high::float8 AS second, was::float8 AS before, ahead::float8 AS after FROM changes WHERE high - low = 1 ORDER BY 1`;
const OFFSETS_SQL = `
  SELECT (${OFFSET('second')})::float8 AS ahead
  FROM unnest($2::int8[]) WITH ORDINALITY AS asked (second, place) ORDER BY place`;
const SHOWN_SQL = `
  SELECT (shown - extract(epoch FROM timezone($1, to_timestamp(shown) AT TIME ZONE 'UTC')))::float8 AS ahead
  FROM unnest($2::int8[]) WITH ORDINALITY AS asked (shown, place) ORDER BY place`;

export function createTimeZones(pool: Pick<DatabasePool, 'query'>): TimeZones {
  const known = new Map<string, Promise<TimeZone | string>>();
  return {
    zone(name) {
      const kept = known.get(name) ?? readZone(pool, name);
      known.delete(name);
      known.set(name, kept);
      for (const oldest of known.keys()) {
        if (known.size <= ZONES_MAX) break;
        known.delete(oldest);
      }
      kept.catch(() => known.delete(name));
      return kept;
    },
  };
}

async function readZone(pool: Pick<DatabasePool, 'query'>, name: string): Promise<TimeZone | string> {
  try {
    const asked = (sql: string, seconds: readonly number[]): Promise<readonly number[]> =>
      pool.query<{ ahead: number }>(sql, [name, seconds]).then((rows) => rows.map(({ ahead }) => ahead));
    const [first = 0] = await asked(OFFSETS_SQL, [startOf(YEAR_FIRST)]);
    const changes = await pool.query<FoundChange & Record<string, unknown>>(CHANGES_SQL, [name, startOf(YEAR_FIRST), startOf(YEAR_END)]);
    const zone = zoneOf(first, changes);
    const isUnderstood = zone !== undefined && (await agrees(zone, asked));
    return isUnderstood ? zone : `the time zone ${name} is not supported: its clocks change in a way that is not understood`;
  } catch (error) {
    if (error instanceof PoolTimeoutError) throw new DatabaseUnreachableError(error.message, { cause: error });
    if (error instanceof DatabaseRefusedError && error.code === INVALID_PARAMETER_VALUE) return error.message;
    throw error;
  }
}

/** @returns undefined for a zone whose clocks change twice in a day, or otherwise from year to year. */
export function zoneOf(first: number, found: readonly FoundChange[]): TimeZone | undefined {
  if (found.some(({ before }, at) => before !== (found[at - 1]?.after ?? first))) return undefined;
  const changes = found.map(({ second, after }): ClockChange => [second, after]);
  const byYear = new Map<number, ClockChange[]>();
  for (const [second, offset] of changes) {
    const year = yearOf(second);
    byYear.set(year, [...(byYear.get(year) ?? []), [second - startOf(year), offset]]);
  }
  const regular = Array.from({ length: YEAR_KINDS }, (): readonly ClockChange[] => []);
  for (let year = YEARLY_FIRST; year < YEAR_END; year += 1) regular[yearKind(year)] = byYear.get(year) ?? [];
  if (regular.every((inYear) => inYear.length === 0)) {
    return changes.some(([second]) => second >= startOf(YEARLY_FIRST)) ? undefined : { first, changes };
  }
  const yearly = yearlyChanges(regular, byYear);
  return yearly && { first, changes: changes.filter(([second]) => second < startOf(yearly.from)), yearly };
}

function yearlyChanges(regular: YearlyChanges['changes'], byYear: ReadonlyMap<number, readonly ClockChange[]>): YearlyChanges | undefined {
  const isRegular = (year: number): boolean => JSON.stringify(byYear.get(year)) === JSON.stringify(regular[yearKind(year)]);
  let from = YEAR_END;
  while (from > YEAR_FIRST && isRegular(from - 1)) from -= 1;
  if (from > YEARLY_FIRST) return undefined;
  return { from: from === YEAR_FIRST ? CHECKED_FIRST - 1 : from + 1, changes: regular };
}

async function agrees(zone: TimeZone, asked: (sql: string, seconds: readonly number[]) => Promise<readonly number[]>): Promise<boolean> {
  const halves = Array.from({ length: 2 * (CHECKED_END - CHECKED_FIRST) }, (_, half) => {
    return startOf(CHECKED_FIRST + (half >> 1)) + (half % 2) * HALF_YEAR;
  });
  const offsets = await asked(OFFSETS_SQL, halves);
  if (!halves.every((second, at) => offsetAt(zone, second) === offsets[at])) return false;
  const changes = [...zone.changes, ...yearlyIn(zone, zone.yearly?.from ?? YEARLY_FIRST), ...yearlyIn(zone, YEARLY_FIRST)];
  const shown = changes.flatMap(([second, offset]) => {
    return [offset, offsetAt(zone, second - 1)].flatMap((ahead) => AROUND.map((distance) => second + ahead + distance));
  });
  const ahead = await asked(SHOWN_SQL, shown);
  return shown.every((second, at) => offsetShown(zone, second) === ahead[at]);
}

/** Of some years from that one on. */
function yearlyIn({ yearly }: TimeZone, first: number): readonly ClockChange[] {
  return Array.from({ length: YEAR_KINDS }, (_, at) => Math.max(first, CHECKED_FIRST) + at).flatMap((year) => {
    return (yearly?.changes[yearKind(year)] ?? []).map(([second, offset]): ClockChange => [second + startOf(year), offset]);
  });
}
