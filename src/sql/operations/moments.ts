/**
 * Dates, times and intervals. A day is added to the calendar, not 24 hours, and a month keeps the day of the month as far as it has
 * one. What depends on a time zone is calculated in UTC, the zone of every session of ours.
 */
import { divisionByZero, EvaluationError, momentOutOfRange } from '../evaluation-error.ts';
import { civilFromDays, daysFromCivil, daysInMonth, MICROS_PER_DAY } from '../values/calendar.ts';
import { dateText, isInfinite, isKnownDate, isKnownMoment, microsFrom, splitDay, type Micros } from '../values/civil-time.ts';
import { roundToEven } from '../values/float.ts';
import { intervalOf, isInfiniteInterval, type Interval } from '../values/interval.ts';
import type { ScalarName } from '../values/type-names.ts';
import { asInterval, asMicros, type Value } from '../values/values.ts';
import { integerFrom } from './casts.ts';
import { call, infix, prefix, stable, within, type Overload, type Overloads } from './operation.ts';

type Run = (left: Value, right: Value) => Value;

const DAY = BigInt(MICROS_PER_DAY);
const MICROS_PER_SECOND = 1_000_000;
const SECONDS_PER_DAY = 86_400;
const DAYS_PER_MONTH = 30;
const MOMENTS: readonly ScalarName[] = ['timestamp', 'timestamptz'];

export const MOMENT_OPERATORS: Overloads = {
  '+': [
    ...eitherWay('date', 'int4', 'date', addDays),
    ...eitherWay('date', 'interval', 'timestamp', (date, span) => addInterval(timestampOf(date), span)),
    ...eitherWay('date', 'time', 'timestamp', addTimeOfDay),
    ...eitherWay('timestamp', 'interval', 'timestamp', addInterval),
    ...eitherWay('timestamptz', 'interval', 'timestamptz', addInterval).map(stable),
    ...eitherWay('time', 'interval', 'time', (time, span) => turned(BigInt(asMicros(time)) + finiteMicros(span, 'add', 'to'))),
    operator('+', ['interval', 'interval'], 'interval', addIntervals),
  ],
  '-': [
    operator('-', ['date', 'date'], 'int4', daysBetween),
    operator('-', ['date', 'int4'], 'date', (date, days) => addDays(date, -Number(days))),
    operator('-', ['date', 'interval'], 'timestamp', (date, span) => subtractInterval(timestampOf(date), span)),
    operator('-', ['timestamp', 'interval'], 'timestamp', subtractInterval),
    stable(operator('-', ['timestamptz', 'interval'], 'timestamptz', subtractInterval)),
    ...MOMENTS.map((type) => operator('-', [type, type], 'interval', spanBetween)),
    operator('-', ['time', 'time'], 'interval', (left, right) => spanOf(0n, 0n, BigInt(asMicros(left)) - BigInt(asMicros(right)))),
    operator('-', ['time', 'interval'], 'time', (time, span) =>
      turned(BigInt(asMicros(time)) - finiteMicros(span, 'subtract', 'from'))),
    operator('-', ['interval', 'interval'], 'interval', (left, right) => addIntervals(left, negated(right))),
  ],
  '*': eitherWay('interval', 'float8', 'interval', multiplied, '*'),
  '/': [operator('/', ['interval', 'float8'], 'interval', divided)],
};

export const MOMENT_PREFIXES: Overloads = {
  '-': [{ takes: ['interval'], gives: 'interval', operation: prefix('-', negated) }],
};

export const MOMENT_FUNCTIONS: Overloads = {
  justify_hours: [justification('justify_hours', (span) => justifyHours(span))],
  justify_days: [justification('justify_days', (span) => justifyDays(span))],
  justify_interval: [justification('justify_interval', justifyAll)],
};

function operator(sign: string, takes: readonly ScalarName[], gives: ScalarName, run: Run): Overload {
  return { takes, gives, operation: infix(sign, run) };
}

function eitherWay(left: ScalarName, right: ScalarName, gives: ScalarName, run: Run, sign = '+'): readonly Overload[] {
  return [operator(sign, [left, right], gives, run), operator(sign, [right, left], gives, (first, second) => run(second, first))];
}

function addDays(date: Value, days: Value): Value {
  const micros = asMicros(date);
  if (isInfinite(micros)) return micros;
  const sum = BigInt(micros) + BigInt(Number(days)) * DAY;
  if (!isKnownDate(sum)) throw momentOutOfRange('date');
  return microsFrom(sum);
}

