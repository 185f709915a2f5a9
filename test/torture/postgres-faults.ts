/** What becomes of the Postgres: killed, restarted without a word, its backends ended. None of it loses anything that was committed. */
import type { Fault } from './fault.ts';
import { oneOf } from './fault.ts';

const AWAY_MS_MAX = 600;

const killed: Fault = {
  name: 'Postgres killed',
  excuses: 'none',
  async strike({ world, random }) {
    await world.cluster.killAndRestart(random.below(AWAY_MS_MAX));
    return undefined;
  },
};

const restarted: Fault = {
  name: 'Postgres restarted immediate',
  excuses: 'none',
  async strike({ world, random }) {
    await world.cluster.restartImmediately(random.below(AWAY_MS_MAX));
    return undefined;
  },
};

const backendKilled: Fault = {
  name: 'backend killed -9',
  excuses: 'none',
  async strike({ world }) {
    const [row] = await world.operator.insist<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    if (row !== undefined) await world.cluster.killBackend(row.pid);
    return undefined;
  },
};

/** By application; those of pools share a name. */
const VICTIMS = [
  "= 'armature replication'", "= 'armature lock'", "IN ('armature admin', 'armature snapshots', 'armature moves')", "LIKE 'armature%'",
] as const;

const backendsTerminated: Fault = {
  name: 'backends terminated',
  excuses: 'none',
  async strike({ world, random }) {
    const victims = oneOf(random, VICTIMS);
    const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name ${victims}`;
    await world.operator.insist(sql);
    return undefined;
  },
};

export const POSTGRES_FAULTS: readonly Fault[] = [killed, restarted, backendKilled, backendsTerminated];
