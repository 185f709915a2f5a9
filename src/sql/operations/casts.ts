/**
 * Casts: what a value of one type is as another, where that depends on nothing but the value. Those that depend on the time zone of
 * the session are left out.
 */
import { EvaluationError, momentOutOfRange, outOfRange } from '../evaluation-error.ts';
import { dateText, isInfinite, isKnownMoment, splitDay } from '../values/civil-time.ts';
import { MICROS_PER_DAY } from '../values/calendar.ts';
import { isInfiniteInterval } from '../values/interval.ts';
import { exactly, roundToEven } from '../values/float.ts';
import { canonicalNumeric, parseNumeric } from '../values/numeric.ts';
import { roundNumeric, significant } from '../values/numeric-arithmetic.ts';
import { itemOf, isScalar, type ScalarName, type TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { asArray, asInterval, asMicros, asNumeric, asScalar, type Scalar, type Value } from '../values/values.ts';
import { trimEnd } from '../values/white-space.ts';
import { isText } from './implicit-casts.ts';
import { strict, within, type Operation } from './operation.ts';

/** Null for NULL. */
type Convert = (value: Value) => Value | null;

const INTEGERS = ['int2', 'int4', 'int8'];
const FLOATS = ['float4', 'float8'];
const INTEGER_BITS: Readonly<Record<string, { readonly bits: bigint; readonly name: string }>> = {
  int2: { bits: 15n, name: 'smallint' }, int4: { bits: 31n, name: 'integer' }, int8: { bits: 63n, name: 'bigint' },
};
/** What Postgres calls the types in its errors. */
const LONG_NAMES: Readonly<Partial<Record<TypeName, string>>> = {
  bool: 'boolean', int2: 'smallint', int4: 'integer', int8: 'bigint', float4: 'real', float8: 'double precision',
  timestamptz: 'timestamp with time zone',
};
/** How many digits of a binary number a numeric takes over. */
const DECIMAL_DIGITS: Readonly<Record<string, number>> = { float4: 6, float8: 15 };

const WRITTEN_BY_SETTINGS: ReadonlySet<TypeName> = new Set<TypeName>(['date', 'timestamp', 'timestamptz', 'interval']);
const READ_BY_SETTINGS: ReadonlySet<TypeName> = new Set<TypeName>([...WRITTEN_BY_SETTINGS, 'time']);

/** `value::to`. @returns undefined where there is no such cast, or one that is not made here. */
export function castOf(from: TypeName, to: TypeName): Operation | undefined {
  const convert = conversion(from, to);
  if (convert === undefined) return undefined;
  const cast: Operation = { sql: ([value = '']) => `(${value})::${to}`, compile: strict(convert), isStrict: true };
  return isStable(from, to) ? { ...cast, isStable: true } : cast;
}

/** Where it writes or reads a text by the settings of the session. */
function isStable(from: TypeName, to: TypeName): boolean {
  if (from === to) return false;
  const [fromItem, toItem] = [itemOf(from), itemOf(to)];
  if (fromItem !== undefined && toItem !== undefined) return isStable(fromItem, toItem);
  return (isText(to) && (fromItem !== undefined || WRITTEN_BY_SETTINGS.has(from)))
    || (isText(from) && (toItem !== undefined || READ_BY_SETTINGS.has(to)));
}

/** @throws {EvaluationError} the conversion does, for values that `to` does not hold. */
export function conversion(from: TypeName, to: TypeName): Convert | undefined {
  if (from === to) return (value) => value;
  if (isText(from)) return fromText(from, to);
  if (isText(to)) return toText(from, to);
  const [fromItem, toItem] = [itemOf(from), itemOf(to)];
  if (fromItem !== undefined && toItem !== undefined) return betweenItems(fromItem, toItem);
  return isScalar(from) && isScalar(to) ? (numberConversion(from, to) ?? momentConversion(from, to)) : undefined;
}

/** @throws {EvaluationError} for a text that is no value of the type. */
export function readText(type: TypeName, text: string): Value {
  const value = VALUE_TYPES[type].parse(text);
  return within(value, () => new EvaluationError('22P02', `invalid input syntax for type ${LONG_NAMES[type] ?? type}: "${text}"`));
}

/** Of one character type as another; else by the text that was written. */
function fromText(from: TypeName, to: TypeName): Convert {
  if (to === 'name') return (value) => readText(to, from === 'bpchar' ? trimEnd(String(value), ' ') : String(value));
  if (!isText(to)) return (value) => readText(to, String(value));
  return from === 'bpchar' ? (value) => trimEnd(String(value), ' ') : (value) => value;
}

function toText(from: TypeName, to: TypeName): Convert {
  if (from === 'bool' && to !== 'name') return String;
  const { print } = VALUE_TYPES[from];
  return (value) => readText(to, print(value));
}

function betweenItems(from: ScalarName, to: ScalarName): Convert | undefined {
  const convert = conversion(from, to);
  return convert && ((value) => {
    const { dimensions, items } = asArray(value);
    return { dimensions, items: items.map((item) => itemFrom(item === null ? null : convert(item))) };
  });
}

function itemFrom(value: Value | null): Scalar | null {
  return value === null ? null : asScalar(value);
}

function numberConversion(from: ScalarName, to: ScalarName): Convert | undefined {
  if (from === 'bool') return to === 'int4' ? Number : undefined;
  if (to === 'bool') return from === 'int4' ? (value) => value !== 0 : undefined;
  const toInteger = INTEGER_BITS[to];
  if (toInteger !== undefined) return integerConversion(from, toInteger);
  if (to === 'numeric') return numericConversion(from);
  if (!FLOATS.includes(to)) return undefined;
  if (INTEGERS.includes(from) || from === 'numeric') return floatOfExact(to);
  return to === 'float8' && from === 'float4' ? (value) => value : from === 'float8' ? toSingle : undefined;
}

function integerConversion(from: ScalarName, { bits, name }: { readonly bits: bigint; readonly name: string }): Convert | undefined {
  const inRange = (value: bigint): Value => {
    if (value >= 2n ** bits || value < -(2n ** bits)) throw outOfRange(name);
    return integerFrom(value);
  };
  if (INTEGERS.includes(from)) return (value) => inRange(BigInt(Number.isSafeInteger(value) ? Number(value) : String(value)));
  if (from === 'numeric') {
    return (value) => {
      const numeric = asNumeric(value);
      const special = numeric.special === 2 ? 'NaN' : 'infinity';
      if (numeric.special !== 0) throw new EvaluationError('0A000', `cannot convert ${special} to ${name}`);
      return inRange(roundNumeric(numeric, 0).digits);
    };
  }
  if (!FLOATS.includes(from)) return undefined;
  return (value) => {
    const rounded = roundToEven(Number(value));
    if (!Number.isFinite(rounded)) throw outOfRange(name);
    return inRange(BigInt(rounded));
  };
}

/** A number where it holds it exactly. */
export function integerFrom(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function numericConversion(from: ScalarName): Convert | undefined {
  if (INTEGERS.includes(from)) return asNumeric;
  const digits = DECIMAL_DIGITS[from];
  if (digits === undefined) return undefined;
  return (value) => {
    const number = Number(value);
    const text = Number.isFinite(number) ? canonicalNumeric(significant(exactly(number), digits)) : String(number);
    return within(parseNumeric(text), () => outOfRange('numeric'));
  };
}

/** A number that is too large, or too small, is an error in Postgres, never an infinity. */
function floatOfExact(to: TypeName): Convert {
  const { print } = VALUE_TYPES.numeric;
  return (value) => {
    const text = print(value);
    return within(VALUE_TYPES[to].parse(text), () => new EvaluationError('22003', `"${text}" is out of range for type ${LONG_NAMES[to]}`));
  };
}

function toSingle(value: Value): number {
  const single = Math.fround(Number(value));
  if (Math.abs(single) === Infinity && single !== value) throw new EvaluationError('22003', 'value out of range: overflow');
  if (single === 0 && value !== 0) throw new EvaluationError('22003', 'value out of range: underflow');
  return single;
}

function momentConversion(from: ScalarName, to: ScalarName): Convert | undefined {
  switch (`${from}>${to}`) {
    case 'date>timestamp':
      return (value) => {
        const micros = asMicros(value);
        if (!isInfinite(micros) && !isKnownMoment(BigInt(micros))) throw momentOutOfRange(`date ${dateText(micros)} for timestamp`);
        return micros;
      };
    case 'timestamp>date':
      return (value) => {
        const micros = asMicros(value);
        if (isInfinite(micros)) return micros;
        const midnight = BigInt(splitDay(micros)[0]) * BigInt(MICROS_PER_DAY);
        return integerFrom(midnight);
      };
    case 'timestamp>time':
      return timeOfDay;
    case 'time>interval':
      return (value) => ({ months: 0, days: 0, micros: BigInt(asMicros(value)) });
    case 'interval>time':
      return (value) => {
        const interval = asInterval(value);
        if (isInfiniteInterval(interval)) throw new EvaluationError('22008', 'cannot convert infinite interval to time');
        return splitDay(interval.micros)[1];
      };
    default:
      return undefined;
  }
}

/** NULL for an infinite one. */
function timeOfDay(value: Value): Value | null {
  const micros = asMicros(value);
  return isInfinite(micros) ? null : splitDay(micros)[1];
}
