/** The snapshot of a large table is read by a thread: what its shape has, and what becomes of both in the middle. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';
import { withholdingDisk, type WithholdingDisk } from '../support/storage/withholding-disk.ts';

const ROWS = 40_000;
const IN_SNAPSHOT = `datname = current_database() AND application_name = 'armature snapshots' AND xact_start IS NOT NULL`;
const OPEN = `SELECT pid FROM pg_stat_activity WHERE ${IN_SNAPSHOT}`;
/** It waits until somebody takes its rows. */
const HELD_COPY = `${OPEN} AND query LIKE 'COPY%' AND wait_event = 'ClientWrite'`;

let database: TestDatabase;
let disk: WithholdingDisk;
let service: ServiceInProcess;

beforeEach(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id integer PRIMARY KEY, title text);
    INSERT INTO items SELECT n, repeat('words ', 80) || n FROM generate_series(1, ${ROWS}) AS n`);
  disk = withholdingDisk('.snapshot');
  service = await startServiceInProcess({
    databaseUrl: database.url, world: { disk }, flags: { 'shape-chunk-bytes-threshold': '1000000', 'long-poll-timeout': '500' },
  });
});

afterEach(async () => {
  disk.release();
  await service.remove();
  await database.drop();
});

async function expectWhole(follower: ShapeFollower): Promise<void> {
  const expected = await database.query('SELECT id::text, title FROM items ORDER BY items.id');
  const held = async (): Promise<unknown[]> => {
    await follower.catchUp();
    return [...follower.rows.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
  };
  await expect.poll(held).toEqual(expected);
}

/** A client that reads while the rows are held up in the middle. */
async function beginReading() {
  const held = disk.withhold();
  const follower = new ShapeFollower(service.shapeUrl, { table: 'items' });
  const reading = follower.catchUp();
  await held;
  await database.until(HELD_COPY);
  return { follower, reading };
}

test('what is written meanwhile comes once, whether the snapshot saw it or not', async () => {
  const { follower, reading } = await beginReading();
  const sessions = await database.query(OPEN);
  await database.query(`
    UPDATE items SET title = 'changed' WHERE id <= 10 OR id > ${ROWS - 10};
    DELETE FROM items WHERE id = 20;
    INSERT INTO items VALUES (0, 'new')`);
  disk.release();
  await reading;

  await expectWhole(follower);
  expect({ sessions: sessions.length, refetches: follower.refetches }).toEqual({ sessions: 2, refetches: 0 });
});

test('a thread that loses its session ends that shape alone, and the next one is whole', async () => {
  const small = await readShape(service.shapeUrl, { table: 'items', where: 'id = 7', offset: '-1' });
  const { follower: first, reading } = await beginReading();
  await expect.poll(() => first.handle).toBeDefined(); // Its first chunk is complete.
  const broken = first.handle;
  const ended = reading.catch(() => {}); // Breaks off, or is led to a fresh shape between two chunks.
  await database.query(`SELECT pg_terminate_backend(pid) FROM (${HELD_COPY}) copying`);
  disk.release(); // Held back, a session does not hear that it has ended.
  await database.until(`SELECT WHERE NOT EXISTS (${OPEN})`);
  await ended;

  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await expectWhole(follower);
  const again = await readShape(service.shapeUrl, { table: 'items', where: 'id = 7', offset: '-1' });
  expect({ isAnew: follower.handle !== broken, isSameSmall: again.handle === small.handle, rows: again.messages.length }).toEqual({
    isAnew: true, isSameSmall: true, rows: 2,
  });
});

test('a service that stops in the middle leaves no session', async () => {
  const { reading } = await beginReading();
  const ended = reading.then(() => 'whole', () => 'given up');

  await service.stop();

  const sessions = await database.query(`
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'armature%'`);
  expect({ ended: await ended, sessions }).toEqual({ ended: 'given up', sessions: [] });
});
