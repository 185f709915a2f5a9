/** Shapes that nothing touches have no process, and nobody can tell: what is written reaches them, and whatever ends a shape ends them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { consumerOf } from '../../src/actors/shape-processes.ts';
import { ShapeDirectory } from '../../src/actors/directory/shape-directory.ts';
import type { Handle } from '../../src/model/shape.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { activeAgain, startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { freePort, startServiceProcess } from '../support/service/service-process.ts';
import { scrapeUntil } from '../support/service/scraped-metrics.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const SHAPES = 12;
const DORMANT_AFTER = '50ms';

let database: TestDatabase;
let service: ServiceInProcess;
/** One for each row. */
let followers: readonly ShapeFollower[];

beforeEach(async () => {
  database = await createDatabase();
  await database.query(`CREATE TABLE items (id integer PRIMARY KEY, title text);
    INSERT INTO items SELECT n, 'old' FROM generate_series(1, ${SHAPES}) AS n`);
  const flags = { 'shape-dormant-after': DORMANT_AFTER, 'enable-deletion': true, 'publication-refresh-period': '200ms' } as const;
  service = await startServiceInProcess({ databaseUrl: database.url, flags });
  followers = await followItems(service.shapeUrl);
});
afterEach(async () => {
  await service.remove();
  await database.drop();
});

function followItems(shapeUrl: string): Promise<ShapeFollower[]> {
  const wheres = Array.from({ length: SHAPES }, (_, index) => `id = ${index + 1}`);
  return Promise.all(wheres.map((where) => new ShapeFollower(shapeUrl, { table: 'items', where }).catchUp()));
}

function directory(): ShapeDirectory | undefined {
  const table = service.runtime.tableOf('@shape-cache', 'directory');
  return table instanceof ShapeDirectory ? table : undefined;
}

/** The directory says so of so many, and their Consumers have ended. */
async function untilDormant(count = SHAPES): Promise<void> {
  const running = () => followers.filter(({ handle }) => service.runtime.whereis(consumerOf(handle as Handle)) !== undefined).length;
  await expect.poll(() => [directory()?.count('dormant'), running()]).toEqual([count, SHAPES - Math.min(count, SHAPES)]);
}

/** By the rows that they are of: whose Consumers have begun since. */
function startsOf(runtime: ServiceInProcess['runtime']): () => readonly number[] {
  const started = new Set<string>();
  runtime.lifecycle((record) => {
    if (record.type === 'spawn') started.add(record.process);
  });
  return () => followers.flatMap(({ handle }, index) => ([...started].some((pid) => pid.includes(`/${handle}#`)) ? [index + 1] : []));
}

function titles(): Promise<readonly unknown[]> {
  return Promise.all(followers.map(async (follower) => (await follower.catchUp()).sorted().map(({ title }) => title).join()));
}

const refetches = (): number => followers.reduce((sum, each) => sum + each.refetches, 0);

test('what a transaction touches gets a process, and it alone; each of them gets it once, and rests again', async () => {
  await untilDormant();
  const started = startsOf(service.runtime);
  const polled = followers[2]?.poll();
  await database.query(`UPDATE items SET title = 'new' WHERE id IN (3, 7, 11)`);
  await polled;
  const old = Array<string>(SHAPES).fill('old');
  const expected = old.with(2, 'new').with(6, 'new').with(10, 'new');
  await expect.poll(titles).toEqual(expected);
  await untilDormant();
  const touched = started();
  await database.query(`UPDATE items SET title = 'newer' WHERE id = 7`);
  await expect.poll(titles).toEqual(expected.with(6, 'newer'));

  expect({ touched, refetches: refetches() }).toEqual({ touched: [3, 7, 11], refetches: 0 });
});

test('it is found and read by whoever comes, without a process', async () => {
  await untilDormant();
  const started = startsOf(service.runtime);
  const answers = await Promise.all([
    readShape(service.shapeUrl, { table: 'items', where: 'id = 5', offset: '-1' }),
    readShape(service.shapeUrl, { table: 'items', where: 'id = 5', offset: '-1', handle: followers[4]?.handle ?? '' }),
    readShape(service.shapeUrl, { table: 'items', where: 'id = 5', offset: 'now' }),
  ]);

  expect({ found: answers.map(({ status, handle }) => [status, handle]), started: started() }).toEqual({
    found: answers.map(() => [200, followers[4]?.handle]), started: [],
  });
});

test('a transaction of millions of bytes reaches each, and so does what comes behind it', async () => {
  await untilDormant();
  await database.query(`BEGIN; INSERT INTO items SELECT n, repeat('x', 1000) FROM generate_series(100, 4000) AS n;
    UPDATE items SET title = 'large' WHERE id <= ${SHAPES}; COMMIT; UPDATE items SET title = 'last' WHERE id = 1`);

  await expect.poll(titles, { timeout: 20_000 }).toEqual(Array<string>(SHAPES).fill('large').with(0, 'last'));
  expect(refetches()).toBe(0);
});

