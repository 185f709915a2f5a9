/**
 * SubqueryPlan: a filter with subqueries as its terms, and as queries about what they select.
 *
 * Postgres is never asked for the subqueries themselves: the values are given, so a query means what the evaluator means with the
 * same values, at whatever time it runs.
 */
import type { ScanToken } from 'libpg-query';
import type { Condition, Subquery } from '../expression.ts';
import { subqueryText } from './subquery-text.ts';
import { followedWord } from '../../model/followed-columns.ts';
import { compileCondition, leftReader } from '../where-compiler.ts';
import { printCanonical, printQuery, printQueryWith } from '../where-printer.ts';
import { always, memberTestOf, reachOf, subqueriesIn, withMemberTests } from './member-tests.ts';
import { joined, MovedMembers } from './moved-members.ts';
import { hasSafeSide } from './safe-sides.ts';
import { tellsUnknown } from './truths.ts';
import { disjunctsOf } from './where-disjuncts.ts';
import { refusalAt } from '../where-refusal.ts';
import type { QueryWithMembers, Selected, SubqueryPlan, SubquerySource, Term } from '../where.ts';

/** Of a row value that is told for what it is not, each way in which a row may have NULLs is told by itself. */
const TOLD_COLUMNS_MAX = 4;
const TOO_MANY_TOLD = `\`NOT IN (SELECT ...)\` takes at most ${TOLD_COLUMNS_MAX} columns`;

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
  const disjuncts = termsOf(tested);
  return {
    sources: first.map((subquery) => sourceOf(subquery, sql, tokens, isAskedByParts(disjuncts, subquery.number))),
    disjuncts,
    mayTake: compileCondition(reachOf(condition)),
    queryWith: (values) => printQueryWith(condition, values),
    queryMoved: (values) => queryMoved(subqueries, rest, values),
    queryAll: () => printQuery(rest ?? always(true)),
  };
}

/** Left sides with NULLs are looked for by the parts that they have, where what is unknown is not like what is false. */
function isAskedByParts(disjuncts: SubqueryPlan['disjuncts'], number: number): boolean {
  return disjuncts.some((terms) => terms.some((term) => {
    return term.kind === 'subquery' && term.subquery === number && term.names.length > 1 && tellsUnknown(term.truths);
  }));
}

function sourceOf(subquery: Subquery, sql: string, tokens: readonly ScanToken[], isByParts: boolean): SubquerySource {
  const { table, columns, where } = subquery.selection;
  const text = where === undefined ? { where, parameters: [] } : subqueryText(sql, tokens, subquery);
  return { table, column: followedWord(columns.map(({ column: { name }, casts }) => ({ name, casts })), isByParts), ...text };
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
  const { subquery: { left, number, location }, truths } = test;
  if (tellsUnknown(truths) && left.length > TOLD_COLUMNS_MAX) throw refusalAt(location, TOO_MANY_TOLD);
  const names = left.map(({ operand }) => (operand.kind === 'column' ? operand.name : ''));
  return { kind: 'subquery', subquery: number, names, truths, left: leftReader(left) };
}

/**
 * Those of `rest` that have one of the values on the left side of its subquery. A left side that may have an error is not asked about: with
 * what guards it in the filter it would have none, and alone it may.
 */
function queryMoved(subqueries: readonly Subquery[], rest: Condition | undefined, values: Selected): QueryWithMembers {
  const moved = subqueries.filter(({ number }) => (values[number] ?? []).length > 0);
  const terms = new Map(moved.map((subquery) => [printCanonical(subquery), subquery]));
  if (terms.size === 0) return printQuery(always(false));
  if (!moved.every(hasSafeSide)) return printQuery(rest ?? always(true));
  const members = new MovedMembers();
  const any = joined('or', [...terms.values()].flatMap((subquery) => members.conditionsOf(subquery, values[subquery.number] ?? [])));
  return printQueryWith(rest === undefined ? any : { kind: 'and', parts: [any, rest] }, members.selected);
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
