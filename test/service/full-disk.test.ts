/**
 * The built service on a real file system that is full: while clients follow and others write. What is stored is served, health says
 * why nothing else is, Postgres is told nothing that is not durable; and when there is room, all goes on by itself.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Shape, ShapeStream } from '@electric-sql/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';
import { hurry, QUICK_TIME, QUICK_TIME_LATER } from '../support/service/quick-time.ts';
import { spawnService, startServiceProcess, type ServiceOptions, type ServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';
import { mountSmallFileSystem, type SmallFileSystem } from '../support/storage/small-file-system.ts';

const LONG_POLL_MS = 2_000;
const ROW = 'md5(random()::text)';
/** Together a third of the disk, some 10 kB each: beside a snapshot they meet one that is full, and by themselves they find room. */
const WRITES_MAX = 1_000;
let database: TestDatabase;
let disk: SmallFileSystem;
let service: ServiceProcess;
const leaving = new AbortController();

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id serial PRIMARY KEY, title text)');
  await database.query(`INSERT INTO items (title) SELECT ${ROW} FROM generate_series(1, 100)`);
  disk = mountSmallFileSystem(30);
  service = await startServiceProcess(options(QUICK_TIME_LATER));
  hurry(service);
});

afterAll(async () => {
  leaving.abort();
  await service.kill();
  disk.remove();
  await database.drop();
});

function options(time = QUICK_TIME): ServiceOptions {
  const environment = { ...time, ARMATURE_LONG_POLL_TIMEOUT: String(LONG_POLL_MS) };
  return { databaseUrl: database.url, storageDirectory: disk.directory, environment };
}

interface Health {
  readonly status: string;
  readonly cause?: string;
}

async function health(): Promise<Health> {
  return (await (await fetch(`${service.url}/v1/health`)).json()) as Health;
}

/** How often the service has said that its disk takes something again. */
function recoveries(): number {
  return service.output().split('storage.recovered').length - 1;
}

async function refusedNewShape(): Promise<{ status: number; code: unknown; retryAfter: string | null }> {
  const response = await fetch(`${service.shapeUrl}?table=items&offset=-1&where=id%3E7`);
  const { code } = (await response.json()) as { code?: unknown };
  return { status: response.status, code, retryAfter: response.headers.get('retry-after') };
}

/** How far Postgres was told that it may forget, and when it has heard of the service last. */
async function told(): Promise<{ confirmed: string; heardAt: string }> {
  const [row] = await database.query<{ confirmed: string; heardAt: string }>(
    `SELECT s.confirmed_flush_lsn::text AS confirmed, r.reply_time::text AS "heardAt"
     FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = $1`,
    [`electric_slot_${streamIdOf(database.url)}`],
  );
  return row ?? { confirmed: 'nobody streams', heardAt: '' };
}

/** What the table has, in short. */
async function selected(): Promise<string> {
  const rows = await database.query<{ id: string; title: string }>('SELECT id::text, title FROM items');
  return digestOf(rows);
}

function digestOf(rows: Iterable<Readonly<Record<string, string | null>>>): string {
  const lines = Array.from(rows, ({ id, title }) => `${id} ${title}`).sort();
  return `${lines.length} rows, ${createHash('md5').update(lines.join('\n')).digest('hex')}`;
}

/** Follows as a client does, until it has what the table has. */
async function expectAllRows(follower: ShapeFollower): Promise<void> {
  await expect.poll(async () => digestOf((await follower.catchUp()).rows.values())).toBe(await selected());
}

const FULL: Health = { status: 'starting', cause: expect.stringContaining('ENOSPC: no space is left on the device') as string };

