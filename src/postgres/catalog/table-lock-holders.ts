/**
 * TableLockHolders: who keeps us from altering a table in a publication, or from reading it, as Postgres says a moment later.
 *
 * Whoever reads alone is in the way of few commands of ours, so readers are told of only where nobody does more. One who waits for a lock
 * himself is not told of: he waits for one of these, and so do we, behind him.
 */
import { worldError } from '../connection/database-error.ts';
import { type OpenTransaction, transactionText } from '../connection/open-transaction.ts';
import { PoolTimeoutError } from '../connection/pool.ts';
import { TABLES_SQL } from './partitions.ts';

const HOLDERS_MAX = 5;

/** Of the table `$1` with all below it, and of the publication `$2`. A prepared transaction has no process, and its own id locked. */
const HOLDERS_SQL = `
  WITH held AS (
    SELECT pid, virtualtransaction, bool_and(mode = 'AccessShareLock') AS reads
      FROM pg_catalog.pg_locks AS lock
     WHERE granted AND pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
       AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
       AND (locktype = 'relation' AND relation IN (SELECT relid FROM pg_catalog.pg_class c, LATERAL ${TABLES_SQL} WHERE c.oid = $1)
         OR locktype = 'object' AND classid = 'pg_catalog.pg_publication'::regclass
           AND objid = (SELECT oid FROM pg_catalog.pg_publication WHERE pubname = $2))
     GROUP BY pid, virtualtransaction)
  SELECT held.pid, application_name AS application, host(client_addr) AS address,
         coalesce(usename, prepared.owner) AS role, coalesce(xact_start, prepared.prepared) AS since, gid
    FROM held LEFT JOIN pg_catalog.pg_stat_activity AS session ON session.pid = held.pid
    LEFT JOIN pg_catalog.pg_locks AS own
      ON held.pid IS NULL AND own.virtualtransaction = held.virtualtransaction AND own.locktype = 'transactionid'
    LEFT JOIN pg_catalog.pg_prepared_xacts AS prepared ON prepared.transaction = own.transactionid
   WHERE (held.pid IS NOT NULL OR gid IS NOT NULL) AND reads = (SELECT bool_and(reads) FROM held)
   ORDER BY since LIMIT ${HOLDERS_MAX}`;

type Ask = (sql: string, params: readonly unknown[]) => Promise<readonly OpenTransaction[]>;

/** @returns some of them, who began first before the others; empty when they have ended meanwhile, or Postgres does not say. */
export async function tableLockHolders(ask: Ask, oid: number, publication?: string): Promise<readonly string[]> {
  try {
    return (await ask(HOLDERS_SQL, [oid, publication ?? null])).map(transactionText);
  } catch (error) {
    if (error instanceof PoolTimeoutError || worldError(error) !== undefined) return [];
    throw error;
  }
}
