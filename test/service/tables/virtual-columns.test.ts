/**
 * Virtual generated columns, of Postgres 18: a published table with replica identity FULL and one of them is a table that
 * nobody can update. The application's own writes come first.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { readShape } from '../../support/service/shape-follower.ts';

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

test.each(['', 'id,price'])('a table with one is refused with columns=%s, and its rows can still be changed', async (columns) => {
  const table = `virtual_${columns.length}`;
  await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, price int, gross int GENERATED ALWAYS AS (price * 2) VIRTUAL)`);
  await database.query(`INSERT INTO ${table} VALUES (1, 10)`);

  const { status, text } = await readShape(service.shapeUrl, { table, offset: '-1', ...(columns === '' ? {} : { columns }) });
  const changed = await database.query(`UPDATE ${table} SET price = 20 RETURNING gross`);

  expect({ status, body: JSON.parse(text), changed }).toEqual({
    status: 400,
    body: { message: 'Invalid request', errors: { table: [expect.stringContaining('has virtual generated columns (gross)')] } },
    changed: [{ gross: 40 }],
  });
});
