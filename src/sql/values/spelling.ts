/** Spelling: a value as Postgres writes it in a column, where the type alone says how. */
import { typeNameOf } from './type-names.ts';
import { VALUE_TYPES } from './value-types.ts';

/** Their length says nothing of how what fits is written. */
const VARCHAR_OID = 1043;
const NO_MODIFIER = -1;

interface TypedColumn {
  readonly typeOid: number;
  readonly typeMod: number;
}

/**
 * @param column a modifier rounds or pads what is stored in it, as that of `numeric(10,2)` does.
 * @returns undefined where that cannot be told, or where `text` is no value of the type.
 */
export function speltInColumn(text: string, { typeOid, typeMod }: TypedColumn): string | undefined {
  const name = typeMod === NO_MODIFIER || typeOid === VARCHAR_OID ? typeNameOf(typeOid) : undefined;
  if (name === undefined) return undefined;
  const { family, parse, print } = VALUE_TYPES[name];
  if (family === 'json' || family === 'array') return undefined; // What these cost is bounded within a filter alone.
  const value = parse(text);
  return value === undefined ? undefined : print(value);
}
