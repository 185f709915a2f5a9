/**
 * RowTags: what a filter with subqueries says of a row. Which of its terms are true, and by which values the row is in the shape.
 *
 * A client keeps both with the row. When a value enters or leaves what a subquery selects, one event tells it for any number
 * of rows, by a position of the filter and a tag, and the client finds the rows by itself. So a row's tags and the patterns
 * of a move must come from one text of a value: its canonical one, or rows with 1.0 would miss what is told of 1.00.
 *
 * Tags say nothing of what a subquery selects at present, so that a row has the same ones on every path. What it selects is in
 * the conditions.
 */
import { isInFor, rowParts } from '../sql/subqueries/membership.ts';
import type { ColumnText, Key, LeftSide, Membership, MemberTerm, SubqueryPlan, Term } from '../sql/where.ts';
import { withinBounds } from '../sql/work.ts';
import { turnedTo, type MemberMove, type TurnedKeys } from './member-moves.ts';

/** Equal for equal texts, different in each shape; of characters that a JSON string holds as they are, and no slash. */
export type TagHash = (namespaced: string) => string;

/** The rows that have the tag `value` at a position. */
export interface TagPattern {
  readonly pos: number;
  readonly value: string;
}

/** For each position whether its term is true: what Postgres does not know is not. All of them together are one evaluation. */
export function activeConditions({ disjuncts }: SubqueryPlan, row: ColumnText, isMember: Membership): readonly boolean[] {
  const isActive = eachOnce(disjuncts, (term) => isTrue(term, row, isMember));
  return withinBounds(() => disjuncts.flatMap((terms) => terms.map(isActive)))(undefined, undefined);
}

/** @param active of a row: the shape takes it when all terms of some disjunct are true. */
export function isTaken({ disjuncts }: SubqueryPlan, active: readonly boolean[]): boolean {
  let first = 0;
  return disjuncts.some(({ length }) => {
    const own = active.slice(first, first + length);
    first += length;
    return own.every((condition) => condition);
  });
}

/**
 * One string for each disjunct, with a slot for each position of the whole filter: those of other disjuncts are empty. Likewise one
 * evaluation.
 */
export function tagsOf(plan: SubqueryPlan, row: ColumnText, hash: TagHash): readonly string[] {
  const slot = eachOnce(plan.disjuncts, (term) => slotOf(term, row, hash));
  const slots = withinBounds(() => plan.disjuncts.map((terms) => terms.map(slot)))(undefined, undefined);
  let rest = positionCount(plan);
  let before = 0;
  return slots.map((own) => {
    rest -= own.length;
    const tag = '/'.repeat(before) + own.join('/') + '/'.repeat(rest);
    before += own.length;
    return tag;
  });
}

/**
 * Of the rows for which a term has come to `truth`; by position, then in the order of the values, and NULL behind them.
 *
 * @param moves by number of the subquery; they can be named.
 * @param from how many of them to leave out.
 * @param countMax how many to give: a value has a pattern at each position that looks it up, so all of them may be millions.
 */
export function movedPatterns(
  { disjuncts }: SubqueryPlan,
  truth: boolean,
  moves: readonly MemberMove[],
  hash: TagHash,
  from: number,
  countMax: number,
): readonly TagPattern[] {
  const patterns: TagPattern[] = [];
  const tags = new Map<string, Map<Key, string>>(); // A filter may ask for one subquery a hundred times.
  let left = from;
  for (const [pos, term] of disjuncts.flat().entries()) {
    const move = term.kind === 'plain' ? undefined : moves[term.subquery];
    if (term.kind === 'plain' || move === undefined) continue;
    const turned = turnedTo(truth, term, move);
    const side = term.names.length === 1 ? '' : term.names.join('\0');
    const known = tags.get(side) ?? new Map<Key, string>();
    tags.set(side, known);
    for (const value of keysIn(turned, left, left + countMax - patterns.length)) {
      const tag = known.get(value) ?? hash(namespaced(term, leftSideOf(term, value)));
      known.set(value, tag);
      patterns.push({ pos, value: tag });
    }
    left = Math.max(0, left - turned.values.length - Number(turned.isNullTurned));
  }
  return patterns;
}

function keysIn({ values, isNullTurned }: TurnedKeys, from: number, to: number): readonly (string | null)[] {
  const keys = values.slice(from, to).map(({ value }) => value);
  return isNullTurned && from <= values.length && values.length < to ? [...keys, null] : keys;
}

/** A filter may have one term in a hundred disjuncts. */
function eachOnce<Result>(disjuncts: SubqueryPlan['disjuncts'], resultOf: (term: Term) => Result): (term: Term) => Result {
  if (disjuncts.length === 1) return resultOf;
  const results = new Map<Term, { readonly result: Result }>();
  return (term) => {
    const known = results.get(term) ?? { result: resultOf(term) };
    results.set(term, known);
    return known.result;
  };
}

function isTrue(term: Term, row: ColumnText, isMember: Membership): boolean {
  return term.kind === 'plain' ? term.evaluate(row) === true : isInFor(term.truths, isMember, term.subquery, term.left(row));
}

function positionCount({ disjuncts }: SubqueryPlan): number {
  return disjuncts.reduce((count, { length }) => count + length, 0);
}

function slotOf(term: Term, row: ColumnText, hash: TagHash): string {
  return term.kind === 'plain' ? '1' : hash(namespaced(term, term.left(row)));
}

/** The left side that a value which moved was on. */
function leftSideOf({ names }: MemberTerm, value: Key): LeftSide {
  return names.length === 1 || value === null ? value : rowParts(value);
}

/** NULL is not the text `NULL`. Of a row value each part has its column before it; colons are doubled, so that no two are one text. */
function namespaced({ names }: MemberTerm, left: LeftSide): string {
  if (left === null) return 'NULL';
  if (typeof left === 'string') return `v:${left}`;
  const doubled = (text: string): string => text.replaceAll(':', '::');
  return left.map((part, at) => `${doubled(names[at] ?? '')}:${part === null ? 'NULL' : `v:${doubled(part)}`}`).join('');
}
