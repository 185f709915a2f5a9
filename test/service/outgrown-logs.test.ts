/** A log of rows that come and go: its shape starts over, and whoever follows it holds the rows of the table. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { followByShape, FoldingSubscriber, type RealClient } from '../support/service/real-clients.ts';
import { startServiceInProcess } from '../support/service/service.ts';
import { freePort, startServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const OUTGROWN_BYTES = '200000';
/** Rows come and go, and their ids are taken again: some 400 kB of lines. */
const PASSING = `
  DO $$ BEGIN FOR time IN 1..10 LOOP
    DELETE FROM items;
    INSERT INTO items SELECT id, repeat('x', 300) FROM generate_series(1, 60) id;
  END LOOP; END $$`;
const ITEMS = { table: 'items' };
const CASES = { table: 'cases', where: 'item IN (SELECT id FROM items)' };
const SELECTED = {
  items: 'SELECT id::text, title FROM items ORDER BY items.id',
  cases: 'SELECT id::text, item::text FROM cases WHERE item IN (SELECT id FROM items) ORDER BY cases.id',
};

let database: TestDatabase;
const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-outgrown-'));

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id int PRIMARY KEY, title text); CREATE TABLE cases (id int PRIMARY KEY, item int)');
  await database.query("INSERT INTO cases SELECT id, id - 7 FROM generate_series(1, 80) id; INSERT INTO items VALUES (1, 'first')");
});

afterAll(async () => {
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

function byId(client: RealClient): unknown[] {
  return client.rows().sort((left, right) => Number(left['id']) - Number(right['id']));
}

async function write(): Promise<void> {
  await database.query(PASSING);
  await database.query("DELETE FROM items; INSERT INTO items VALUES (2, 'left')");
}

test('9.12 its clients hold the rows of the table behind that, and so do those of a shape on it, which starts over too', async () => {
  const flags = { 'max-shape-log-size': OUTGROWN_BYTES, 'shape-chunk-bytes-threshold': '20000' };
  const service = await startServiceInProcess({ databaseUrl: database.url, flags });
  const { signal, ...leaving } = leavingClients();
  const clients = { items: followByShape({ url: service.shapeUrl, params: ITEMS, signal }) };
  const cases = new FoldingSubscriber({ url: service.shapeUrl, params: CASES, signal });
  const handles = (): Promise<unknown> =>
    Promise.all([ITEMS, CASES].map(async (params) => (await readShape(service.shapeUrl, { ...params, offset: '-1' })).handle));
  const before = await handles();

  for (let times = 0; times < 2; times += 1) await write();
  await expect.poll(() => byId(clients.items)).toEqual([{ id: '2', title: 'left' }]);
  service.runtime.send('@expiry', { type: 'makeRoom' }); // It looks by itself every five seconds.
  await expect.poll(() => cases.kinds).toContain('must-refetch');
  await database.query("INSERT INTO items VALUES (3, 'behind')");

  const rows = { items: await database.query(SELECTED.items), cases: await database.query(SELECTED.cases) };
  await expect.poll(() => ({ items: byId(clients.items), cases: byId(cases) })).toEqual(rows);
  const after = await handles();
  leaving.leave();
  await service.remove();
  expect(new Set([before, after].flat()).size).toBe(4);
});

test('who follows it through kill -9 in the midst of that, again and again, comes to the rows of the table', async () => {
  const environment = { ARMATURE_MAX_SHAPE_LOG_SIZE: OUTGROWN_BYTES, ARMATURE_LONG_POLL_TIMEOUT: '300' };
  const options = { databaseUrl: database.url, storageDirectory, port: await freePort(), environment };
  let service = await startServiceProcess(options);
  const follower = new ShapeFollower(service.shapeUrl, ITEMS);
  await follower.catchUp();
  for (let kills = 0; kills < 2; kills += 1) {
    const { refetches } = follower;
    await write();
    while (follower.refetches === refetches) await follower.poll();
    await service.kill(); // The one has ended, of the other nobody has read a row.
    service = await startServiceProcess(options);
    await follower.catchUp();
  }
  await database.query("INSERT INTO items VALUES (4, 'behind')");

  const rows = await database.query(SELECTED.items);
  await expect.poll(async () => (await follower.catchUp()).sorted()).toEqual(rows);
  expect(await service.stop()).toBe(0);
});

function leavingClients(): { readonly signal: AbortSignal; leave(): void } {
  const leaving = new AbortController();
  return { signal: leaving.signal, leave: () => leaving.abort() };
}
