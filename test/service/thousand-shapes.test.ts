/** A thousand shapes on one table: a row reaches those that it matches, and costs no more than with a hundred. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventsOf } from '../support/service/delivered-events.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const SHAPES = 1_000;
const REQUESTS_AT_ONCE = 40;

let database: TestDatabase;
let service: ServiceInProcess;
/** By the id that each filters by. */
const followers = new Map<number, ShapeFollower>();

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  await database.query(`INSERT INTO items SELECT n, 'old' FROM generate_series(1, ${SHAPES}) AS n`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { storage: 'memory' } }); // Files are not what is asked here.
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** Each shape is asked for as a client does, by a bounded number of requests at a time. */
async function createShapes(through: number): Promise<void> {
  const asking = async (): Promise<void> => {
    while (followers.size < through) {
      const id = followers.size + 1;
      const follower = new ShapeFollower(service.shapeUrl, { table: 'items', where: `id = ${id}` });
      followers.set(id, follower);
      await follower.catchUp();
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, asking));
}

/**
 * By the ids of shapes: what their Consumers handle because of one transaction. What the collector handles meanwhile
 * depends on how often Postgres and the disk tell how far they are: it is much less than an event for each shape.
 */
async function costOf(sql: string): Promise<string[]> {
  const ids = new Map([...followers].map(([id, { handle }]) => [handle, id]));
  const events = await eventsOf(service.runtime, () => database.query(sql));
  expect(events.filter((event) => event.startsWith('shape-log-collector ')).length).toBeLessThan(SHAPES / 10);
  return events.flatMap((event) => {
    const [, handle, type] = /^(\d+-\d+) (batch|log\.taken)$/.exec(event) ?? [];
    return handle === undefined ? [] : [`${ids.get(handle)} ${type}`];
  }).sort();
}

const taken = (...ids: readonly number[]): string[] => ids.flatMap((id) => [`${id} batch`, `${id} log.taken`]);

/** Whose Consumer still reads on by itself takes a transaction on its own later. */
async function everybodyIsLive(): Promise<void> {
  const states = () => [...followers.values()].map(({ handle }) => service.runtime.processInfo(`@consumer/${handle}`)?.state);
  await expect.poll(() => states().filter((state) => !JSON.stringify(state).includes('"ingest":"live"'))).toEqual([]);
}

test('a transaction costs the shapes that it touches two events each, among a hundred and among a thousand', async () => {
  await createShapes(SHAPES / 10);
  await everybodyIsLive();
  const amongHundred = await costOf("UPDATE items SET title = 'new' WHERE id IN (7, 70)");
  await createShapes(SHAPES);
  await everybodyIsLive();
  const amongThousand = await costOf("UPDATE items SET title = 'newer' WHERE id IN (7, 700)");

  const handles = new Set([...followers.values()].map(({ handle }) => handle));
  expect({ shapes: handles.size, amongHundred, amongThousand }).toEqual({
    shapes: SHAPES,
    amongHundred: taken(7, 70),
    amongThousand: taken(7, 700),
  });
});

test('a row that moves from one shape to another reaches these two alone', async () => {
  const left = await costOf('DELETE FROM items WHERE id = 900');
  const moved = await costOf("UPDATE items SET id = 900, title = 'moved' WHERE id = 800");

  expect({ left, moved }).toEqual({ left: taken(900), moved: taken(800, 900) });
});

test('afterwards every shape has its own row and no other', async () => {
  const rows = await database.query<{ id: string; title: string }>('SELECT id::text, title FROM items');
  const byId = new Map(rows.map((row) => [Number(row.id), [row]]));

  await Promise.all([...followers.values()].map((follower) => follower.catchUp()));

  const held = new Map([...followers].map(([id, follower]) => [id, follower.sorted()]));
  expect(held).toEqual(new Map([...followers].map(([id]) => [id, byId.get(id) ?? []])));
});
