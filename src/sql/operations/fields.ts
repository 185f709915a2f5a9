/**
 * `extract` and `date_part`: a field of a date, a time or an interval. One gives a numeric with as many decimals as the field has, the
 * other a float8, which Postgres calculates by itself: it is not the numeric's nearest.
 */
import { EvaluationError } from '../evaluation-error.ts';
import { civilFromDays, daysFromCivil, MICROS_PER_DAY, MICROS_PER_SECOND, SECONDS_PER_DAY, type CivilDay } from '../values/calendar.ts';
import { isInfinite, splitDay, type Micros } from '../values/civil-time.ts';
import { isInfiniteInterval } from '../values/interval.ts';
import { addNumeric, divideNumeric } from '../values/numeric-arithmetic.ts';
import type { Numeric } from '../values/numeric.ts';
import type { ScalarName } from '../values/type-names.ts';
import { timeUnitOf, type TimeUnit } from '../values/time-units.ts';
import { asInterval, asMicros, type Value } from '../values/values.ts';
import { timestampOf } from './moments.ts';
import { call, outOfNumeric, stable, within, type Overload, type Overloads } from './operation.ts';

/** Null where a field of what is infinite is NULL. */
type Field = { readonly numeric: Numeric; readonly float: number } | null;

interface Moment extends CivilDay {
  readonly days: number;
  /** In micros since midnight. */
  readonly timeOfDay: number;
  /** Since 1970. */
  readonly micros: bigint;
}

/** Of those that a day has several of. */
export const MICROS_OF: Readonly<Partial<Record<TimeUnit, number>>> = {
  microsecond: 1, millisecond: 1000, second: MICROS_PER_SECOND, minute: 60 * MICROS_PER_SECOND, hour: 3600 * MICROS_PER_SECOND,
};
const LONG_NAMES: Readonly<Partial<Record<ScalarName, string>>> = {
  timestamp: 'timestamp without time zone', timestamptz: 'timestamp with time zone', time: 'time without time zone',
};
const EPOCH_JULIAN = 2_440_588;
/** Postgres counts from 2000. */
const ITS_EPOCH = 946_684_800_000_000;
const INT64_END = 2n ** 63n;
/** Those that grow without end. */
const ENDLESS: ReadonlySet<TimeUnit> = new Set<TimeUnit>(['year', 'decade', 'century', 'millennium', 'julian', 'isoyear', 'epoch']);
const ENDLESS_OF_INTERVALS: ReadonlySet<TimeUnit> = new Set<TimeUnit>(['hour', 'day', 'year', 'decade', 'century', 'millennium', 'epoch']);
const ZONE_UNITS: ReadonlySet<TimeUnit> = new Set<TimeUnit>(['timezone', 'timezone_hour', 'timezone_minute']);

const OF_DAYS: Readonly<Partial<Record<TimeUnit, (moment: Moment) => number>>> = {
  day: ({ day }) => day,
  month: ({ month }) => month,
  quarter: ({ month }) => Math.ceil(month / 3),
  year: ({ year }) => withoutZero(year),
  decade: ({ year }) => Math.floor(year / 10),
  century: ({ year }) => withoutZero(Math.ceil(year / 100)),
  millennium: ({ year }) => withoutZero(Math.ceil(year / 1000)),
  week: ({ days }) => Math.ceil(dayOfYear(thursdayOf(days)) / 7),
  isoyear: ({ days }) => withoutZero(civilFromDays(thursdayOf(days)).year),
  isodow: ({ days }) => isoDayOfWeek(days),
  dow: ({ days }) => isoDayOfWeek(days) % 7,
  doy: ({ days }) => dayOfYear(days),
};
const PARTS: readonly (readonly [type: ScalarName, run: (name: string, value: Value) => Field])[] = [
  ['timestamp', (name, value) => ofMoment(name, asMicros(value), 'timestamp')],
  ['timestamptz', (name, value) => ofMoment(name, asMicros(value), 'timestamptz')],
  ['time', ofTime],
  ['interval', ofInterval],
];

