/**
 * Interval: months, days and micros, which Postgres keeps apart, since a month has no fixed number of days, nor a day of hours. They
 * are compared as if a month had 30 days and a day 24 hours: `1 mon` equals `30 days`.
 *
 * The forms that Postgres writes are read, and numbers with units, of which fractions become the smaller fields as in Postgres 15 and
 * newer. What it reads besides (a number without a unit) is refused.
 */
import { fractionText } from './civil-time.ts';
import { MICROS_PER_DAY, MICROS_PER_SECOND } from './calendar.ts';
import { roundToEven } from './float.ts';
import { SPACE, trimSpace } from './white-space.ts';

export interface Interval {
  /** Infinite, with either sign, for an interval that is: then days and micros are 0. */
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
}

type Field = 'months' | 'days' | 'micros';
type Sums = Record<Field, bigint>;

const DAYS_PER_MONTH = 30;
const INT32_MAX = 2_147_483_647;
const INT64_MAX = 2n ** 63n - 1n;
const MICROS_PER_HOUR = 3_600_000_000n;
const MICROS_PER_MINUTE = 60_000_000n;

/** What one of a unit is, and the unit that may not be named beside it. */
const UNITS: ReadonlyMap<string, { readonly unit: string; readonly field: Field; readonly size: bigint }> = new Map(
  (
    [
      ['microsecond', 'micros', 1n, 'us usec usecs useconds microseconds microsecond'],
      ['millisecond', 'micros', 1000n, 'ms msec msecs milliseconds millisecond'],
      ['second', 'micros', 1_000_000n, 's sec secs second seconds'],
      ['minute', 'micros', MICROS_PER_MINUTE, 'm min mins minute minutes'],
      ['hour', 'micros', MICROS_PER_HOUR, 'h hr hrs hour hours'],
      ['day', 'days', 1n, 'd day days'],
      ['week', 'days', 7n, 'w week weeks'],
      ['month', 'months', 1n, 'mon mons month months'],
      ['year', 'months', 12n, 'y yr yrs year years'],
      ['decade', 'months', 120n, 'decade decades'],
      ['century', 'months', 1200n, 'century centuries'],
      ['millennium', 'months', 12_000n, 'mil mils millennia millennium'],
    ] as const
  ).flatMap(([unit, field, size, names]) => names.split(' ').map((name) => [name, { unit, field, size }] as const)),
);
const QUANTITY = new RegExp(`^([+-]?)(\\d{1,18})(\\.\\d{1,300})?${SPACE}*([a-z]+)`, 'i');
const CLOCK = /^([+-]?)(\d{1,9}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?![\d:.])/;
const ISO_NUMBER = '(-?\\d{1,18}(?:\\.\\d{1,300})?)';
const ISO_DATE = ['Y', 'M', 'W', 'D'].map((unit) => `(?:${ISO_NUMBER}${unit})?`).join('');
const ISO_TIME = `(?:T(?=.)${['H', 'M', 'S'].map((unit) => `(?:${ISO_NUMBER}${unit})?`).join('')})?`;
const ISO = new RegExp(`^P(?=.)${ISO_DATE}${ISO_TIME}$`);
const ISO_UNITS = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'];
const INFINITIES: ReadonlyMap<string, number> = new Map([['infinity', Infinity], ['-infinity', -Infinity]]);

/** @returns undefined when `text` is no interval, or one in a form that is not read. */
export function parseInterval(text: string): Interval | undefined {
  const written = trimSpace(text);
  const infinity = INFINITIES.get(written.toLowerCase());
  if (infinity !== undefined) return { months: infinity, days: 0, micros: 0n };
  return written.startsWith('P') ? parseIso(text) : parseVerbose(written.toLowerCase());
}

export function isInfiniteInterval({ months }: Interval): boolean {
  return !Number.isFinite(months);
}

/** Of parts that may have grown too large; undefined when Postgres has no such interval. */
export function intervalOf(months: bigint, days: bigint, micros: bigint): Interval | undefined {
  const isKnown = isInt32(months) && isInt32(days) && micros <= INT64_MAX && micros >= -INT64_MAX - 1n;
  return isKnown ? { months: Number(months), days: Number(days), micros } : undefined;
}

/** Equal for equal intervals: in micros. */
export function intervalSpan({ months, days, micros }: Interval): bigint | number {
  return Number.isFinite(months) ? BigInt(months * 30 + days) * BigInt(MICROS_PER_DAY) + micros : months;
}

/** In ISO 8601, which is the `IntervalStyle` of every session of ours. */
export function intervalText({ months, days, micros }: Interval): string {
  if (!Number.isFinite(months)) return months < 0 ? '-infinity' : 'infinity';
  const [hours, minutes] = [micros / MICROS_PER_HOUR, (micros % MICROS_PER_HOUR) / MICROS_PER_MINUTE];
  const date = part(Math.trunc(months / 12), 'Y') + part(months % 12, 'M') + part(days, 'D');
  const time = part(hours, 'H') + part(minutes, 'M') + secondsText(micros % MICROS_PER_MINUTE);
  return date + time === '' ? 'PT0S' : `P${date}${time === '' ? '' : `T${time}`}`;
}

