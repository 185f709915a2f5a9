/** A row that is updated again and again, over HTTP: its log stays small, and nobody who reads it can tell. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shape, ShapeStream, type Offset, type ShapeStreamInterface } from '@electric-sql/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const TRANSACTIONS = 30;
const UPDATES_EACH = 40;
/** More than what must be closed before a log is looked at. */
const UPDATES = `
  DO $$ BEGIN FOR time IN 1..${UPDATES_EACH} LOOP
    UPDATE items SET title = repeat(time::text, 4000), n = n + 1 WHERE id = 1;
    UPDATE items SET n = n + 1 WHERE id = 2;
  END LOOP; END $$`;
const WHOLE = { table: 'items', replica: 'default' };

let database: TestDatabase;
let service: ServiceInProcess;

const storage = mkdtempSync(join(tmpdir(), 'armature-compaction-'));

const start = (): Promise<ServiceInProcess> =>
  startServiceInProcess({ databaseUrl: database.url, flags: { 'shape-chunk-bytes-threshold': '100000', 'storage-dir': storage } });

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id int PRIMARY KEY, title text, n int NOT NULL)');
  await database.query("INSERT INTO items SELECT id, 'never changed', 0 FROM generate_series(1, 3) id");
  await database.query('CREATE TABLE owners (id int PRIMARY KEY, team text); CREATE TABLE cases (id int PRIMARY KEY, team text)');
  await database.query("INSERT INTO cases SELECT id, repeat((id % 4)::text, 4000) FROM generate_series(1, 40) id");
  await database.query("INSERT INTO owners SELECT id, repeat(id::text, 4000) FROM generate_series(0, 2) id");
  service = await start();
});

afterAll(async () => {
  await service.remove();
  await database.drop();
  rmSync(storage, { recursive: true, force: true });
});

/** Of the whole log behind the first rows. */
async function logBytes(params: Readonly<Record<string, string>>): Promise<number> {
  let bytes = 0;
  const { handle } = await readShape(service.shapeUrl, { ...params, offset: '-1' });
  for (let offset = '0_inf', isWhole = false; !isWhole; ) {
    const read = await readShape(service.shapeUrl, { ...params, offset, handle: handle ?? '' });
    bytes += read.text.length;
    offset = read.offset ?? '';
    isWhole = read.upToDate;
  }
  return bytes;
}

async function untilCompacted(params: Readonly<Record<string, string>>): Promise<void> {
  const before = await logBytes(params);
  await expect
    .poll(async () => {
      await service.runtime.call('@checkpoints', { type: 'takeCheckpoint' }, 10_000);
      return await logBytes(params);
    }, { interval: 100 })
    .toBeLessThan(before / 4);
}

/** As the client of npm has them that begins, or goes on, at a place. */
async function rowsOf(place: { readonly offset: Offset; readonly handle?: string }): Promise<unknown> {
  const stream = new ShapeStream({ url: service.shapeUrl, params: { table: 'items' }, ...place, subscribe: false });
  const rows = await new Shape(stream as ShapeStreamInterface).rows;
  stream.unsubscribeAll();
  return rows.sort((left, right) => Number(left['id']) - Number(right['id']));
}

test('4.14 updates of old go into later ones, and whoever stands anywhere, or begins, comes to the rows of the table', async () => {
  const followers = [WHOLE, { ...WHOLE, replica: 'full' }].map((params) => new ShapeFollower(service.shapeUrl, params));
  const [first] = followers as [ShapeFollower];
  for (let number = 0; number < TRANSACTIONS; number += 1) {
    await database.query(UPDATES);
    if (number === 10) await Promise.all(followers.map((follower) => follower.catchUp()));
  }
  const place = { offset: first.offset as Offset, handle: first.handle ?? '' };
  const late = new ShapeFollower(service.shapeUrl, WHOLE);
  const hasAll = async (): Promise<unknown> => (await late.catchUp()).sorted()[0]?.['n'];
  await expect.poll(hasAll).toBe(String(TRANSACTIONS * UPDATES_EACH));
  await untilCompacted({ table: 'items' });
  await database.query('UPDATE items SET n = n + 1');
  const fresh = new ShapeFollower(service.shapeUrl, WHOLE);
  const all = [...followers, late, fresh];
  const isTold = async (): Promise<boolean[]> => Promise.all(all.map(async (each) => (await each.catchUp()).sorted()[0]?.['n'] === '1201'));
  await expect.poll(isTold).toEqual(all.map(() => true));
  const [begun, goneOn] = await Promise.all([{ offset: '-1' } as const, place].map(rowsOf));
  const rows = await database.query('SELECT id::text, title, n::text FROM items ORDER BY id');

  expect(all.map((follower) => follower.sorted())).toEqual(all.map(() => rows));
  expect(begun).toEqual(rows.map(({ id, title, n }) => ({ id: Number(id), title, n: Number(n) })));
  expect(goneOn).toMatchObject([{ id: 1, n: 1201 }, { id: 2, n: 1201 }, { n: 1 }]);
});

test('a shape whose values others look up is compacted as well, and they go on by it, also after a restart', async () => {
  const outer = { table: 'cases', columns: 'id', where: 'team IN (SELECT team FROM owners)', move_outs: 'deletes' };
  const inner = { table: 'owners', columns: 'id,team' };
  const [follower, owners] = [outer, inner].map((params) => new ShapeFollower(service.shapeUrl, params)) as [ShapeFollower, ShapeFollower];
  const moves = (times: number): Promise<unknown> =>
    database.query(`
      DO $$ BEGIN FOR time IN 1..${times} LOOP
        UPDATE owners SET team = repeat(((time + id) % 5)::text, 4000);
      END LOOP; END $$`);
  for (let number = 0; number < 16; number += 1) {
    await moves(21 + number);
    await follower.catchUp();
  }
  const teams = async (): Promise<unknown[]> => (await owners.catchUp()).sorted().map(({ team }) => team);
  await expect.poll(teams).toEqual((await database.query('SELECT team FROM owners ORDER BY id')).map(({ team }) => team));
  await untilCompacted(inner);
  await moves(2);
  await service.stop();
  service = await start();
  await moves(1);
  const fresh = new ShapeFollower(service.shapeUrl, outer);
  const goneOn = new ShapeFollower(service.shapeUrl, outer);
  Object.assign(goneOn, { rows: follower.rows, offset: follower.offset, handle: follower.handle });
  const selected = await database.query('SELECT id::text FROM cases WHERE team IN (SELECT team FROM owners)');
  const ids = selected.map(({ id }) => id).sort();
  await expect
    .poll(async () => {
      for (const each of [goneOn, fresh]) await each.catchUp();
      return [goneOn, fresh].map(({ rows, refetches }) => [[...rows.values()].map(({ id }) => id).sort(), refetches]);
    }, { interval: 100 })
    .toEqual([[ids, 0], [ids, 0]]);
});
