/** Under which type Postgres compares two values: what its operator resolution chooses among the types of a filter. */
import { conversion } from './casts.ts';
import { isText } from './implicit-casts.ts';
import { itemOf, type TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import type { Value } from '../values/values.ts';
import { invariant } from '../../base/invariant.ts';

const EXACT_NUMBERS: readonly TypeName[] = ['int2', 'int4', 'int8', 'numeric'];

/** @returns undefined when Postgres has no operator for the two, or one that depends on the session. */
export function resolveComparison(left: TypeName, right: TypeName): TypeName | undefined {
  if (left === right) return comparedAs(left);
  const pair = [left, right];
  if (pair.some((type) => itemOf(type) !== undefined)) return undefined;
  if (pair.every(isNumber)) return widerNumber(left, right);
  if (pair.every((type) => VALUE_TYPES[type].family === 'date')) return 'timestamp';
  if (pair.includes('time') && pair.includes('interval')) return 'interval';
  // An exact match wins over a preferred type: bpchar beside varchar, which has no operators of its own; but not beside text.
  if (pair.includes('bpchar') && pair.includes('varchar')) return 'bpchar';
  return pair.every(isText) ? 'text' : undefined;
}

const KEEPING: readonly (readonly TypeName[])[] = [['int2', 'int4', 'int8'], ['date', 'timestamp']];

/** Whether the left side of the comparison that Postgres chooses stays what it is. */
export function keepsType(left: TypeName, right: TypeName): boolean {
  if (left === 'name') return isText(right) && right !== 'bpchar';
  if (left === 'float4') return isNumber(right);
  return KEEPING.some((types) => types.includes(left) && types.includes(right));
}

/** The type under which two values of `type` are compared. */
export function comparedAs(type: TypeName): TypeName {
  return type === 'varchar' ? 'text' : type;
}

/** Makes values of `from` values of `to`, a type under which `resolveComparison` said that they are compared. */
export function conversionOf(from: TypeName, to: TypeName): (value: Value) => Value | null {
  if (VALUE_TYPES[from].family === VALUE_TYPES[to].family) return (value) => value;
  const convert = conversion(from, to);
  invariant(convert !== undefined, 'what is compared as a type can be cast to it');
  return convert;
}

function isNumber(type: TypeName): boolean {
  return VALUE_TYPES[type].family === 'number' || VALUE_TYPES[type].family === 'float';
}

/** Beside any other number a float4 is compared as a float8. */
function widerNumber(left: TypeName, right: TypeName): TypeName {
  const places = [EXACT_NUMBERS.indexOf(left), EXACT_NUMBERS.indexOf(right)];
  return places.includes(-1) ? 'float8' : (EXACT_NUMBERS[Math.max(...places)] ?? 'numeric');
}
