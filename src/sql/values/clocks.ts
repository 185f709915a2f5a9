/**
 * Clocks: from UTC to what the clocks of a zone show, and back. Clocks that are put forward leave out times, and those that are put back
 * show some twice: there Postgres takes the offset before the change, or behind it. Seconds are whole ones, since 1970.
 */
import type { ClockChange, TimeZone, YearlyChanges } from '../../model/time-zone.ts';
import { civilFromDays, daysFromCivil, daysInMonth, SECONDS_PER_DAY } from './calendar.ts';

interface Change {
  readonly second: number;
  readonly before: number;
  readonly after: number;
}

const DAYS_PER_WEEK = 7;
/** 1 January 1970. */
const THURSDAY = 4;

/** How far clocks are ahead of UTC at that time. */
export function offsetAt(zone: TimeZone, second: number): number {
  const year = yearOf(second);
  if (zone.yearly === undefined || year < zone.yearly.from) return lastBefore(zone.changes, second)?.[1] ?? zone.first;
  const inYear = second - startOf(year);
  return (lastBefore(changesIn(zone.yearly, year), inYear) ?? changesIn(zone.yearly, year - 1).at(-1))?.[1] ?? zone.first;
}

/** How far they are ahead when they show `shown`, seconds since they showed the beginning of 1970. */
export function offsetShown(zone: TimeZone, shown: number): number {
  if (zone.shown !== undefined) return lastBefore(zone.shown.changes, shown)?.[1] ?? zone.shown.first;
  const next = nextChange(zone, shown - SECONDS_PER_DAY);
  if (next === undefined) return offsetAt(zone, shown - SECONDS_PER_DAY);
  const [before, after] = [shown - next.before, shown - next.after];
  if (before < next.second && after < next.second) return next.before;
  if (before > next.second && after >= next.second) return next.after;
  return before > after ? next.before : next.after;
}

/** What years have in common that have the same days: the day of the week with which they begin, and behind these those of leap years. */
export function yearKind(year: number): number {
  const weekday = (((daysFromCivil({ year, month: 1, day: 1 }) + THURSDAY) % DAYS_PER_WEEK) + DAYS_PER_WEEK) % DAYS_PER_WEEK;
  return daysInMonth(year, 2) === 29 ? weekday + DAYS_PER_WEEK : weekday;
}

export const YEAR_KINDS = 2 * DAYS_PER_WEEK;

/** In UTC. */
export function yearOf(second: number): number {
  return civilFromDays(Math.floor(second / SECONDS_PER_DAY)).year;
}

export function startOf(year: number): number {
  return daysFromCivil({ year, month: 1, day: 1 }) * SECONDS_PER_DAY;
}

/** The first one behind that time. */
function nextChange(zone: TimeZone, second: number): Change | undefined {
  const next = nextListed(zone, second) ?? nextYearly(zone.yearly, second);
  return next && { second: next[0], before: offsetAt(zone, next[0] - 1), after: next[1] };
}

function nextListed({ changes }: TimeZone, second: number): ClockChange | undefined {
  return changes[countBefore(changes, second)];
}

function nextYearly(yearly: YearlyChanges | undefined, second: number): ClockChange | undefined {
  if (yearly === undefined) return undefined;
  const first = Math.max(yearly.from, yearOf(second));
  for (const year of [first, first + 1]) {
    const [changes, start] = [changesIn(yearly, year), startOf(year)];
    const next = changes[countBefore(changes, second - start)];
    if (next !== undefined) return [next[0] + start, next[1]];
  }
  return undefined;
}

function changesIn({ changes }: YearlyChanges, year: number): readonly ClockChange[] {
  return changes[yearKind(year)] ?? [];
}

function lastBefore(changes: readonly ClockChange[], second: number): ClockChange | undefined {
  return changes[countBefore(changes, second) - 1];
}

/** How many of them have happened by then. */
function countBefore(changes: readonly ClockChange[], second: number): number {
  let [low, high] = [0, changes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.[0] ?? Infinity) <= second) low = middle + 1;
    else high = middle;
  }
  return low;
}
