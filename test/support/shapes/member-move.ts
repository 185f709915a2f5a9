/** MemberMove of a subquery that selected some values before and others behind, NULL among them. */
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { MemberMove } from '../../../src/shapes/member-moves.ts';
import { MovedRows } from '../../../src/shapes/moved-rows.ts';
import { membersOf, membersOfRowValues } from './subquery-filter.ts';

type Selected = readonly (string | null)[];

/** Values in their order. @param textOf how Postgres wrote one: as it is. */
export function moveOf(before: Selected, after: Selected, xids: readonly number[] = [7], textOf = (value: string) => value): MemberMove {
  return {
    movedIn: valuesOnlyIn(after, before, textOf),
    movedOut: valuesOnlyIn(before, after, textOf),
    xids: xids.map((xid) => xid as Xid),
    before: marksOf(before),
    after: marksOf(after),
  };
}

/** The same of row values, each as `rowMember` has it. */
export function rowMoveOf(before: Selected, after: Selected, textOf = (value: string) => value): MemberMove {
  const move = moveOf(before, after, [7], textOf);
  const [was, is] = [before, after].map((members) => membersOf(membersOfRowValues(members.flatMap((member) => member ?? []))));
  return { ...move, rows: new MovedRows(move, (member) => was?.(0, member) === true, (member) => is?.(0, member) === true) };
}

function valuesOnlyIn(some: Selected, others: Selected, textOf: (value: string) => string): MemberMove['movedIn'] {
  const known = new Set(others);
  return [...new Set(some)].flatMap((value) => (value === null || known.has(value) ? [] : [{ value, text: textOf(value) }]));
}

function marksOf(selected: Selected): MemberMove['before'] {
  return { hasNull: selected.includes(null), isEmpty: selected.length === 0 };
}
