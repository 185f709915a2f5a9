/** `date_trunc`: a moment or an interval without what is smaller than a unit. */
import { civilFromDays, daysFromCivil, MICROS_PER_DAY, type CivilDay } from '../values/calendar.ts';
import { isInfinite, splitDay } from '../values/civil-time.ts';
import { isInfiniteInterval, type Interval } from '../values/interval.ts';
import type { ScalarName } from '../values/type-names.ts';
import type { TimeUnit } from '../values/time-units.ts';
import { asInterval, asMicros, type Value } from '../values/values.ts';
import { MICROS_OF, isoDayOfWeek, unitNamed, unsupportedUnit } from './fields.ts';
import { known, timestampOf } from './moments.ts';
import { call, stable, type Overload, type Overloads } from './operation.ts';

const DAY = BigInt(MICROS_PER_DAY);
const MONTHS_OF: Readonly<Partial<Record<TimeUnit, number>>> = {
  month: 1, quarter: 3, year: 12, decade: 120, century: 1200, millennium: 12_000,
};

export const TRUNCATION_FUNCTIONS: Overloads = {
  date_trunc: [
    truncation('timestamp', 'timestamp', momentTruncated),
    stable(truncation('timestamptz', 'timestamptz', momentTruncated)),
    // Postgres prefers the type with a zone, which is UTC in every session of ours.
    stable(truncation('date', 'timestamptz', (unit, date, type) => momentTruncated(unit, timestampOf(date), type))),
    truncation('interval', 'interval', intervalTruncated),
  ],
};

function truncation(takes: ScalarName, gives: ScalarName, run: (name: string, value: Value, type: ScalarName) => Value): Overload {
  return { takes: ['text', takes], gives, operation: call('date_trunc', (unit, value) => run(String(unit), value, gives)) };
}

function momentTruncated(name: string, moment: Value, type: ScalarName): Value {
  const unit = unitNamed(name, type);
  const size = MICROS_OF[unit];
  if (size === undefined && MONTHS_OF[unit] === undefined && unit !== 'day' && unit !== 'week') throw unsupportedUnit(name, type);
  const micros = asMicros(moment);
  if (isInfinite(micros)) return micros;
  const [days, timeOfDay] = splitDay(micros);
  if (size !== undefined) return known(BigInt(days) * DAY + BigInt(timeOfDay - (timeOfDay % size)));
  return known(BigInt(firstDay(unit, days)) * DAY);
}

/** Of the unit in which a day lies. */
function firstDay(unit: TimeUnit, days: number): number {
  if (unit === 'day') return days;
  if (unit === 'week') return days - isoDayOfWeek(days) + 1;
  const { year, month } = civilFromDays(days);
  return daysFromCivil({ ...firstMonth(unit, year, month), day: 1 });
}

/** Centuries and millennia begin with a year 1, decades with a year 0. */
function firstMonth(unit: TimeUnit, year: number, month: number): Pick<CivilDay, 'year' | 'month'> {
  switch (unit) {
    case 'month':
      return { year, month };
    case 'quarter':
      return { year, month: month - ((month - 1) % 3) };
    case 'decade':
      return { year: Math.floor(year / 10) * 10, month: 1 };
    case 'century':
      return { year: Math.floor((year - 1) / 100) * 100 + 1, month: 1 };
    case 'millennium':
      return { year: Math.floor((year - 1) / 1000) * 1000 + 1, month: 1 };
    default:
      return { year, month: 1 };
  }
}

/** Towards zero. */
function intervalTruncated(name: string, span: Value): Interval {
  const unit = unitNamed(name, 'interval');
  const [monthsSize, size] = [MONTHS_OF[unit], MICROS_OF[unit]];
  if (monthsSize === undefined && size === undefined && unit !== 'day') throw unsupportedUnit(name, 'interval');
  const interval = asInterval(span);
  if (isInfiniteInterval(interval)) return interval;
  const { months, days, micros } = interval;
  if (monthsSize !== undefined) return { months: months - (months % monthsSize), days: 0, micros: 0n };
  return { months, days, micros: size === undefined ? 0n : micros - (micros % BigInt(size)) };
}
