/**
 * What comes from Postgres is held back for longer than its `wal_sender_timeout`, since a full disk takes nothing: Postgres hears all the
 * same that somebody is there, and keeps the connection. When there is room, what was held back arrives over it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { healthOf, startServiceProcess, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { mountSmallFileSystem, type SmallFileSystem } from '../support/storage/small-file-system.ts';

const TIMEOUT_MS = 2_000;
let database: TestDatabase;
let disk: SmallFileSystem;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
  await database.query(`ALTER DATABASE ${database.name} SET wal_sender_timeout = ${TIMEOUT_MS}`);
  disk = mountSmallFileSystem(30);
  const environment = { ARMATURE_LONG_POLL_TIMEOUT: '500' };
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory: disk.directory, environment });
});
afterAll(async () => {
  await service.kill();
  disk.remove();
  await database.drop();
});

interface Sender {
  readonly pid: number;
  readonly isBehind: boolean;
}

async function sender(): Promise<Sender | undefined> {
  const [row] = await database.query<{ pid: number; isBehind: boolean }>(`
    SELECT r.pid, r.flush_lsn < r.sent_lsn AS "isBehind" FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid
    WHERE s.database = current_database()`);
  return row;
}

test('replication-keepalive-during-backpressure: the connection outlives it, and brings what was held back', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const before = await sender();
  disk.fill();
  await database.query('INSERT INTO items SELECT generate_series(1, 10000)');
  await expect.poll(() => healthOf(service)).toBe('starting');

  await database.query(`SELECT pg_sleep(${(2.5 * TIMEOUT_MS) / 1000})`); // It is time itself that is tried here: that of Postgres.
  const held = await sender();
  disk.empty();
  await untilActive(service);

  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(10_000);
  expect({ held, after: (await sender())?.pid, refetches: follower.refetches, output: service.output() }).toEqual({
    held: { pid: before?.pid, isBehind: true }, after: before?.pid, refetches: 0,
    output: expect.not.stringContaining('replication.ended'),
  });
});