test('who comes to depend on it has every move', async () => {
  await untilDormant();
  await database.query('CREATE TABLE notes (id integer PRIMARY KEY, item text); INSERT INTO notes VALUES (1, $$old$$), (2, $$new$$)');
  const wish = { table: 'notes', where: 'item IN (SELECT title FROM items WHERE id = 4)', move_outs: 'deletes' };
  const outer = await new ShapeFollower(service.shapeUrl, wish).catchUp();
  const ids = async (): Promise<string> => (await outer.catchUp()).sorted().map(({ id }) => id).join();
  const before = await ids();
  await database.query(`UPDATE items SET title = 'new' WHERE id = 4`);
  await expect.poll(ids).toBe('2');

  expect({ before, refetches: outer.refetches }).toEqual({ before: '1', refetches: 0 });
});

test('a deletion ends it, and the next reader gets another', async () => {
  await untilDormant();
  const { status } = await fetch(`${service.shapeUrl}?table=items&where=id%20=%209`, { method: 'DELETE' });
  const handle = followers[8]?.handle;
  await followers[8]?.catchUp();
  await database.query(`UPDATE items SET title = 'new' WHERE id = 9`);
  await expect.poll(titles).toEqual(Array<string>(SHAPES).fill('old').with(8, 'new'));

  const isAnother = followers[8]?.handle !== handle;
  expect({ status, refetches: refetches(), isAnother }).toEqual({ status: 202, refetches: 1, isAnother: true });
});

test.each([
  ['dropped', 'DROP TABLE items', 400],
  ['made anew', 'DROP TABLE items; CREATE TABLE items (id integer PRIMARY KEY, title text)', 200],
])('a table that is %s takes along those on it that sleep', async (_, sql, status) => {
  await untilDormant();
  await database.query(sql);
  await expect.poll(() => directory()?.size).toBe(0);
  const { handle, offset } = followers[0] ?? {};
  const answer = await readShape(service.shapeUrl, { table: 'items', where: 'id = 1', offset: '-1' });
  const old = await readShape(service.shapeUrl, { table: 'items', where: 'id = 1', offset: offset ?? '', handle: handle ?? '' });

  expect([answer.status, old.status]).toEqual([status, status === 200 ? 409 : status]);
});

test('a truncation reaches all of them', async () => {
  await untilDormant();
  await database.query('TRUNCATE items');

  await expect.poll(titles).toEqual(Array<string>(SHAPES).fill(''));
});

test('a restart of all shapes leaves them asleep, and what comes afterwards reaches them', async () => {
  await untilDormant();
  const started = startsOf(service.runtime);
  const before = service.runtime.whereis('@shape-cache');
  service.runtime.exit('@shape-cache', 'kill');
  await expect.poll(() => [undefined, before].includes(service.runtime.whereis('@shape-cache'))).toBe(false);
  await untilDormant();
  await activeAgain(service);
  const begun = started();
  await database.query(`UPDATE items SET title = 'new' WHERE id IN (1, 12)`);
  await expect.poll(titles).toEqual(Array<string>(SHAPES).fill('old').with(0, 'new').with(11, 'new'));

  expect({ begun, refetches: refetches() }).toEqual({ begun: [], refetches: 0 });
});

test('after kill -9 they are as they were, and have what was written before, meanwhile, and behind it', async () => {
  const storageDirectory = temporaryDirectory();
  const metricsPort = await freePort();
  const environment = {
    ARMATURE_SHAPE_DORMANT_AFTER: DORMANT_AFTER, ARMATURE_REPLICATION_STREAM_ID: 'second', ARMATURE_LOG_LEVEL: 'error',
    ARMATURE_PROMETHEUS_PORT: String(metricsPort),
  };
  const options = { databaseUrl: database.url, storageDirectory, environment };
  const allDormant = () => scrapeUntil(`http://127.0.0.1:${metricsPort}/metrics`, 'armature_shapes{life="dormant"}', SHAPES);
  const first = await startServiceProcess(options);
  followers = await followItems(first.shapeUrl);
  const handles = followers.map(({ handle }) => handle);
  await allDormant();
  await database.query(`UPDATE items SET title = 'before' WHERE id IN (2, 3)`);
  await expect.poll(titles).toEqual(Array<string>(SHAPES).fill('old').with(1, 'before').with(2, 'before'));
  await allDormant();
  await first.kill();
  await database.query(`UPDATE items SET title = 'meanwhile' WHERE id IN (3, 4)`);
  const second = await startServiceProcess({ ...options, port: Number(new URL(first.url).port) });
  await database.query(`UPDATE items SET title = 'behind' WHERE id IN (4, 5)`);
  const expected = Array<string>(SHAPES).fill('old').with(1, 'before').with(2, 'meanwhile').with(3, 'behind').with(4, 'behind');
  await expect.poll(titles).toEqual(expected);
  await allDormant();
  const code = await second.stop();
  removeDirectory(storageDirectory);

  expect({ refetches: refetches(), handles: followers.map(({ handle }) => handle), code }).toEqual({ refetches: 0, handles, code: 0 });
}, 120_000);
