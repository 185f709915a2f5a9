/** Filters with subqueries, built from their disjuncts: for tests that are not about how a filter is parsed. */
import { canonicalValue } from '../../../src/sql/values/canonical-value.ts';
import type { ColumnText, Membership, Term, Where } from '../../../src/sql/where.ts';

/** Members by number of the subquery, in canonical text. */
export function membersOf(...selected: readonly (readonly string[])[]): Membership {
  const sets = selected.map((values) => new Set(values));
  return (subquery, value) => sets[subquery]?.has(value) === true;
}

/** `column IN (SELECT …)`, of the subquery of that number. */
export function isIn(column: string, subquery: number, typeName = 'text'): Term {
  return {
    kind: 'subquery',
    subquery,
    column,
    value: (text) => {
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
      queryWith: () => nobody,
      queryMoved: () => nobody,
    },
    lookups: undefined,
  };
}

function isTrue(term: Term, text: ColumnText, isMember: Membership = () => false): boolean {
  if (term.kind === 'plain') return term.evaluate(text) === true;
  const value = term.value(text);
  return value !== null && isMember(term.subquery, value);
}
