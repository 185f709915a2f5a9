/**
 * Which tables publications tell of, as `pg_publication_tables` has them. From Postgres 16 on that view opens each table that it lists: so
 * who asks it waits for whoever alters one of them, and has to do with quite another one.
 */

/** As `published_schemas (pubid, nspid)`; by dependencies, since Postgres 14 has no catalogue of them that could be named. */
export const PUBLISHED_SCHEMAS_SQL = `(
  SELECT whole.refobjid AS pubid, part.refobjid AS nspid
  FROM pg_depend part JOIN pg_depend whole ON whole.classid = part.classid AND whole.objid = part.objid
  WHERE part.classid = to_regclass('pg_catalog.pg_publication_namespace')
    AND part.refclassid = 'pg_namespace'::regclass AND whole.refclassid = 'pg_publication'::regclass) published_schemas`;

/**
 * As `published (pubid, relid)`. Ordinary tables, partitions among them; a partitioned table stands there only where the publication tells
 * of its partitions under its name.
 *
 * @param which a condition on the publication `p`.
 */
export const publishedTablesSql = (which: string): string => `(
  WITH RECURSIVE named AS (
    SELECT p.oid AS pubid, m.prrelid AS relid FROM pg_publication p JOIN pg_publication_rel m ON m.prpubid = p.oid WHERE ${which}
    UNION
    SELECT p.oid, c.oid FROM pg_publication p JOIN ${PUBLISHED_SCHEMAS_SQL} ON pubid = p.oid
    JOIN pg_class c ON c.relnamespace = nspid AND c.relkind IN ('r', 'p') WHERE ${which}
    UNION
    SELECT p.oid, c.oid FROM pg_publication p JOIN pg_class c ON c.relkind IN ('r', 'p') WHERE p.puballtables AND ${which}
    UNION
    SELECT named.pubid, i.inhrelid FROM named JOIN pg_inherits i ON i.inhparent = named.relid AND NOT i.inhdetachpending
    JOIN pg_class child ON child.oid = i.inhrelid AND child.relispartition
  )
  SELECT pubid, relid FROM named JOIN pg_publication p ON p.oid = pubid JOIN pg_class c ON c.oid = relid
  WHERE (c.relkind = 'r' OR p.pubviaroot) AND pg_relation_is_publishable(c.oid)) published`;
