/** The same at the beginning, across the middle and near the end of the WAL's 64 bits: LSNs are counted as Postgres counts them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { createDatabaseOn, type TestDatabase } from '../support/postgres/postgres.ts';
import { binariesWithResetWal, goOnAt } from '../support/operations/wal-position.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { startServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const directory = temporaryDirectory();
const cluster = `${directory}/postgres`;
let postgres: EmbeddedPostgres;

beforeAll(() => startServer());
afterAll(async () => {
  await postgres.stop();
  removeDirectory(directory);
});

async function startServer(): Promise<void> {
  postgres = await startPostgres({ directory: cluster, settings: { fsync: 'off' }, binaries: binariesWithResetWal() });
}

async function moveTo(segment: string): Promise<void> {
  await postgres.stop();
  goOnAt(cluster, segment);
  await startServer();
}

/** The first half of the LSN in an offset, as Postgres writes it. */
function halfOf(offset: string): string {
  return (BigInt(offset.split('_')[0] ?? '') >> 32n).toString(16).toUpperCase();
}

/** Ten rows of a snapshot, ten in the segment where the WAL stands, and ten two segments later; a restart in between. */
async function followed(database: TestDatabase, name: string) {
  await database.query('CREATE TABLE items (id integer PRIMARY KEY); INSERT INTO items SELECT generate_series(1, 10)');
  const environment = { ARMATURE_LONG_POLL_TIMEOUT: '500' };
  const options = { databaseUrl: database.url, storageDirectory: `${directory}/${name}`, environment };
  const first = await startServiceProcess(options);
  const follower = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();
  await database.query('INSERT INTO items SELECT generate_series(11, 20)');
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(20);
  const early = halfOf(follower.offset);
  await first.stop();
  for (let segment = 0; segment < 2; segment += 1) await database.query("SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()");
  await database.query('INSERT INTO items SELECT generate_series(21, 30)');
  const second = await startServiceProcess({ ...options, port: Number(new URL(first.url).port) });
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(30);
  await second.stop();
  return { halves: [early, halfOf(follower.offset)], refetches: follower.refetches };
}

test.each([
  ['at the beginning', undefined, ['0', '0']],
  ['across the middle', '000000017FFFFFFF000000FE', ['7FFFFFFF', '80000000']],
  ['near the end', '00000001FFFFFFFF000000E0', ['FFFFFFFF', 'FFFFFFFF']],
])('replication-lifetime: rows follow %s of the WAL, over a restart too', async (name, segment, halves) => {
  if (segment !== undefined) await moveTo(segment);
  const database = await createDatabaseOn(postgres.url);

  const seen = await followed(database, name);

  await database.drop();
  expect(seen).toEqual({ halves, refetches: 0 });
});
