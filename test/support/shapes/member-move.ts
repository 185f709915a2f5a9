/** MemberMove of a subquery that selected some values before and others behind, NULL among them. */
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { MemberMove } from '../../../src/shapes/member-moves.ts';

type Selected = readonly (string | null)[];

/** Values in their order; their text is that of the value. */
export function moveOf(before: Selected, after: Selected, xids: readonly number[] = [7]): MemberMove {
  return {
    movedIn: valuesOnlyIn(after, before),
    movedOut: valuesOnlyIn(before, after),
    xids: xids.map((xid) => xid as Xid),
    before: marksOf(before),
    after: marksOf(after),
  };
}

function valuesOnlyIn(some: Selected, others: Selected): MemberMove['movedIn'] {
  const known = new Set(others);
  return [...new Set(some)].flatMap((value) => (value === null || known.has(value) ? [] : [{ value, text: value }]));
}

function marksOf(selected: Selected): MemberMove['before'] {
  return { hasNull: selected.includes(null), isEmpty: selected.length === 0 };
}
