/** What the catalogue says of the partitions of a table. */
import type { FoundLink } from '../../model/partition-tree.ts';

/** Child, parent, since when, whether it was born so. */
export type TreeRow = readonly [number, number, number, boolean];

/**
 * The links below the table `c`, as a JSON list of `TreeRow`. What is being detached shows its rows to nobody above any more.
 *
 * A table that is made as a partition has the link of its own transaction, and columns that were made with it, by one command. Who attaches
 * a table has each of its columns altered: so one that was made, filled and attached in one transaction shows too.
 */
export const TREE_SQL = `
  WITH RECURSIVE links AS (
    SELECT i.inhrelid, i.inhparent, i.xmin FROM pg_inherits i WHERE i.inhparent = c.oid AND c.relkind = 'p' AND NOT i.inhdetachpending
    UNION ALL
    SELECT i.inhrelid, i.inhparent, i.xmin FROM links JOIN pg_inherits i ON i.inhparent = links.inhrelid AND NOT i.inhdetachpending
  )
  SELECT coalesce(json_agg(json_build_array(
    links.inhrelid::int8, links.inhparent::int8, links.xmin::text::int8,
    EXISTS (SELECT FROM pg_attribute made JOIN pg_attribute own ON own.attrelid = made.attrelid AND own.attnum > 0
            WHERE made.attrelid = links.inhrelid AND made.attname = 'tableoid' AND made.attnum < 0 AND made.xmin = links.xmin
              AND own.xmin = made.xmin AND own.cmin = made.cmin)
  )), '[]') FROM links`;

/**
 * The table `c` and all tables below it, as `tree (relid)`. `pg_partition_tree` says the same and locks each of them, until the transaction
 * ends: it waits for whoever alters one, and Postgres has no room for the locks of many thousands.
 */
export const TABLES_SQL = `(
  WITH RECURSIVE tables AS (
    SELECT c.oid AS relid
    UNION ALL
    SELECT i.inhrelid FROM tables JOIN pg_catalog.pg_inherits i ON i.inhparent = tables.relid AND NOT i.inhdetachpending
    JOIN pg_catalog.pg_class child ON child.oid = i.inhrelid AND child.relispartition
  )
  SELECT relid FROM tables) tree`;

export function treeOf(rows: readonly TreeRow[]): readonly FoundLink[] {
  return rows.map(([child, parent, since, isBorn]) => ({ child, parent, since, isBorn }));
}
