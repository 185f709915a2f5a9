/**
 * A service that is killed while Postgres makes its slot, which an open transaction holds up. What it leaves behind is a process of
 * Postgres that still makes that slot, for nobody: the next service must not meet it. (In the scenario the lock is held by that process
 * too; here the lock has a session of its own, which does nothing and so ends at once.)
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startOwnCluster, type OwnCluster } from '../support/operations/own-cluster.ts';
import type { TestDatabase } from '../support/postgres/postgres.ts';
import { healthOf, spawnService, untilActive } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let cluster: OwnCluster;
let database: TestDatabase;
let directory: string;

beforeAll(async () => {
  cluster = await startOwnCluster('CREATE TABLE items (id integer PRIMARY KEY)');
  ({ database, directory } = cluster);
});
afterAll(() => cluster.remove());

const MAKERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender' AND wait_event_type = 'Lock'";

test('replication-slot-self-conflict: who is started anew makes the slot, and none is left of the attempt before', async () => {
  const writer = await database.session();
  await writer.query('BEGIN; INSERT INTO items VALUES (1)');
  const options = { databaseUrl: database.url, storageDirectory: `${directory}/storage` };
  const first = await spawnService(options);
  await database.until(MAKERS);
  const [before] = await database.query<{ pid: number }>(MAKERS);
  await first.kill();

  const second = await spawnService(options);
  await database.until(`${MAKERS} AND pid <> ${before?.pid}`);
  const makers = await database.query(MAKERS);
  const status = await healthOf(second);
  await writer.query('ROLLBACK');
  await untilActive(second);
  const follower = await new ShapeFollower(second.shapeUrl, { table: 'items' }).catchUp();
  await database.query('INSERT INTO items VALUES (2)');
  await expect.poll(async () => (await follower.catchUp()).sorted()).toEqual([{ id: '2' }]);

  await second.stop();
  expect({ makers: makers.length, status }).toEqual({ makers: 1, status: 'starting' });
});
