/**
 * PartitionLink: that a table is a partition of another one. The stream names the table in which a row lies, and never those above it; so
 * what is told of a row to who follows a table above goes by such links.
 */
export interface PartitionLink {
  /** Oids, as those of a `PublishedRelation`. */
  readonly child: number;
  readonly parent: number;
  /** The transaction that linked them, as the `xmin` of `pg_inherits`. What was detached and attached again has another link. */
  readonly since: number;
}
