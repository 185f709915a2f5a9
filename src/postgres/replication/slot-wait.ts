/**
 * SlotWait: for whom the making of a replication slot waits. Postgres makes one when every transaction has ended that was open before, and
 * when its WAL says so; on a database that is silent by then, that may take until the next checkpoint, unless it is asked to say it.
 */
import type pg from 'pg';
import { connect } from '../connection/connection.ts';
import { typed } from '../connection/database-error.ts';
import { type OpenTransaction, transactionText } from '../connection/open-transaction.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';

export interface SlotWait {
  /** Those that are waited for, some of them, each in words for an operator. */
  readonly transactions: readonly string[];
  /** What the role may not do for it; null when there is nothing. */
  readonly advice: string | null;
}

const TRANSACTIONS_MAX = 5;

/** Prepared transactions belong to no process, and so block as 0. */
const AWAITED_SQL = `
  SELECT pid, application_name AS application, host(client_addr) AS address, usename AS role, xact_start AS since, NULL AS gid
    FROM pg_catalog.pg_stat_activity WHERE pid = ANY (pg_catalog.pg_blocking_pids($1))
   UNION ALL
  SELECT NULL, NULL, NULL, owner, prepared, gid
    FROM pg_catalog.pg_prepared_xacts WHERE 0 = ANY (pg_catalog.pg_blocking_pids($1))
   ORDER BY since LIMIT ${TRANSACTIONS_MAX}`;

/** Null before Postgres 16, which has no such function. */
const MAY_SQL = `
  SELECT pg_catalog.has_function_privilege(pg_catalog.to_regprocedure('pg_catalog.pg_log_standby_snapshot()')::oid, 'EXECUTE') AS may`;

/**
 * Looks who is waited for, and has Postgres write down which transactions are open.
 *
 * @param maker the process of Postgres that makes the slot.
 * @throws {WorldError}
 */
export async function hastenSlot(target: DatabaseTarget, maker: number, signal: AbortSignal): Promise<SlotWait> {
  const client = await connect(target, { applicationName: 'armature slot', signal });
  const giveUp = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await typed(() => hastened(client, target.user, maker));
  } finally {
    signal.removeEventListener('abort', giveUp);
    giveUp();
  }
}

async function hastened(client: pg.Client, role: string, maker: number): Promise<SlotWait> {
  const { rows } = await client.query<OpenTransaction>(AWAITED_SQL, [maker]);
  const { rows: [right] } = await client.query<{ may: boolean | null }>(MAY_SQL);
  if (right?.may === true) await client.query('SELECT pg_catalog.pg_log_standby_snapshot()');
  return { transactions: rows.map(transactionText), advice: right?.may === false ? adviceFor(role) : null };
}

function adviceFor(role: string): string {
  return (
    'When all transactions have ended that were open, Postgres may need until its next checkpoint to make the slot. ' +
    `So that Armature may hasten it: GRANT EXECUTE ON FUNCTION pg_log_standby_snapshot() TO ${JSON.stringify(role)}`
  );
}
