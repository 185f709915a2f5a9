/** MemberArrays: what a subquery selects as parameters of a query, an array for each column, so that a query is one text for any number. */
import type { SelectedColumn } from '../expression.ts';
import { ArrayLiteral } from '../values/array-literal.ts';
import type { Key } from '../where.ts';
import { rowParts } from './membership.ts';

type Place = (type: string, array: ArrayLiteral) => string;

/**
 * @param members are walked when the arrays are written, once for each column, and each time in the same order.
 * @param place gives an array as a parameter of that type.
 */
export function memberArrays(members: Iterable<Key>, columns: readonly SelectedColumn[], place: Place): readonly string[] {
  return columns.map(({ column, casts }, at) => {
    const array = place(`${column.type}[]`, new ArrayLiteral(columns.length === 1 ? members : partsOf(members, at)));
    return [array, ...casts.map((type) => `${type}[]`)].join('::');
  });
}

function partsOf(members: Iterable<Key>, at: number): Iterable<Key> {
  return {
    *[Symbol.iterator]() {
      for (const member of members) yield rowParts(member ?? '[]')[at] ?? null;
    },
  };
}

/**
 * Row values are looked for by each part as well: that says no more, but an index on any of the columns finds them.
 *
 * @param left as SQL, one for each array.
 */
export function printMembership(left: readonly string[], arrays: readonly string[]): string {
  const each = left.map((side, at) => `${side} = ANY(${arrays[at]})`);
  const whole = left.length === 1 ? [] : [`(${left.join(', ')}) IN (SELECT * FROM unnest(${arrays.join(', ')}))`];
  return `(${[...each, ...whole].join(' AND ')})`;
}
