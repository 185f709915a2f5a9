/**
 * The schema of a shape's rows as clients read it: one JSON object, keyed by column, that says how to parse each text.
 *
 * Array columns never claim to be NOT NULL: clients hold that claim against each element, and elements may be NULL.
 */
import type { Column, Relation } from '../model/relation.ts';

const VARLENA_HEADER = 4;

/** @param columns names of the selected columns, in the order of the answer. */
export function schemaJson(relation: Relation, columns: readonly string[]): string {
  const selected = relation.columns.filter(({ name }) => columns.includes(name));
  return asciiJson(Object.fromEntries(selected.map((column) => [column.name, describe(column)])));
}

function describe(column: Column): Record<string, unknown> {
  const { typeName, dimensions, pkIndex, notNull } = column;
  return {
    type: typeName,
    ...(dimensions > 0 ? { dims: dimensions } : {}),
    ...(pkIndex === undefined ? {} : { pk_index: pkIndex }),
    ...(notNull && dimensions === 0 ? { not_null: true } : {}),
    ...modifier(column),
  };
}

/** What the type's modifier says; how it is packed differs by type. */
function modifier({ typeName, typeMod }: Column): Record<string, unknown> {
  switch (typeName) {
    case 'varchar':
      return typeMod < 0 ? {} : { max_length: typeMod - VARLENA_HEADER };
    case 'bpchar':
      return typeMod < 0 ? {} : { length: typeMod - VARLENA_HEADER };
    case 'bit':
    case 'varbit':
      return { length: typeMod };
    case 'numeric':
      return typeMod < 0 ? {} : numericModifier(typeMod - VARLENA_HEADER);
    case 'interval':
      return typeMod < 0 ? {} : intervalModifier(typeMod);
    case 'time':
    case 'timetz':
    case 'timestamp':
    case 'timestamptz':
      return typeMod < 0 ? {} : typeMod === 0 ? { type_mod: 0 } : { precision: typeMod };
    default:
      return typeMod < 0 ? {} : { type_mod: typeMod };
  }
}

function numericModifier(packed: number): Record<string, unknown> {
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 }; // Eleven bits, with a sign.
}

const WHOLE_RANGE = 0x7fff;
const ANY_PRECISION = 0xffff;
/** The fields of an interval, by their bit in the range mask, from the largest to the smallest. */
const INTERVAL_FIELDS = [
  ['YEAR', 1 << 2],
  ['MONTH', 1 << 1],
  ['DAY', 1 << 3],
  ['HOUR', 1 << 10],
  ['MINUTE', 1 << 11],
  ['SECOND', 1 << 12],
] as const;

function intervalModifier(typeMod: number): Record<string, unknown> {
  const range = (typeMod >> 16) & WHOLE_RANGE;
  const precision = typeMod & 0xffff;
  const named = INTERVAL_FIELDS.filter(([, bit]) => (range & bit) !== 0).map(([field]) => field);
  const ends = named.length > 1 ? [named[0], named.at(-1)] : named;
  return {
    ...(precision === ANY_PRECISION ? {} : { precision }),
    ...(range === WHOLE_RANGE ? {} : { fields: ends.join(' TO ') }),
  };
}

/** Header values are Latin-1; column names need not be. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
