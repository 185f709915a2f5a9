/** A thousand shapes on one table: a row reaches those that it matches, and costs no more than with a hundred. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventsOf } from '../support/delivered-events.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service.ts';
import { ShapeFollower } from '../support/shape-follower.ts';

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

/** What one transaction costs in transitions, and the ids of the shapes that any of them belongs to. */
async function costOf(sql: string): Promise<{ transitions: number; shapes: (number | undefined)[] }> {
  const ids = new Map([...followers].map(([id, { handle }]) => [handle, id]));
  const events = await eventsOf(service.runtime, () => database.query(sql));
  const handles = new Set(events.flatMap((event) => /^\d+-\d+/.exec(event) ?? []));
  return { transitions: events.length, shapes: [...handles].map((handle) => ids.get(handle)).sort() };
}

/** The ends of the snapshots are no transaction's cost. */
async function snapshotsEnded(): Promise<void> {
  await expect.poll(() => service.runtime.printTree(), { timeout: 20_000 }).not.toContain('snapshotter/');
}

test('a transaction costs the same transitions among a hundred shapes and among a thousand', async () => {
  await createShapes(SHAPES / 10);
  await snapshotsEnded();
  const amongHundred = await costOf("UPDATE items SET title = 'new' WHERE id IN (7, 70)");
  await createShapes(SHAPES);
  await snapshotsEnded();
  const amongThousand = await costOf("UPDATE items SET title = 'newer' WHERE id IN (7, 700)");

  const handles = new Set([...followers.values()].map(({ handle }) => handle));
  expect({ shapes: handles.size, amongHundred: amongHundred.shapes, amongThousand }).toEqual({
    shapes: SHAPES,
    amongHundred: [7, 70],
    amongThousand: { transitions: amongHundred.transitions, shapes: [7, 700] },
  });
}, 60_000);

test('a row that moves from one shape to another reaches these two alone', async () => {
  const left = await costOf('DELETE FROM items WHERE id = 900');
  const moved = await costOf("UPDATE items SET id = 900, title = 'moved' WHERE id = 800");

  expect({ left: left.shapes, moved: moved.shapes }).toEqual({ left: [900], moved: [800, 900] });
});

test('afterwards every shape has its own row and no other', async () => {
  const rows = await database.query<{ id: string; title: string }>('SELECT id::text, title FROM items');
  const byId = new Map(rows.map((row) => [Number(row.id), [row]]));

  await Promise.all([...followers.values()].map((follower) => follower.catchUp()));

  const held = new Map([...followers].map(([id, follower]) => [id, follower.sorted()]));
  expect(held).toEqual(new Map([...followers].map(([id]) => [id, byId.get(id) ?? []])));
});
