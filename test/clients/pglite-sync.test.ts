/** A PGlite of one's own that keeps tables in step: it brings an older client along, and holds what SELECT answers on both sides. */
import { PGlite } from '@electric-sql/pglite';
import { electricSync } from '@electric-sql/pglite-sync';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

const TABLES = `
  CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, note text, done boolean, at timestamptz, tags text[], more jsonb);
  CREATE TABLE pockets (id int PRIMARY KEY, balance int NOT NULL)`;
const ACCOUNTS = "SELECT id, balance, note, done, (at AT TIME ZONE 'UTC')::text AS at, tags, more FROM accounts ORDER BY id";
const POCKETS = 'SELECT id, balance FROM pockets ORDER BY id';
const TRANSFERS = 40;

const openLocal = () => PGlite.create({ extensions: { electric: electricSync() } });

let database: TestDatabase;
let service: ServiceInProcess;
let local: Awaited<ReturnType<typeof openLocal>>;
let leave: () => void;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(TABLES);
  service = await startServiceInProcess({ databaseUrl: database.url });
  local = await openLocal();
  await local.exec(TABLES);
  vi.spyOn(console, 'warn').mockImplementation(() => {}); // Of plain HTTP, and of a TRUNCATE.
});

afterAll(async () => {
  vi.restoreAllMocks();
  await local.close();
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  await database.query(`
    DELETE FROM accounts; DELETE FROM pockets;
    INSERT INTO accounts SELECT i, 100, 'note "' || i, i % 2 = 0, now(), ARRAY['a,b', ''], '{"a": [1, null]}' FROM generate_series(1, 5) i;
    INSERT INTO pockets SELECT i, 100 FROM generate_series(1, 5) i`);
  await local.exec('DELETE FROM accounts; DELETE FROM pockets');
});

afterEach(() => {
  leave();
});

const shapeOf = (table: string) => ({
  shape: { url: service.shapeUrl, params: { table } }, table, primaryKey: ['id'],
});

async function untilEqual(sql: string): Promise<void> {
  const wanted = await database.query(sql);
  await expect.poll(async () => (await local.query(sql)).rows).toEqual(wanted);
}

test('a table holds the rows that are there, and then each change', async () => {
  ({ unsubscribe: leave } = await local.electric.syncShapeToTable({ ...shapeOf('accounts'), shapeKey: null }));
  await untilEqual(ACCOUNTS);
  for (const sql of [
    "INSERT INTO accounts VALUES (6, 1, NULL, NULL, NULL, NULL, NULL), (7, 1, '', false, 'infinity', '{}', 'null')",
    "UPDATE accounts SET note = 'changed', tags = ARRAY['x'] WHERE id < 3",
    'UPDATE accounts SET id = id + 10 WHERE id = 4',
    'DELETE FROM accounts WHERE id = 5',
  ]) {
    await database.query(sql);
    await untilEqual(ACCOUNTS);
  }
});

test('a table begins anew when its shape does', async () => {
  ({ unsubscribe: leave } = await local.electric.syncShapeToTable({ ...shapeOf('accounts'), shapeKey: null }));
  await untilEqual(ACCOUNTS);
  await database.query("TRUNCATE accounts; INSERT INTO accounts VALUES (9, 9, 'anew')");

  await untilEqual(ACCOUNTS);
});

test('what one transaction did to two tables is seen whole or not at all', async () => {
  const shapes = { accounts: shapeOf('accounts'), pockets: shapeOf('pockets') };
  ({ unsubscribe: leave } = await local.electric.syncShapesToTables({ shapes, key: null }));
  const sums = new Set<unknown>();
  const look = async (): Promise<void> => {
    const { rows: [row] } = await local.query<{ sum: number }>(
      'SELECT (SELECT sum(balance) FROM accounts) + (SELECT sum(balance) FROM pockets) AS sum',
    );
    sums.add(row?.sum);
  };
  await untilEqual(ACCOUNTS);
  await untilEqual(POCKETS);
  for (let count = 0; count < TRANSFERS; count += 1) {
    await database.query(`
      BEGIN; UPDATE accounts SET balance = balance - 7 WHERE id = ${1 + (count % 5)};
      UPDATE pockets SET balance = balance + 7 WHERE id = ${1 + ((count * 3) % 5)}; COMMIT`);
    await look();
  }
  const wanted = [await database.query(ACCOUNTS), await database.query(POCKETS)];
  await expect
    .poll(async () => {
      await look();
      return [(await local.query(ACCOUNTS)).rows, (await local.query(POCKETS)).rows];
    }, { interval: 5 })
    .toEqual(wanted);

  expect([...sums]).toEqual([1000]);
});

test('a subscription that has a key goes on where it was', async () => {
  const keyed = { ...shapeOf('pockets'), shapeKey: 'pockets' };
  ({ unsubscribe: leave } = await local.electric.syncShapeToTable(keyed));
  await untilEqual(POCKETS);
  leave();
  await database.query('INSERT INTO pockets VALUES (8, 8); DELETE FROM pockets WHERE id = 1');
  ({ unsubscribe: leave } = await local.electric.syncShapeToTable(keyed));

  await untilEqual(POCKETS);
});
