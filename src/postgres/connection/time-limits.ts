/**
 * Limits on time that a role or a database has for every session. They are meant for what hangs; the sessions that are there for as long
 * as the service wait and decode, and each limit would end them again and again.
 */
import type pg from 'pg';
import { typed } from './database-error.ts';

const LIMITS =
  "'statement_timeout', 'lock_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'";
/** Without parameters, which a walsender does not take. */
const LIFT = `SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN (${LIMITS})`;

/** For the rest of the session, those that this server knows. @throws {WorldError} */
export async function liftTimeLimits(client: pg.ClientBase): Promise<void> {
  await typed(() => client.query(LIFT));
}
