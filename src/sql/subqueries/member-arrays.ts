/** MemberArrays: what a subquery selects as parameters of a query, an array for each column, so that a query is one text for any number. */
import type { SelectedColumn } from '../expression.ts';
import type { Selected } from '../where.ts';
import { arrayLiteral } from '../values/array-literal.ts';
import { rowParts } from './membership.ts';

type Place = (type: string, text: string) => string;

/** @param place gives a text as a parameter of that type. */
export function memberArrays(members: Selected[number], columns: readonly SelectedColumn[], place: Place): readonly string[] {
  const rows = columns.length === 1 ? members.map((member) => [member]) : members.map((member) => rowParts(member ?? '[]'));
  return columns.map(({ column, casts }, at) => {
    const array = place(`${column.type}[]`, arrayLiteral(rows.map((parts) => parts[at] ?? null)));
    return [array, ...casts.map((type) => `${type}[]`)].join('::');
  });
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