function daysBetween(left: Value, right: Value): Value {
  const [a, b] = [asMicros(left), asMicros(right)];
  if (isInfinite(a) || isInfinite(b)) throw new EvaluationError('22008', 'cannot subtract infinite dates');
  return Number((BigInt(a) - BigInt(b)) / DAY);
}

/** Midnight of a date, which may be one that a timestamp does not reach. */
export function timestampOf(date: Value): Micros {
  const micros = asMicros(date);
  if (!isInfinite(micros) && !isKnownMoment(BigInt(micros))) throw momentOutOfRange(`date ${dateText(micros)} for timestamp`);
  return micros;
}

function addTimeOfDay(date: Value, time: Value): Value {
  const micros = timestampOf(date);
  return isInfinite(micros) ? micros : known(BigInt(micros) + BigInt(asMicros(time)));
}

/** Months first, then days, then hours: none of them may lead beyond what Postgres has. */
function addInterval(moment: Value, span: Value): Value {
  const [micros, interval] = [asMicros(moment), asInterval(span)];
  if (isInfiniteInterval(interval)) {
    if (isInfinite(micros) && micros !== interval.months) throw momentOutOfRange('timestamp');
    return interval.months;
  }
  if (isInfinite(micros)) return micros;
  const [days, timeOfDay] = splitDay(micros);
  const month = addMonths(days, interval.months);
  known(BigInt(month) * DAY + BigInt(timeOfDay));
  const day = BigInt(month + interval.days) * DAY + BigInt(timeOfDay);
  known(day);
  return known(day + interval.micros);
}

function subtractInterval(moment: Value, span: Value): Value {
  return addInterval(moment, negated(span));
}

/** The same day of another month, or its last one. */
function addMonths(days: number, months: number): number {
  if (months === 0) return days;
  const { year, month, day } = civilFromDays(days);
  const count = year * 12 + month - 1 + months;
  const [newYear, newMonth] = [Math.floor(count / 12), (((count % 12) + 12) % 12) + 1];
  return daysFromCivil({ year: newYear, month: newMonth, day: Math.min(day, daysInMonth(newYear, newMonth)) });
}

/** @throws {EvaluationError} for a moment that Postgres does not have. */
export function known(micros: bigint): Micros {
  if (!isKnownMoment(micros)) throw momentOutOfRange('timestamp');
  return microsFrom(micros);
}

function spanBetween(left: Value, right: Value): Value {
  const [a, b] = [asMicros(left), asMicros(right)];
  if (isInfinite(a) || isInfinite(b)) {
    if (a === b) throw momentOutOfRange('interval');
    return infinite(isInfinite(a) ? a : -Number(b));
  }
  return justifyHours(spanOf(0n, 0n, BigInt(a) - BigInt(b)));
}

function addIntervals(left: Value, right: Value): Interval {
  const [a, b] = [asInterval(left), asInterval(right)];
  if (isInfiniteInterval(a) || isInfiniteInterval(b)) {
    const sum = a.months + b.months;
    if (Number.isNaN(sum)) throw momentOutOfRange('interval');
    return infinite(sum);
  }
  return spanOf(BigInt(a.months) + BigInt(b.months), BigInt(a.days) + BigInt(b.days), a.micros + b.micros);
}

function negated(span: Value): Interval {
  const { months, days, micros } = asInterval(span);
  return Number.isFinite(months) ? spanOf(-BigInt(months), -BigInt(days), -micros) : infinite(-months);
}

function multiplied(span: Value, factor: Value): Value {
  const number = Number(factor);
  return times(asInterval(span), number, (part) => part * number);
}

function divided(span: Value, divisor: Value): Value {
  const number = Number(divisor);
  if (number === 0) throw divisionByZero();
  return times(asInterval(span), Math.sign(1 / number), (part) => part / number);
}

/**
 * What a fraction of a month leaves over goes to days, what a fraction of a day leaves over to micros, each rounded to micros.
 *
 * @param factor of its sign: what makes an infinite interval of one, or has no place beside it.
 */
