/**
 * A slot that does not go on where the stored shapes end: dropped, or given up by Postgres. No shape
 * may go on over the gap, and nobody may have to help.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';
import { clusterDirectory } from '../../support/postgres/cluster-directory.ts';
import { createDatabaseOn, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startPostgres } from '../../support/postgres/start-postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';
import { untilStored } from '../../support/service/stored-shapes.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-new-slot-'));
let postgres: EmbeddedPostgres;
let database: TestDatabase;

beforeAll(async () => {
  // Room for one more segment of WAL than is in use: then the slot of whoever is away is given up.
  const settings = { fsync: 'off', max_slot_wal_keep_size: '1MB', max_wal_size: '32MB', min_wal_size: '32MB' };
  postgres = await startPostgres({ directory: clusterDirectory(), settings });
  database = await createDatabaseOn(postgres.url);
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
});

afterAll(async () => {
  await database.drop();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

const SLOT = 'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()';

function start(storage: string): Promise<ServiceInProcess> {
  return startServiceInProcess({
    databaseUrl: database.url,
    flags: { 'storage-dir': join(directory, storage), 'long-poll-timeout': '500' },
  });
}

/** Follows the table while the service is there, again after what happens in its absence. */
async function followOver(storage: string, absence: () => Promise<unknown>) {
  const before = await start(storage);
  const { handle } = await new ShapeFollower(before.shapeUrl, { table: 'items' }).catchUp();
  await untilStored(before);
  await before.stop();
  await absence();
  await database.query('INSERT INTO items SELECT coalesce(max(id), 0) + 1 FROM items');
  const after = await start(storage);
  const follower = await new ShapeFollower(after.shapeUrl, { table: 'items' }).catchUp();
  await database.query('INSERT INTO items SELECT max(id) + 1 FROM items');
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe((await database.query('SELECT FROM items')).length);
  const { handle: later } = follower;
  await after.remove();
  return { isKept: later === handle };
}

test('a slot that ends with the service leaves nothing in Postgres', async () => {
  const service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'cleanup-replication-slots-on-shutdown': true } });
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const before = follower.rows.size;
  await database.query('INSERT INTO items SELECT coalesce(max(id), 0) + 1 FROM items');
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(before + 1);

  await service.remove();

  await expect.poll(() => database.query(SLOT)).toEqual([]);
});

const loseSlot = async () => {
  await database.query('CREATE TABLE IF NOT EXISTS filler (text text)');
  for (let round = 0; round < 6; round += 1) {
    await database.query("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 1000); SELECT pg_switch_wal()");
    await database.query('CHECKPOINT');
  }
  await database.until("SELECT FROM pg_replication_slots WHERE database = current_database() AND wal_status = 'lost'");
};

test.each([
  ['goes on', 'that nobody touched', 'kept', async () => {}, true],
  [
    'begins anew',
    'that was dropped',
    'dropped',
    () => database.query('SELECT pg_drop_replication_slot(slot_name) FROM (' + SLOT + ') slots'),
    false,
  ],
  ['begins anew', 'that Postgres has given up', 'lost', loseSlot, false],
] as const)(
  'a shape %s on a slot %s',
  async (_, __, storage, absence, isKept) => {
    expect(await followOver(storage, absence)).toEqual({ isKept });
  },
);
