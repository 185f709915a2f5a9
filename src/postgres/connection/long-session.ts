/** A session that may work or wait for long: the bounds are ours, not those that a database has for its applications. */
import type pg from 'pg';
import { watchForOurDeath } from './orphan-watch.ts';
import { liftTimeLimits } from './time-limits.ts';

const ready = new WeakSet<pg.ClientBase>();

/** For the rest of the session, and once. Outside of any transaction: a refusal would fail it. @throws {WorldError} */
export async function prepareLongSession(client: pg.ClientBase): Promise<void> {
  if (ready.has(client)) return;
  await watchForOurDeath(client);
  await liftTimeLimits(client);
  ready.add(client);
}

/** It is ours, and was made ready for that. */
export function isLongSession(client: pg.ClientBase): boolean {
  return ready.has(client);
}