export const FIELD_FUNCTIONS: Overloads = {
  // The name is a word of the grammar: as a function it is called by its schema.
  extract: fieldsOf('pg_catalog.extract', 'numeric', ofDate),
  date_part: fieldsOf('date_part', 'float8', (name, date) => ofMoment(name, timestampOf(date), 'timestamp')),
};

function fieldsOf(sql: string, gives: 'numeric' | 'float8', ofDates: (name: string, value: Value) => Field): readonly Overload[] {
  return [['date', ofDates] as const, ...PARTS].map(([type, run]) => {
    const overload: Overload = {
      takes: ['text', type], gives,
      operation: call(sql, (name, value) => run(String(name), value)?.[gives === 'numeric' ? 'numeric' : 'float'] ?? null),
    };
    return type === 'timestamptz' ? stable(overload) : overload;
  });
}

/** @throws {EvaluationError} for a name that is none. */
export function unitNamed(name: string, type: ScalarName): TimeUnit {
  return within(timeUnitOf(name), () => new EvaluationError('22023', `unit "${name}" not recognized for type ${LONG_NAMES[type] ?? type}`));
}

export function unsupportedUnit(name: string, type: ScalarName): EvaluationError {
  return new EvaluationError('0A000', `unit "${name}" not supported for type ${LONG_NAMES[type] ?? type}`);
}

