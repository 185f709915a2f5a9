/**
 * How dates and times may be written: each spelling that Postgres reads alike whatever its settings are. So a date has a year of three or
 * more digits, which comes first or stands beside the name of a month: `05/01/2024` is one day or another. What is read otherwise from day
 * to day (`today`) is none either, nor are zones that have a name.
 */
import { MICROS_PER_DAY, MICROS_PER_SECOND } from './calendar.ts';
import { roundToEven } from './float.ts';
import { SPACE, trimSpace } from './white-space.ts';

export interface WrittenDate {
  /** As it is written: before Christ or behind it. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly isBeforeChrist: boolean;
}

export interface WrittenMoment {
  /** Or its Julian number. */
  readonly date: WrittenDate | number;
  /** Micros; 24:00 is one. */
  readonly timeOfDay: number;
  /** Seconds to the east; undefined where none is written. */
  readonly offset: number | undefined;
}

type Place = 'year' | 'month' | 'day';

/** Postgres takes them for the time at which it reads them. */
const TODAYS = /^(?:now|today|tomorrow|yesterday)(?![a-z])/i;
const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
/** By its first three letters or whole; September also by four. */
const MONTH_NUMBERS: ReadonlyMap<string, number> = new Map([
  ...MONTHS.flatMap((name, at) => [[name, at + 1] as const, [name.slice(0, 3), at + 1] as const]), ['sept', 9],
]);
const YEAR = String.raw`(\d{3,7})`;
/** Beside the name of a month. */
const SHORT_YEAR = String.raw`(\d{3,5})`;
const DAY = String.raw`(\d{1,2})`;
const MONTH = '([a-z]{3,9})';
const TIME = String.raw`(\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,30})?)?|\d{6}\.\d{1,30}|\d{6}(?!-\d+:\d+:))`;
const ZONE = String.raw`(Z|UTC|GMT|[+-]\d{1,4}|[+-]\d{1,2}:\d\d(?::\d\d)?)`;
const DAYTIME = `${TIME}(?:${SPACE}*(AM|PM)(?![a-z+-]))?(?:${SPACE}*${ZONE})?`;
const ERA = `(?:${SPACE}+(BC|AD))?`;
const PUNCTUATION = ['-', '/', String.raw`\.`];
const BETWEEN_WORDS = [...PUNCTUATION, `${SPACE}+`];
/** The first one is what Postgres writes. */
const SPELLINGS: readonly { readonly pattern: RegExp; readonly places: readonly Place[] }[] = [
  ...PUNCTUATION.map((sign) => spelling([YEAR, DAY, DAY], sign, ['year', 'month', 'day'])),
  spelling([String.raw`(\d{4})`, String.raw`(\d\d)`, String.raw`(\d\d)`], '', ['year', 'month', 'day']),
  ...BETWEEN_WORDS.flatMap((sign) => [
    spelling([SHORT_YEAR, MONTH, DAY], sign, ['year', 'month', 'day'], ''),
    spelling([DAY, MONTH, SHORT_YEAR], sign, ['day', 'month', 'year'], ''),
    spelling([MONTH, DAY, SHORT_YEAR], sign, ['month', 'day', 'year'], ''),
  ]),
  spelling([MONTH, DAY, SHORT_YEAR], ['', `${SPACE}+`, `,${SPACE}*`], ['month', 'day', 'year'], ''),
];
/** An era beside one makes no difference. */
const JULIAN = new RegExp(`^J(\\d{1,10})(?:(?:T|${SPACE}+)${DAYTIME})?${ERA}$`, 'i');
const DAYTIME_ALONE = new RegExp(`^${DAYTIME}$`, 'i');
const CLOCK = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?$/;
const OFFSET = /^([+-])(?:(\d{1,2}?)(\d\d)?|(\d{1,2}):(\d\d)(?::(\d\d))?)$/;
const OFFSET_SECONDS_MAX = 16 * 3600;
const HALF_DAY_HOURS = 12;

