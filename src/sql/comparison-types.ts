/** Under which type Postgres compares two values: what its operator resolution chooses among the types of a filter. */
import { VALUE_TYPES, type TypeName, type Value } from './value-types.ts';
import { trimEnd } from './white-space.ts';

const NUMBERS: readonly TypeName[] = ['int2', 'int4', 'int8', 'numeric', 'float8'];

/** @returns undefined when Postgres has no operator for the two, or one that depends on the session. */
export function resolveComparison(left: TypeName, right: TypeName): TypeName | undefined {
  if (left === right) return comparedAs(left);
  const [a, b] = [NUMBERS.indexOf(left), NUMBERS.indexOf(right)];
  if (a >= 0 && b >= 0) return NUMBERS[Math.max(a, b)];
  const pair = [left, right];
  if (pair.every((type) => VALUE_TYPES[type].family === 'date')) return 'timestamp';
  // An exact match wins over a preferred type: bpchar beside varchar, which has no operators of its own; but not beside text.
  if (pair.includes('bpchar') && pair.includes('varchar')) return 'bpchar';
  const isText = (type: TypeName): boolean => VALUE_TYPES[type].family === 'text' || VALUE_TYPES[type].family === 'padded';
  return pair.every(isText) ? 'text' : undefined;
}

/** The type under which two values of `type` are compared. */
export function comparedAs(type: TypeName): TypeName {
  return type === 'varchar' ? 'text' : type;
}

/** Makes values of `from` values of `to`, a type under which `resolveComparison` said that they are compared. */
export function conversionOf(from: TypeName, to: TypeName): (value: Value) => Value {
  const { family, canonical } = VALUE_TYPES[from];
  if (VALUE_TYPES[to].family === 'float' && family === 'number') return (value) => Number(canonical(value));
  if (to === 'bpchar' && family === 'text') return (value) => trimEnd(String(value), ' ');
  return (value) => value;
}
