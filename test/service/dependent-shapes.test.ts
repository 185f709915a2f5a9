/** Shapes that depend on shapes, in the whole service: what leaves and comes with its parents, and what a restart keeps. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url });
});
afterAll(async () => {
  await service.remove();
  await database.drop();
});
beforeEach(async () => {
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int, title text);
    INSERT INTO parents SELECT i, i % 2 = 1 FROM generate_series(1, 4) i;
    INSERT INTO children SELECT i, 1 + i % 4, 'title ' || i FROM generate_series(1, 20) i`);
});
afterEach(async () => {
  await database.query('DROP TABLE children; DROP TABLE parents');
});

const WHERE = 'parent_id IN (SELECT id FROM parents WHERE active)';

function follower(where = WHERE): ShapeFollower {
  return new ShapeFollower(service.shapeUrl, { table: 'children', where, move_outs: 'deletes' });
}

async function selected(where = WHERE) {
  return await database.query(`SELECT id::text, parent_id::text, title FROM children WHERE ${where} ORDER BY id::text`);
}

async function until(client: ShapeFollower, where = WHERE): Promise<void> {
  const wanted = JSON.stringify(await selected(where));
  await expect.poll(async () => JSON.stringify((await client.catchUp()).sorted()), { timeout: 5_000 }).toBe(wanted);
}

test('children come with a parent and leave with it', async () => {
  const client = await follower().catchUp();
  const first = client.sorted();
  await database.query('UPDATE parents SET active = NOT active WHERE id IN (1, 2)');
  await until(client);

  expect({ first: first.length, refetches: client.refetches }).toEqual({ first: 10, refetches: 0 });
});

test('a move is told as an event, and what comes with it is marked', async () => {
  const params = { table: 'children', where: WHERE, columns: 'id' };
  const { handle, offset, messages } = await readShape(service.shapeUrl, { ...params, offset: '-1' });
  await database.query('UPDATE parents SET active = NOT active WHERE id IN (1, 2)');
  const live = await readShape(service.shapeUrl, { ...params, handle: handle ?? '', offset: '0_inf', live: 'true' });

  expect({ offset, first: messages[0]?.headers, kinds: live.messages.map(({ headers }) => headers['event'] ?? headers['control'] ?? headers['operation']) }).toEqual({
    offset: '0_0',
    first: { operation: 'insert', relation: ['public', 'children'], tags: [expect.stringMatching(/^[0-9a-f]{32}$/)], active_conditions: [true] },
    kinds: ['move-in', 'insert', 'insert', 'insert', 'insert', 'insert', 'snapshot-end', 'move-out', 'up-to-date'],
  });
});
