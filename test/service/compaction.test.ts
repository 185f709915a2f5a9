/** A row that is updated again and again, over HTTP: its log stays small, and nobody who reads it can tell. */
import { Shape, ShapeStream, type Offset, type ShapeStreamInterface } from '@electric-sql/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const TRANSACTIONS = 30;
/** More than what must be closed before a log is looked at. */
const UPDATES = `
  DO $$ BEGIN FOR time IN 1..40 LOOP
    UPDATE items SET title = repeat(time::text, 4000), n = n + 1 WHERE id = 1;
    UPDATE items SET n = n + 1 WHERE id = 2;
  END LOOP; END $$`;
const WHOLE = { table: 'items', replica: 'default' };

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id int PRIMARY KEY, title text, n int NOT NULL)');
  await database.query("INSERT INTO items SELECT id, 'never changed', 0 FROM generate_series(1, 3) id");
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'shape-chunk-bytes-threshold': '100000' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** Of the whole log behind the first rows. */
async function logBytes(): Promise<number> {
  let bytes = 0;
  const { handle } = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  for (let offset = '0_inf', isWhole = false; !isWhole; ) {
    const read = await readShape(service.shapeUrl, { table: 'items', offset, handle: handle ?? '' });
    bytes += read.text.length;
    offset = read.offset ?? '';
    isWhole = read.upToDate;
  }
  return bytes;
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
  await late.catchUp();
  const before = await logBytes();
  await expect
    .poll(async () => {
      await service.runtime.call('@checkpoints', { type: 'takeCheckpoint' }, 10_000);
      return await logBytes();
    }, { timeout: 30_000, interval: 100 })
    .toBeLessThan(before / 4);
  await database.query('UPDATE items SET n = n + 1');
  const fresh = new ShapeFollower(service.shapeUrl, WHOLE);
  for (const follower of [...followers, late, fresh]) await follower.catchUp();
  const [begun, goneOn] = await Promise.all([{ offset: '-1' } as const, place].map(rowsOf));
  const rows = await database.query('SELECT id::text, title, n::text FROM items ORDER BY id');

  expect([...followers, late, fresh].map((follower) => follower.sorted())).toEqual(Array(4).fill(rows));
  expect(begun).toEqual(rows.map(({ id, title, n }) => ({ id: Number(id), title, n: Number(n) })));
  expect(goneOn).toMatchObject([{ id: 1, n: 1201 }, { id: 2, n: 1201 }, { n: 1 }]);
}, 60_000);
