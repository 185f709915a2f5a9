/**
 * The types whose values a filter can calculate with: how a text becomes a value and a value a text, and how two values order.
 *
 * A type stands here only if its order in Postgres can be told from the text alone. So text is ordered by its bytes,
 * the collation "C", which the printer writes into the snapshot's query: a database's own collation is code of its
 * operating system that we cannot run. Equality of text is that of its bytes, which holds for every collation but those
 * that a database was told to create as nondeterministic.
 */
import { compareArrays } from './array-order.ts';
import { arrayText, parseArray } from './array-value.ts';
import { parseBytes } from './bytes.ts';
import {
  dateText, parseDate, parseTimestamp, parseTimestamptz, timestampText, timestamptzText, timeText,
} from './civil-time.ts';
import { float4Text, float8Text, parseFloat4, parseFloat8 } from './float.ts';
import { intervalSpan, intervalText, parseInterval } from './interval.ts';
import { canonicalJson, jsonText, parseJson } from './json.ts';
import { readTimeOfDay } from './moment-text.ts';
import { canonicalNumeric, compareNumeric, numericText, parseNumeric } from './numeric.ts';
import type { ScalarName, TypeName } from './type-names.ts';
import { asArray, asInterval, asJson, asMicros, asNumeric, type Scalar, type Value } from './values.ts';
import { trimEnd, trimSpace } from './white-space.ts';
import { spendOn, spentOn } from '../work.ts';

export interface ValueType {
  /** Types of one family have common values: their canonical texts agree exactly when Postgres calls the values equal. */
  readonly family:
    | 'bool' | 'number' | 'float' | 'text' | 'padded' | 'uuid' | 'date' | 'instant' | 'time' | 'interval' | 'bytes' | 'json' | 'array';
  /** @returns undefined when `text` is no value of this type. */
  parse(text: string): Value | undefined;
  /** Negative, zero or positive; both values are of this type's family. */
  compare(left: Value, right: Value): number;
  /** The same for equal values. */
  canonical(value: Value): string;
  /** As Postgres writes it. */
  print(value: Value): string;
}

interface ScalarType extends ValueType {
  parse(text: string): Scalar | undefined;
}

const TRUE = new Set(['t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1']);
const FALSE = new Set(['f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0']);
const UUID = /^(?:\{[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}\}|[0-9a-f]{4}(?:-?[0-9a-f]{4}){7})$/i;
const INTEGER = /^[+-]?\d+$/;
const NAME_BYTES_MAX = 63;

const exactNumber = {
  family: 'number' as const,
  compare: compareExact,
  canonical: (value: Value) => (typeof value === 'object' ? canonicalNumeric(asNumeric(value)) : String(value)),
  print: (value: Value) => (typeof value === 'object' ? numericText(asNumeric(value)) : String(value)),
};
const float = { family: 'float' as const, compare: compareFloats, canonical: (value: Value) => String(Number(value) + 0) };
const date = { family: 'date' as const, compare: compareScalars, canonical: String };
const text = { family: 'text' as const, parse: textOrNothing, compare: compareCodePoints, canonical: String, print: String };
const truth = (value: Value): string => (value === true ? 't' : 'f');

const SCALAR_TYPES: Readonly<Record<ScalarName, ScalarType>> = {
  bool: { family: 'bool', parse: parseBoolean, compare: compareScalars, canonical: truth, print: truth },
  int2: { ...exactNumber, parse: (value) => parseInteger(value, 15n) },
  int4: { ...exactNumber, parse: (value) => parseInteger(value, 31n) },
  int8: { ...exactNumber, parse: (value) => parseInteger(value, 63n) },
  numeric: { ...exactNumber, parse: parseNumeric },
  float4: { ...float, parse: parseFloat4, print: (value) => float4Text(Number(value)) },
  float8: { ...float, parse: parseFloat8, print: (value) => float8Text(Number(value)) },
  text,
  varchar: text,
  bpchar: { ...text, family: 'padded', compare: comparePadded, canonical: (value) => trimEnd(String(value), ' ') },
  name: { ...text, parse: parseName },
  uuid: { family: 'uuid', parse: parseUuid, compare: compareScalars, canonical: String, print: String },
  date: { ...date, parse: parseDate, print: (value) => dateText(asMicros(value)) },
  time: { family: 'time', parse: readTimeOfDay, compare: compareScalars, canonical: String, print: (value) => timeText(Number(value)) },
  timestamp: { ...date, parse: parseTimestamp, print: (value) => timestampText(asMicros(value)) },
  timestamptz: { ...date, family: 'instant', parse: parseTimestamptz, print: (value) => timestamptzText(asMicros(value)) },
  interval: {
    family: 'interval', parse: parseInterval,
    compare: (left, right) => compareScalars(intervalSpan(asInterval(left)), intervalSpan(asInterval(right))),
    canonical: (value) => String(intervalSpan(asInterval(value))),
    print: (value) => intervalText(asInterval(value)),
  },
  bytea: { family: 'bytes', parse: parseBytes, compare: compareScalars, canonical: String, print: String },
  // Only equality is Postgres's: it orders by the language of the database.
  jsonb: {
    family: 'json', parse: parseJson,
    compare: (left, right) => compareScalars(spentOn(canonicalJson(asJson(left))), spentOn(canonicalJson(asJson(right)))),
    canonical: (value) => spentOn(canonicalJson(asJson(value))), print: (value) => spentOn(jsonText(asJson(value))),
  },
};