function part(count: number | bigint, unit: string): string {
  return Number(count) === 0 ? '' : `${count}${unit}`;
}

function secondsText(micros: bigint): string {
  if (micros === 0n) return '';
  const size = Math.abs(Number(micros));
  return `${micros < 0n ? '-' : ''}${Math.floor(size / MICROS_PER_SECOND)}${fractionText(size % MICROS_PER_SECOND)}S`;
}

function parseIso(text: string): Interval | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const sums: Sums = { months: 0n, days: 0n, micros: 0n };
  for (const [at, unit] of ISO_UNITS.entries()) {
    const [, sign, count, fraction] = /^(-?)(\d+)(\.\d+)?$/.exec(match[at + 1] ?? '0') ?? [];
    addQuantity(sums, unit, sign === '-', BigInt(count ?? 0), Number(fraction ?? 0));
  }
  return intervalOf(sums.months, sums.days, sums.micros);
}

function secondsOf(seconds: string, fraction = ''): bigint {
  return BigInt(seconds) * BigInt(MICROS_PER_SECOND) + BigInt(fraction.padEnd(6, '0'));
}

/** What a fraction leaves over goes to smaller fields: of years to months, of months and weeks to days, of days to micros. */
function addQuantity(sums: Sums, unitName: string, isNegative: boolean, count: bigint, fraction: number): void {
  const unit = UNITS.get(unitName);
  if (unit === undefined) return;
  const sign = isNegative ? -1 : 1;
  sums[unit.field] += BigInt(sign) * count * unit.size;
  const part = sign * fraction;
  if (part === 0) return;
  if (unit.field === 'micros') {
    sums.micros += roundedMicros(part * Number(unit.size));
  } else if (unit.field === 'months' && unit.unit !== 'month') {
    sums.months += BigInt(roundToEven(part * Number(unit.size / 12n) * 12));
  } else {
    const days = part * (unit.unit === 'month' ? DAYS_PER_MONTH : Number(unit.size));
    const whole = unit.unit === 'day' ? 0 : Math.trunc(days);
    sums.days += BigInt(whole);
    sums.micros += roundedMicros((days - whole) * MICROS_PER_DAY);
  }
}

/** A half stays where it is. */
function roundedMicros(micros: number): bigint {
  const whole = Math.trunc(micros);
  const rest = micros - whole;
  return BigInt(rest > 0.5 ? whole + 1 : rest < -0.5 ? whole - 1 : whole);
}

function parseVerbose(text: string): Interval | undefined {
  const sums: Sums = { months: 0n, days: 0n, micros: 0n };
  const named = new Set<string>();
  let rest = text;
  while (rest !== '' && rest !== 'ago') {
    const size = readClock(rest, sums, named) ?? readQuantity(rest, sums, named);
    if (size === undefined) return undefined;
    const behind = rest.slice(size);
    rest = trimSpace(behind);
    if (rest !== '' && rest.length === behind.length) return undefined; // Each part stands by itself.
  }
  if (named.size === 0) return undefined;
  const sign = rest === 'ago' ? -1n : 1n;
  return intervalOf(sign * sums.months, sign * sums.days, sign * sums.micros);
}

/** @returns how many characters it took; undefined when there is no time of day at the start, or a second one. */
function readClock(text: string, sums: Sums, named: Set<string>): number | undefined {
  const match = CLOCK.exec(text);
  if (match === null) return undefined;
  const [whole, sign, hours = '0', minutes = '0', seconds = '0', fraction] = match;
  if (!areNew(['hour', 'minute', 'second'], named) || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const micros = BigInt(hours) * MICROS_PER_HOUR + BigInt(minutes) * MICROS_PER_MINUTE + secondsOf(seconds, fraction);
  sums.micros += sign === '-' ? -micros : micros;
  return whole.length;
}

function readQuantity(text: string, sums: Sums, named: Set<string>): number | undefined {
  const match = QUANTITY.exec(text);
  const unit = UNITS.get(match?.[4] ?? '');
  if (match === null || unit === undefined || !areNew([unit.unit], named)) return undefined;
  const [whole, sign, count = '0', fraction = '0'] = match;
  addQuantity(sums, unit.unit, sign === '-', BigInt(count), Number(fraction));
  return whole.length;
}

function areNew(units: readonly string[], named: Set<string>): boolean {
  const areAll = units.every((unit) => !named.has(unit));
  for (const unit of units) named.add(unit);
  return areAll;
}

function isInt32(value: bigint): boolean {
  return value <= BigInt(INT32_MAX) && value >= -BigInt(INT32_MAX) - 1n;
}
