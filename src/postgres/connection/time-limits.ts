/**
 * Limits on time that a role or a database has for every session. They are meant for what hangs; the sessions that are there for as long
 * as the service wait and decode, and each limit would end them again and again.
 */
import type pg from 'pg';
import { typed } from './database-error.ts';

const LIMITS =
  "'statement_timeout', 'lock_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'";
/** Those that this server knows. Without parameters, which a walsender does not take. @param isLocal up to the end of the transaction. */
export function liftedTimeLimits(isLocal: boolean): string {
  return `SELECT set_config(name, '0', ${isLocal}) FROM pg_settings WHERE name IN (${LIMITS})`;
}

/** For the rest of the session. @throws {WorldError} */
export async function liftTimeLimits(client: pg.ClientBase): Promise<void> {
  await typed(() => client.query(liftedTimeLimits(false)));
}

/** Up to the end of the transaction, locks alone are waited for no longer than so long, as Postgres writes it: nothing else is limited. */
export function limitedToLocks(lockTimeout: string): string {
  return `${liftedTimeLimits(true)}; SET LOCAL lock_timeout = '${lockTimeout}'`;
}