/** @returns undefined when `text` is none in a form that is read. The day may be one that no month has. */
export function readMoment(text: string): WrittenMoment | undefined {
  const written = trimSpace(text);
  for (const { pattern, places } of SPELLINGS) {
    const match = pattern.exec(written);
    if (match === null) continue;
    const date = dateOf(places, match.slice(1, 4), match[7]);
    return date && dated(date, match[4], match[5], match[6]);
  }
  const [, number, time, half, zone] = JULIAN.exec(written) ?? [];
  return number === undefined ? undefined : dated(Number(number), time, half, zone);
}

/** Micros since midnight: a zone is read over. */
export function readTimeOfDay(text: string): number | undefined {
  const [, time, half, zone] = DAYTIME_ALONE.exec(trimSpace(text)) ?? [];
  return time === undefined ? undefined : dated(0, time, half, zone)?.timeOfDay;
}

/** Whether Postgres reads it otherwise from day to day. */
export function isOfToday(text: string): boolean {
  return TODAYS.test(trimSpace(text));
}

function spelling(parts: readonly string[], between: string | readonly string[], places: readonly Place[], beforeTime = 'T|') {
  const signs = typeof between === 'string' ? ['', between, between] : between;
  const date = parts.map((part, at) => `${signs[at] ?? ''}${part}`).join('');
  return { pattern: new RegExp(`^${date}(?:(?:${beforeTime}${SPACE}+)${DAYTIME})?${ERA}$`, 'i'), places };
}

function dateOf(places: readonly Place[], parts: readonly string[], era: string | undefined): WrittenDate | undefined {
  const [year, month, day] = (['year', 'month', 'day'] as const).map((place) => numberOf(parts[places.indexOf(place)] ?? ''));
  if (year === undefined || month === undefined || day === undefined) return undefined;
  return { year, month, day, isBeforeChrist: era?.toUpperCase() === 'BC' };
}

/** Of digits, or of a month. */
function numberOf(part: string): number | undefined {
  return /^\d/.test(part) ? Number(part) : MONTH_NUMBERS.get(part.toLowerCase());
}

function dated(date: WrittenMoment['date'], time: string | undefined, half?: string, zone?: string): WrittenMoment | undefined {
  const timeOfDay = time === undefined ? 0 : timeOf(time, half?.toUpperCase());
  const offset = zone === undefined ? undefined : offsetOf(zone);
  if (timeOfDay === undefined || (zone !== undefined && offset === undefined)) return undefined;
  return { date, timeOfDay, offset };
}

/** A second may be the 60th, but nothing is later than midnight. */
function timeOf(time: string, half: string | undefined): number | undefined {
  const clock = time.includes(':') ? time : `${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}`;
  const [, hours = '', minutes = '', seconds = '0', fraction = '0'] = CLOCK.exec(clock) ?? [];
  const hour = half === undefined ? Number(hours) : hourOf(Number(hours), half);
  const micros = roundToEven(Number(`0.${fraction}`) * MICROS_PER_SECOND);
  const timeOfDay = ((hour * 60 + Number(minutes)) * 60 + Number(seconds)) * MICROS_PER_SECOND + micros;
  return Number(minutes) > 59 || Number(seconds) > 60 || timeOfDay > MICROS_PER_DAY ? undefined : timeOfDay;
}

function hourOf(hour: number, half: string): number {
  if (hour > HALF_DAY_HOURS) return Infinity;
  return (hour === HALF_DAY_HOURS ? 0 : hour) + (half === 'PM' ? HALF_DAY_HOURS : 0);
}

/** Undefined for a zone that no place has. */
function offsetOf(zone: string): number | undefined {
  if (/^[a-z]/i.test(zone)) return 0;
  const [, sign, packed, packedMinutes = '0', hours = packed, minutes = packedMinutes, seconds = '0'] = OFFSET.exec(zone) ?? [];
  const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  if (Number(minutes) > 59 || Number(seconds) > 59 || size >= OFFSET_SECONDS_MAX) return undefined;
  return sign === '-' ? -size : size;
}
