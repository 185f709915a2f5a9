/** Filters with subqueries, built from their disjuncts: for tests that are not about how a filter is parsed. */
import { canonicalValue } from '../../../src/sql/values/canonical-value.ts';
import { ANY_MEMBER, NULL_MEMBER, rowParts, rowPattern, truthOfIn } from '../../../src/sql/subqueries/membership.ts';
import { TRUE, type Truths } from '../../../src/sql/subqueries/truths.ts';
import type { ColumnText, Membership, MemberTerm, Term, Where } from '../../../src/sql/where.ts';

/** Members by number of the subquery, in canonical text. */
export function membersOf(...selected: readonly (readonly string[])[]): Membership {
  const sets = selected.map((values) => new Set(values));
  return (subquery, member) => sets[subquery]?.has(member) === true;
}

/** The members of a subquery that selects these, as who keeps them has them. */
export function membersOfRows(values: readonly (string | null)[]): readonly string[] {
  return values.length === 0 ? [] : [ANY_MEMBER, ...values.map((value) => value ?? NULL_MEMBER)];
}

/** The same of one that selects row values, each as `rowMember` has it: the marks say also which parts go with which. */
export function membersOfRowValues(members: readonly string[]): readonly string[] {
  const marks = members.map(rowParts).flatMap((parts) => {
    const subsets = Array.from({ length: 2 ** parts.length - 1 }, (_, asked) => {
      return parts.map((part, at) => ((asked >> at) % 2 === 1 ? part : undefined));
    });
    return [...subsets.map(rowPattern), ...(parts.includes(null) ? [NULL_MEMBER] : [])];
  });
  return [...new Set([...members, ...marks])];
}

/** `column IN (SELECT …)`, of the subquery of that number, and whether it comes to one of `truths`. */
export function isIn(column: string, subquery: number, typeName = 'text', truths: Truths = TRUE): MemberTerm {
  return {
    kind: 'subquery',
    subquery,
    names: [column],
    truths,
    left: (text) => {
      const found = text(column);
      return found === null ? null : canonicalValue(typeName, found);
    },
  };
}

/** `column = 'constant'`: unknown for NULL. */
export function isEqual(column: string, constant: string): Term {
  return { kind: 'plain', evaluate: (text) => (text(column) === null ? null : text(column) === constant) };
}

/** @param columns that the terms read. */
export function subqueryFilter(columns: readonly string[], disjuncts: readonly (readonly Term[])[]): Where {
  const numbers = disjuncts.flat().flatMap((term) => (term.kind === 'subquery' ? [term.subquery] : []));
  const nobody = { sql: 'false', params: [] }; // No database is asked by tests of lines.
  return {
    canonical: 'a filter with subqueries',
    columns,
    query: nobody,
    evaluate: (text, isMember) => disjuncts.some((terms) => terms.every((term) => isTrue(term, text, isMember))),
    subqueries: {
      sources: Array.from({ length: Math.max(-1, ...numbers) + 1 }, (_, number) => ({
        table: { schema: 'public', name: `parents${number}` },
        column: 'id',
        where: undefined,
        parameters: [],
      })),
      disjuncts,
      mayTake: () => true,
      queryWith: () => nobody,
      queryMoved: () => nobody,
      queryAll: () => nobody,
    },
    lookups: undefined,
  };
}

function isTrue(term: Term, text: ColumnText, isMember: Membership = () => false): boolean {
  return term.kind === 'plain' ? term.evaluate(text) === true : term.truths.has(truthOfIn(isMember, term.subquery, term.left(text)));
}
