/**
 * Dates and times of day, as Postgres writes them with `DateStyle=ISO`, as microseconds since 1970.
 *
 * Only the ISO forms are read. What Postgres reads besides (`Jan 5`, `05/01/2024`, `today`) depends on settings or on
 * the day, and a filter must mean the same for ever. A number holds microseconds exactly for three centuries around
 * 1970, a BigInt beyond; JavaScript compares the two by value, and both with the infinities.
 */
import { SPACE, trimSpace } from './white-space.ts';

export type Micros = number | bigint;

const DATE = String.raw`(\d{4}|[1-9]\d{4,6})-(\d\d)-(\d\d)`;
const TIME = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?`;
const ZONE = String.raw`${SPACE}?(Z|[+-]\d\d(?:\d\d|:\d\d(?::\d\d)?)?)`;
const ERA = String.raw`(${SPACE}+BC)?`;
const DATE_PATTERN = new RegExp(`^${DATE}${ERA}$`, 'i');
const TIMESTAMP_PATTERN = new RegExp(`^${DATE}(?:(?:T|${SPACE}+)${TIME}(?:${ZONE})?)?${ERA}$`, 'i');
const INFINITY_PATTERN = /^(-?)infinity$/i;

const MICROS_PER_SECOND = 1_000_000;
const SECONDS_PER_DAY = 86_400;
const DATE_YEAR_MAX = 5_874_897;
const TIMESTAMP_YEAR_MAX = 294_276;
/** The day behind the last one of a timestamp, counted from 1970. */
const END_DAY = daysFromCivil(TIMESTAMP_YEAR_MAX + 1, 1, 1);
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

/** As the clock on the wall says it: a zone that is given is read over, as Postgres does. */
export function parseTimestamp(text: string): Micros | undefined {
  return parseMoment(text, false);
}

/** An instant: without a zone, the text means UTC, which is the zone of every session of ours. */
export function parseTimestamptz(text: string): Micros | undefined {
  return parseMoment(text, true);
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
  const days = daysFromCivil(astronomical, month, day);
  return days < FIRST_DAY ? undefined : days;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Counts in eras of 400 years that begin in March, so that a leap day is the last day of its year. */
function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function microsOf(seconds: number, micros: number): Micros {
  const sum = seconds * MICROS_PER_SECOND + micros;
  return Number.isSafeInteger(sum) ? sum : BigInt(seconds) * BigInt(MICROS_PER_SECOND) + BigInt(micros);
}
