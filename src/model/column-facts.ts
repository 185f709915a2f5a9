/**
 * ColumnFacts: what the catalogue says of a column beyond its layout, as far as the rows of a shape depend on it. It may be another one
 * under the same name and of the same type, its values may have been written anew, or the words of its type may be others: no change in the
 * stream tells of these, and no description of the table either.
 */
export interface ColumnFacts {
  /** `pg_attribute.attnum`: one that was dropped and made anew has another. */
  readonly number: number;
  /** The transaction that wrote its row of the catalogue. */
  readonly version: number;
  readonly notNull: boolean;
  /**
   * It came with a default that the rows from before have without having it written (`atthasmissing`). It is written out with the table,
   * and then its row of the catalogue is another one, though no value is.
   */
  readonly isMissing: boolean;
  /** `pg_attrdef.oid` of its default or expression: another one when it was set anew, or computed anew; null where it has none. */
  readonly defaultOid: number | null;
  /** `pg_collation.oid`; 0 where the type has none. */
  readonly collation: number;
  /** What its values are written with, of types that somebody made; null where Postgres brought all of them. */
  readonly types: readonly MadeType[] | null;
}

/** Its oid, and its parts: the labels of an enum in the order in which they were made, or what a composite is made of. */
export type MadeType = readonly [oid: number, parts: readonly string[]];