test('full while it is written to: what is stored is served, and all that was written meanwhile arrives when there is room', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const stream = new ShapeStream({ url: service.shapeUrl, params: { table: 'items' }, signal: leaving.signal });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  const client = new Shape(stream);
  disk.fill();
  await database.query(`INSERT INTO items (title) SELECT ${ROW} FROM generate_series(1, 1000)`);
  await expect.poll(health).toEqual(FULL);

  const before = await told();
  await database.query(`UPDATE items SET title = ${ROW} WHERE id < 500`);
  const { handle = '', offset } = follower;
  const [anew, polled, refused] = await Promise.all([
    new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp(),
    readShape(service.shapeUrl, { table: 'items', handle, offset, live: 'true' }),
    refusedNewShape(),
  ]);
  await expect.poll(async () => (await told()).heardAt).not.toBe(before.heardAt);
  const after = await told();
  disk.empty();
  await expect.poll(health).toEqual({ status: 'active' });
  await expectAllRows(follower);
  await expect.poll(() => client.currentRows.length).toBe(1_100);

  expect({
    rows: anew.rows.size, handles: [anew.handle, follower.handle], polled: polled.status, refused,
    confirmed: after.confirmed, refetches: follower.refetches,
  }).toEqual({
    rows: 100, handles: [handle, handle], polled: 503, refused: { status: 503, code: 'storage_refused', retryAfter: '5' },
    confirmed: before.confirmed, refetches: 0,
  });
});

test('a snapshot that does not fit, while others write: it is refused, and all goes on with nobody making room', async () => {
  await database.query('CREATE TABLE large (id integer PRIMARY KEY, body text)');
  await database.query(`INSERT INTO large SELECT i, repeat(md5(i::text), 32768) FROM generate_series(1, 40) i`);
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  let status: number | undefined;
  const large = fetch(`${service.shapeUrl}?table=large&offset=-1`).then(async (response) => {
    await response.arrayBuffer().catch(() => {}); // It is broken off where the rows end that there was room for.
    status = response.status;
  });
  for (let writes = 0; status === undefined && writes < WRITES_MAX; writes += 1) {
    await database.query(`UPDATE items SET title = ${ROW} WHERE id <= 30`);
  }
  await large;

  await expect.poll(health).toEqual({ status: 'active' });
  await expectAllRows(follower);
  expect(follower.refetches).toBe(0);
});

test('killed, and started while the disk is full: what is stored is served, and with room it goes on where it was', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await service.kill();
  disk.fill();
  service = await spawnService(options());
  await expect.poll(() => health().catch(() => undefined)).toEqual(FULL);
  const served = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await database.query(`INSERT INTO items (title) SELECT ${ROW} FROM generate_series(1, 1000)`);
  const refused = await refusedNewShape();
  disk.empty();
  await expect.poll(health).toEqual({ status: 'active' });
  const again = new ShapeFollower(service.shapeUrl, { table: 'items' });
  await expectAllRows(again);

  expect({ served: [served.handle, served.rows.size], refused: refused.status, handle: again.handle }).toEqual({
    served: [follower.handle, follower.rows.size], refused: 503, handle: follower.handle,
  });
});

test('started while the disk is full, without the room that it keeps for that: it says so in a sentence', async () => {
  await service.kill();
  rmSync(`${disk.directory}/reserve.new`, { force: true });
  disk.fill();
  const refused = await spawnService(options());
  if (refused.child.exitCode === null) await once(refused.child, 'exit');
  disk.empty();

  expect(refused.output()).toMatch(/\(ENOSPC: no space is left on the device\)\. Make room there, and start again\.\n$/);
});

test('full of what it was given itself, and killed then: in a larger one it goes on, under the same handle', async () => {
  service = await startServiceProcess(options());
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  for (let round = 0; round < 40; round += 1) {
    await database.query(`UPDATE items SET title = ${ROW} || repeat(${ROW}, 30) WHERE id <= 1000`);
  }
  await expect.poll(health).toEqual(FULL);
  const { handle } = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const recovered = recoveries();
  disk.resize(60);
  await expect.poll(recoveries).toBeGreaterThan(recovered); // Perhaps for a moment: more comes, and it is full again.
  await expect.poll(health).toEqual(FULL);
  await service.kill();
  disk.resize(400);
  service = await startServiceProcess(options());

  const again = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await expectAllRows(again);
  expect([handle, again.handle]).toEqual([follower.handle, follower.handle]);
});
