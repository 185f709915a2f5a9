/** LockHolder: which session holds the advisory lock of a slot, as far as Postgres tells our role. */
import { worldError } from './database-error.ts';
import { PoolTimeoutError, type DatabasePool } from './pool.ts';

export interface LockHolder {
  readonly pid: number;
  /** What Postgres hides from roles that may not see sessions of others. */
  readonly application: string | undefined;
  /** Undefined for a local socket, too. */
  readonly address: string | undefined;
  /** When its session began. */
  readonly since: Date | undefined;
}

export interface HolderRow {
  readonly pid: number;
  readonly application: string | null;
  readonly address: string | null;
  readonly since: Date | null;
}

/** A condition on a row of `pg_locks`: it is the lock of a slot, and held. The key is one of 64 bits, whose halves stand apart. */
export function advisoryLockSql(slotSql: string): string {
  return `locktype = 'advisory' AND granted AND objsubid = 1
     AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
     AND (classid::bigint << 32) | objid::bigint = hashtext(${slotSql})::bigint`;
}

/** Of the slot `$1`. */
export const LOCK_HOLDER_SQL = `
  SELECT held.pid, application_name AS application, host(client_addr) AS address, backend_start AS since
    FROM pg_catalog.pg_locks AS held LEFT JOIN pg_catalog.pg_stat_activity AS session ON session.pid = held.pid
   WHERE ${advisoryLockSql('$1')}`;

/** @returns 'nobody' when it is free; undefined when Postgres does not say. */
export async function lockHolder(pool: DatabasePool, slot: string): Promise<LockHolder | 'nobody' | undefined> {
  if (!pool.isUp) return undefined;
  try {
    const [row] = await pool.query<HolderRow & Record<string, unknown>>(LOCK_HOLDER_SQL, [slot]);
    return row === undefined ? 'nobody' : holderOf(row);
  } catch (error) {
    if (error instanceof PoolTimeoutError || worldError(error) !== undefined) return undefined;
    throw error;
  }
}

export function holderOf({ pid, application, address, since }: HolderRow): LockHolder {
  return { pid, application: application ?? undefined, address: address ?? undefined, since: since ?? undefined };
}
