/** Where the WAL of a stopped cluster goes on: anywhere ahead, by the tool that Postgres has for clusters that are damaged. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dataOf } from '../../../src/demo/embedded-cluster.ts';
import { launcherFor } from '../../../src/demo/embedded-user.ts';

const BIN = '/usr/lib/postgresql/15/bin';

/** The only Postgres here that comes with `pg_resetwal`; npm's has none. */
export function binariesWithResetWal(): { readonly initdb: string; readonly postgres: string } {
  if (!existsSync(`${BIN}/pg_resetwal`)) {
    throw new Error('the WAL of a cluster is moved by pg_resetwal, which npm\'s Postgres has not: apt-get install postgresql-15');
  }
  return { initdb: `${BIN}/initdb`, postgres: `${BIN}/postgres` };
}

/** @param segment the name of a file of the WAL, on the first timeline; it lies ahead of what the cluster has. */
export function goOnAt(directory: string, segment: string): void {
  const tool = `${BIN}/pg_resetwal`;
  const { command, args, ...identity } = launcherFor(directory, tool).wrap(tool, ['-l', segment, '-D', dataOf(directory)]);
  const { status, stderr } = spawnSync(command, args, { ...identity, cwd: '/', encoding: 'utf8' });
  if (status !== 0) throw new Error(`pg_resetwal refuses: ${stderr}`);
}
