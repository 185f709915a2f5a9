/**
 * The built service on a file system that becomes read-only by itself, as one does whose device has failed: under load, with clients that
 * follow. What is stored is served and health says why nothing else is; it can be stopped, and behind the repair all goes on.
 */
import { once } from 'node:events';
import { Shape, ShapeStream } from '@electric-sql/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceOptions, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { mountSmallDevice, whyNoDevice, type SmallDevice } from '../support/storage/small-file-system.ts';

const reason = whyNoDevice();
const leaving = new AbortController();
let database: TestDatabase;
let disk: SmallDevice;
let service: ServiceProcess;

beforeAll(async () => {
  if (reason !== undefined) return;
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  await database.query("INSERT INTO items SELECT i, 'stored' FROM generate_series(1, 100) i");
  disk = mountSmallDevice(30);
  service = await startServiceProcess(options());
});

afterAll(async () => {
  if (reason !== undefined) return;
  leaving.abort();
  await service.kill();
  disk.remove();
  await database.drop();
});

function options(port?: number): ServiceOptions {
  const environment = { ARMATURE_LONG_POLL_TIMEOUT: '2000' };
  return { databaseUrl: database.url, storageDirectory: `${disk.directory}/data`, environment, ...(port === undefined ? {} : { port }) };
}

async function health(): Promise<{ status: string; cause?: string }> {
  return (await (await fetch(`${service.url}/v1/health`)).json()) as { status: string; cause?: string };
}

async function titles(): Promise<readonly string[]> {
  return (await database.query<{ title: string }>('SELECT title FROM items')).map(({ title }) => title).sort();
}

function titlesOf(rows: Iterable<Readonly<Record<string, unknown>>>): readonly string[] {
  return [...rows].map(({ title }) => String(title)).sort();
}

const title = `read-only under load: served, told, stopped, repaired, and gone on with (${reason ?? 'on ext4'})`;

test.skipIf(reason !== undefined)(title, async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const stream = new ShapeStream({ url: service.shapeUrl, params: { table: 'items' }, signal: leaving.signal });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  const client = new Shape(stream);
  for (let round = 0; round < 20; round += 1) {
    await database.query(`UPDATE items SET title = 'round ${round}, ' || id WHERE id % 20 = ${round}`);
    if (round === 10) disk.abort();
  }
  const cause = expect.stringContaining('EROFS: the file system is read-only') as string;
  await expect.poll(health).toEqual({ status: 'starting', cause });
  const anew = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const refused = await fetch(`${service.shapeUrl}?table=items&offset=-1&where=id%3E7`);
  const { code } = (await refused.json()) as { code?: string };

  service.child.kill('SIGTERM');
  if (service.child.exitCode === null) await once(service.child, 'exit');
  const { exitCode } = service.child;
  const says = service.output();
  disk.repair();
  service = await startServiceProcess(options(Number(new URL(service.url).port)));
  await expect.poll(async () => titlesOf((await follower.catchUp()).rows.values())).toEqual(await titles());
  await expect.poll(() => titlesOf(client.currentRows)).toEqual(await titles());

  expect({ rows: anew.rows.size, handle: anew.handle, refused: refused.status, code, exitCode, refetches: follower.refetches }).toEqual({
    rows: 100, handle: follower.handle, refused: 503, code: 'storage_refused', exitCode: 1, refetches: 0,
  });
  expect(says).toMatch(/could not close in good order: cannot .*: EROFS|cannot .*: EROFS\n$/);
});
