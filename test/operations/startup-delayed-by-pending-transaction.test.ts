/**
 * A transaction that is open while the first service starts holds up its slot, as does each that begins before the slot stands; once there
 * is one, no open transaction holds up a start. The second instance has a storage of its own here, so that it would make the slot anew: it
 * is the first that comes back beside an open one.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startOwnCluster, type OwnCluster } from '../support/operations/own-cluster.ts';
import type { TestDatabase } from '../support/postgres/postgres.ts';
import { healthOf, spawnService, startServiceProcess, untilActive } from '../support/service/service-process.ts';

let cluster: OwnCluster;
let database: TestDatabase;
let directory: string;

beforeAll(async () => {
  cluster = await startOwnCluster('CREATE TABLE items (id serial PRIMARY KEY)');
  ({ database, directory } = cluster);
});
afterAll(() => cluster.remove());

const start = (storage: string) => spawnService({ databaseUrl: database.url, storageDirectory: `${directory}/${storage}` });

test('startup-delayed-by-pending-transaction: the first start waits for it and answers, the next one waits for none', async () => {
  const [early, late] = [await database.session(), await database.session()];
  await early.query('BEGIN; INSERT INTO items DEFAULT VALUES');
  const first = await start('first');
  await database.until("SELECT FROM pg_stat_activity WHERE backend_type = 'walsender' AND wait_event_type = 'Lock'");
  const second = await start('second');
  await expect.poll(() => healthOf(second)).toBe('waiting');
  const delayed = await healthOf(first);

  await early.query('COMMIT');
  await untilActive(first);
  await late.query('BEGIN; INSERT INTO items DEFAULT VALUES');
  const beside = await healthOf(second);
  await second.stop();
  await first.kill();
  const again = await startServiceProcess({ databaseUrl: database.url, storageDirectory: `${directory}/first` });
  const afterwards = await healthOf(again);
  await late.query('COMMIT');

  await again.stop();
  expect({ delayed, beside, afterwards }).toEqual({ delayed: 'starting', beside: 'waiting', afterwards: 'active' });
});
