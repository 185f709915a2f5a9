/** What Postgres is asked before the connections are closed, and behind that: who would be harmed, and where the WAL stands. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareLsn, lsnFromPostgres } from '../../../src/model/lsn.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { sleepPort, standbyName } from '../../../src/postgres/connection/sleep-port.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, serverUrl, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

const SLOT = `electric_slot_${'a'.repeat(40)}`;
let database: TestDatabase;
let pool: DatabasePool;
let port: RunningPort;

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'armature admin', max: 1 });
  await pool.open();
  port = await openPort(sleepPort({ pool, slot: SLOT }));
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

const seeStandbys = () => port.ask({ type: 'seeStandbys' });

test('who waits for the lock of the slot stands by, and who holds it does not', async () => {
  const [holder, waiting] = [await database.session(), await database.session()];
  await holder.query('SELECT pg_advisory_lock(hashtext($1))', [SLOT]);
  const alone = await seeStandbys();
  const lock = waiting.query('SELECT pg_advisory_lock(hashtext($1))', [SLOT]);
  await database.until(`SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()`);

  const together = await seeStandbys();

  await holder.query('SELECT pg_advisory_unlock_all()');
  await lock;
  await waiting.query('SELECT pg_advisory_unlock_all()');
  expect([alone, together]).toEqual([{ type: 'standbys.seen', count: 0 }, { type: 'standbys.seen', count: 1 }]);
});

test('who waits for the storage of this database stands by, under a name that Postgres cuts off', async () => {
  const standby = createPool({ target: targetOf(database.url), applicationName: standbyName(SLOT), max: 1 });
  const other = createPool({ target: targetOf(database.url), applicationName: standbyName('electric_slot_other'), max: 1 });
  const elsewhere = createPool({ target: targetOf(await serverUrl()), applicationName: standbyName(SLOT), max: 1 });
  await Promise.all([standby.open(), other.open(), elsewhere.open()]);

  const seen = await seeStandbys();

  await Promise.all([standby.close(), other.close(), elsewhere.close()]);
  expect(seen).toEqual({ type: 'standbys.seen', count: 1 });
});

test('what has committed lies before the place in the WAL that is told', async () => {
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
  const [row] = await database.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');

  const seen = await port.ask({ type: 'seeWal' });

  expect(compareLsn(seen['lsn'] as never, lsnFromPostgres(row?.lsn ?? '0/0'))).toBeGreaterThanOrEqual(0);
});

test('a pool that is closed tells nothing', async () => {
  const closed = createPool({ target: targetOf(database.url), applicationName: 'armature admin', max: 1 });
  const asked = await openPort(sleepPort({ pool: closed, slot: SLOT }));

  expect([await asked.ask({ type: 'seeStandbys' }), await asked.ask({ type: 'seeWal' })]).toEqual([
    { type: 'standbys.unseen' }, { type: 'wal.unseen' },
  ]);
});
