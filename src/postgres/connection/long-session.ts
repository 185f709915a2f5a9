/** A session that may work or wait for long: the bounds are ours, not those that a database has for its applications. */
import type pg from 'pg';
import { watchForOurDeath } from './orphan-watch.ts';
import { typed } from './database-error.ts';
import { liftTimeLimits } from './time-limits.ts';

const prepared = new WeakSet<pg.ClientBase>();

/** For the rest of the session, and once. Outside of any transaction: a refusal would fail it. @throws {WorldError} */
export async function prepareLongSession(client: pg.ClientBase): Promise<void> {
  if (prepared.has(client)) return;
  await watchForOurDeath(client);
  await liftTimeLimits(client);
  prepared.add(client);
}

/** What is asked again and again. */
export interface Question {
  /** Of the prepared statement, among all of a session. */
  readonly name: string;
  readonly text: string;
}

/** In a session that is ours for long, Postgres parses and plans it once. @throws {WorldError} */
export async function askAgain<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  { name, text }: Question,
  values: readonly unknown[],
): Promise<Row[]> {
  const question = prepared.has(client) ? { name, text } : { text };
  return await typed(async () => (await client.query<Row>({ ...question, values: [...values] })).rows);
}
