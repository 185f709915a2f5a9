/** A disk that takes nothing more ends the service: it must not go on over a log, or beside files, that stand still. */
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';
import { failingDisk, type FailingDisk } from '../support/storage/failing-disk.ts';

let database: TestDatabase;
let disk: FailingDisk;
let service: ServiceInProcess;
let directory: string;
let follower: ShapeFollower;

beforeEach(async () => {
  database = await createDatabase();
  disk = failingDisk();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  directory = temporaryDirectory();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory }, world: { disk } });
  follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
});

afterEach(async () => {
  await service.remove().catch(() => {}); // It has ended, and not in good order.
  removeDirectory(directory);
  await database.drop();
});

/** Connections of the service that are still there. */
async function connections(): Promise<number> {
  const [row] = await database.query<{ count: string }>(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'armature%'",
  );
  return Number(row?.count);
}

test.each([
  ['the log does not sync', '.log'],
  ["a shape's files do not sync", '.lines'],
])('one commit, and %s: the service ends, and gives back what it had of Postgres', async (_, ending) => {
  disk.failSyncs(ending);
  await database.query("INSERT INTO items VALUES (1, 'never durable')");

  expect(await service.ended).toMatch(/gave up: .*could not close in good order: cannot sync .*: EIO/);
  await expect.poll(connections).toBe(0);
});

/** Where the files of a shape lie; more than one shape may have theirs there. */
function directoryOf(handle = ''): string {
  const shapes = readdirSync(join(directory, 'shapes'), { recursive: true, encoding: 'utf8' });
  return join(directory, 'shapes', dirname(shapes.find((path) => path.includes(handle)) ?? ''));
}

test('a shape whose files are damaged is made anew, and no other', async () => {
  const { handle = '' } = follower;
  let other = follower;
  for (let id = 0; directoryOf(other.handle) === directoryOf(handle); id -= 1) {
    other = await new ShapeFollower(service.shapeUrl, { table: 'items', where: `id > ${id}` }).catchUp();
  }
  rmSync(directoryOf(handle), { recursive: true });
  await database.query("INSERT INTO items VALUES (1, 'for both')");
  await other.catchUp();

  await expect.poll(async () => (await follower.catchUp()).refetches).toBe(1);
  await expect.poll(async () => (await other.catchUp()).rows.size).toBe(1);
  expect({ rows: follower.rows, isNew: follower.handle !== handle, refetches: other.refetches }).toEqual({
    rows: other.rows,
    isNew: true,
    refetches: 0,
  });
});
