/** SlotFigures: what Postgres says of a replication slot, in bytes of its WAL. */
import { PoolTimeoutError, type DatabasePool } from '../connection/pool.ts';
import { worldError } from '../connection/database-error.ts';

export interface SlotFigures {
  /** Where the WAL ends. */
  readonly walOffset: number;
  /** What Postgres keeps for the slot. */
  readonly retainedBytes: number;
  /** What lies behind its confirmed LSN. */
  readonly flushLagBytes: number;
  /** Somebody streams from it. */
  readonly isActive: boolean;
  /** What may yet be written before Postgres may drop what the slot needs; undefined where there is no limit. */
  readonly safeBytes: number | undefined;
}

interface SlotRow {
  readonly wal: string;
  readonly retained: string | null;
  readonly lag: string | null;
  readonly active: boolean;
  readonly safe: string | null;
}

/** A slot that is being made has no LSNs yet. */
const QUERY = `
  SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS wal,
         pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text AS retained,
         greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn))::text AS lag,
         active, safe_wal_size::text AS safe
    FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`;

/** @returns undefined when there is no such slot, or Postgres does not say: it is away, or all connections are at work. */
export async function slotFigures(pool: DatabasePool, slot: string): Promise<SlotFigures | undefined> {
  if (!pool.isUp) return undefined;
  try {
    const [row] = await pool.query<SlotRow & Record<string, unknown>>(QUERY, [slot]);
    return row && figuresOf(row);
  } catch (error) {
    if (error instanceof PoolTimeoutError || worldError(error) !== undefined) return undefined;
    throw error;
  }
}

function figuresOf({ wal, retained, lag, active, safe }: SlotRow): SlotFigures {
  return {
    walOffset: Number(wal),
    retainedBytes: Number(retained ?? 0),
    flushLagBytes: Number(lag ?? 0),
    isActive: active,
    safeBytes: safe === null ? undefined : Number(safe),
  };
}
