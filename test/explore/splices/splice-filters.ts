/** SpliceFilters: what a shape may ask of its rows in terms of another table, and of which of them Postgres says that it is true. */

type Value = string | null;
type Truth = boolean | null;

export interface SpliceFilter {
  readonly sql: (left: string, subquery: string) => string;
  /** Of a row with `left`, while the subquery selects these. */
  readonly takes: (left: Value, selected: ReadonlySet<Value>) => boolean;
}

export const FILTERS = {
  in: {
    sql: (left, subquery) => `${left} IN (${subquery})`,
    takes: (left, selected) => truthOf(left, selected) === true,
  },
  notIn: {
    sql: (left, subquery) => `${left} NOT IN (${subquery})`,
    takes: (left, selected) => truthOf(left, selected) === false,
  },
  /** In both polarities. */
  known: {
    sql: (left, subquery) => `${left} IN (${subquery}) OR ${left} NOT IN (${subquery})`,
    takes: (left, selected) => truthOf(left, selected) !== null,
  },
} as const satisfies Readonly<Record<string, SpliceFilter>>;

export type FilterName = keyof typeof FILTERS;

/** Of `left IN (SELECT …)`, as the SQL standard has it: a comparison with NULL is unknown, and nothing is in what has no row. */
function truthOf(left: Value, selected: ReadonlySet<Value>): Truth {
  if (selected.size === 0) return false;
  if (left === null) return null;
  return selected.has(left) || (selected.has(null) ? null : false);
}
