/**
 * What Postgres says of a transaction by its number, of which clients and the stream have the lower half only. Not asked of one that the
 * log has: there a commit that waits for a standby is still running.
 */
import { lsnFromPostgres, type Lsn } from '../../model/lsn.ts';
import { parsePgSnapshot, unseenBy, type Xid } from '../../model/pg-snapshot.ts';
import { DatabaseRefusedError } from '../connection/database-error.ts';
import type { DatabasePool } from '../connection/pool.ts';

export interface ToldFate {
  readonly fate: 'committed' | 'aborted' | 'running' | 'forgotten';
  /** What Postgres had logged by then: of one that has committed, its commit too. */
  readonly insertLsn: Lsn;
  /** All that have ended by then have lower numbers. */
  readonly endedBelow: Xid;
}

interface FateRow {
  readonly status: string | null;
  readonly snapshot: string;
  readonly insert_lsn: string;
}

/** The whole number is the one nearest to those that are given out now. The position in the WAL is asked for last. */
const FATE_SQL = `
  SELECT CASE WHEN whole >= 3 THEN pg_xact_status(whole::text::xid8) ELSE 'not begun' END AS status,
         snapshot::text AS snapshot, pg_current_wal_insert_lsn()::text AS insert_lsn
  FROM (
    SELECT snapshot, CASE
      WHEN near - now > 2147483648 THEN near - 4294967296
      WHEN now - near > 2147483648 THEN near + 4294967296
      ELSE near END AS whole
    FROM (
      SELECT snapshot, now, now - mod(now, 4294967296) + $1::numeric AS near
      FROM (SELECT snapshot, pg_snapshot_xmax(snapshot)::text::numeric AS now FROM pg_current_snapshot() AS snapshot) AS taken
    ) AS placed
  ) AS asked`;
/** It would lie before the first of a cluster that is young. */
const NOT_BEGUN = 'not begun';
/** "transaction ID … is in the future" */
const IN_THE_FUTURE = '22023';
const FATES: ReadonlyMap<string, ToldFate['fate']> = new Map([
  ['committed', 'committed'], ['aborted', 'aborted'], ['in progress', 'running'],
]);

/** @returns undefined for one that has yet to begin. @throws {WorldError} @throws {PoolTimeoutError} */
export async function transactionFate(pool: DatabasePool, xid: Xid): Promise<ToldFate | undefined> {
  try {
    const [row] = await pool.query<FateRow>(FATE_SQL, [String(xid)]);
    return row === undefined || row.status === NOT_BEGUN ? undefined : toldBy(row);
  } catch (error) {
    if (error instanceof DatabaseRefusedError && error.code === IN_THE_FUTURE) return undefined;
    throw error;
  }
}

function toldBy({ status, snapshot, insert_lsn: insert }: FateRow): ToldFate {
  const insertLsn = lsnFromPostgres(insert);
  const { from } = unseenBy(parsePgSnapshot(snapshot, insertLsn));
  return { fate: FATES.get(status ?? '') ?? 'forgotten', insertLsn, endedBelow: from };
}
