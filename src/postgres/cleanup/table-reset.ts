/**
 * The tables of the publication, which Armature gave REPLICA IDENTITY FULL: they get their default one, so that each row that changes
 * costs no more WAL than before. One that somebody else publishes as well keeps it, for its reader may rely on the old rows.
 */
import type pg from 'pg';
import { TABLES_SQL } from '../catalog/partitions.ts';
import { publishedTablesSql } from '../catalog/published-tables.ts';
import { quoteTable } from '../connection/sql-text.ts';
import { someOf, type NamedTable } from '../doctor/some-tables.ts';
import { attempted, kept, type CleanupStep } from './cleanup-step.ts';

export interface FullTable {
  readonly schema: string;
  readonly name: string;
  /** Of the publications beside ours that tell its changes, one. */
  readonly other: string | null;
  /** By which its default identity names rows; without one nobody may update or delete them while they are published. */
  readonly hasKey: boolean;
}

/** A table that is busy holds up nobody who writes to it for longer. */
export const LOCK_TIMEOUT = '2s';

export async function fullTables(client: pg.Client, publication: string): Promise<readonly FullTable[]> {
  return (await client.query<FullTable>(FULL_TABLES_SQL, [publication])).rows;
}

export async function resetTable(client: pg.Client, table: FullTable, isDryRun: boolean): Promise<CleanupStep> {
  const name = quoteTable(table);
  if (table.other !== null) {
    return kept('table', name, `The table ${name} keeps REPLICA IDENTITY FULL: the publication "${table.other}" tells its changes, too.`);
  }
  return await attempted({ what: 'table', name, says: identityText(table), isDryRun }, async () => {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'; ${resetSql(table)}`); // One transaction.
  });
}

export function resetSql(table: Pick<FullTable, 'schema' | 'name'>): string {
  return `ALTER TABLE ONLY ${quoteTable(table)} REPLICA IDENTITY DEFAULT`;
}

export function identityText(table: FullTable): string {
  return `The REPLICA IDENTITY FULL of the table ${quoteTable(table)}: it has the default one.`;
}

/** What a publication tells by the name of a partitioned table it tells of all below it. */
const PUBLISHED_SQL = `
  SELECT tree.relid, min(p.pubname) FILTER (WHERE p.pubname IS DISTINCT FROM $1::text) AS other, bool_or(p.pubname = $1::text) AS is_ours
  FROM ${publishedTablesSql('true')} JOIN pg_publication p ON p.oid = published.pubid JOIN pg_class c ON c.oid = published.relid
  CROSS JOIN LATERAL ${TABLES_SQL}
  GROUP BY 1`;

const FULL_TABLES_SQL = `
  WITH published AS MATERIALIZED (${PUBLISHED_SQL})
  SELECT n.nspname AS schema, c.relname AS name, published.other,
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate) AS "hasKey"
  FROM published JOIN pg_class c ON c.oid = published.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE published.is_ours AND c.relreplident = 'f'
  ORDER BY 1, 2`;

/**
 * Tables are FULL and in no publication where a shape has ended before, or where somebody else wanted it so: nobody knows any more, so
 * they are named and left alone.
 */
export async function unpublishedTables(client: pg.Client): Promise<readonly CleanupStep[]> {
  const { rows } = await client.query<NamedTable>(UNPUBLISHED_SQL, [null]);
  const [first] = rows;
  if (first === undefined) return [];
  const statements = rows.map((table) => `${resetSql(table)};`).join(' ');
  const says = `${someOf(rows)} have REPLICA IDENTITY FULL and are in no publication. ${IF_UNWANTED} ${statements}`;
  return [kept('table', quoteTable(first), says)];
}

const IF_UNWANTED = 'Armature may have made them so, or somebody else, and that is not known any more. If nobody wants it:';

const UNPUBLISHED_SQL = `
  WITH published AS MATERIALIZED (${PUBLISHED_SQL})
  SELECT n.nspname AS schema, c.relname AS name, count(*) OVER ()::int AS total
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relreplident = 'f' AND c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM published WHERE published.relid = c.oid)
  ORDER BY 1, 2 LIMIT 5`;
