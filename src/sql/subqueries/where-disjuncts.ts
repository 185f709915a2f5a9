/**
 * Disjunctive normal form: a filter as an OR of ANDs, with NOT at the leaves only. It is true for a row exactly when all leaves of
 * some disjunct are, in three-valued logic too.
 *
 * It can be exponentially larger than the filter, so its size is worked out before it is made.
 */
import type { Condition } from '../expression.ts';
import { refusalAt, WhereRefusal } from '../where-refusal.ts';
import { memberTestOf } from './member-tests.ts';

const DISJUNCTS_MAX = 100;
/** Leaves of all disjuncts together: each has a place in every row that is told. */
const POSITIONS_MAX = 1000;
/**
 * Of those, the ones that name a subquery. What a splice moves is told in one line, some 54 bytes for each value at each of them:
 * the 10,000 values of a splice are 162 MB at all of them.
 */
const SUBQUERY_POSITIONS_MAX = 300;

export type Disjunct = readonly Condition[];

interface Size {
  readonly disjuncts: number;
  readonly positions: number;
}

/** From left to right. A leaf that stands in several disjuncts is one object in all of them. */
export function disjunctsOf(condition: Condition): readonly Disjunct[] {
  const { disjuncts, positions } = sizeOf(condition, false);
  if (disjuncts > DISJUNCTS_MAX) throw tooComplex(disjuncts, 'disjuncts', DISJUNCTS_MAX);
  if (positions > POSITIONS_MAX) throw tooComplex(positions, 'positions', POSITIONS_MAX);
  const found = normalize(condition, false);
  refuseManySubqueries(found);
  return found;
}

function tooComplex(count: number, what: string, max: number): WhereRefusal {
  return new WhereRefusal(complexity(count, what, max));
}

function complexity(count: number, what: string, max: number): string {
  return `WHERE clause too complex for DNF decomposition (${count} ${what} exceeds limit of ${max})`;
}

/** @throws {WhereRefusal} at the first that is one too many, from left to right. */
function refuseManySubqueries(disjuncts: readonly Disjunct[]): void {
  const found = disjuncts.flat().flatMap((leaf) => memberTestOf(leaf)?.subquery ?? []);
  const excess = found[SUBQUERY_POSITIONS_MAX];
  if (excess === undefined) return;
  throw refusalAt(excess.location, complexity(found.length, 'subquery positions', SUBQUERY_POSITIONS_MAX));
}

function sizeOf(condition: Condition, negated: boolean): Size {
  if (condition.kind === 'not') return sizeOf(condition.part, !negated);
  if (condition.kind !== 'and' && condition.kind !== 'or') return { disjuncts: 1, positions: 1 };
  const sizes = condition.parts.map((part) => sizeOf(part, negated));
  return isOr(condition.kind, negated) ? sizes.reduce(sum) : sizes.reduce(product);
}

function sum(left: Size, right: Size): Size {
  return { disjuncts: left.disjuncts + right.disjuncts, positions: left.positions + right.positions };
}

/** Each disjunct of the one goes with each of the other. */
function product(left: Size, right: Size): Size {
  return {
    disjuncts: left.disjuncts * right.disjuncts,
    positions: left.positions * right.disjuncts + right.positions * left.disjuncts,
  };
}

function normalize(condition: Condition, negated: boolean): readonly Disjunct[] {
  if (condition.kind === 'not') return normalize(condition.part, !negated);
  if (condition.kind === 'and' || condition.kind === 'or') {
    const parts = condition.parts.map((part) => normalize(part, negated));
    return isOr(condition.kind, negated) ? parts.flat() : parts.reduce(eachWithEach);
  }
  return [[negated ? { kind: 'not', part: condition } : condition]];
}

function eachWithEach(left: readonly Disjunct[], right: readonly Disjunct[]): readonly Disjunct[] {
  return left.flatMap((first) => right.map((second) => [...first, ...second]));
}

/** By De Morgan, which holds for unknown values too. */
function isOr(kind: 'and' | 'or', negated: boolean): boolean {
  return (kind === 'or') !== negated;
}
