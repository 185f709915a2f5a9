/** Who has a lock on a table, or on what is below it, as an operator is told of it. */
import type pg from 'pg';
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
    CREATE PUBLICATION pub`;
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
  ['who reads, where nobody does more', 'SELECT FROM items', ONE],
  ['who alters the publication', 'ALTER PUBLICATION pub ADD TABLE items_1', ONE],
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
