/**
 * SlotReport: what Postgres says of our slot, of what it publishes and of who holds the lock, in its own notation: for who looks
 * on. Nothing is decided by it.
 */
import { worldError } from '../connection/database-error.ts';
import { PoolTimeoutError, type DatabasePool } from '../connection/pool.ts';

export interface SlotReport {
  readonly report: ReportRow | undefined;
  readonly holder: HolderRow | undefined;
  /** Why there is none. */
  readonly error: string | undefined;
}

const TABLES_MAX = 500;

const REPORT = `
  SELECT current_setting('server_version') AS version,
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS current_lsn,
         slot.active, slot.restart_lsn, slot.confirmed_flush_lsn, slot.wal_status, slot.safe_wal_size::float8 AS safe_bytes,
         CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), slot.restart_lsn)::float8 END AS retained_bytes,
         (SELECT count(*)::int FROM pg_publication_tables WHERE pubname = $2) AS table_count,
         ARRAY(SELECT format('%I.%I', schemaname, tablename) FROM pg_publication_tables WHERE pubname = $2 ORDER BY 1 LIMIT ${TABLES_MAX})
           AS tables
  FROM (SELECT) AS here LEFT JOIN pg_replication_slots AS slot ON slot.slot_name = $1`;

const HOLDER = `
  SELECT locks.pid, activity.application_name, host(activity.client_addr) AS client_address,
         (extract(epoch FROM activity.backend_start) * 1000)::float8 AS since_ms
  FROM pg_locks AS locks LEFT JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
  WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1
    AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((locks.classid::bigint << 32) | locks.objid::bigint) = hashtext($1)::bigint
  LIMIT 1`;

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

/** A session. */
export interface HolderRow {
  readonly pid: number;
  readonly application_name: string | null;
  readonly client_address: string | null;
  readonly since_ms: number | null;
}

/** Never rejects because Postgres is away, or busy: the report says so. */
export async function slotReport(pool: DatabasePool, slot: string, publication: string): Promise<SlotReport> {
  try {
    const [report] = await pool.query<ReportRow & Record<string, unknown>>(REPORT, [slot, publication]);
    const [holder] = await pool.query<HolderRow & Record<string, unknown>>(HOLDER, [slot]);
    return { report, holder, error: undefined };
  } catch (error) {
    const refusal = error instanceof PoolTimeoutError ? error : worldError(error);
    if (refusal === undefined) throw error;
    return { report: undefined, holder: undefined, error: refusal.message };
  }
}
