/**
 * MovedMembers: the rows that have one of some members on the left side of a subquery, as a condition. A member with NULL parts stands
 * here for the rows with NULL there: Postgres finds those by nothing but `IS NULL`.
 */
import type { Condition, LeftPart, Subquery } from '../expression.ts';
import type { Key, Selected } from '../where.ts';
import { rowMember, rowParts } from './membership.ts';

/** Conditions about subqueries that are numbered anew, and what each of those selects. */
export class MovedMembers {
  readonly selected: Selected[number][] = [];
  private readonly numbers = new Map<string, number>();

  /** @param members of the subquery. Members with NULL in the same parts are one condition. */
  conditionsOf(subquery: Subquery, members: Selected[number]): readonly Condition[] {
    const groups = new Map<string, (readonly Key[])[]>();
    for (const member of members) {
      const parts = subquery.left.length === 1 ? [member] : rowParts(member ?? '[]');
      const shape = parts.map((part) => (part === null ? 0 : 1)).join('');
      const alike = groups.get(shape);
      if (alike === undefined) groups.set(shape, [parts]);
      else alike.push(parts);
    }
    return Array.from(groups, ([shape, rows]) => this.conditionOf(subquery, [...shape].map((sign) => sign === '1'), rows));
  }

  /** @param isKnown which parts are no NULL in all of `rows`. */
  private conditionOf(subquery: Subquery, isKnown: readonly boolean[], rows: readonly (readonly Key[])[]): Condition {
    const known = <Item>(items: readonly Item[]): readonly Item[] => items.filter((_, at) => isKnown[at] === true);
    const nulls = subquery.left.filter((_, at) => isKnown[at] !== true).map(isNull);
    const left = known(subquery.left);
    if (left.length === 0) return joined('and', nulls);
    const selection = { ...subquery.selection, columns: known(subquery.selection.columns) };
    const members = rows.map((parts) => (left.length === 1 ? (known(parts)[0] ?? null) : rowMember(known(parts))));
    const number = this.numberOf(`${subquery.number} ${isKnown.join()}`, members);
    return joined('and', [...nulls, { ...subquery, left, selection, number }]);
  }

  /** The same for what is asked of another left side: it is sent once. */
  private numberOf(name: string, members: Selected[number]): number {
    const number = this.numbers.get(name) ?? this.selected.push(members) - 1;
    this.numbers.set(name, number);
    return number;
  }
}

export function joined(kind: 'and' | 'or', parts: readonly Condition[]): Condition {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : { kind, parts };
}

function isNull({ operand }: LeftPart): Condition {
  return { kind: 'isNull', part: operand.kind === 'truth' ? operand.condition : operand };
}
