/**
 * LookupKeys: what of a row is looked up: the value of an expression, or each item of an array. Filters in which the same expression
 * stands share one key by its name, so a row has it worked out once for all of them.
 */
import { columnsIn, type Call, type LeftPart, type Operand, type TypedColumn } from '../expression.ts';
import { itemOf } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { asArray } from '../values/values.ts';
import { rowMember } from '../subqueries/membership.ts';
import { canonicalReader, compileOperand, leftReader } from '../where-compiler.ts';
import { printCanonical } from '../where-printer.ts';
import type { LookupKey } from '../where.ts';

export type KeyOperand = TypedColumn | Call;

export function valueKey(operand: KeyOperand): LookupKey {
  const read = operand.kind === 'column' ? canonicalReader(operand) : canonicalCall(operand);
  return { name: nameOf('value', operand), read: (text) => [read(text)] };
}

/** What a subquery may select: of a row with a NULL there, nothing. */
export function leftKey(left: readonly LeftPart[]): LookupKey {
  const [only] = left;
  if (only !== undefined && left.length === 1 && isKeyOf(only)) return valueKey(only.operand);
  const read = leftReader(left);
  return {
    name: JSON.stringify(left.map((part) => [nameOf('value', part.operand), part.type])),
    read: (text) => {
      const side = read(text);
      if (side === null || typeof side === 'string') return [side];
      return side.includes(null) ? [] : [rowMember(side)];
    },
  };
}

/** Whether its value is looked up as it is. */
function isKeyOf(part: LeftPart): part is LeftPart & { readonly operand: KeyOperand } {
  const { operand, type } = part;
  return (operand.kind === 'column' || operand.kind === 'call') && VALUE_TYPES[operand.type].family === VALUE_TYPES[type].family;
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
function nameOf(what: 'value' | 'items', operand: Operand): string {
  const columns = columnsIn(operand).map((column) => ('type' in column ? column.type : undefined));
  return JSON.stringify([what, printCanonical({ kind: 'isNull', part: operand.kind === 'truth' ? operand.condition : operand }), columns]);
}
