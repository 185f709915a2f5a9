/**
 * What the tables of a partitioned one go through one by one, each in a transaction of its own: so nobody who writes to one of them waits
 * while we wait for another, and no deadlock can come of it.
 */
import type pg from 'pg';
import type { PublishedRelation } from '../../model/relation.ts';
import { DatabaseRefusedError, typed } from '../connection/database-error.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { quoteTable } from '../connection/sql-text.ts';
import { limitedToLocks } from '../connection/time-limits.ts';
import { TABLES_SQL } from './partitions.ts';
import { notFull, refusalOf } from './publication-refusal.ts';
import type { PublicationStanding } from './publication-standing.ts';

type Tables = PublicationStanding['notFull'];

/** Those that are gone are left out. @throws {PublicationRefusedError} those that were not busy have it, and keep it. */
export async function makeEachFull(pool: DatabasePool, tables: Tables, lockTimeout: string): Promise<void> {
  const refused = await eachByItself(pool, () => tables, lockTimeout, (table) => `ALTER TABLE ONLY ${table} REPLICA IDENTITY FULL`);
  if (refused !== undefined) throw refused.error.code === NO_PRIVILEGE ? notFull(refused.table) : refusalOf(refused.error);
}

/**
 * Those who have written to the table of this oid, or below it, have ended. New ones may have begun: this only makes it likely that all
 * can be locked at once. A table that is not ours to lock is not waited for.
 *
 * @throws {PublicationRefusedError} one of them does not end.
 */
export async function awaitWritersOfEach(pool: DatabasePool, { oid }: PublishedRelation, lockTimeout: string): Promise<void> {
  const tablesOf = async (client: pg.PoolClient): Promise<Tables> => (await client.query<Tables[number]>(BELOW_SQL, [oid])).rows;
  const refused = await eachByItself(pool, tablesOf, lockTimeout, (table) => `LOCK TABLE ONLY ${table} IN SHARE MODE`);
  if (refused !== undefined && refused.error.code !== NO_PRIVILEGE) throw refusalOf(refused.error);
}

const BELOW_SQL = `
  SELECT n.nspname AS schema, t.relname AS name
  FROM pg_class c, LATERAL ${TABLES_SQL} JOIN pg_class t ON t.oid = tree.relid JOIN pg_namespace n ON n.oid = t.relnamespace
  WHERE c.oid = $1 ORDER BY t.oid`;
const NO_PRIVILEGE = '42501';
const NO_TABLE = '42P01';
const BUSY = '55P03';
/** Of those behind a table that was busy: they are not to wait as long again, and are not left out either. */
const LOCK_TIMEOUT_BEHIND = '50ms';

interface Refused {
  readonly table: Tables[number];
  readonly error: DatabaseRefusedError;
}

/** One that is busy stops nobody behind it. Statements that are sent together are one transaction. @returns the first refusal. */
async function eachByItself(
  pool: DatabasePool,
  tablesOf: (client: pg.PoolClient) => Tables | Promise<Tables>,
  lockTimeout: string,
  sqlOf: (table: string) => string,
): Promise<Refused | undefined> {
  try {
    return await pool.use(async (client) => {
      let busy: Refused | undefined;
      for (const table of await tablesOf(client)) {
        const limit = busy === undefined ? lockTimeout : LOCK_TIMEOUT_BEHIND;
        const error = await refusalBy(client, `${limitedToLocks(limit)}; ${sqlOf(quoteTable(table))}`);
        if (error?.code === BUSY) busy ??= { table, error };
        else if (error !== undefined && error.code !== NO_TABLE) return { table, error };
      }
      return busy;
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

async function refusalBy(client: pg.PoolClient, sql: string): Promise<DatabaseRefusedError | undefined> {
  try {
    await typed(() => client.query(sql));
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseRefusedError) return error;
    throw error;
  }
}
