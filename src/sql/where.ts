/**
 * WHERE: a filter in the language that Postgres and we evaluate alike.
 *
 * Text goes through Postgres's own parser, is checked against a white list with types, and comes out as one
 * expression: evaluated here on replicated rows, printed with all its constants as parameters for the snapshot, and
 * searched for what changes are looked up by.
 */
import type { Collation } from '../model/collation.ts';
import type { TimeZone } from '../model/time-zone.ts';
import type { RelationName } from './identifiers.ts';
import type { Truths } from './subqueries/truths.ts';
import type { ArrayLiteral } from './values/array-literal.ts';

export interface WhereColumn {
  readonly name: string;
  /** `pg_type.typname`, of the element for an array. */
  readonly typeName: string;
  readonly dimensions: number;
  /** Whether its type is an enum. */
  readonly isEnum?: boolean;
  /** Of text: left out where it is not known, and taken for "C" then. */
  readonly collation?: Collation;
}

export interface Where {
  /** Equal for filters that differ only in white space, case of keywords or in how a parameter is given. */
  readonly canonical: string;
  /** Names of the columns it reads. */
  readonly columns: readonly string[];
  /** For the snapshot's query. Of a filter with subqueries `subqueries.queryWith` gives it. */
  readonly query: WhereQuery;
  /**
   * Three-valued: null is unknown, which leaves the row out. What a subquery leaves unknown is false here: nothing behind it is asked.
   *
   * @param text gives a column's Postgres text, or null for NULL.
   * @param isMember what its subqueries select; not asked by a filter without any.
   */
  evaluate(text: ColumnText, isMember?: Membership): boolean | null;
  /** Undefined for a filter without subqueries. */
  readonly subqueries?: SubqueryPlan;
  /**
   * One of them is satisfied by every row that the filter takes, or in which it has an error; so where none is, the filter need not be
   * asked. None at all when there is no such row; undefined when no such set is known.
   */
  readonly lookups: readonly Lookup[] | undefined;
  /** Each row that satisfies one of them is taken: then the filter need not be asked, either. */
  readonly areLookupsExact?: true;
}

export type Lookup =
  /** Some key of the row is one of `values`, each of which stands there once; or, by `every`, each of them is one of its keys. */
  | { readonly kind: 'some'; readonly key: LookupKey; readonly values: readonly Key[] }
  | { readonly kind: 'every'; readonly key: LookupKey; readonly values: readonly Key[] }
  /** The subquery of that number selects a key of the row. */
  | { readonly kind: 'subquery'; readonly key: LookupKey; readonly subquery: number };

/** A value in its type's canonical text; null for NULL. */
export type Key = string | null;

export interface LookupKey {
  /** The same for keys that are read alike. */
  readonly name: string;
  /** Those of one row, each once: the value of an expression, or the items of an array. @throws what the filter would throw, too. */
  read(text: ColumnText): readonly Key[];
}

export type ColumnText = (column: string) => string | null;

/** What is looked for in a subquery: a value, or the parts of a row value. */
export type LeftSide = Key | readonly Key[];

/** Whether the subquery of that number has a member: a value in canonical text, a row value (`rowMember`) or a mark (`NULL_MEMBER`). */
export type Membership = (subquery: number, member: string) => boolean;

/** `sql` holds `$1`… and no constant; values as Postgres's text. */
export interface WhereQuery {
  readonly sql: string;
  readonly params: readonly (string | null)[];
}

/** One that was given what the subqueries select. */
export interface QueryWithMembers {
  readonly sql: string;
  readonly params: readonly QueryParam[];
}

/** null for NULL; an array as what makes its text, which may be long. */
export type QueryParam = string | ArrayLiteral | null;

/**
 * A filter with subqueries in disjunctive normal form: NOT stands at its leaves only. Each leaf of each disjunct is a term, and
 * its position counts from 0 over all disjuncts, from left to right. The filter is true for a row exactly when all terms of some
 * disjunct are.
 */
