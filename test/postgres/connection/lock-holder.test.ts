/** Who is told to have the lock of a slot. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockHolder } from '../../../src/postgres/connection/lock-holder.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { createDatabase, serverUrl, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

let database: TestDatabase;
let pool: DatabasePool;
beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'armature admin', max: 1 });
  await pool.open();
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

const LOCK = 'SELECT pg_backend_pid() AS pid, pg_advisory_lock(hashtext($1))';

test('it is who has it, and not who has the lock of another slot, or one of the same name in another database', async () => {
  const slot = `slot_of_${database.name}`;
  const [holder, other] = [await database.session(), await database.session()];
  const elsewhere = new pg.Client({ connectionString: await serverUrl() });
  await elsewhere.connect();
  await Promise.all([elsewhere.query(LOCK, [slot]), other.query(LOCK, ['another'])]);
  const before = await lockHolder(pool, slot);
  const { rows: [own] } = await holder.query<{ pid: number }>(LOCK, [slot]);

  const after = await lockHolder(pool, slot);

  await elsewhere.end();
  expect([before, after]).toEqual(['nobody', expect.objectContaining({ pid: own?.pid })]);
});

test('it is not known where Postgres cannot be asked', async () => {
  const closed = createPool({ target: targetOf(database.url), applicationName: 'armature admin', max: 1 });

  expect(await lockHolder(closed, 'slot')).toBeUndefined();
});
