/**
 * A backend that waits or computes does not notice that its client has gone: it would hold its place, or take a lock
 * for nobody. Postgres can look after the connection meanwhile, if it is asked to and its platform is able. Of a machine that vanished, and
 * of a network that was cut, it hears by the probes of TCP alone, which begin after two hours where nobody asks for them sooner.
 */
import type pg from 'pg';
import { DatabaseRefusedError, typed } from './database-error.ts';

/** A connection of which nothing is heard is probed after so many seconds, so often, with so long a wait behind each. */
const PROBED_AFTER_S = 10;
const PROBES = 3;
const PROBE_S = 5;

/** For the rest of the session. Outside of any transaction: a refusal would fail it. */
export async function watchForOurDeath(client: pg.ClientBase): Promise<void> {
  try {
    await typed(() => client.query(`
      SET tcp_keepalives_idle = ${PROBED_AFTER_S}; SET tcp_keepalives_interval = ${PROBE_S}; SET tcp_keepalives_count = ${PROBES}`));
    await typed(() => client.query(`SET client_connection_check_interval = '1s'`));
  } catch (error) {
    if (!(error instanceof DatabaseRefusedError)) throw error; // Not able: an orphan ends when it next writes to us.
  }
}

/** Has the probes of TCP end a session no sooner than `forMs` milliseconds after it was heard last. @throws {WorldError} */
export async function probeNoSooner(client: pg.ClientBase, forMs: number): Promise<void> {
  const afterS = Math.max(PROBED_AFTER_S, Math.ceil(forMs / 1000) - PROBES * PROBE_S);
  await typed(() => client.query(`SET tcp_keepalives_idle = ${afterS}`));
}
