/**
 * The seam between snapshot and stream: transactions that are open, rolled back, nested, or committed in another order
 * than they began, while the snapshot is taken. Each lost or doubled row is named.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type pg from 'pg';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let table = 0;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '1000' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  table += 1;
  await database.query(`CREATE TABLE seam_${table} (id integer PRIMARY KEY, title text)`);
  // In the publication already: no lock of the publication manager waits for the transactions of the test.
  await new ShapeFollower(service.shapeUrl, { table: `seam_${table}`, where: 'id < 0' }).catchUp();
});

async function session(): Promise<pg.Client> {
  return await database.session();
}

function insert(client: pg.Client, id: number, title = 'x'): Promise<unknown> {
  return client.query(`INSERT INTO seam_${table} VALUES (${id}, '${title}')`);
}

/** What the follower lacks and what it has too much, by key; the follower itself refuses a doubled insert. */
async function differences(follower: ShapeFollower): Promise<{ lost: string[]; extra: string[] }> {
  await follower.catchUp();
  const rows = await database.query<{ id: string; title: string }>(`SELECT id::text, title FROM seam_${table}`);
  const expected = new Map(rows.map(({ id, title }) => [id, title]));
  const held = new Map([...follower.rows.values()].map(({ id, title }) => [String(id), title]));
  const unlike = (one: Map<string, unknown>, other: Map<string, unknown>) =>
    [...one.keys()].filter((id) => one.get(id) !== other.get(id)).sort();
  return { lost: unlike(expected, held), extra: unlike(held, expected) };
}

const NONE = { lost: [], extra: [] };

test('transactions that are open across the snapshot arrive when they commit, and not when they roll back', async () => {
  const [early, late, given] = await Promise.all([session(), session(), session()]);
  await early.query('BEGIN');
  await insert(early, 1, 'open before the snapshot');
  await given.query('BEGIN');
  await insert(given, 2, 'rolled back later');
  await database.query(`INSERT INTO seam_${table} VALUES (3, 'committed while the others were open')`);
  const follower = await new ShapeFollower(service.shapeUrl, { table: `seam_${table}` }).catchUp();
  await late.query('BEGIN');
  await insert(late, 4, 'begun after the snapshot');
  await late.query('COMMIT');
  await early.query(`UPDATE seam_${table} SET title = 'changed in the open transaction' WHERE id IN (1, 3)`);
  await early.query('COMMIT');
  await given.query('ROLLBACK');
  await expect.poll(() => differences(follower)).toEqual(NONE);
});

test('subtransactions count with their parent, also those that were rolled back', async () => {
  const client = await session();
  await client.query('BEGIN');
  await insert(client, 1, 'parent');
  await client.query('SAVEPOINT one');
  await insert(client, 2, 'kept subtransaction');
  await client.query('SAVEPOINT two');
  await insert(client, 3, 'undone subtransaction');
  await client.query('ROLLBACK TO SAVEPOINT two');
  const follower = await new ShapeFollower(service.shapeUrl, { table: `seam_${table}` }).catchUp();
  await client.query('SAVEPOINT three');
  await insert(client, 4, 'subtransaction after the snapshot');
  await client.query('COMMIT');
  await expect.poll(() => differences(follower)).toEqual(NONE);
});

test('the order of commits is not the order of xids', async () => {
  const clients = await Promise.all(Array.from({ length: 6 }, session));
  for (const [index, client] of clients.entries()) {
    await client.query('BEGIN');
    await insert(client, index, `begun as number ${index}`);
  }
  await clients[4]?.query('COMMIT');
  await clients[1]?.query('COMMIT');
  const follower = await new ShapeFollower(service.shapeUrl, { table: `seam_${table}` }).catchUp();
  for (const index of [5, 0, 3, 2]) await clients[index]?.query('COMMIT');
  await expect.poll(() => differences(follower)).toEqual(NONE);
});

test('a writer that runs during a snapshot of 20,000 rows loses and doubles nothing', async () => {
  await database.query(`INSERT INTO seam_${table} SELECT n, repeat('row ', 20) || n FROM generate_series(1, 20000) AS n`);
  const writer = await session();
  let isDone = false;
  const writing = (async () => {
    for (let round = 0; !isDone; round += 1) {
      const id = 1 + ((round * 7919) % 20_000);
      await writer.query('BEGIN');
      await writer.query(`UPDATE seam_${table} SET title = 'round ${round}' WHERE id = ${id}`);
      await writer.query(`DELETE FROM seam_${table} WHERE id = ${1 + ((round * 104_729) % 20_000)}`);
      await writer.query(`INSERT INTO seam_${table} VALUES (${30_000 + round}, 'new')`);
      await writer.query(round % 5 === 0 ? 'ROLLBACK' : 'COMMIT');
    }
  })();
  const followers = await Promise.all(
    ['id >= 0', 'id > 0', 'id > -1', 'id > -2'].map((where) =>
      new ShapeFollower(service.shapeUrl, { table: `seam_${table}`, where }).catchUp(),
    ),
  );
  isDone = true;
  await writing;
  for (const follower of followers) await expect.poll(() => differences(follower)).toEqual(NONE);
});

test('a transaction that wrote to a table before it was published arrives whole', async () => {
  await database.query('CREATE TABLE unpublished (id integer PRIMARY KEY, title text); ALTER TABLE unpublished REPLICA IDENTITY FULL');
  const writer = await session();
  await writer.query("BEGIN; INSERT INTO unpublished VALUES (1, 'before')");

  const following = new ShapeFollower(service.shapeUrl, { table: 'unpublished' }).catchUp();
  await database.until("SELECT FROM pg_locks WHERE relation = 'unpublished'::regclass AND NOT granted");
  await writer.query("INSERT INTO unpublished VALUES (2, 'meanwhile'); COMMIT");
  const follower = await following;
  await follower.catchUp();

  expect([...follower.rows.values()].map(({ title }) => title).sort()).toEqual(['before', 'meanwhile']);
});
