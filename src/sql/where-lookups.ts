/**
 * What changes are looked up by when a filter has subqueries: equalities with constants and what subqueries select, one of which
 * every row satisfies that the filter takes. As with an equality, a row that satisfies none must be certain to fail.
 */
import type { Condition } from './expression.ts';
import { equalityOf, VALUES_MAX } from './where-equality.ts';
import type { Lookup } from './where.ts';

type Lookups = readonly Lookup[];

export function lookupsOf(condition: Condition): Lookups | undefined {
  switch (condition.kind) {
    case 'subquery':
      return [{ kind: 'subquery', column: condition.left.name, subquery: condition.number }];
    case 'and':
      return cheapest(condition.parts.flatMap((part) => [lookupsOf(part) ?? []].filter(({ length }) => length > 0)));
    case 'or':
      return union(condition.parts.map(lookupsOf));
    default: {
      const equality = equalityOf(condition);
      return equality && [{ kind: 'constants', ...equality }];
    }
  }
}

/** What a subquery selects may be many values, and changes: constants before it. */
function cheapest(found: readonly Lookups[]): Lookups | undefined {
  const cost = (lookups: Lookups): number => subqueriesIn(lookups) * (VALUES_MAX + 1) + valuesIn(lookups);
  return [...found].sort((left, right) => cost(left) - cost(right))[0];
}

/** Every part must have some. Constants of one column are one look-up, and so is a subquery for one column. */
function union(parts: readonly (Lookups | undefined)[]): Lookups | undefined {
  const merged = new Map<string, Lookup>();
  for (const lookups of parts) {
    if (lookups === undefined) return undefined;
    for (const lookup of lookups) {
      const key = JSON.stringify([lookup.column, lookup.kind === 'subquery' ? lookup.subquery : null]);
      merged.set(key, together(merged.get(key), lookup));
    }
  }
  const all = [...merged.values()];
  return valuesIn(all) > VALUES_MAX ? undefined : all;
}

/** @param known of the same column and kind. */
function together(known: Lookup | undefined, lookup: Lookup): Lookup {
  if (known?.kind !== 'constants' || lookup.kind !== 'constants') return lookup;
  return { ...known, values: [...new Set([...known.values, ...lookup.values])] };
}

function subqueriesIn(lookups: Lookups): number {
  return lookups.filter(({ kind }) => kind === 'subquery').length;
}

function valuesIn(lookups: Lookups): number {
  return lookups.reduce((count, lookup) => count + (lookup.kind === 'constants' ? lookup.values.length : 0), 0);
}
