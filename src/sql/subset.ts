/**
 * What a request for a part of a shape's rows may say of it: a further filter in the language of WHERE, and an order. Postgres alone
 * answers by them, and once.
 */
import type { DatabaseRules, WhereColumn, WhereError, WhereQuery } from './where.ts';

export interface SubsetFilter {
  /** @param count of parameters that the query has in front of these. */
  queryBehind(count: number): WhereQuery;
  /** Whether it is known to have no error in any row. */
  readonly isErrorFree?: boolean;
}

/** SQL text, without its two keywords; it holds no constant. */
export interface OrderBy {
  readonly sql: string;
}

export interface OrderedTable {
  /** Those that may be named. */
  readonly columns: readonly string[];
  /** Those that are selected, which a number can mean. */
  readonly selected: readonly string[];
}

export interface SubsetLanguage {
  /**
   * A subquery is refused: nobody would follow what it selects.
   *
   * @param params text values by number, as the request gave them.
   */
  parseFilter(
    text: string,
    params: Readonly<Record<string, string>>,
    columns: readonly WhereColumn[],
    database?: DatabaseRules,
  ): SubsetFilter | WhereError;
  parseOrderBy(text: string, table: OrderedTable): OrderBy | { readonly error: string };
}
