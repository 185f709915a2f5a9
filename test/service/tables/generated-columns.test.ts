/**
 * Generated columns. On Postgres 18 a published table with replica identity FULL and a virtual one is a table that nobody can update: the
 * application's own writes come first; and a publication may leave stored ones out. Before, it leaves out each of them, and harms nobody.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { MAJOR } from '../../support/postgres/start-postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { readShape, ShapeFollower } from '../../support/service/shape-follower.ts';

/** Before that no publication carries them, and none is virtual. */
const PUBLISHED_SINCE = 18;
const testOfPublished = test.runIf(MAJOR >= PUBLISHED_SINCE);
const testOfLeftOut = test.runIf(MAJOR < PUBLISHED_SINCE);

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

testOfPublished.each(['', 'id,price'])('a table with one is refused with columns=%s, and its rows can be changed', async (columns) => {
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

testOfPublished('a publication that leaves stored ones out is refused until it is mended as it says', async () => {
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

testOfLeftOut('a table is served without a stored one that no publication carries, and refused with it', async () => {
  await database.query('CREATE TABLE left_out (id int PRIMARY KEY, price int, gross int GENERATED ALWAYS AS (price * 2) STORED)');
  await database.query('INSERT INTO left_out VALUES (1, 10)');

  const whole = await readShape(service.shapeUrl, { table: 'left_out', offset: '-1' });
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'left_out', columns: 'id,price' }).catchUp();
  await database.query('UPDATE left_out SET price = 20');

  await expect.poll(async () => (await follower.catchUp()).sorted()).toEqual([{ id: '1', price: '20' }]);
  expect([whole.status, JSON.parse(whole.text)]).toEqual([
    400,
    { message: 'Invalid request', errors: { columns: [expect.stringContaining('cannot be included in the shape: gross')] } },
  ]);
});
