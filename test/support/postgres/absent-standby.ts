/** Commits that Postgres streams and does not show yet: they wait for a standby that is not there. */
import type { TestDatabase } from './postgres.ts';

/** Finds a row once a commit waits for its standby. */
export const SOMEBODY_WAITS = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

/** With a name, commits wait from now on for a standby of that name; without, those that wait go on. */
export async function awaitStandby(database: TestDatabase, name: string): Promise<void> {
  await database.query(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await database.query('SELECT pg_reload_conf()');
  while ((await settingOfNewSession(database)) !== name) await database.query('SELECT pg_sleep(0.01)');
  await database.query('CHECKPOINT'); // The checkpointer brings the setting to those that commit, before its work.
}

async function settingOfNewSession(database: TestDatabase): Promise<unknown> {
  const session = await database.session();
  return (await session.query<{ name: string }>('SELECT current_setting($1) AS name', ['synchronous_standby_names'])).rows[0]?.name;
}
