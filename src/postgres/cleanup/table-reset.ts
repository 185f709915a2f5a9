/**
 * The tables of the publication, which Armature gave REPLICA IDENTITY FULL: they get their default one, so that each row that changes
 * costs no more WAL than before. One that somebody else publishes as well keeps it, for its reader may rely on the old rows.
 */
import type pg from 'pg';
import { TABLES_SQL } from '../catalog/partitions.ts';
import { quoteTable } from '../connection/sql-text.ts';
import { someOf, type NamedTable } from '../doctor/some-tables.ts';
import { attempted, kept, type CleanupStep } from './cleanup-step.ts';

interface FullTable {
  readonly schema: string;
  readonly name: string;
  /** Of the publications beside ours that tell its changes, one. */
  readonly other: string | null;
}

/** A table that is busy holds up nobody who writes to it for longer. */
const LOCK_TIMEOUT = '2s';

export async function resetTables(
  client: pg.Client,
  publication: string,
  { isDryRun }: { readonly isDryRun: boolean },
): Promise<readonly CleanupStep[]> {
  const { rows } = await client.query<FullTable>(FULL_TABLES_SQL, [publication]);
  const steps: CleanupStep[] = [];
  for (const table of rows) steps.push(await resetTable(client, table, isDryRun));
  return steps;
}

async function resetTable(client: pg.Client, { other, ...table }: FullTable, isDryRun: boolean): Promise<CleanupStep> {
  const name = quoteTable(table);
  if (other !== null) {
    return kept('table', name, `The table ${name} keeps REPLICA IDENTITY FULL: the publication "${other}" tells its changes as well.`);
  }
  const says = `The REPLICA IDENTITY FULL of the table ${name}: it has the default one.`;
  return await attempted({ what: 'table', name, says, isDryRun }, async () => {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'; ALTER TABLE ONLY ${name} REPLICA IDENTITY DEFAULT`); // One transaction.
  });
}

/** The tables below a partitioned one are given it as well, though the publication names its root alone. */
const FULL_TABLES_SQL = `
  WITH others AS MATERIALIZED (
    SELECT schemaname, tablename, min(pubname) AS pubname FROM pg_publication_tables WHERE pubname <> $1 GROUP BY 1, 2
  ), members AS (
    SELECT DISTINCT tree.relid FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid
    CROSS JOIN LATERAL ${TABLES_SQL}
    WHERE p.pubname = $1
  )
  SELECT n.nspname AS schema, c.relname AS name, others.pubname AS other
  FROM members JOIN pg_class c ON c.oid = members.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN others ON others.schemaname = n.nspname AND others.tablename = c.relname
  WHERE c.relreplident = 'f'
  ORDER BY 1, 2`;

/**
 * Tables are FULL and in no publication where a shape has ended before, or where somebody else wanted it so: nobody knows any more, so
 * they are named and left alone.
 */
export async function unpublishedTables(client: pg.Client): Promise<readonly CleanupStep[]> {
  const { rows } = await client.query<NamedTable>(UNPUBLISHED_SQL);
  const [first] = rows;
  if (first === undefined) return [];
  const says = `${someOf(rows)} have REPLICA IDENTITY FULL and are in no publication; if nobody else wants that: ${statementFor(first)}`;
  return [kept('table', quoteTable(first), says)];
}

function statementFor(table: NamedTable): string {
  return `ALTER TABLE ONLY ${quoteTable(table)} REPLICA IDENTITY DEFAULT`;
}

const UNPUBLISHED_SQL = `
  SELECT n.nspname AS schema, c.relname AS name, count(*) OVER ()::int AS total
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relreplident = 'f' AND c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_publication_tables t WHERE t.schemaname = n.nspname AND t.tablename = c.relname)
  ORDER BY 1, 2 LIMIT 5`;
