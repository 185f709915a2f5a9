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
const HALF_YEARS = Array.from({ length: 2 * (CHECKED_END - CHECKED_FIRST) }, (_, half) => {
  return startOf(CHECKED_FIRST + (half >> 1)) + (half % 2) * 181 * 86_400;
});
/** How far from a change what clocks show is asked for, in seconds. */
const AROUND = [-86_399, -3600, -1, 0, 1, 1800, 3600, 21_600, 43_200, 64_800, 82_800, 86_399, 86_400, 90_000];

/** Each so many seconds, from so far before a change to so far behind it, an abbreviation is asked for. */
const [CLOSE_STEP, CLOSE] = [300, 93_600];

type Expression = (second: string) => string;

const OFFSET: Expression = (second) => `extract(epoch FROM timezone($1, to_timestamp(${second})))::int8 - ${second}`;
const SHOWN: Expression = (second) => `${second} - extract(epoch FROM timezone($1, to_timestamp(${second}) AT TIME ZONE 'UTC'))::int8`;
const changesSql = (offset: Expression): string => `
  WITH RECURSIVE days AS (SELECT second, ${offset('second')} AS ahead FROM generate_series($2::int8, $3::int8, 86400) second),
  pairs AS (SELECT second, ahead, lag(second) OVER days AS before, lag(ahead) OVER days AS was FROM days WINDOW days AS (ORDER BY second)),
  changes AS (
    SELECT before AS low, second AS high, was, ahead FROM pairs WHERE ahead <> was
    UNION ALL
    SELECT CASE WHEN at_middle = was THEN middle ELSE low END, CASE WHEN at_middle = was THEN high ELSE middle END, was,
           CASE WHEN at_middle = was THEN ahead ELSE at_middle END
    FROM (SELECT *, ${offset('middle')} AS at_middle FROM (SELECT *, (low + high) / 2 AS middle FROM changes WHERE high - low > 1) c) m
  )
  SELECT high::float8 AS second, was::float8 AS before, ahead::float8 AS after FROM changes WHERE high - low = 1 ORDER BY 1`;
const offsetsSql = (offset: Expression): string => `
  SELECT (${offset('second')})::float8 AS ahead
  FROM unnest($2::int8[]) WITH ORDINALITY AS asked (second, place) ORDER BY place`;

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
    return (await understoodZone(new ZoneReader(pool, name)))
      ?? `the time zone ${name} is not supported: its clocks change in a way that is not understood`;
  } catch (error) {
    if (error instanceof PoolTimeoutError) throw new DatabaseUnreachableError(error.message, { cause: error });
    if (error instanceof DatabaseRefusedError && error.code === INVALID_PARAMETER_VALUE) return error.message;
    throw error;
  }
}

/** Of an abbreviation, what clocks mean follows from what they show alone. */
async function understoodZone(reader: ZoneReader): Promise<TimeZone | undefined> {
  const zone = await reader.changes(OFFSET);
  if (zone === undefined || !(await hasOffsets(zone, reader))) return undefined;
  if (await showsTimes(zone, reader)) return zone;
  const shown = await reader.changes(SHOWN);
  if (shown === undefined || shown.yearly !== undefined || zone.yearly !== undefined) return undefined;
  const abbreviation = { ...zone, shown: { first: shown.first, changes: shown.changes } };
  return (await showsTimes(abbreviation, reader)) ? abbreviation : undefined;
}

class ZoneReader {
  constructor(
    private readonly pool: Pick<DatabasePool, 'query'>,
    private readonly name: string,
  ) {}

  async offsets(offset: Expression, seconds: readonly number[]): Promise<readonly number[]> {
    const rows = await this.pool.query<{ ahead: number }>(offsetsSql(offset), [this.name, seconds]);
    return rows.map(({ ahead }) => ahead);
  }

  async changes(offset: Expression): Promise<TimeZone | undefined> {
    const [first = 0] = await this.offsets(offset, [startOf(YEAR_FIRST)]);
    const range = [startOf(YEAR_FIRST), startOf(YEAR_END)];
    return zoneOf(first, await this.pool.query<FoundChange & Record<string, unknown>>(changesSql(offset), [this.name, ...range]));
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

async function hasOffsets(zone: TimeZone, reader: ZoneReader): Promise<boolean> {
  const offsets = await reader.offsets(OFFSET, HALF_YEARS);
  return HALF_YEARS.every((second, at) => offsetAt(zone, second) === offsets[at]);
}

async function showsTimes(zone: TimeZone, reader: ZoneReader): Promise<boolean> {
  const changes = [...zone.changes, ...yearlyIn(zone, zone.yearly?.from ?? YEARLY_FIRST), ...yearlyIn(zone, YEARLY_FIRST)];
  const around = changes.flatMap(([second, offset]) => {
    return [offset, offsetAt(zone, second - 1)].flatMap((ahead) => AROUND.map((distance) => second + ahead + distance));
  });
  const seconds = zone.shown === undefined ? around : [...around, ...HALF_YEARS, ...[...changes, ...zone.shown.changes].flatMap(closeTo)];
  const ahead = await reader.offsets(SHOWN, seconds);
  return seconds.every((second, at) => offsetShown(zone, second) === ahead[at]);
}

function closeTo([second]: ClockChange): readonly number[] {
  return Array.from({ length: (2 * CLOSE) / CLOSE_STEP }, (_, step) => second - CLOSE + step * CLOSE_STEP);
}

/** Of some years from that one on. */
function yearlyIn({ yearly }: TimeZone, first: number): readonly ClockChange[] {
  return Array.from({ length: YEAR_KINDS }, (_, at) => Math.max(first, CHECKED_FIRST) + at).flatMap((year) => {
    return (yearly?.changes[yearKind(year)] ?? []).map(([second, offset]): ClockChange => [second + startOf(year), offset]);
  });
}
