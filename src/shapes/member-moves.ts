/**
 * MemberMoves: what a change of views does to the terms of a filter.
 *
 * A client finds the rows of a move by what they have on the left side of a subquery. So a move can be told where it says of each
 * left side what becomes of the term: a value that a subquery begins or ceases to select turns the term for rows with that value, and
 * the first or last row that it has for those with NULL. A NULL that it begins or ceases to select turns a term that is not `IN` alone
 * for rows of any value. Then no list is an answer, and each row must be told. So it is with a row value that has a NULL part.
 */
import type { LogOffset } from '../model/log-offset.ts';
import type { Xid } from '../model/pg-snapshot.ts';
import { ANY_MEMBER, NULL_MEMBER } from '../sql/subqueries/membership.ts';
import { tellsUnknown } from '../sql/subqueries/truths.ts';
import type { MemberTerm, Selected, SubqueryPlan } from '../sql/where.ts';
import { MovedRows } from './moved-rows.ts';
import type { Moved, MovedValue, VersionedValues } from './versioned-values.ts';

interface Marks {
  readonly hasNull: boolean;
  readonly isEmpty: boolean;
}

/** What came to a subquery, and what went, between two versions. */
export interface MemberMove extends Moved {
  readonly before: Marks;
  readonly after: Marks;
  /** Where its values are those of several columns. */
  readonly rows?: MovedRows;
}

/** Who tells a move: events that name left sides, or each row that is concerned. */
export type MoveTeller = 'events' | 'rows';

/** Left sides that a term turns for. */
export interface TurnedKeys {
  readonly values: readonly MovedValue[];
  readonly isNullTurned: boolean;
}

type AskedValues = Pick<VersionedValues, 'width' | 'has' | 'movesBetween'>;

export function moveBetween(values: AskedValues, before: LogOffset, after: LogOffset): MemberMove {
  const marksAt = (at: LogOffset): Marks => ({ hasNull: values.has(NULL_MEMBER, at), isEmpty: !values.has(ANY_MEMBER, at) });
  const moved = values.movesBetween(before, after);
  const move = { ...moved, before: marksAt(before), after: marksAt(after) };
  if (values.width === 1) return move;
  return { ...move, rows: new MovedRows(moved, (member) => values.has(member, before), (member) => values.has(member, after)) };
}

/** Of all that moved something, each once, ascending. */
export function xidsOf(moves: readonly MemberMove[]): readonly Xid[] {
  return [...new Set(moves.flatMap(({ xids }) => xids))].sort((left, right) => left - right);
}

/** @param moves by number of the subquery. */
export function canBeNamed(plan: SubqueryPlan, moves: readonly MemberMove[]): boolean {
  return memberTerms(plan).every(({ subquery, truths }) => {
    const move = moves[subquery];
    const hasNames = move?.rows?.canBeNamed ?? move?.before.hasNull === move?.after.hasNull;
    return hasNames || !tellsUnknown(truths);
  });
}

/** @param move of the term's subquery, which can be named. */
export function turnedTo(truth: boolean, { truths }: MemberTerm, { movedIn, movedOut, before, after, rows }: MemberMove): TurnedKeys {
  if (rows !== undefined) return { values: rows.turnedTo(truth, truths), isNullTurned: false };
  const [inside, outside] = [truths.has(true), truths.has(after.hasNull ? null : false)];
  const values = inside === truth ? movedIn : movedOut;
  const [was, is] = [before, after].map(({ isEmpty }) => truths.has(isEmpty ? false : null));
  return { values: inside === outside ? [] : values, isNullTurned: was !== is && is === truth };
}

/** The left sides of the rows that must be seen; `any` where each row must. */
export function askedKeys(plan: SubqueryPlan, moves: readonly MemberMove[], teller: MoveTeller): Selected | 'any' {
  if (!canBeNamed(plan, moves)) return 'any';
  const truths = teller === 'rows' ? [true, false] : [true]; // Else who has the rows is told which to leave.
  return moves.map((move, number) => {
    const terms = memberTerms(plan).filter(({ subquery }) => subquery === number);
    const turned = terms.flatMap((term) => truths.map((truth) => turnedTo(truth, term, move)));
    const lists = [...new Set(turned.map(({ values }) => values))];
    return [...lists.flat().map(({ text }) => text), ...(turned.some(({ isNullTurned }) => isNullTurned) ? [null] : [])];
  });
}

function memberTerms({ disjuncts }: SubqueryPlan): readonly MemberTerm[] {
  return disjuncts.flat().filter((term) => term.kind === 'subquery');
}
