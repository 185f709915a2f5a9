/**
 * The types whose values a filter can compare: how a text becomes a value, and how two values order.
 *
 * A type stands here only if its order in Postgres can be told from the text alone. So text is ordered by its bytes,
 * the collation "C", which the printer writes into the snapshot's query: a database's own collation is code of its
 * operating system that we cannot run. Equality of text is that of its bytes, which holds for every collation but those
 * that a database was told to create as nondeterministic. `float4` is left out, whose constants Postgres rounds differently in `=` and
 * in `IN`.
 */
import { parseDate, parseTimestamp, parseTimestamptz, type Micros } from './civil-time.ts';
import { compareNumeric, numericText, parseNumeric, type Numeric } from './numeric.ts';
import { trimEnd, trimSpace } from './white-space.ts';

export type TypeName =
  | 'bool' | 'int2' | 'int4' | 'int8' | 'numeric' | 'float8'
  | 'text' | 'varchar' | 'bpchar' | 'uuid' | 'date' | 'timestamp' | 'timestamptz';

export type Value = boolean | string | Micros | Numeric;

export interface ValueType {
  /** Types of one family have common values: their canonical texts agree exactly when Postgres calls the values equal. */
  readonly family: 'bool' | 'number' | 'float' | 'text' | 'padded' | 'uuid' | 'date' | 'instant';
  /** @returns undefined when `text` is no value of this type. */
  parse(text: string): Value | undefined;
  /** Negative, zero or positive; both values are of this type's family. */
  compare(left: Value, right: Value): number;
  /** The same for equal values. */
  canonical(value: Value): string;
}

const TRUE = new Set(['t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1']);
const FALSE = new Set(['f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0']);
const UUID = /^(?:\{[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}\}|[0-9a-f]{4}(?:-?[0-9a-f]{4}){7})$/i;
const INTEGER = /^[+-]?\d+$/;
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const FLOAT_SPECIALS: Readonly<Record<string, number>> = {
  nan: NaN, inf: Infinity, '+inf': Infinity, infinity: Infinity, '+infinity': Infinity, '-inf': -Infinity, '-infinity': -Infinity,
};

const exactNumber = {
  family: 'number' as const,
  compare: compareExact,
  canonical: (value: Value) => (typeof value === 'object' ? numericText(value) : String(value)),
};
const date = { family: 'date' as const, compare: compareScalars, canonical: String };
const text = { family: 'text' as const, parse: textOrNothing, compare: compareCodePoints, canonical: String };

export const VALUE_TYPES: Readonly<Record<TypeName, ValueType>> = {
  bool: { family: 'bool', parse: parseBoolean, compare: compareScalars, canonical: (value) => (value === true ? 't' : 'f') },
  int2: { ...exactNumber, parse: (value) => parseInteger(value, 15n) },
  int4: { ...exactNumber, parse: (value) => parseInteger(value, 31n) },
  int8: { ...exactNumber, parse: (value) => parseInteger(value, 63n) },
  numeric: { ...exactNumber, parse: parseNumeric },
  float8: { family: 'float', parse: parseFloat8, compare: compareFloats, canonical: (value) => String(Number(value) + 0) },
  text,
  varchar: text,
  bpchar: { family: 'padded', parse: parsePadded, compare: compareCodePoints, canonical: String },
  uuid: { family: 'uuid', parse: parseUuid, compare: compareScalars, canonical: String },
  date: { ...date, parse: parseDate },
  timestamp: { ...date, parse: parseTimestamp },
  timestamptz: { family: 'instant', parse: parseTimestamptz, compare: compareScalars, canonical: String },
};

export function isTypeName(name: string): name is TypeName {
  return Object.hasOwn(VALUE_TYPES, name);
}

/** By oids, which never change for a type of Postgres's own. */
const NAMES_BY_OID: ReadonlyMap<number, TypeName> = new Map([
  [16, 'bool'], [20, 'int8'], [21, 'int2'], [23, 'int4'], [25, 'text'], [701, 'float8'], [1042, 'bpchar'], [1043, 'varchar'],
  [1082, 'date'], [1114, 'timestamp'], [1184, 'timestamptz'], [1700, 'numeric'], [2950, 'uuid'],
]);

/** Undefined for a type that filters cannot compare. */
export function typeNameOf(oid: number): TypeName | undefined {
  return NAMES_BY_OID.get(oid);
}

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

function asNumeric(value: Value): Numeric {
  return typeof value === 'object' ? value : { digits: BigInt(value), scale: 0, special: 0 };
}

function parseBoolean(text: string): boolean | undefined {
  const word = trimSpace(text).toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}

function parseFloat8(text: string): number | undefined {
  const written = trimSpace(text);
  const special = FLOAT_SPECIALS[written.toLowerCase()];
  if (special !== undefined) return special;
  if (!FLOAT.test(written)) return undefined;
  const value = Number(written);
  const vanished = value === 0 && /[1-9]/.test(written.replace(/e.*/i, ''));
  return Number.isFinite(value) && !vanished ? value : undefined; // Postgres refuses what a double cannot hold.
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

/** Blanks at the end of a `char(n)` are padding. */
function parsePadded(text: string): string | undefined {
  const value = textOrNothing(text);
  return value === undefined ? undefined : trimEnd(value, ' ');
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
