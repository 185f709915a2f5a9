/**
 * rolling-deploy: a second instance is started on the storage of the first, and the first is stopped.
 *
 * Otherwise than in the scenario, a read at the end of what is stored says that it is up to date, as every instance that waits does: the
 * LSN beside it is that of the shape itself.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { healthOf, spawnService, startServiceProcess, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-rolling-'));
let database: TestDatabase;
const services: ServiceProcess[] = [];

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id integer PRIMARY KEY, title text);
    INSERT INTO items SELECT n, 'first' FROM generate_series(1, 10) AS n;
    CREATE TABLE others (id integer PRIMARY KEY)`);
});

afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

const options = () => ({ databaseUrl: database.url, storageDirectory });

async function waiting(): Promise<ServiceProcess> {
  const service = await spawnService(options());
  services.push(service);
  await expect.poll(() => healthOf(service)).toBe('waiting');
  return service;
}

async function cause({ url }: ServiceProcess): Promise<{ status: number; cause: string }> {
  const response = await fetch(`${url}/v1/health`);
  const { cause: told } = (await response.json()) as { cause: string };
  return { status: response.status, cause: told };
}

const rows = () => database.query('SELECT id::text, title FROM items ORDER BY items.id');
type Item = Readonly<Record<string, string | null>>;
const byId = (left: Item, right: Item) => Number(left['id']) - Number(right['id']);

test('rolling-deploy: the second serves what is stored, takes over when the first ends, and clients carry on', async () => {
  const first = await startServiceProcess(options());
  services.push(first);
  const follower = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();
  const handle = follower.handle ?? '';
  const second = await waiting();

  const handleOfSecond = async () => (await readShape(second.shapeUrl, { table: 'items', offset: '-1' })).handle;
  await expect.poll(handleOfSecond).toBe(handle);
  await expect.poll(() => cause(second)).toEqual({ status: 202, cause: expect.stringMatching(new RegExp(
    `^another instance works in the storage: process ${first.child.pid} on .+, seen there since [-0-9T:.]+Z, and the lock is held by ` +
      'process \\d+ of Postgres, application "armature lock", .+; this one serves what is stored, and takes over when that has ended$',
  )) as string });
  const missing = await readShape(second.shapeUrl, { table: 'missing', offset: '-1' });
  const live = readShape(second.shapeUrl, { table: 'items', offset: '0_inf', handle, live: 'true' });
  await database.query("INSERT INTO items VALUES (11, 'while the second waits')");
  const seen = await live;
  await follower.catchUp();
  const parked = readShape(second.shapeUrl, { table: 'items', offset: seen.offset ?? '', handle, live: 'true' });
  const exit = await first.stop();
  await untilActive(second);
  await database.query("INSERT INTO items VALUES (12, 'behind the hand-over')");
  const { offset } = follower;
  const next = await readShape(second.shapeUrl, { table: 'items', offset, handle, live: 'true' });
  const whole = await new ShapeFollower(second.shapeUrl, { table: 'items' }).catchUp();

  expect({
    missing: [missing.status, missing.text.includes('does not exist')], exit,
    seen: [seen.status, seen.messages[0]?.value], parked: (await parked).status,
    next: [next.status, next.handle, next.messages[0]?.value],
    whole: [whole.handle, [...whole.rows.values()].sort(byId)],
  }).toEqual({
    missing: [400, true],
    exit: 0,
    seen: [200, { id: '11', title: 'while the second waits' }],
    parked: 200,
    next: [200, handle, { id: '12', title: 'behind the hand-over' }],
    whole: [handle, await rows()],
  });
});
