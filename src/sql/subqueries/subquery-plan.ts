/**
 * SubqueryPlan: a filter with subqueries as its terms, and as queries about what they select.
 *
 * Postgres is never asked for the subqueries themselves: the values are given, so a query means what the evaluator means with the
 * same values, at whatever time it runs. Every subquery stands unnegated, so the filter takes no row less when one selects more; that
 * is why the rows of a move are among those that the rest of the filter takes.
 */
import type { ScanToken } from 'libpg-query';
import type { Condition, Constant, Subquery } from '../expression.ts';
import { subqueryText } from './subquery-text.ts';
import { canonicalReader, compileCondition } from '../where-compiler.ts';
import { disjunctsOf } from './where-disjuncts.ts';
import { printQuery } from '../where-printer.ts';
import type { SubqueryPlan, SubquerySource, Term, WhereQuery } from '../where.ts';

type Values = readonly (readonly string[])[];

const NEVER: Constant = { kind: 'constant', type: 'bool', value: false, text: 'f' };

/** As they stand, from left to right. */
export function subqueriesIn(condition: Condition): readonly Subquery[] {
  if (condition.kind === 'subquery') return [condition];
  return condition.kind === 'and' || condition.kind === 'or' ? condition.parts.flatMap(subqueriesIn) : [];
}

/**
 * @param subqueries of `condition`.
 * @param sql that `condition` was made of.
 * @throws {WhereRefusal} when the disjunctive normal form is too large.
 */
export function planOf(condition: Condition, subqueries: readonly Subquery[], sql: string, tokens: readonly ScanToken[]): SubqueryPlan {
  const first = subqueries.filter(({ number }, index) => subqueries.findIndex((other) => other.number === number) === index);
  return {
    sources: first.map((subquery) => sourceOf(subquery, sql, tokens)),
    disjuncts: termsOf(condition),
    queryWith: (values) => printQuery(condition, values),
    queryMoved: (values) => queryMoved(condition, subqueries, values),
  };
}

function sourceOf({ selection: { table, column, where }, location }: Subquery, sql: string, tokens: readonly ScanToken[]): SubquerySource {
  const text = where === undefined ? { where, parameters: [] } : subqueryText(sql, tokens, location);
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
  if (leaf.kind !== 'subquery') return { kind: 'plain', evaluate: compileCondition(leaf) };
  return { kind: 'subquery', subquery: leaf.number, column: leaf.left.name, value: canonicalReader(leaf.left) };
}

function queryMoved(condition: Condition, subqueries: readonly Subquery[], values: Values): WhereQuery {
  const moved = subqueries.filter(({ number }) => (values[number] ?? []).length > 0);
  const terms = moved.filter((subquery, index) => moved.findIndex((other) => isAlike(subquery, other)) === index);
  if (terms.length === 0) return printQuery({ kind: 'operand', operand: NEVER });
  const rest = withoutSubqueries(condition);
  const any = joined('or', terms);
  return printQuery(rest === undefined ? any : { kind: 'and', parts: [any, rest] }, values);
}

function isAlike(left: Subquery, right: Subquery): boolean {
  return left.number === right.number && left.left.name === right.left.name;
}

/** With true in the place of every subquery; undefined when that is true for every row. */
function withoutSubqueries(condition: Condition): Condition | undefined {
  if (condition.kind === 'subquery') return undefined;
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
