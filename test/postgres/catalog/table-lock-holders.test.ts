/** Who has a lock on a table, or on what is below it, as an operator is told of it. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableLockHolders } from '../../../src/postgres/catalog/table-lock-holders.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { type OwnCluster, startOwnCluster } from '../../support/operations/own-cluster.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

let cluster: OwnCluster;
let pool: DatabasePool;
let session: pg.Client;
let oid: number;

beforeAll(async () => {
  const tables = `
    CREATE TABLE items (id integer) PARTITION BY LIST (id); CREATE TABLE items_1 PARTITION OF items FOR VALUES IN (1);
    CREATE TABLE others (id integer); CREATE PUBLICATION pub; CREATE PUBLICATION other_pub`;
  cluster = await startOwnCluster(tables, { max_prepared_transactions: '2' });
  const { database } = cluster;
  pool = createPool({ target: targetOf(database.url), applicationName: 'holders test', max: 1 });
  await pool.open();
  session = await database.session();
  await session.query("SET application_name = 'the other'");
  const [row] = await database.query(`SELECT 'items'::regclass::int8::float8 AS oid`);
  oid = Number(row?.['oid']);
});
afterAll(async () => {
  await pool.close();
  await session.end();
  await cluster.remove();
});

const holdersNow = () => tableLockHolders((sql, params) => pool.query(sql, params), oid, 'pub');
const ONE = [expect.stringMatching(/^process \d+ of Postgres, application "the other", role ".*", from 127.0.0.1, since .*Z$/)];

test.each([
  ['who writes to a partition', 'INSERT INTO items_1 VALUES (1)', ONE],
  ['who locks a partition alone', 'LOCK TABLE items_1', ONE],
  ['who reads, where nobody does more', 'SELECT FROM items', ONE],
  ['who alters the publication, with a table that is none of ours', 'ALTER PUBLICATION pub ADD TABLE others', ONE],
  ['who has several transactions in one, once', 'INSERT INTO items VALUES (1); SAVEPOINT below; INSERT INTO items VALUES (1)', ONE],
  ['nobody who alters another publication', 'ALTER PUBLICATION other_pub ADD TABLE others', []],
  ['nobody', 'SELECT 1', []],
])('is told of %s', async (_, sql, expected) => {
  await session.query(`BEGIN; ${sql}`);

  const holders = await holdersNow();

  await session.query('ROLLBACK');
  expect(holders).toEqual(expected);
});

test('is told of a prepared transaction, which has no process, and not of one that waits', async () => {
  await session.query("BEGIN; INSERT INTO items VALUES (1); PREPARE TRANSACTION 'left over'");
  const { database } = cluster;
  const waiting = await database.session();
  const asked = waiting.query('BEGIN; LOCK TABLE items');
  await database.until('SELECT FROM pg_locks WHERE NOT granted');

  const holders = await holdersNow();

  await session.query("ROLLBACK PREPARED 'left over'");
  await asked;
  await waiting.end();
  expect(holders).toEqual([expect.stringMatching(/^the prepared transaction "left over", role ".*", since .*Z$/)]);
});

test('is told of some of many, who began first before the others', async () => {
  const names = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'];
  const sessions = await Promise.all(names.map(() => cluster.database.session()));
  for (const [index, name] of names.entries()) {
    await sessions.at(-1 - index)?.query(`SET application_name = '${name}'; BEGIN`);
    await sessions.at(-1 - index)?.query('INSERT INTO items VALUES (1)');
  }

  const holders = await holdersNow();

  await Promise.all(sessions.map((each) => each.end()));
  expect(holders).toEqual(names.slice(0, 5).map((name) => expect.stringContaining(`application "${name}"`) as string));
});

test('who asks is not told of himself', async () => {
  await session.query('BEGIN; LOCK TABLE items');

  const holders = await tableLockHolders(async (sql, params) => (await session.query(sql, [...params])).rows, oid);

  await session.query('ROLLBACK');
  expect(holders).toEqual([]);
});

test('is told of nobody who has a table of another database, though that may have the same oid', async () => {
  const url = new URL(cluster.database.url);
  url.pathname = '/postgres';
  const elsewhere = new pg.Client({ connectionString: url.href });
  await elsewhere.connect();
  await elsewhere.query('BEGIN; LOCK TABLE information_schema.sql_features');
  const [row] = await cluster.database.query("SELECT 'information_schema.sql_features'::regclass::int8::float8 AS oid");

  const holders = await tableLockHolders((sql, params) => pool.query(sql, params), Number(row?.['oid']));

  await elsewhere.end();
  expect(holders).toEqual([]);
});

test('where Postgres does not say, or is not asked in time, nobody is told of; a bug of ours is told', async () => {
  const options = { target: targetOf(cluster.database.url), applicationName: 'holders test', max: 1, queueMsMax: 50 };
  const [closed, busy] = [createPool(options), createPool(options)];
  await busy.open();
  const asking = (one: DatabasePool) => tableLockHolders((sql, params) => one.query(sql, params), oid);

  const told = [await asking(closed), await busy.use(() => asking(busy))];
  const bug = await tableLockHolders(() => Promise.reject(new TypeError('our bug')), oid).catch((error: unknown) => error);

  await busy.close();
  expect({ told, bug }).toEqual({ told: [[], []], bug: new TypeError('our bug') });
});