function arrayType(item: ScalarName): ValueType {
  const { parse, compare, canonical, print } = SCALAR_TYPES[item];
  return {
    family: 'array',
    parse: (text) => parseArray(text, parse),
    compare: (left, right) => {
      spendOn(left);
      return compareArrays(asArray(left), asArray(right), compare);
    },
    canonical: (value) => spentOn(arrayText(asArray(value), canonical)),
    print: (value) => spentOn(arrayText(asArray(value), print)),
  };
}

export const VALUE_TYPES: Readonly<Record<TypeName, ValueType>> = {
  ...SCALAR_TYPES,
  'bool[]': arrayType('bool'), 'int2[]': arrayType('int2'), 'int4[]': arrayType('int4'), 'int8[]': arrayType('int8'),
  'numeric[]': arrayType('numeric'), 'float4[]': arrayType('float4'), 'float8[]': arrayType('float8'),
  'text[]': arrayType('text'), 'varchar[]': arrayType('varchar'), 'bpchar[]': arrayType('bpchar'), 'name[]': arrayType('name'),
  'uuid[]': arrayType('uuid'), 'date[]': arrayType('date'), 'time[]': arrayType('time'), 'timestamp[]': arrayType('timestamp'),
  'timestamptz[]': arrayType('timestamptz'), 'interval[]': arrayType('interval'),
  'bytea[]': arrayType('bytea'), 'jsonb[]': arrayType('jsonb'),
};

/** A number is a safe integer; what is larger is a BigInt. */
function parseInteger(text: string, bits: bigint): number | bigint | undefined {
  const written = trimSpace(text);
  if (!INTEGER.test(written)) return undefined;
  const number = Number(written);
  const value = Number.isSafeInteger(number) ? number : BigInt(written);
  return value < 2n ** bits && value >= -(2n ** bits) ? value : undefined;
}

/** Most numbers are no BigInts, and are compared for every row. */
function compareExact(left: Value, right: Value): number {
  if (typeof left !== 'object' && typeof right !== 'object') return compareScalars(left, right);
  return compareNumeric(asNumeric(left), asNumeric(right));
}

function parseBoolean(text: string): boolean | undefined {
  const word = trimSpace(text).toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}

/** Postgres orders NaN behind every number, and equal to itself. */
function compareFloats(left: Value, right: Value): number {
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1;
  if (Number.isNaN(right)) return -1;
  return compareScalars(left, right);
}

function parseUuid(text: string): string | undefined {
  if (!UUID.test(text)) return undefined;
  const digits = text.replaceAll(/[{}-]/g, '').toLowerCase();
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
}

/** Postgres has no text with a NUL in it, and none that is not Unicode. */
function textOrNothing(text: string): string | undefined {
  return text.includes('\0') || /[\ud800-\udfff]/.test(text.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, ''))
    ? undefined
    : text;
}

/** Cut to what a name may hold, as Postgres cuts it: between two characters. */
function parseName(text: string): string | undefined {
  const whole = textOrNothing(text);
  const bytes = new TextEncoder().encode(whole);
  if (bytes.length <= NAME_BYTES_MAX) return whole;
  let end = NAME_BYTES_MAX;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, end));
}

/** Blanks at the end of a `char(n)` are padding. */
function comparePadded(left: Value, right: Value): number {
  return compareCodePoints(trimEnd(String(left), ' '), trimEnd(String(right), ' '));
}

function compareScalars(left: Value, right: Value): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Orders text as its UTF-8 bytes do. UTF-16 differs from it only where one side has a surrogate pair. */
function compareCodePoints(left: Value, right: Value): number {
  const [a, b] = [String(left), String(right)];
  if (a === b) return 0;
  const size = Math.min(a.length, b.length);
  for (let at = 0; at < size; at += 1) {
    const [unitA, unitB] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (unitA !== unitB) return orderOf(unitA) - orderOf(unitB);
  }
  return a.length - b.length;
}

/** Surrogates stand for the code points behind all others, but lie before U+E000 in UTF-16. */
function orderOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
