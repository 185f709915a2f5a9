/** Comparisons as operations, and the largest or smallest of several values. */
import { conversionOf } from './comparison-types.ts';
import type { Comparison } from '../expression.ts';
import { itemOf, type TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import type { ColumnText } from '../where.ts';
import { isText } from './implicit-casts.ts';
import type { Operation, Reader } from './operation.ts';

const HOLDS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '>': (order) => order > 0,
  '<=': (order) => order <= 0,
  '>=': (order) => order >= 0,
};

/** @param sides the types of both, which are compared as `type`. */
export function comparisonOperation(operator: Comparison, type: TypeName, sides: readonly [TypeName, TypeName]): Operation {
  return {
    sql: ([left = '', right = '']) => `(${left} ${operator} ${right})`,
    compile: ([left, right]) => compileComparison(operator, type, converted(left, sides[0], type), converted(right, sides[1], type)),
  };
}

export function compileComparison(
  operator: Comparison,
  type: TypeName,
  left: Reader,
  right: Reader,
): (text: ColumnText) => boolean | null {
  const { compare } = VALUE_TYPES[type];
  const holds = HOLDS[operator];
  return (text) => {
    const a = left(text);
    const b = right(text);
    return a === null || b === null ? null : holds(compare(a, b));
  };
}

/** NULLs are left out. */
export function extreme(name: 'greatest' | 'least', type: TypeName): Operation {
  const { compare } = VALUE_TYPES[type];
  const isBetter = HOLDS[name === 'greatest' ? '>' : '<'];
  return {
    sql: (args) => `${name}(${args.map((arg) => collated(arg, type)).join(', ')})`,
    compile: (readers) => (text) => readers
      .map((read) => read(text))
      .reduce((best, value) => (best === null || (value !== null && isBetter(compare(value, best))) ? value : best), null),
  };
}

/** The left side, or NULL where both are equal as values of `type`. @param sides the types of both. */
export function nullIf(type: TypeName, sides: readonly [TypeName, TypeName]): Operation {
  const equal = comparisonOperation('=', type, sides);
  return {
    sql: (args) => `NULLIF(${args.join(', ')})`,
    compile: (readers) => {
      const areEqual = equal.compile(readers);
      return (text) => (areEqual(text) === true ? null : (readers[0]?.(text) ?? null));
    },
  };
}

/** The first that is not NULL; those behind it are not worked out. */
export const COALESCE: Operation = {
  sql: (args) => `coalesce(${args.join(', ')})`,
  compile: (readers) => (text) => {
    for (const read of readers) {
      const value = read(text);
      if (value !== null) return value;
    }
    return null;
  },
};

/** Under the collation by whose order text is compared here. */
export function collated(sql: string, type: TypeName): string {
  return isText(itemOf(type) ?? type) ? `${sql} COLLATE "C"` : sql;
}

function converted(read: Reader | undefined, from: TypeName, to: TypeName): Reader {
  const convert = conversionOf(from, to);
  return (text) => {
    const value = read?.(text) ?? null;
    return value === null ? null : convert(value);
  };
}
