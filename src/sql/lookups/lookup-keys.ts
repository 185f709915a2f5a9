/**
 * LookupKeys: what of a row is looked up: the value of an expression, or each item of an array. Filters in which the same expression
 * stands share one key by its name, so a row has it worked out once for all of them.
 */
import { columnsIn, type Call, type TypedColumn } from '../expression.ts';
import { itemOf } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { asArray } from '../values/values.ts';
import { canonicalReader, compileOperand } from '../where-compiler.ts';
import { printCanonical } from '../where-printer.ts';
import type { LookupKey } from '../where.ts';

export type KeyOperand = TypedColumn | Call;

export function valueKey(operand: KeyOperand): LookupKey {
  const read = operand.kind === 'column' ? canonicalReader(operand) : canonicalCall(operand);
  return { name: nameOf('value', operand), read: (text) => [read(text)] };
}

/** @returns undefined for what is no array. */
export function itemsKey(array: KeyOperand): LookupKey | undefined {
  const item = itemOf(array.type);
  if (item === undefined) return undefined;
  const read = compileOperand(array);
  const { canonical } = VALUE_TYPES[item];
  return {
    name: nameOf('items', array),
    read: (text) => {
      const value = read(text);
      if (value === null) return [null];
      const keys = asArray(value).items.map((each) => (each === null ? null : canonical(each)));
      return keys.length > 1 ? [...new Set(keys)] : keys;
    },
  };
}

function canonicalCall(call: Call): (text: Parameters<LookupKey['read']>[0]) => string | null {
  const read = compileOperand(call);
  const { canonical } = VALUE_TYPES[call.type];
  return (text) => {
    const value = read(text);
    return value === null ? null : canonical(value);
  };
}

/** A column may have had another type when another filter was checked; what a collation changes is printed. */
function nameOf(what: 'value' | 'items', operand: KeyOperand): string {
  const columns = columnsIn(operand).map((column) => ('type' in column ? column.type : undefined));
  return JSON.stringify([what, printCanonical({ kind: 'isNull', part: operand }), columns]);
}
