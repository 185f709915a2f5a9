/**
 * SlotReport: what Postgres says of our slot and of what it publishes, in its own notation: for who looks on. Nothing is
 * decided by it.
 */
import { publishedTablesSql } from '../catalog/published-tables.ts';
import { worldError } from '../connection/database-error.ts';
import { PoolTimeoutError, type DatabasePool } from '../connection/pool.ts';

export interface SlotReport {
  readonly report: ReportRow | undefined;
  /** Why there is none. */
  readonly error: string | undefined;
}

const TABLES_MAX = 500;

const REPORT = `
  WITH listed AS (SELECT relid FROM ${publishedTablesSql('p.pubname = $2')})
  SELECT current_setting('server_version') AS version,
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS current_lsn,
         slot.active, slot.restart_lsn, slot.confirmed_flush_lsn, slot.wal_status, slot.safe_wal_size::float8 AS safe_bytes,
         CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), slot.restart_lsn)::float8 END AS retained_bytes,
         (SELECT count(*)::int FROM listed) AS table_count,
         ARRAY(SELECT format('%I.%I', n.nspname, c.relname) FROM listed JOIN pg_class c ON c.oid = listed.relid
               JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1 LIMIT ${TABLES_MAX}) AS tables
  FROM (SELECT) AS here LEFT JOIN pg_replication_slots AS slot ON slot.slot_name = $1`;

const RETAINED = `
  SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 AS retained_bytes
  FROM pg_replication_slots WHERE slot_name = $1 AND NOT pg_is_in_recovery()`;

/** The slot's fields are null while there is none. */
export interface ReportRow {
  readonly version: string;
  readonly current_lsn: string | null;
  readonly active: boolean | null;
  readonly restart_lsn: string | null;
  readonly confirmed_flush_lsn: string | null;
  readonly wal_status: string | null;
  readonly safe_bytes: number | null;
  readonly retained_bytes: number | null;
  readonly table_count: number;
  readonly tables: readonly string[];
}

/** @throws what is no refusal of Postgres's, and no wait that was too long: the report says those. */
export async function slotReport(pool: DatabasePool, slot: string, publication: string): Promise<SlotReport> {
  try {
    const [report] = await pool.query<ReportRow & Record<string, unknown>>(REPORT, [slot, publication]);
    return { report, error: undefined };
  } catch (error) {
    return { report: undefined, error: refusalOf(error).message };
  }
}

/** WAL that the slot keeps. @returns undefined when Postgres does not say. @throws as `slotReport` does. */
export async function retainedBytesOf(pool: DatabasePool, slot: string): Promise<number | undefined> {
  if (!pool.isUp) return undefined;
  try {
    const [row] = await pool.query<{ retained_bytes: number | null }>(RETAINED, [slot]);
    return row?.retained_bytes ?? undefined;
  } catch (error) {
    refusalOf(error);
    return undefined;
  }
}

function refusalOf(error: unknown): Error {
  const refusal = error instanceof PoolTimeoutError ? error : worldError(error);
  if (refusal === undefined) throw error;
  return refusal;
}
