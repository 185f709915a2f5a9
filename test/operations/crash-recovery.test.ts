/**
 * crash-recovery: the service is killed while one shape is durable and another one is not, and killed again.
 *
 * A shape is not durable before its last row is: here its query is held up, and its first rows are served meanwhile.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower, type ShapeResponse } from '../support/service/shape-follower.ts';
import { OBSERVED, untilStored } from '../support/service/stored-shapes.ts';
import { startThrottledProxy, type ThrottledProxy } from '../support/service/throttled-proxy.ts';

const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-crash-'));
const WIDE_ROWS = 5_000;
const [A, B] = [{ table: 'items1' }, { table: 'items2' }];
let database: TestDatabase;
let proxy: ThrottledProxy;
let service: ServiceProcess | undefined;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items1 (id integer PRIMARY KEY, title text);
    INSERT INTO items1 SELECT n, 'before' FROM generate_series(1, 10) AS n;
    CREATE TABLE items2 (id integer PRIMARY KEY, title text);
    INSERT INTO items2 SELECT n, repeat('wide ', 20) FROM generate_series(1, ${WIDE_ROWS}) AS n`);
  proxy = await startThrottledProxy(database.url);
});

afterAll(async () => {
  await service?.stop();
  await proxy.close();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

async function start(): Promise<ServiceProcess> {
  const environment = { ...OBSERVED, ARMATURE_POOLED_DATABASE_URL: proxy.url, ARMATURE_SHAPE_CHUNK_BYTES_THRESHOLD: '20000' };
  return (service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, environment }));
}

type Place = Readonly<Record<string, string>>;
const read = ({ shapeUrl }: ServiceProcess, shape: { table: string }, place: Place) => readShape(shapeUrl, { ...shape, ...place });

const controlsOf = ({ messages }: ShapeResponse) => messages.flatMap(({ headers }) => ('control' in headers ? [headers['control']] : []));

test('crash-recovery: what was durable goes on under its handle, what was not is answered with 409, and nothing comes twice', async () => {
  const first = await start();
  const a = await new ShapeFollower(first.shapeUrl, A).catchUp();
  const place = { handle: a.handle ?? '', offset: a.offset };
  await untilStored(first);
  proxy.allow(60_000);
  const unfinished = await read(first, B, { offset: '-1' });
  await first.kill();
  proxy.allowAll();

  const second = await start();
  const [atOffset, atSnapshotEnd] = [await read(second, A, place), await read(second, A, { ...place, offset: '0_inf' })];
  const gone = await read(second, B, { offset: unfinished.offset ?? '', handle: unfinished.handle ?? '' });
  const b = await new ShapeFollower(second.shapeUrl, B).catchUp();
  const live = b.poll();
  await database.query("INSERT INTO items2 VALUES (0, 'live')");
  await live;
  const placeOfB = { handle: b.handle ?? '', offset: b.offset };
  await second.kill();
  await database.query("INSERT INTO items1 VALUES (11, 'while it was down')");

  const third = await start();
  const later = new ShapeFollower(third.shapeUrl, A);
  await expect.poll(async () => (await later.catchUp()).rows.size).toBe(11);
  const missed = await read(third, A, { ...place, live: 'true' });
  const resumed = await read(third, B, placeOfB);
  const next = read(third, B, { ...placeOfB, live: 'true' });
  await database.query("INSERT INTO items2 VALUES (-1, 'behind the second kill')");

  const upToDate = (response: ShapeResponse) => [response.status, response.handle, controlsOf(response)];
  expect({
    a: [upToDate(atOffset), upToDate(atSnapshotEnd)],
    unfinished: [unfinished.status, unfinished.upToDate],
    gone: [gone.status, controlsOf(gone), gone.handle === unfinished.handle, gone.handle === b.handle],
    b: [b.refetches, b.rows.size],
    resumed: upToDate(resumed),
    missed: [missed.handle, missed.messages.flatMap(({ value }) => (value === undefined ? [] : [value]))],
    next: [(await next).handle, (await next).messages[0]?.value],
  }).toEqual({
    a: [[200, a.handle, ['up-to-date']], [200, a.handle, ['up-to-date']]],
    unfinished: [200, false],
    gone: [409, ['must-refetch'], false, true],
    b: [0, WIDE_ROWS + 1],
    resumed: [200, b.handle, ['up-to-date']],
    missed: [a.handle, [{ id: '11', title: 'while it was down' }]],
    next: [b.handle, { id: '-1', title: 'behind the second kill' }],
  });
});