export interface SubqueryPlan {
  /** What is selected from, each once; their places are the numbers of the subqueries. */
  readonly sources: readonly SubquerySource[];
  readonly disjuncts: readonly (readonly Term[])[];
  /**
   * Whether the filter takes the row, or has an error in it, by some of several memberships: by `isMember` each member is there that
   * any of them has. True also for rows of which that cannot be said.
   */
  mayTake(text: ColumnText, isMember?: Membership): boolean | null;
  /** The rows that the filter takes when subquery n selects exactly `values[n]`, as Postgres's texts; null for NULL. */
  queryWith(values: readonly Iterable<string | null>[]): QueryWithMembers;
  /**
   * At least the rows that the filter takes or leaves otherwise because of what `values[n]` changed for subquery n: values that
   * it began or ceased to select, and null where rows without a value are concerned.
   */
  queryMoved(values: Selected): QueryWithMembers;
  /** At least the rows that the filter takes, whatever its subqueries select. */
  queryAll(): WhereQuery;
}

/** By number of the subquery, as Postgres's texts; null for NULL. Row values as `rowMember` writes the texts of their parts. */
export type Selected = readonly (readonly (string | null)[])[];

export interface SubquerySource {
  readonly table: RelationName;
  /** What it selects, as `followedWord` has it. */
  readonly column: string;
  /** Its WHERE as it was written; undefined for every row. It may name parameters of the whole. */
  readonly where: string | undefined;
  /** The numbers of those that it names, each once. */
  readonly parameters: readonly number[];
}

export type Term =
  | { readonly kind: 'plain'; evaluate(text: ColumnText): boolean | null }
  | MemberTerm;

/** True where `left IN (subquery)` comes to one of `truths`. */
export interface MemberTerm {
  readonly kind: 'subquery';
  readonly subquery: number;
  /** What the parts of the left side are called: a column by its name, and what is calculated not at all. */
  readonly names: readonly string[];
  readonly truths: Truths;
  /** What the row has on the left side, in canonical text; of one with several parts a list. */
  left(text: ColumnText): LeftSide;
}

/** The columns of a table that a subquery selects from; undefined for a table that is not known. */
export type SubqueryTables = (table: RelationName) => readonly WhereColumn[] | undefined;

/** The caller's mistake, as the wire tells it: `At location 17: syntax error at or near "x"`. */
export interface WhereError {
  readonly error: string;
  readonly field: 'where' | 'params';
  /** Of which nothing was known: with its rules the filter may be accepted. */
  readonly zone?: string;
}

/** A filter as it is written: its text, and the texts of its parameters by number. */
export interface WrittenFilter {
  readonly text: string;
  readonly params: Readonly<Record<string, string>>;
}

/** In what the same filter can mean something else in another database. */
export interface DatabaseRules {
  /** Of constants; undefined where it is not known. */
  readonly collation?: Collation | undefined;
  readonly zones?: TimeZones | undefined;
  /** Of Postgres: undefined for one that has no newer one that differs. */
  readonly version?: number | undefined;
}

/** A time zone by its name, or why it is none; undefined where nothing is known of it yet. */
export type TimeZones = (name: string) => TimeZone | string | undefined;

export interface WhereLanguage {
  /**
   * What its subqueries select from, each table once; of the schema `public` where the text names none. What else is wrong with
   * the text than its grammar, `parse` tells.
   */
  tablesIn(text: string): readonly RelationName[] | WhereError;
  /**
   * @param params text values by number, as the request gave them.
   * @param tables that subqueries select from. Left out where subqueries are refused.
   * @param table the filter's own. Left out where its columns cannot be qualified by its name.
   */
  parse(
    text: string,
    params: Readonly<Record<string, string>>,
    columns: readonly WhereColumn[],
    tables?: SubqueryTables,
    database?: DatabaseRules,
    table?: RelationName,
  ): Where | WhereError;
  /**
   * What a stranger asks for beside a filter that is fixed for him: the text of both, which takes no row that the fixed one leaves.
   *
   * He learns nothing of what he may not see. So his filter names no column but `columns`, has no subquery, which would read other tables
   * or rows, and nothing that can fail: an error in a row that he may not see would tell him of it.
   *
   * @param fixed undefined when he may see every row; then his filter may fail.
   */
  narrow(
    fixed: WrittenFilter | undefined,
    asked: WrittenFilter,
    columns: readonly WhereColumn[],
    database?: DatabaseRules,
    table?: RelationName,
  ): WrittenFilter | WhereError;
}
