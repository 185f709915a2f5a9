/**
 * ReadingTransaction: how a query for rows begins.
 *
 * Behind a pooler a session is lent for one transaction, and then to somebody else: what is set for longer is lost to us, and is a
 * surprise to them. So all that the rows need is set for the transaction alone. Only a session of our own is made ready once for all.
 */
import type pg from 'pg';
import { typed } from '../connection/database-error.ts';
import { prepareLongSession } from '../connection/long-session.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { quoteText } from '../connection/sql-text.ts';
import { liftedTimeLimits } from '../connection/time-limits.ts';
import { displaySettings } from '../replication/replication-setup.ts';

/** What is set must be set besides. */
export const BEGIN_READING = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
/** Up to the look at a table, with which every reading begins; what is prepared in a session that is lent is forgotten behind it. */
const PLANNED_ONCE = 'plan_cache_mode = force_generic_plan';
const BEGIN = `${BEGIN_READING}; ${displaySettings('LOCAL')}`;
const BEGIN_OWN = `${BEGIN}; SET LOCAL ${PLANNED_ONCE}`;
const BEGIN_LENT = `${BEGIN}; ${liftedTimeLimits(true)}`;

/** @param limit SQL that bounds it in time. @throws {SessionNotLentError} @throws {WorldError} */
export async function beginReading(client: pg.PoolClient, pool: Pick<DatabasePool, 'isLent' | 'begin'>, limit?: string): Promise<void> {
  if (!pool.isLent) await prepareLongSession(client);
  const begin = pool.isLent ? BEGIN_LENT : BEGIN_OWN;
  await pool.begin(client, limit === undefined ? begin : `${begin}; ${limit}`);
}

const set = new WeakSet<pg.ClientBase>();

/** A session of our own is made ready for readings that set nothing by themselves: for its rest, and once. @throws {WorldError} */
export async function prepareReadingSession(client: pg.ClientBase): Promise<void> {
  if (set.has(client)) return;
  await prepareLongSession(client);
  await typed(() => client.query(`${displaySettings('SESSION')}; SET SESSION ${PLANNED_ONCE}`));
  set.add(client);
}

/** SQL that begins the same in another session of our own, with the snapshot that this one has exported. @param limit as above. */
export function readingOf(snapshot: string, limit: string): string {
  return `${BEGIN_READING}; SET TRANSACTION SNAPSHOT ${quoteText(snapshot)}; ${displaySettings('LOCAL')}; ${limit}`;
}
