/**
 * A backend that waits or computes does not notice that its client has gone: it would hold its place, or take a lock
 * for nobody. Postgres can look after the connection meanwhile, if it is asked to and its platform is able. Of a machine that vanished, and
 * of a network that was cut, it hears by the probes of TCP alone, which begin after two hours where nobody asks for them sooner.
 */
import type pg from 'pg';
import { DatabaseRefusedError, typed } from './database-error.ts';

/** For the rest of the session. Outside of any transaction: a refusal would fail it. */
export async function watchForOurDeath(client: pg.ClientBase): Promise<void> {
  try {
    await typed(() => client.query(`SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3`));
    await typed(() => client.query(`SET client_connection_check_interval = '1s'`));
  } catch (error) {
    if (!(error instanceof DatabaseRefusedError)) throw error; // Not able: an orphan ends when it next writes to us.
  }
}
