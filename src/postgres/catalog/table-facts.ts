/** What the catalogue says of tables, for who follows them; `c` is of pg_class, `a` of pg_attribute, `i` the primary key in pg_index. */
import type pg from 'pg';
import type { FoundTable } from '../../model/found-table.ts';
import { TABLES_SQL } from './partitions.ts';

/** From this oid on objects are made by somebody, and not by Postgres. */
const FIRST_MADE = 16_384;

/**
 * An array has elements, a domain is over another type, a range over its bounds. A composite ends with a part of its own: with another
 * attribute it is another one, while an enum with another label is the same.
 */
const TYPES_SQL = `
  CASE WHEN a.atttypid >= ${FIRST_MADE} THEN (
    WITH RECURSIVE made AS (
      SELECT a.atttypid AS oid
      UNION
      SELECT part.oid FROM made JOIN pg_catalog.pg_type t ON t.oid = made.oid
      CROSS JOIN LATERAL (
        SELECT t.typelem UNION ALL SELECT t.typbasetype
        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
        UNION ALL SELECT f.atttypid FROM pg_catalog.pg_attribute f WHERE f.attrelid = t.typrelid AND f.attnum > 0 AND NOT f.attisdropped
      ) part (oid) WHERE part.oid >= ${FIRST_MADE}
    )
    SELECT json_agg(json_build_array(t.oid::int8, CASE t.typtype
      WHEN 'e' THEN ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.oid)
      ELSE ARRAY(SELECT f.attnum::text || ' ' || f.atttypid::text FROM pg_catalog.pg_attribute f
                 WHERE f.attrelid = t.typrelid AND f.attnum > 0 AND NOT f.attisdropped ORDER BY f.attnum) || ')'::text END) ORDER BY t.oid)
    FROM made JOIN pg_catalog.pg_type t ON t.oid = made.oid WHERE t.typtype IN ('e', 'c')) END`;

export const COLUMN_FACTS_SQL = `
  json_build_object('number', a.attnum, 'version', a.xmin::text::int8, 'notNull', a.attnotnull, 'collation', a.attcollation::int8,
    'isMissing', a.atthasmissing, 'types', ${TYPES_SQL},
    'defaultOid', (SELECT d.oid::int8 FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum))`;

/** An int2vector counts from 0, and a slice of it from 1. What the index includes besides is no part of the key. */
export const PK_INDEX_SQL = `array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum) - 1`;

/** Of a table with partitions the oldest one, since who alters it writes all of them anew: others come without touching those. */
export const FILES_SQL = `
  CASE WHEN c.relkind = 'p' THEN
    coalesce((SELECT file.oid::text || '.' || file.relfilenode::text
              FROM ${TABLES_SQL} JOIN pg_catalog.pg_class file ON file.oid = tree.relid AND file.relkind = 'r'
              ORDER BY file.oid LIMIT 1), '')
  ELSE c.relfilenode::text END`;

const placeSql = (table: string, file: string): string => `${table}.oid::text || '.' || ${file}::text`;
/** Of all that is below a table with partitions. @param file SQL of the file that the table `below` lies in. */
const treePlacesSql = (file: string): string => `
  (SELECT md5(coalesce(string_agg(${placeSql('below', file)}, ',' ORDER BY below.oid), ''))
   FROM ${TABLES_SQL} JOIN pg_catalog.pg_class below ON below.oid = tree.relid AND below.relkind = 'r')`;

/** Where its rows lie, as the snapshot of who asks has it. Of a table without partitions it takes no look at all that there are. */
export const PLACES_SQL = `
  CASE c.relkind WHEN 'r' THEN ${placeSql('c', 'c.relfilenode')} ELSE ${treePlacesSql('below.relfilenode')} END`;
/** The same as of now, whatever snapshot who asks has: the function looks into the catalogue itself. Of a table without partitions. */
export const PLACE_NOW_SQL = placeSql('c', 'pg_catalog.pg_relation_filenode(c.oid)');
/** Likewise, of one with partitions. */
export const TREE_PLACES_NOW_SQL = treePlacesSql('pg_catalog.pg_relation_filenode(below.oid)');

/** Of a table that is not there, or has none, an empty list. */
export const FOUND_COLUMNS_SQL = `
  coalesce(json_agg(json_build_object(
    'name', a.attname, 'typeOid', a.atttypid::int8, 'typeMod', a.atttypmod, 'pkIndex', ${PK_INDEX_SQL}, 'facts', ${COLUMN_FACTS_SQL}
  ) ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL), '[]')`;

/**
 * Another text whenever something of what is asked for above may be another: cheap, since it is asked of every table that is followed. The
 * types are taken together, and those of all tables at once; with another one all tables are looked at.
 */
export const LOOK_VERSION_SQL = `
  md5(concat_ws('/', ${FILES_SQL},
    (SELECT string_agg(own.attnum::text || '.' || own.xmin::text, ',' ORDER BY own.attnum)
     FROM pg_catalog.pg_attribute own WHERE own.attrelid = c.oid AND own.attnum > 0),
    (SELECT key.indexrelid::text || '.' || key.xmin::text FROM pg_catalog.pg_index key WHERE key.indrelid = c.oid AND key.indisprimary),
    (SELECT md5(string_agg(label.oid::text || '.' || label.xmin::text, ',' ORDER BY label.oid)) FROM pg_catalog.pg_enum label),
    (SELECT md5(string_agg(concat_ws('.', part.attrelid, part.attnum, part.xmin), ',' ORDER BY part.attrelid, part.attnum))
     FROM pg_catalog.pg_class composite JOIN pg_catalog.pg_attribute part ON part.attrelid = composite.oid
     WHERE composite.relkind = 'c')))`;

const FOUND_SQL = `
  SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name, ${FILES_SQL} AS files, ${FOUND_COLUMNS_SQL} AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
  WHERE c.oid = ANY ($1::oid[])
  GROUP BY c.oid, c.relkind, c.relfilenode, n.nspname, c.relname`;

/** Those that are gone are left out. */
export async function foundTables(client: pg.PoolClient, oids: readonly number[]): Promise<readonly FoundTable[]> {
  return (await client.query<FoundTable>(FOUND_SQL, [oids])).rows;
}
