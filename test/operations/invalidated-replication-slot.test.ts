/**
 * Postgres gives up the slot of a service that is there and does not read: it ends the walsender, and removes what the slot needed. Nobody
 * has to help: the slot is made anew, old handles are a 409, and all is followed again.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { createDatabaseOn, type TestDatabase } from '../support/postgres/postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { startServiceProcess, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const directory = temporaryDirectory();
let postgres: EmbeddedPostgres;
let database: TestDatabase;
let service: ServiceProcess;

beforeAll(async () => {
  // Room for one more segment of WAL than is in use.
  const settings = { fsync: 'off', max_slot_wal_keep_size: '1MB', max_wal_size: '32MB', min_wal_size: '32MB' };
  postgres = await startPostgres({ directory: clusterDirectory(), settings });
  database = await createDatabaseOn(postgres.url);
  await database.query('CREATE TABLE items (id integer PRIMARY KEY); INSERT INTO items VALUES (1)');
  service = await startServiceProcess({
    databaseUrl: database.url, storageDirectory: `${directory}/storage`, environment: { ARMATURE_LONG_POLL_TIMEOUT: '500' },
  });
});
afterAll(async () => {
  await service.stop();
  await database.drop();
  await postgres.stop();
  removeDirectory(directory);
});

async function loseSlot(): Promise<void> {
  for (let segment = 0; segment < 4; segment += 1) {
    await database.query("SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()");
    await database.query('CHECKPOINT');
  }
  await database.until("SELECT FROM pg_replication_slots WHERE database = current_database() AND wal_status = 'lost'");
}

test('invalidated-replication-slot: what it would have brought is fetched anew, with a new handle, and all goes on', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const { handle = '', offset } = follower;
  service.child.kill('SIGSTOP');
  await database.query('INSERT INTO items VALUES (2)');
  await loseSlot();

  service.child.kill('SIGCONT');

  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);
  await untilActive(service);
  await database.query('INSERT INTO items VALUES (3)');
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(3);
  const old = await readShape(service.shapeUrl, { table: 'items', handle, offset });
  expect({ refetches: follower.refetches, old: [old.status, old.handle], output: service.output() }).toEqual({
    refetches: 1,
    old: [409, follower.handle],
    output: expect.stringMatching(/"msg":"replication\.ended".*[^]*"why":"Postgres has given up the replication slot/),
  });
});
