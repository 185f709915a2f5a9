/**
 * A disk that refuses holds the service still: what is stored is served, nothing is told to Postgres or to readers that is not durable,
 * and it goes on by itself. One that fails for good ends it: it must not go on over a log, or beside files, that stand still.
 */
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { QuickClock } from '../support/service/quick-clock.ts';
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
  const clock = new QuickClock();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  directory = temporaryDirectory();
  const flags = { 'storage-dir': directory, 'prometheus-port': '0' };
  service = await startServiceInProcess({ databaseUrl: database.url, flags, world: { disk, clock } });
  clock.hurry();
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

/** Which files, and how long a title must be for its line to lie there. */
const KINDS: readonly [string, string, number][] = [
  ['the log does not sync', '.log', 1], ["a shape's files do not sync", '.lines', 20_000], ['a pack does not sync', '.pack', 1],
];

test.each(KINDS)('one commit, and %s for good: the service ends, and gives back what it had of Postgres', async (_, ending, length) => {
  disk.failSyncs(ending, 'EBADF');
  await database.query(`INSERT INTO items VALUES (1, repeat('n', ${length}))`);

  expect(await service.ended).toMatch(/gave up: .*could not close in good order: cannot sync .*: EBADF/);
  await expect.poll(connections).toBe(0);
});

/** Of those that write, or stand on what is written. */
const NAMES = ['@log-writer', '@checkpoints', '@replication', '@shape-cache', '@http'] as const;
const pids = () => NAMES.map((name) => service.runtime.whereis(name));

async function health(): Promise<{ status: number; body: { status: string; cause?: string } }> {
  const response = await fetch(`${service.url}/v1/health`);
  return { status: response.status, body: (await response.json()) as { status: string; cause?: string } };
}

test.each(KINDS)('%s for a while: the stored is served, new shapes are refused, health says why, it goes on', async (_, ending, length) => {
  const processes = pids();
  disk.failSyncs(ending, 'ENOSPC');
  await database.query(`INSERT INTO items VALUES (1, repeat('l', ${length}))`);
  await expect.poll(async () => (await health()).status).toBe(202);
  await database.query("INSERT INTO items VALUES (2, 'later')");
  const [anew, fresh, told] = await Promise.all([
    new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp(),
    fetch(`${service.shapeUrl}?table=items&offset=-1&where=id%3E7`),
    health(),
  ]);
  const refused = { status: fresh.status, retryAfter: fresh.headers.get('retry-after'), body: await fresh.json() };
  disk.heal();
  await expect.poll(health).toEqual({ status: 200, body: { status: 'active' } });
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);

  const since = '^the disk refuses what is to be stored since \\d{4}-[-0-9T:.]+Z: ENOSPC: no space is left on the device; ';
  const message = expect.stringMatching(/^The storage takes nothing/) as string;
  expect({ told, refused, handles: [anew.handle, follower.refetches], processes: pids() }).toEqual({
    told: {
      status: 202,
      body: { status: 'starting', cause: expect.stringMatching(`${since}cannot sync .*\\${ending}: ENOSPC; `) as string },
    },
    refused: { status: 503, retryAfter: '5', body: { code: 'storage_refused', message } },
    handles: [follower.handle, 0],
    processes,
  });
});

test('a snapshot that the disk refuses is refused to its clients alone, and counted', async () => {
  await database.query("INSERT INTO items VALUES (9, repeat('more than a record takes', 1000))");
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(1);
  disk.failMaking('.snapshot', 'EROFS');
  const active = { status: 200, body: { status: 'active' } };
  const response = await fetch(`${service.shapeUrl}?table=items&offset=-1&where=id%3E7`);
  const body = (await response.json()) as { code?: string };
  const text = await (await fetch(service.metricsUrl ?? '')).text();
  expect(await health()).toEqual(active);
  disk.heal();
  const again = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id>7' }).catchUp();
  await database.query("INSERT INTO items VALUES (8, 'for both')");

  await expect.poll(async () => [(await follower.catchUp()).rows.size, (await again.catchUp()).rows.size]).toEqual([2, 2]);
  const refused = { status: response.status, code: body.code, retryAfter: response.headers.get('retry-after') };
  expect({ refused, refetches: follower.refetches }).toEqual({
    refused: { status: 503, code: 'storage_refused', retryAfter: '10' }, refetches: 0,
  });
  expect(text).toMatch(/^armature_storage_refused_total\{code="EROFS"\} [1-9]/m);
});

test('a disk that is slow is told of while the service is active, and costs nothing but time', async () => {
  disk.delaySyncs('.log');
  await database.query("INSERT INTO items VALUES (1, 'slow')");

  const cause = expect.stringMatching(/^the disk is slow: it has been at one sync of .*\.log for \d+ s; nothing is lost/) as string;
  await expect.poll(health).toEqual({ status: 200, body: { status: 'active', cause } });
  const anew = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  disk.heal();

  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(1);
  expect([anew.handle, follower.refetches, await health()]).toEqual([follower.handle, 0, { status: 200, body: { status: 'active' } }]);
});

test('it stops in time while the disk refuses, and says what it could not do', async () => {
  disk.failSyncs('.log');
  await database.query("INSERT INTO items VALUES (1, 'never durable here')");
  await expect.poll(async () => (await health()).status).toBe(202);

  await expect(service.stop()).rejects.toThrow(/cannot sync .*\.log: EIO/);
  await expect.poll(connections).toBe(0);
});

/** Where the files of a shape lie; more than one shape may have theirs there. */
function directoryOf(handle = ''): string {
  const shapes = readdirSync(join(directory, 'shapes'), { recursive: true, encoding: 'utf8' });
  return join(directory, 'shapes', dirname(shapes.find((path) => path.includes(handle)) ?? ''));
}

test('a shape whose files are damaged is made anew, and no other', async () => {
  await database.query("INSERT INTO items VALUES (9, repeat('more than a record takes', 1000))");
  const first = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id > 1' }).catchUp();
  const { handle = '' } = first;
  let other = first;
  for (let id = 0; directoryOf(other.handle) === directoryOf(handle); id -= 1) {
    other = await new ShapeFollower(service.shapeUrl, { table: 'items', where: `id > ${id}` }).catchUp();
  }
  rmSync(directoryOf(handle), { recursive: true });
  await database.query("INSERT INTO items VALUES (2, repeat('for both, more than a pack takes', 1000))");
  await other.catchUp();

  await expect.poll(async () => (await first.catchUp()).refetches).toBe(1);
  await expect.poll(async () => (await other.catchUp()).rows.size).toBe(2);
  expect({ rows: first.rows, isNew: first.handle !== handle, refetches: other.refetches }).toEqual({
    rows: other.rows,
    isNew: true,
    refetches: 0,
  });
});

test('a shape whose file alone the device fails is made anew after a moment, and nobody waits for it', async () => {
  const other = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id > 0' }).catchUp();
  const { handle = '' } = follower;
  disk.failSyncs(`${handle}.lines`);
  await database.query("INSERT INTO items VALUES (1, 'for both')");
  const levels = new Set<number>();
  for (let id = 2; (await follower.catchUp()).refetches === 0; id += 1) {
    await database.query(`INSERT INTO items VALUES (${id}, 'meanwhile')`);
    levels.add((await health()).status);
  }
  const rows = await database.query('SELECT id FROM items');
  await expect.poll(async () => (await other.catchUp()).rows.size).toBe(rows.length);
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(rows.length);

  expect({ levels: [...levels], refetches: [follower.refetches, other.refetches], isNew: follower.handle !== handle }).toEqual({
    levels: [200], refetches: [1, 0], isNew: true,
  });
});
