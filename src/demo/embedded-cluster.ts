/**
 * Who runs an embedded cluster: finds the server that an earlier process of ours left behind, and ends it.
 *
 * Two files tell. `owner` holds the id of the process that started the cluster; Postgres's own `postmaster.pid` the
 * id of the server. Either may be stale, and a process id may have been given to somebody else: so a process counts
 * as the server only when it works in the cluster's folder, and nothing else is ever signalled.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { pause } from '../base/pause.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';

/** Fast, immediate, by force: each with the time it gets. */
export const signalsThatStop = [
  { signal: 'SIGINT', patienceMs: 10_000 },
  { signal: 'SIGQUIT', patienceMs: 5_000 },
  { signal: 'SIGKILL', patienceMs: 5_000 },
] as const;

const POLL_MS = 20;

export function dataOf(directory: string): string {
  return join(directory, 'data');
}

/**
 * Makes this process the owner of the cluster; no server runs on it afterwards.
 *
 * @returns gives the ownership back.
 * @throws {EmbeddedPostgresError} `in_use`: another living process owns a running server. Nothing was changed.
 */
export async function claimCluster(directory: string, clock: Clock): Promise<() => void> {
  const ownerFile = join(directory, 'owner');
  const owner = numberIn(ownerFile);
  const server = serverOf(directory);
  if (server !== undefined && owner !== undefined && owner !== process.pid && isAlive(owner)) {
    throw new EmbeddedPostgresError(
      'in_use',
      `The Postgres cluster in ${directory} is in use by process ${owner}. Stop that process first, or choose another folder.`,
    );
  }
  if (server !== undefined) await end(server, clock);
  rmSync(join(dataOf(directory), 'postmaster.pid'), { force: true });
  writeFileSync(ownerFile, String(process.pid));
  return () => {
    if (numberIn(ownerFile) === process.pid) rmSync(ownerFile, { force: true });
  };
}

async function end(pid: number, clock: Clock): Promise<void> {
  for (const { signal, patienceMs } of signalsThatStop) {
    const deadline = clock.nowMs() + patienceMs;
    if (isAlive(pid)) process.kill(pid, signal);
    while (isAlive(pid) && clock.nowMs() < deadline) await pause(clock, POLL_MS);
  }
}

/** The process id of the server that runs on the cluster now. */
function serverOf(directory: string): number | undefined {
  const pid = numberIn(join(dataOf(directory), 'postmaster.pid'));
  return pid !== undefined && isAlive(pid) && worksIn(pid, dataOf(directory)) ? pid : undefined;
}

function numberIn(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const number = Number.parseInt(readFileSync(file, 'utf8'), 10);
  return Number.isSafeInteger(number) && number > 1 ? number : undefined;
}

/** A zombie is dead: it only waits for a parent that may never come. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    return true; // It is there, and not ours to signal.
  }
  return !(existsSync(`/proc/${pid}/stat`) && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
}

function worksIn(pid: number, data: string): boolean {
  try {
    if (existsSync('/proc/self/cwd')) return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data);
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(data);
  } catch {
    return false; // It ended meanwhile, or belongs to somebody else: in neither case our server.
  }
}
