/**
 * Generated columns, of Postgres 18. A published table with replica identity FULL and a virtual one is a table that nobody can update: the
 * application's own writes come first. And a publication may leave stored ones out.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { readShape } from '../../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  // Meanwhile the service does not find out that its publication was altered, and makes it anew.
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'publication-refresh-period': '1h' } });
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

test('a publication that leaves stored ones out is refused with the statement that mends it, and serves behind that', async () => {
  await database.query('CREATE TABLE priced (id int PRIMARY KEY, price int, gross int GENERATED ALWAYS AS (price * 2) STORED)');
  const publish = (what: string): Promise<unknown> =>
    database.query(`DO $$ BEGIN
      EXECUTE format('ALTER PUBLICATION %I SET (publish_generated_columns = ${what})', pubname) FROM pg_publication;
    END $$`);
  const read = () => readShape(service.shapeUrl, { table: 'priced', offset: '-1' });

  await publish('none');
  const refused = await read();
  await publish('stored');
  const served = await read();

  expect([refused.status, JSON.parse(refused.text), served.status]).toEqual([
    503,
    { message: expect.stringContaining('publish_generated_columns = stored') },
    200,
  ]);
});
