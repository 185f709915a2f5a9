/**
 * The `electric-schema` header: what a client must know of the columns to turn texts into values.
 *
 * Only ASCII: a header is bytes, and Node refuses others in it; in JSON an escape says the same.
 */
import type { Column, Relation } from '../model/relation.ts';

interface ColumnSchema {
  readonly type: string;
  readonly dims?: number;
  readonly pk_index?: number;
  readonly not_null?: true;
  readonly [detail: string]: string | number | true | undefined;
}

/** Postgres adds the size of a length word to the modifiers of types of variable length. */
const LENGTH_WORD_BYTES = 4;
const NO_INTERVAL_FIELDS = 0x7fff;
const NO_INTERVAL_PRECISION = 0xffff;
/** Bits of an interval's modifier, from the largest unit to the smallest. */
const INTERVAL_FIELDS = [['YEAR', 2], ['MONTH', 1], ['DAY', 3], ['HOUR', 10], ['MINUTE', 11], ['SECOND', 12]] as const;

/** @param selected names of the shape's columns. @returns the header's value. */
export function schemaHeader(relation: Relation, selected: readonly string[]): string {
  const names = new Set(selected);
  const columns = relation.columns.filter(({ name }) => names.has(name));
  const schema = JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, columnSchema(column)])));
  return schema.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function columnSchema({ typeName, typeMod, dimensions, pkIndex, notNull }: Column): ColumnSchema {
  return {
    type: typeName,
    ...(dimensions > 0 ? { dims: dimensions } : {}),
    ...(pkIndex === undefined ? {} : { pk_index: pkIndex }),
    ...(notNull && dimensions === 0 ? { not_null: true } : {}), // Clients would hold it against an array's elements.
    ...modifiers(typeName, typeMod),
  };
}

function modifiers(typeName: string, typeMod: number): Readonly<Record<string, string | number>> {
  switch (typeName) {
    case 'bit':
    case 'varbit':
      return { length: typeMod }; // Also the -1 of an unbounded one: clients know it.
    case 'varchar':
      return typeMod < 0 ? {} : { max_length: typeMod - LENGTH_WORD_BYTES };
    case 'bpchar':
      return typeMod < 0 ? {} : { length: typeMod - LENGTH_WORD_BYTES };
    case 'numeric':
      return typeMod < 0 ? {} : numericModifiers(typeMod - LENGTH_WORD_BYTES);
    case 'interval':
      return typeMod < 0 ? {} : intervalModifiers(typeMod);
    case 'time':
    case 'timetz':
    case 'timestamp':
    case 'timestamptz':
      if (typeMod > 0) return { precision: typeMod };
  }
  return typeMod < 0 ? {} : { type_mod: typeMod };
}

/** A scale is a signed number of 11 bits. */
function numericModifiers(modifier: number): { precision: number; scale: number } {
  return { precision: modifier >>> 16, scale: ((modifier & 0x7ff) ^ 0x400) - 0x400 };
}

function intervalModifiers(typeMod: number): Readonly<Record<string, string | number>> {
  const mask = (typeMod >>> 16) & NO_INTERVAL_FIELDS;
  const precision = typeMod & 0xffff;
  const units = INTERVAL_FIELDS.flatMap(([unit, bit]) => ((mask & (1 << bit)) === 0 ? [] : [unit]));
  const [first, last] = [units[0], units.at(-1)];
  return {
    ...(mask === NO_INTERVAL_FIELDS || first === undefined ? {} : { fields: first === last ? first : `${first} TO ${last}` }),
    ...(precision === NO_INTERVAL_PRECISION ? {} : { precision }),
  };
}