/** Monday is 1. */
export function isoDayOfWeek(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

function ofDate(name: string, date: Value): Field {
  const unit = unitNamed(name, 'date');
  const isKnown = OF_DAYS[unit] !== undefined || unit === 'epoch' || unit === 'julian';
  if (!isKnown) throw unsupportedUnit(name, 'date');
  const micros = asMicros(date);
  if (isInfinite(micros)) return infinite(ENDLESS, unit, micros);
  const moment = momentOf(micros);
  if (unit === 'epoch') return whole(moment.days * SECONDS_PER_DAY);
  if (unit === 'julian') return whole(moment.days + EPOCH_JULIAN);
  return whole(OF_DAYS[unit]?.(moment) ?? 0);
}

function ofMoment(name: string, micros: Micros, type: 'timestamp' | 'timestamptz'): Field {
  const unit = unitNamed(name, type);
  if (isInfinite(micros)) return infinite(ENDLESS, unit, micros);
  if (ZONE_UNITS.has(unit)) {
    if (type === 'timestamp') throw unsupportedUnit(name, type);
    return whole(0);
  }
  const moment = momentOf(micros);
  const ofDays = OF_DAYS[unit];
  if (ofDays !== undefined) return whole(ofDays(moment));
  if (unit === 'epoch') return { numeric: decimal(moment.micros, 6), float: epochOf(moment.micros) };
  if (unit === 'julian') return julian(moment);
  return within(ofClock(unit, BigInt(moment.timeOfDay)), () => unsupportedUnit(name, type));
}

function ofTime(name: string, time: Value): Field {
  const unit = unitNamed(name, 'time');
  const micros = Number(asMicros(time));
  if (unit === 'epoch') return { numeric: decimal(BigInt(micros), 6), float: micros / MICROS_PER_SECOND };
  return within(ofClock(unit, BigInt(micros)), () => unsupportedUnit(name, 'time'));
}

/** Versions of Postgres differ on the weeks of an interval, and on the quarters of one with months below zero. */
function ofInterval(name: string, span: Value): Field {
  const unit = unitNamed(name, 'interval');
  const interval = asInterval(span);
  const ofMonths = monthsField(unit, interval.months);
  const ofMicros = isInfiniteInterval(interval) ? whole(0) : ofClock(unit, interval.micros);
  const isKnown = ofMonths !== undefined || ofMicros !== undefined || unit === 'day' || unit === 'epoch' || unit === 'hour';
  if (!isKnown || (unit === 'quarter' && interval.months % 12 < 0)) throw unsupportedUnit(name, 'interval');
  if (isInfiniteInterval(interval)) return infinite(ENDLESS_OF_INTERVALS, unit, interval.months);
  if (unit === 'day') return whole(interval.days);
  if (unit === 'epoch') return intervalEpoch(interval.months, interval.days, interval.micros);
  return ofMonths === undefined ? (ofMicros ?? null) : whole(ofMonths);
}

/** Towards zero. @returns undefined for a unit that is none of months. */
function monthsField(unit: TimeUnit, months: number): number | undefined {
  switch (unit) {
    case 'month':
      return months % 12;
    case 'quarter':
      return Math.trunc((months % 12) / 3) + 1;
    case 'year':
      return Math.trunc(months / 12);
    case 'decade':
      return Math.trunc(months / 120);
    case 'century':
      return Math.trunc(months / 1200);
    case 'millennium':
      return Math.trunc(months / 12_000);
    default:
      return undefined;
  }
}

/** A year has 365.25 days here, and a month 30. */
function intervalEpoch(months: number, days: number, micros: bigint): Field {
  const [years, rest] = [Math.trunc(months / 12), months % 12];
  const quarterDays = 1461n * BigInt(years) + 120n * BigInt(rest) + 4n * BigInt(days);
  const ofMicros = Number(micros) / MICROS_PER_SECOND;
  return {
    numeric: decimal(quarterDays * 21_600n * BigInt(MICROS_PER_SECOND) + micros, 6),
    float: ofMicros + 365.25 * SECONDS_PER_DAY * years + 30 * SECONDS_PER_DAY * rest + SECONDS_PER_DAY * days,
  };
}

/** Of so many micros. @returns undefined for a unit that is none of the clock's. */
function ofClock(unit: TimeUnit, micros: bigint): Field | undefined {
  const ofMinute = Number(micros % 60_000_000n);
  const [seconds, fraction] = [Math.trunc(ofMinute / MICROS_PER_SECOND), ofMinute % MICROS_PER_SECOND];
  switch (unit) {
    case 'microsecond':
      return whole(ofMinute);
    case 'millisecond':
      return { numeric: decimal(BigInt(ofMinute), 3), float: seconds * 1000 + fraction / 1000 };
    case 'second':
      return { numeric: decimal(BigInt(ofMinute), 6), float: seconds + fraction / MICROS_PER_SECOND };
    case 'minute':
      return whole(Number((micros / 60_000_000n) % 60n));
    case 'hour':
      return whole(Number(micros / 3_600_000_000n));
    default:
      return undefined;
  }
}

function epochOf(micros: bigint): number {
  // Beyond what 64 bits hold Postgres subtracts floats.
  const exactly = micros < INT64_END - 1n ? Number(micros) : Number(micros - BigInt(ITS_EPOCH)) + ITS_EPOCH;
  return exactly / MICROS_PER_SECOND;
}

function julian({ days, timeOfDay }: Moment): Field {
  const [seconds, fraction] = [Math.trunc(timeOfDay / MICROS_PER_SECOND), timeOfDay % MICROS_PER_SECOND];
  const day = within(divideNumeric(decimal(BigInt(timeOfDay), 0), decimal(BigInt(MICROS_PER_DAY), 0)), outOfNumeric);
  return {
    numeric: within(addNumeric(decimal(BigInt(days + EPOCH_JULIAN), 0), day), outOfNumeric),
    float: days + EPOCH_JULIAN + (seconds + fraction / MICROS_PER_SECOND) / SECONDS_PER_DAY,
  };
}

function momentOf(micros: Micros): Moment {
  const [days, timeOfDay] = splitDay(micros);
  return { ...civilFromDays(days), days, timeOfDay, micros: BigInt(micros) };
}

/** It says in which year a week lies. */
function thursdayOf(days: number): number {
  return days - isoDayOfWeek(days) + 4;
}

/** From 1. */
function dayOfYear(days: number): number {
  return days - daysFromCivil({ year: civilFromDays(days).year, month: 1, day: 1 }) + 1;
}

/** The year before 1 is -1, and so is the century. */
function withoutZero(count: number): number {
  return count > 0 ? count : count - 1;
}

function whole(value: number): Field {
  return { numeric: decimal(BigInt(value), 0), float: value + 0 };
}

function decimal(digits: bigint, scale: number): Numeric {
  return { digits, scale, special: 0 };
}

function infinite(endless: ReadonlySet<TimeUnit>, unit: TimeUnit, sign: number): Field {
  return endless.has(unit) ? { numeric: { digits: 0n, scale: 0, special: sign < 0 ? -1 : 1 }, float: sign } : null;
}
