/** Relation: a Postgres table as the stream and the catalogue describe it. */
import type { Collation } from './collation.ts';
import type { ColumnFacts } from './column-facts.ts';
import type { PartitionLink } from './partition-link.ts';

export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** In the order of their attribute numbers, dropped ones left out: the order of every tuple of this relation. */
  readonly columns: readonly Column[];
  /** The database's: that of text without a column. Left out where no column is text. */
  readonly collation?: Collation;
  /** Of Postgres, where it is one to which some expressions mean something else than to newer ones. */
  readonly version?: number;
  /** Which files it lies in, with all that is below it. */
  readonly files?: string;
  /** Of a partitioned table, a partition of which the stream tells nothing. */
  readonly untoldPartition?: UntoldPartition;
}

export interface UntoldPartition {
  readonly schema: string;
  readonly name: string;
  /** In words, with its article: `a foreign table`. */
  readonly kindName: string;
}

/**
 * A table as a shape was defined on it, to be carried by the publication. Renamed, or dropped and made anew, it is
 * another one: what happens there is nothing of the shape's.
 */
export interface PublishedRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export interface Column {
  readonly name: string;
  /** `pg_type.oid`. */
  readonly typeOid: number;
  /** `pg_attribute.atttypmod`; -1 when the type has none. */
  readonly typeMod: number;
  /** `pg_type.typname`; of the element type for an array. */
  readonly typeName: string;
  /** `pg_attribute.attndims`; 0 for anything but an array. */
  readonly dimensions: number;
  readonly notNull: boolean;
  /** Place in the primary key, from 0; undefined for any other column. */
  readonly pkIndex?: number;
  /** A generated column that no publication carries: before Postgres 18 any, since then one that is virtual. */
  readonly generated: boolean;
  /** A generated column that is computed when it is read. */
  readonly isVirtual?: true;
  /** Left out for any other type. */
  readonly isEnum?: true;
  /** Of text and of arrays of it. */
  readonly collation?: Collation;
  readonly facts?: ColumnFacts;
}

/** The columns that name a row, as indexes into `relation.columns`: the primary key in its order, or else all columns. */
export function keyColumns(relation: Relation): readonly number[] {
  const keyed = relation.columns.flatMap((column, index) =>
    column.pkIndex === undefined ? [] : [{ index, place: column.pkIndex }],
  );
  if (keyed.length === 0) return relation.columns.map((_, index) => index);
  return keyed.sort((left, right) => left.place - right.place).map(({ index }) => index);
}

export function hasPrimaryKey(relation: Relation): boolean {
  return relation.columns.some((column) => column.pkIndex !== undefined);
}

/**
 * RelationLayout: a table as one stretch of the stream saw it, which says what the columns of a logged tuple are. A
 * table that is altered gets a new layout; the transaction log keeps them all, each under an id of its own.
 */
export interface RelationLayout {
  /** Given by the transaction log: the same for the same layout, never given to another. */
  readonly id: number;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly LayoutColumn[];
  /** From a partition up to its root, when the stream described it: its rows are theirs too. Left out where there are none. */
  readonly links?: readonly PartitionLink[];
}

type LayoutIdentity = Omit<RelationLayout, 'id' | 'columns'>;

/** Also a table that was made anew under the name, to those who follow the old one that is news of it; and a partition of the table. */
export function isLayoutOf(layout: LayoutIdentity, { oid, schema, name }: PublishedRelation): boolean {
  return layout.oid === oid || (layout.schema === schema && layout.name === name) || isPartitionOf(layout, oid);
}

/** Whether the layout's table is a partition of that of `oid`, or a partition of one of its partitions. */
export function isPartitionOf({ links = [] }: Pick<RelationLayout, 'links'>, oid: number): boolean {
  return links.some(({ parent }) => parent === oid);
}

export interface LayoutColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeMod: number;
}
