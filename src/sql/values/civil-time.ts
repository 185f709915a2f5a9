/**
 * Dates and times of day, as Postgres writes them with `DateStyle=ISO`, as microseconds since 1970.
 *
 * Read is what means the same for ever, whatever the settings are (`moment-text.ts`). A number holds microseconds exactly for three
 * centuries around 1970, a BigInt beyond; JavaScript compares the two by value, and both with the infinities.
 */
import {
  civilFromDays, daysFromCivil, daysInMonth, MICROS_PER_DAY, MICROS_PER_SECOND, SECONDS_PER_DAY,
} from './calendar.ts';
import { readMoment, type WrittenMoment } from './moment-text.ts';
import { trimSpace } from './white-space.ts';

export type Micros = number | bigint;

const WORDS: ReadonlyMap<string, Micros> = new Map([['infinity', Infinity], ['-infinity', -Infinity], ['epoch', 0]]);

const DATE_YEAR_MAX = 5_874_897;
const TIMESTAMP_YEAR_MAX = 294_276;
/** The day behind the last one of a timestamp, counted from 1970. */
const END_DAY = daysFromCivil({ year: TIMESTAMP_YEAR_MAX + 1, month: 1, day: 1 });
/** Likewise of a date. */
const DATE_END_DAY = daysFromCivil({ year: DATE_YEAR_MAX + 1, month: 1, day: 1 });
/** The first day that Postgres knows: 24 November 4714 BC, the Julian day 0, counted from 1970. */
const FIRST_DAY = -2_440_588;

/** Midnight of a date: a time of day and a zone are read over. Undefined when `text` is none in a form that is read. */
export function parseDate(text: string): Micros | undefined {
  const moment = readMoment(text);
  if (moment === undefined) return WORDS.get(trimSpace(text).toLowerCase());
  const days = dayNumber(moment.date, DATE_YEAR_MAX);
  return days === undefined || days >= DATE_END_DAY ? undefined : microsOf(days * SECONDS_PER_DAY, 0);
}

/** As the clock on the wall says it: a zone that is given is read over, as Postgres does. */
export function parseTimestamp(text: string): Micros | undefined {
  return parseMoment(text, false);
}

/** An instant: without a zone, the text means UTC, which is the zone of every session of ours. */
export function parseTimestamptz(text: string): Micros | undefined {
  return parseMoment(text, true);
}

/** Whether Postgres has a date or a timestamp of so many micros since 1970. */
export function isKnownDate(micros: bigint): boolean {
  return isBetween(micros, DATE_END_DAY);
}

export function isKnownMoment(micros: bigint): boolean {
  return isBetween(micros, END_DAY);
}

function isBetween(micros: bigint, endDay: number): boolean {
  return micros >= BigInt(FIRST_DAY) * BigInt(MICROS_PER_DAY) && micros < BigInt(endDay) * BigInt(MICROS_PER_DAY);
}

/** A number where it holds them exactly. */
export function microsFrom(micros: bigint): Micros {
  const number = Number(micros);
  return Number.isSafeInteger(number) ? number : micros;
}

/** Whole days since 1970, and the micros since that midnight. Not for the infinities. */
export function splitDay(micros: Micros): readonly [days: number, timeOfDay: number] {
  const perDay = BigInt(MICROS_PER_DAY);
  const whole = BigInt(micros);
  const timeOfDay = ((whole % perDay) + perDay) % perDay;
  return [Number((whole - timeOfDay) / perDay), Number(timeOfDay)];
}

export function dateText(micros: Micros): string {
  return isInfinite(micros) ? infinityText(micros) : momentParts(micros, () => '');
}

export function timestampText(micros: Micros): string {
  return isInfinite(micros) ? infinityText(micros) : momentParts(micros, (time) => ` ${timeText(time)}`);
}

/** In UTC, the zone of every session of ours. */
export function timestamptzText(micros: Micros): string {
  return isInfinite(micros) ? infinityText(micros) : momentParts(micros, (time) => ` ${timeText(time)}+00`);
}

/** @param micros since midnight. */
export function timeText(micros: number): string {
  const seconds = Math.floor(micros / MICROS_PER_SECOND);
  const [hour, minute, second] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${two(hour)}:${two(minute)}:${two(second)}${fractionText(micros % MICROS_PER_SECOND)}`;
}

/** With its point, and without zeros at the end; empty for none. */
export function fractionText(micros: number): string {
  return micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}

export function isInfinite(micros: Micros): micros is number {
  return micros === Infinity || micros === -Infinity;
}

function infinityText(micros: number): string {
  return micros < 0 ? '-infinity' : 'infinity';
}

function momentParts(micros: Micros, time: (timeOfDay: number) => string): string {
  const [days, timeOfDay] = splitDay(micros);
  const { year, month, day } = civilFromDays(days);
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return `${shown}-${two(month)}-${two(day)}${time(timeOfDay)}${year > 0 ? '' : ' BC'}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

function parseMoment(text: string, zoned: boolean): Micros | undefined {
  const moment = readMoment(text);
  if (moment === undefined) return WORDS.get(trimSpace(text).toLowerCase());
  const { date, timeOfDay, offset = 0 } = moment;
  const days = dayNumber(date, TIMESTAMP_YEAR_MAX);
  if (days === undefined) return undefined;
  const time = timeOfDay % MICROS_PER_SECOND;
  const seconds = days * SECONDS_PER_DAY + (timeOfDay - time) / MICROS_PER_SECOND - (zoned ? offset : 0);
  const isKnown = seconds >= FIRST_DAY * SECONDS_PER_DAY && seconds < END_DAY * SECONDS_PER_DAY; // A zone can lead beyond either end.
  return isKnown ? microsOf(seconds, time) : undefined;
}

/** Days since 1970 in the Gregorian calendar, continued into the past; undefined for a day that does not exist. */
function dayNumber(date: WrittenMoment['date'], yearMax: number): number | undefined {
  if (typeof date === 'number') return date + FIRST_DAY;
  const { year, month, day, isBeforeChrist } = date;
  if (year === 0 || year > yearMax || month < 1 || month > 12 || day < 1) return undefined;
  const astronomical = isBeforeChrist ? 1 - year : year;
  if (day > daysInMonth(astronomical, month)) return undefined;
  const days = daysFromCivil({ year: astronomical, month, day });
  return days < FIRST_DAY ? undefined : days;
}

function microsOf(seconds: number, micros: number): Micros {
  const sum = seconds * MICROS_PER_SECOND + micros;
  return Number.isSafeInteger(sum) ? sum : BigInt(seconds) * BigInt(MICROS_PER_SECOND) + BigInt(micros);
}
