/**
 * SubqueryPlan: a filter with subqueries as its terms, and as queries about what they select.
 *
 * Postgres is never asked for the subqueries themselves: the values are given, so a query means what the evaluator means with the
 * same values, at whatever time it runs.
 */
import type { ScanToken } from 'libpg-query';
import type { Condition, Subquery } from '../expression.ts';
import { subqueryText } from './subquery-text.ts';
import { canonicalReader, compileCondition } from '../where-compiler.ts';
import { always, memberTestOf, reachOf, subqueriesIn, withMemberTests } from './member-tests.ts';
import { disjunctsOf } from './where-disjuncts.ts';
import { printQuery, printQueryWith } from '../where-printer.ts';
import type { QueryWithMembers, Selected, SubqueryPlan, SubquerySource, Term } from '../where.ts';

/**
 * @param condition that has subqueries.
 * @param sql that it was made of.
 * @throws {WhereRefusal} when the disjunctive normal form is too large.
 */
export function planOf(condition: Condition, sql: string, tokens: readonly ScanToken[]): SubqueryPlan {
  const subqueries = subqueriesIn(condition);
  const first = subqueries.filter(({ number }, index) => subqueries.findIndex((other) => other.number === number) === index);
  const tested = withMemberTests(condition);
  const rest = withoutSubqueries(tested);
  return {
    sources: first.map((subquery) => sourceOf(subquery, sql, tokens)),
    disjuncts: termsOf(tested),
    mayTake: compileCondition(reachOf(condition)),
    queryWith: (values) => printQueryWith(condition, values),
    queryMoved: (values) => queryMoved(subqueries, rest, values),
    queryAll: () => printQuery(rest ?? always(true)),
  };
}

function sourceOf(subquery: Subquery, sql: string, tokens: readonly ScanToken[]): SubquerySource {
  const { table, column, where } = subquery.selection;
  const text = where === undefined ? { where, parameters: [] } : subqueryText(sql, tokens, subquery);
  return { table, column: column.name, ...text };
}

function termsOf(condition: Condition): SubqueryPlan['disjuncts'] {
  const terms = new Map<Condition, Term>();
  return disjunctsOf(condition).map((leaves) =>
    leaves.map((leaf) => {
      const term = terms.get(leaf) ?? termOf(leaf);
      terms.set(leaf, term);
      return term;
    }),
  );
}

function termOf(leaf: Condition): Term {
  const test = memberTestOf(leaf);
  if (test === undefined) return { kind: 'plain', evaluate: compileCondition(leaf) };
  const { subquery: { left, number }, truths } = test;
  return { kind: 'subquery', subquery: number, column: left.name, truths, value: canonicalReader(left) };
}

/** Those of `rest` that have one of the values on the left side of its subquery. */
function queryMoved(subqueries: readonly Subquery[], rest: Condition | undefined, values: Selected): QueryWithMembers {
  const moved = subqueries.filter(({ number }) => (values[number] ?? []).length > 0);
  const terms = moved.filter((subquery, index) => moved.findIndex((other) => isAlike(subquery, other)) === index);
  if (terms.length === 0) return printQuery(always(false));
  const any = joined('or', terms.flatMap((subquery) => movedAt(subquery, values[subquery.number] ?? [])));
  const known = values.map((each) => each.filter((value) => value !== null));
  return printQueryWith(rest === undefined ? any : { kind: 'and', parts: [any, rest] }, known);
}

function movedAt(subquery: Subquery, values: Selected[number]): readonly Condition[] {
  const { length } = values.filter((value) => value !== null);
  return [...(length > 0 ? [subquery] : []), ...(length < values.length ? [{ kind: 'isNull', part: subquery.left } as const] : [])];
}

function isAlike(left: Subquery, right: Subquery): boolean {
  return left.number === right.number && left.left.name === right.left.name;
}

/** With true in the place of every test; undefined when that is true for every row. */
function withoutSubqueries(condition: Condition): Condition | undefined {
  if (memberTestOf(condition) !== undefined) return undefined;
  if (condition.kind !== 'and' && condition.kind !== 'or') return condition;
  const parts = condition.parts.map(withoutSubqueries);
  const left = parts.flatMap((part) => part ?? []);
  const isTrue = left.length === 0 || (condition.kind === 'or' && left.length < parts.length);
  return isTrue ? undefined : joined(condition.kind, left);
}

function joined(kind: 'and' | 'or', parts: readonly Condition[]): Condition {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : { kind, parts };
}
