/**
 * SleepPort: what Postgres is asked before its connections are closed for a while, and when they are open again.
 *
 * - `seeStandbys` → `standbys.seen { count }`: instances that wait for the lock of the slot, or for the storage of whoever has it; or
 *   `standbys.unseen`, where Postgres does not say
 * - `seeWal` → `wal.seen { lsn }`: what had committed by then, and is durable in Postgres, lies before it; or `wal.unseen`
 */
import { lsnFromPostgres } from '../../model/lsn.ts';
import type { Message, Name, PortSpec } from '../../otp/process.ts';
import { worldError } from './database-error.ts';
import { PoolTimeoutError, type DatabasePool } from './pool.ts';

export interface SleepPortOptions {
  readonly name?: Name;
  readonly pool: Pick<DatabasePool, 'query'>;
  readonly slot: string;
}

export function sleepPort({ name, pool, slot }: SleepPortOptions): PortSpec {
  return {
    ...(name === undefined ? {} : { name }),
    open: () => ({
      requests: {
        seeStandbys: () => unless('standbys.unseen', () => seeStandbys(pool, slot)),
        seeWal: () => unless('wal.unseen', () => seeWal(pool)),
      },
    }),
  };
}

/** Under what name an instance is connected that waits for the storage of another one: Postgres cuts it off there. */
export function standbyName(slot: string): string {
  return `armature standby of ${slot}`.slice(0, 63);
}

/** The key of the lock is one of 64 bits, whose halves stand apart. */
const STANDBYS_SQL = `
  SELECT (SELECT count(*) FROM pg_catalog.pg_locks
           WHERE locktype = 'advisory' AND NOT granted AND objsubid = 1
             AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
             AND (classid::bigint << 32) | objid::bigint = hashtext($1)::bigint)
       + (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND application_name = $2) AS count`;

async function seeStandbys(pool: SleepPortOptions['pool'], slot: string): Promise<Message> {
  const [row] = await pool.query<{ count: string }>(STANDBYS_SQL, [slot, standbyName(slot)]);
  return row === undefined ? { type: 'standbys.unseen' } : { type: 'standbys.seen', count: Number(row.count) };
}

async function seeWal(pool: SleepPortOptions['pool']): Promise<Message> {
  const [row] = await pool.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
  return row === undefined ? { type: 'wal.unseen' } : { type: 'wal.seen', lsn: lsnFromPostgres(row.lsn) };
}

async function unless(unseen: string, look: () => Promise<Message>): Promise<Message> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof PoolTimeoutError || worldError(error) !== undefined) return { type: unseen };
    throw error;
  }
}