function times(span: Interval, factor: number, scaled: (part: number) => number): Interval {
  if (Number.isNaN(factor)) throw momentOutOfRange('interval');
  if (isInfiniteInterval(span) || !Number.isFinite(factor)) return timesInfinite(span, factor);
  const months = Math.trunc(scaled(span.months));
  const days = Math.trunc(scaled(span.days));
  const monthRest = roundMicros((scaled(span.months) - months) * DAYS_PER_MONTH);
  let seconds = roundMicros((scaled(span.days) - days + monthRest - Math.trunc(monthRest)) * SECONDS_PER_DAY);
  let wholeDays = days;
  if (Math.abs(seconds) >= SECONDS_PER_DAY) {
    wholeDays += Math.trunc(seconds / SECONDS_PER_DAY);
    seconds -= Math.trunc(seconds / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  }
  const micros = roundToEven(scaled(Number(span.micros)) + seconds * MICROS_PER_SECOND);
  if (![months, days, micros].every(Number.isFinite)) throw momentOutOfRange('interval');
  return spanOf(BigInt(months), BigInt(wholeDays + Math.trunc(monthRest)), BigInt(micros));
}

function timesInfinite(span: Interval, factor: number): Interval {
  const sign = spanSign(span) * Math.sign(factor);
  if (sign === 0) throw momentOutOfRange('interval');
  return infinite(sign);
}

function spanSign({ months, days, micros }: Interval): number {
  return Number.isFinite(months) ? Math.sign(Number(BigInt(months * DAYS_PER_MONTH + days) * DAY + micros)) : Math.sign(months);
}

function roundMicros(value: number): number {
  return roundToEven(value * MICROS_PER_SECOND) / MICROS_PER_SECOND;
}

function justification(name: string, run: (span: Interval) => Interval): Overload {
  const justify = (value: Value): Value => {
    const span = asInterval(value);
    return isInfiniteInterval(span) ? span : run(span);
  };
  return { takes: ['interval'], gives: 'interval', operation: call(name, justify) };
}

/** Hours of 24 and more become days; both have one sign then. */
function justifyHours({ months, days, micros }: Interval): Interval {
  const span = { days: BigInt(days) + micros / DAY, micros: micros % DAY };
  if (span.days > 0n && span.micros < 0n) return spanOf(BigInt(months), span.days - 1n, span.micros + DAY);
  if (span.days < 0n && span.micros > 0n) return spanOf(BigInt(months), span.days + 1n, span.micros - DAY);
  return spanOf(BigInt(months), span.days, span.micros);
}

function justifyDays({ months, days, micros }: Interval): Interval {
  const span = { months: months + Math.trunc(days / DAYS_PER_MONTH), days: days % DAYS_PER_MONTH };
  if (span.months > 0 && span.days < 0) return spanOf(BigInt(span.months - 1), BigInt(span.days + DAYS_PER_MONTH), micros);
  if (span.months < 0 && span.days > 0) return spanOf(BigInt(span.months + 1), BigInt(span.days - DAYS_PER_MONTH), micros);
  return spanOf(BigInt(span.months), BigInt(span.days), micros);
}

/** All three have one sign then. */
function justifyAll({ months, days, micros }: Interval): Interval {
  const month = BigInt(DAYS_PER_MONTH);
  let [m, d, t] = [BigInt(months), BigInt(days) + micros / DAY, micros % DAY];
  [m, d] = [m + d / month, d % month];
  if (m > 0n && (d < 0n || (d === 0n && t < 0n))) [m, d] = [m - 1n, d + month];
  else if (m < 0n && (d > 0n || (d === 0n && t > 0n))) [m, d] = [m + 1n, d - month];
  if (d > 0n && t < 0n) [d, t] = [d - 1n, t + DAY];
  else if (d < 0n && t > 0n) [d, t] = [d + 1n, t - DAY];
  return spanOf(m, d, t);
}

function spanOf(months: bigint, days: bigint, micros: bigint): Interval {
  return within(intervalOf(months, days, micros), () => momentOutOfRange('interval'));
}

function infinite(sign: number): Interval {
  return { months: sign < 0 ? -Infinity : Infinity, days: 0, micros: 0n };
}

/** What a time of day takes of an interval: its hours. */
function finiteMicros(span: Value, verb: string, preposition: string): bigint {
  const interval = asInterval(span);
  if (isInfiniteInterval(interval)) throw new EvaluationError('22008', `cannot ${verb} infinite interval ${preposition} time`);
  return interval.micros;
}

function turned(micros: bigint): Value {
  return integerFrom(((micros % DAY) + DAY) % DAY);
}
