/** The lock of a slot, which a service holds as long as it streams. */
import type pg from 'pg';
import { DatabaseRefusedError, worldError } from '../connection/database-error.ts';
import { LOCK_HOLDER_SQL, holderOf, type HolderRow } from '../connection/lock-holder.ts';

/** Postgres notices the end of a session some time after who had it has stopped. */
const LOCK_TIMEOUT = '5s';
const NOT_IN_TIME = '55P03';

/** Held until the connection ends. @returns false when somebody else keeps it. */
export async function slotLock(client: pg.Client, slot: string): Promise<boolean> {
  await client.query(`SET lock_timeout = '${LOCK_TIMEOUT}'`);
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [slot]);
    return true;
  } catch (error) {
    const refusal = worldError(error);
    if (refusal instanceof DatabaseRefusedError && refusal.code === NOT_IN_TIME) return false;
    throw error;
  }
}

export async function lockHolderText(client: pg.Client, slot: string): Promise<string> {
  const { rows: [row] } = await client.query<HolderRow>(LOCK_HOLDER_SQL, [slot]);
  const works = `A service works with the replication slot "${slot}"`;
  if (row === undefined) return `${works}, or did until now. Nothing was changed.`;
  const { pid, application = 'an unknown program', address } = holderOf(row);
  const from = address === undefined ? '' : ` from ${address}`;
  return `${works}: its lock is held by process ${pid} of the server (${application}${from}). Stop it first. Nothing was changed.`;
}
