/** A physical standby: a copy of a stopped cluster that follows it, by a slot of the primary's that keeps the WAL for it. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { dataOf } from '../../../src/demo/embedded-cluster.ts';

/** Of the physical slot, which must be there before the standby starts. */
export const STANDBY_SLOT = 'standby';

/** @param primary the directory of the stopped cluster. @param port where that one listens. @returns settings for the copy. */
export function copyAsStandby(primary: string, directory: string, port: number): Readonly<Record<string, string>> {
  execFileSync('mkdir', [directory]);
  execFileSync('cp', ['-a', dataOf(primary), dataOf(directory)]); // With owners.
  cpSync(join(primary, 'password'), join(directory, 'password'));
  const slots = join(dataOf(directory), 'pg_replslot');
  for (const slot of readdirSync(slots)) rmSync(join(slots, slot), { recursive: true }); // They are the primary's.
  writeFileSync(join(dataOf(directory), 'standby.signal'), '');
  const password = readFileSync(join(primary, 'password'), 'utf8').trim();
  return {
    primary_conninfo: `host=127.0.0.1 port=${port} user=postgres password=${password} dbname=postgres`,
    primary_slot_name: STANDBY_SLOT,
    hot_standby_feedback: 'on',
  };
}
