/** Where a transaction stands for a shape, of the whole service: each client asks it of what it has just written. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, title text, size int);
    CREATE TABLE others (id int PRIMARY KEY);
    CREATE TABLE parents (id int PRIMARY KEY, active boolean);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int);
    INSERT INTO parents VALUES (1, true), (2, false); INSERT INTO children VALUES (10, 1), (20, 2)`);
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

interface Told {
  readonly status: number;
  readonly body: { readonly status: string; readonly offset?: string; readonly waits_for?: string };
}

async function asked(xid: string, { handle }: ShapeFollower): Promise<Told> {
  const response = await fetch(`${service.url}/v1/txid/${xid}?handle=${handle}`);
  return { status: response.status, body: (await response.json()) as Told['body'] };
}

/** As a client does: until it is settled. */
async function settled(xid: string, follower: ShapeFollower): Promise<string> {
  await expect.poll(async () => (await asked(xid, follower)).status).not.toBe(202);
  return (await asked(xid, follower)).body.status;
}

/** @returns the id of the transaction that ran it. */
async function written(sql: string, end = 'COMMIT'): Promise<string> {
  const session = await database.session();
  await session.query('BEGIN');
  const { rows } = await session.query<{ xid: string }>('SELECT pg_current_xact_id()::xid::text AS xid');
  await session.query(sql);
  await session.query(end);
  await session.end();
  return rows[0]?.xid ?? '';
}

function following(params: Readonly<Record<string, string>>): Promise<ShapeFollower> {
  return new ShapeFollower(service.shapeUrl, params).catchUp();
}

test('a transaction is in at the offset at which a reader has it, and has passed for whoever it does not concern', async () => {
  const small = await following({ table: 'items', where: 'size < 10' });
  const large = await following({ table: 'items', where: 'size >= 10' });
  const xid = await written("INSERT INTO items VALUES (1, 'one', 1), (2, 'two', 2)");
  const statuses = [await settled(xid, small), await settled(xid, large)];
  const { offset } = (await asked(xid, small)).body;
  await small.catchUp();

  expect({ statuses, offset, rows: small.rows.size }).toEqual({ statuses: ['in', 'passed'], offset: small.offset, rows: 2 });
});

test('of another table one has passed, one that was rolled back is told so, and one before the shape is in its first rows', async () => {
  const before = await written("INSERT INTO items VALUES (50, 'before', 50)");
  const follower = await following({ table: 'items', where: 'size = 50' });
  const other = await written('INSERT INTO others VALUES (1)');
  const undone = await written("INSERT INTO items VALUES (51, 'undone', 50)", 'ROLLBACK');

  const statuses = [await settled(before, follower), await settled(other, follower), await settled(undone, follower)];
  expect(statuses).toEqual(['in_snapshot', 'passed', 'aborted']);
});

test('one that is running is not there yet, and its whole number names it too', async () => {
  const follower = await following({ table: 'items', where: 'size = 60' });
  const session = await database.session();
  await session.query('BEGIN');
  const { rows } = await session.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
  const xid = rows[0]?.xid ?? '';
  const running = await asked(xid, follower);
  await session.query("INSERT INTO items VALUES (60, 'now', 60); COMMIT");
  await session.end();

  expect([running, await settled(xid, follower)]).toEqual([
    { status: 202, body: expect.objectContaining({ status: 'not_yet', waits_for: 'commit' }) }, 'in',
  ]);
});

test('a number that is not given out is unknown', async () => {
  const follower = await following({ table: 'items', where: 'size = 61' });
  const answers = await Promise.all(['1073741824', '3000000000'].map((xid) => asked(xid, follower)));
  expect(answers.map(({ status, body }) => [status, body.status])).toEqual([[404, 'unknown'], [404, 'unknown']]);
});

test('a large transaction is in with its last row', async () => {
  const follower = await following({ table: 'items', where: 'id >= 100000' });
  const xid = await written("INSERT INTO items SELECT 100000 + i, repeat('x', 400), 7 FROM generate_series(1, 12000) AS i");
  const status = await settled(xid, follower);
  await follower.catchUp();

  expect([status, follower.rows.size]).toEqual(['in', 12_000]);
});

test('what moves rows in or out by a subquery is in where it is told', async () => {
  const where = 'parent_id IN (SELECT id FROM parents WHERE active)';
  const follower = await following({ table: 'children', where });
  const movedIn = await written('UPDATE parents SET active = true WHERE id = 2');
  const statusIn = await settled(movedIn, follower);
  const movedOut = await written('UPDATE parents SET active = false WHERE id = 1');
  const own = await written('INSERT INTO children VALUES (11, 1), (21, 2)');
  const ignored = await written('INSERT INTO children VALUES (12, 1)');

  const statuses = [statusIn, await settled(movedOut, follower), await settled(own, follower), await settled(ignored, follower)];
  expect(statuses).toEqual(['in', 'in', 'in', 'passed']);
});

test('who has read up to its offset has the rows that it brings with a subquery', async () => {
  await database.query('INSERT INTO parents VALUES (7, false); INSERT INTO children SELECT 700 + i, 7 FROM generate_series(1, 5) AS i');
  const follower = await following({ table: 'children', where: 'parent_id IN (SELECT id FROM parents WHERE active AND id = 7)' });
  const xid = await written('UPDATE parents SET active = true WHERE id = 7');
  const status = await settled(xid, follower);
  const { offset } = (await asked(xid, follower)).body;
  await follower.catchUp();

  expect([status, offset, follower.rows.size]).toEqual(['in', follower.offset, 5]);
});

test('what moves rows one by one, and names nobody, is not said to have done nothing', async () => {
  await database.query(`
    CREATE TABLE banned (id int PRIMARY KEY, child int); INSERT INTO banned VALUES (1, NULL);
    CREATE TABLE guests (id int PRIMARY KEY); INSERT INTO guests VALUES (1), (2)`);
  const follower = await following({ table: 'guests', where: 'id NOT IN (SELECT child FROM banned)' });
  const xid = await written('DELETE FROM banned');
  const status = await settled(xid, follower);
  const { offset } = (await asked(xid, follower)).body;
  await follower.catchUp();

  expect([status, offset, follower.rows.size]).toEqual(['in_moves', follower.offset, 2]);
});

test('what a shape has yet to hear of another one is not there yet, though the service has passed it', async () => {
  const outer = await following({ table: 'children', where: 'parent_id IN (SELECT id FROM parents WHERE active AND id < 5)' });
  const other = await following({ table: 'items', where: 'size = 62' });
  const about = new URLSearchParams({ handle: outer.handle ?? '', row: '{"parent_id":"4"}' }).toString();
  const explained = (await (await fetch(`${service.shapeUrl}/explain?${about}`)).json()) as { subqueries: readonly { handle: string }[] };
  const inner = `@consumer/${explained.subqueries[0]?.handle ?? ''}` as const;
  service.runtime.suspend(inner);
  const xid = await written('INSERT INTO parents VALUES (4, true); INSERT INTO children VALUES (40, 4)');
  await expect.poll(async () => (await asked(xid, other)).status, { interval: 100 }).toBe(200); // It waits no more.
  const waiting = await asked(xid, outer);
  service.runtime.resume(inner);

  expect([waiting.body.waits_for, await settled(xid, outer)]).toEqual(['shape', 'in']);
});
