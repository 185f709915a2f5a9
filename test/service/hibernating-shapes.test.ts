/** Shapes that wait for long hibernate, and whoever has to do with them cannot tell: readers, the collector, Materializers, a stop. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LinkValues } from '../../src/actors/link-values.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startMaterializer } from '../support/service/materializer.ts';
import { activeAgain, startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const flags = { 'shape-hibernate-after': '30ms', 'enable-deletion': true } as const;

let database: TestDatabase;
let service: ServiceInProcess;
let follower: ShapeFollower;
/** What the processes of the shape did last, by pid: `hibernate`, `wake` or `exit`. */
let last: Map<string, string>;

beforeEach(async () => {
  database = await createDatabase();
  await database.query(`CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one')`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags });
  last = new Map();
  service.runtime.trace((record) => {
    if (record.type !== 'hibernate' && record.type !== 'wake' && record.type !== 'exit') return;
    if (record.process.includes('/consumers/')) last.set(record.process, record.type);
  });
  follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
});
afterEach(async () => {
  await service.remove();
  await database.drop();
});

/** The snapshots are durable, their Snapshotters have ended, and so many processes of the shapes hibernate: all that are left. */
async function untilHibernating(count: number, shapes = 1): Promise<void> {
  const kinds = (): string[] => [...last].map(([pid, type]) => (pid.includes('/snapshotter/') ? `snapshotter ${type}` : type)).sort();
  await expect.poll(kinds).toEqual([
    ...Array<string>(count).fill('hibernate'), ...Array<string>(shapes).fill('snapshotter exit'),
  ]);
}

test('a change arrives live, and so does each that comes after another rest', async () => {
  for (const id of [2, 3]) {
    await untilHibernating(1);
    const polled = follower.poll();
    await database.query(`INSERT INTO items VALUES (${id}, 'new'); UPDATE items SET title = 'changed' WHERE id = ${id - 1}`);
    await polled;
  }
  await follower.catchUp();

  expect({ rows: follower.sorted(), refetches: follower.refetches }).toEqual({
    rows: [{ id: '1', title: 'changed' }, { id: '2', title: 'changed' }, { id: '3', title: 'new' }],
    refetches: 0,
  });
});

test('a new reader gets the snapshot, and a Materializer its values and every later one', async () => {
  await untilHibernating(1);
  const reader = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  await startMaterializer(service.runtime, follower.handle ?? '', 'title');
  await untilHibernating(2);
  await database.query(`INSERT INTO items VALUES (2, 'two')`);
  const titles = (): unknown => {
    const values = service.runtime.tableOf(`@materializer/${follower.handle}/title`, 'values');
    return values instanceof LinkValues ? [...values.counts].sort() : undefined;
  };

  await expect.poll(titles).toEqual([['one', 1], ['two', 1]]);
  expect(reader).toMatchObject({ status: 200, handle: follower.handle });
});

test('a move wakes a Materializer, and the outer shape that depends on it, as often as it comes', async () => {
  await database.query('CREATE TABLE lists (id integer PRIMARY KEY)');
  const wish = { table: 'items', where: 'id IN (SELECT id FROM lists)', move_outs: 'deletes' };
  const outer = await new ShapeFollower(service.shapeUrl, wish).catchUp();
  for (const [sql, count] of [['INSERT INTO lists VALUES (1)', 1], ['DELETE FROM lists', 0]] as const) {
    await untilHibernating(4, 3);
    await database.query(sql);
    await expect.poll(async () => (await outer.catchUp()).rows.size).toBe(count);
  }

  expect(outer.refetches).toBe(0);
});

test('a restart of all shapes drains it, and its log goes on', async () => {
  await untilHibernating(1);
  service.runtime.exit('@shape-cache', 'kill');
  await activeAgain(service);
  await database.query(`INSERT INTO items VALUES (2, 'two')`);
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);

  expect({ refetches: follower.refetches, ended: [...last.values()].filter((type) => type === 'exit').length > 0 }).toEqual({
    refetches: 0, ended: true,
  });
});

test('a deletion ends it, and the next reader gets another', async () => {
  await untilHibernating(1);
  const { status } = await fetch(`${service.shapeUrl}?table=items`, { method: 'DELETE' });
  await follower.catchUp();

  expect({ status, refetches: follower.refetches, rows: follower.rows.size }).toEqual({ status: 202, refetches: 1, rows: 1 });
});
