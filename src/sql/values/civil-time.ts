/**
 * Dates and times of day, as Postgres writes them with `DateStyle=ISO`, as microseconds since 1970.
 *
 * Only the ISO forms are read. What Postgres reads besides (`Jan 5`, `05/01/2024`, `today`) depends on settings or on
 * the day, and a filter must mean the same for ever. A number holds microseconds exactly for three centuries around
 * 1970, a BigInt beyond; JavaScript compares the two by value, and both with the infinities.
 */
import {
  civilFromDays, daysFromCivil, daysInMonth, MICROS_PER_DAY, MICROS_PER_SECOND, SECONDS_PER_DAY,
} from './calendar.ts';
import { SPACE, trimSpace } from './white-space.ts';

export type Micros = number | bigint;

const DATE = String.raw`(\d{4}|[1-9]\d{4,6})-(\d\d)-(\d\d)`;
const TIME = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?`;
const ZONE = String.raw`${SPACE}?(Z|[+-]\d\d(?:\d\d|:\d\d(?::\d\d)?)?)`;
const ERA = String.raw`(${SPACE}+BC)?`;
const DATE_PATTERN = new RegExp(`^${DATE}${ERA}$`, 'i');
const TIMESTAMP_PATTERN = new RegExp(`^${DATE}(?:(?:T|${SPACE}+)${TIME}(?:${ZONE})?)?${ERA}$`, 'i');
const TIME_PATTERN = new RegExp(`^${TIME}$`);
const INFINITY_PATTERN = /^(-?)infinity$/i;

const DATE_YEAR_MAX = 5_874_897;
const TIMESTAMP_YEAR_MAX = 294_276;
/** The day behind the last one of a timestamp, counted from 1970. */
const END_DAY = daysFromCivil({ year: TIMESTAMP_YEAR_MAX + 1, month: 1, day: 1 });
/** Likewise of a date. */
const DATE_END_DAY = daysFromCivil({ year: DATE_YEAR_MAX + 1, month: 1, day: 1 });
/** The first day that Postgres knows: 24 November 4714 BC, the Julian day 0, counted from 1970. */
const FIRST_DAY = -2_440_588;
const ZONE_SECONDS_MAX = 16 * 3600;

/** Midnight of a date; undefined when `text` is none in an ISO form. */
export function parseDate(text: string): Micros | undefined {
  const written = trimSpace(text);
  const match = DATE_PATTERN.exec(written);
  if (match === null) return parseInfinity(written);
  const [, year = '', month = '', day = '', era] = match;
  const days = dayNumber(Number(year), Number(month), Number(day), era !== undefined, DATE_YEAR_MAX);
  return days === undefined ? undefined : microsOf(days * SECONDS_PER_DAY, 0);
}

/** Micros since midnight; undefined when `text` is no time of day. The last one is 24:00. */
export function parseTime(text: string): number | undefined {
  const match = TIME_PATTERN.exec(trimSpace(text));
  if (match === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1, 4).map((part) => Number(part ?? 0));
  const micros = (hours * 3600 + minutes * 60 + seconds) * MICROS_PER_SECOND + Number((match[4] ?? '').padEnd(6, '0'));
  return minutes > 59 || seconds > 59 || micros > MICROS_PER_DAY ? undefined : micros;
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
  const written = trimSpace(text);
  const match = TIMESTAMP_PATTERN.exec(written);
  if (match === null) return parseInfinity(written);
  const [, year = '', month = '', day = '', hour = '0', minute = '0', second = '0', fraction = '', zone, era] = match;
  const days = dayNumber(Number(year), Number(month), Number(day), era !== undefined, TIMESTAMP_YEAR_MAX);
  const offset = zoneSeconds(zone ?? 'Z');
  if (days === undefined || offset === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const daytime = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const seconds = days * SECONDS_PER_DAY + daytime - (zoned ? offset : 0);
  const isKnown = seconds >= FIRST_DAY * SECONDS_PER_DAY && seconds < END_DAY * SECONDS_PER_DAY; // A zone can lead beyond either end.
  return isKnown ? microsOf(seconds, Number(fraction.padEnd(6, '0'))) : undefined;
}

function parseInfinity(text: string): Micros | undefined {
  const match = INFINITY_PATTERN.exec(text);
  if (match === null) return undefined;
  return match[1] === '-' ? -Infinity : Infinity;
}

/** East of Greenwich is positive; undefined for a zone that no place has. */
function zoneSeconds(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours = 0, minutes = 0, seconds = 0] = (zone.slice(1).match(/\d\d/g) ?? []).map(Number);
  const size = hours * 3600 + minutes * 60 + seconds;
  if (minutes > 59 || seconds > 59 || size >= ZONE_SECONDS_MAX) return undefined;
  return zone.startsWith('-') ? -size : size;
}

/** Days since 1970 in the Gregorian calendar, continued into the past; undefined for a day that does not exist. */
function dayNumber(year: number, month: number, day: number, bc: boolean, yearMax: number): number | undefined {
  if (year === 0 || year > yearMax || month < 1 || month > 12 || day < 1) return undefined;
  const astronomical = bc ? 1 - year : year;
  if (day > daysInMonth(astronomical, month)) return undefined;
  const days = daysFromCivil({ year: astronomical, month, day });
  return days < FIRST_DAY ? undefined : days;
}

function microsOf(seconds: number, micros: number): Micros {
  const sum = seconds * MICROS_PER_SECOND + micros;
  return Number.isSafeInteger(sum) ? sum : BigInt(seconds) * BigInt(MICROS_PER_SECOND) + BigInt(micros);
}
