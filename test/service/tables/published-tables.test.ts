/** Which tables Postgres tells us about follows from the shapes there are, also over a restart. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { activeAgain, startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';
import { untilStored } from '../../support/service/stored-shapes.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({
    databaseUrl: database.url,
    flags: { 'enable-deletion': true, 'publication-refresh-period': '100ms' },
  });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

async function publishedTables(): Promise<string[]> {
  const rows = await database.query<{ tablename: string }>('SELECT tablename FROM pg_publication_tables ORDER BY 1');
  return rows.map(({ tablename }) => tablename);
}

async function remove({ handle }: ShapeFollower): Promise<number> {
  return (await fetch(`${service.shapeUrl}?handle=${handle}`, { method: 'DELETE' })).status;
}

test('a stored shape keeps its table when another on it is made after a restart and goes', async () => {
  await database.query("CREATE TABLE kept (id integer PRIMARY KEY, title text); INSERT INTO kept VALUES (1, 'one')");
  const stored = await new ShapeFollower(service.shapeUrl, { table: 'kept' }).catchUp();
  await untilStored(service);
  const before = service.runtime.whereis('@shape-cache');
  service.runtime.exit('@shape-cache', 'kill');
  await expect
    .poll(() => service.runtime.processInfo('@shape-cache')?.state === 'serving' && service.runtime.whereis('@shape-cache') !== before)
    .toBe(true);
  await activeAgain(service);

  const passing = await new ShapeFollower(service.shapeUrl, { table: 'kept', where: 'id > 0' }).catchUp();
  const status = await remove(passing);
  await expect.poll(() => service.runtime.whereis(`@consumer/${passing.handle}`)).toBeUndefined();
  await database.query("INSERT INTO kept VALUES (2, 'two')");

  await expect.poll(async () => (await stored.catchUp()).rows.size).toBe(2);
  expect({ status, published: await publishedTables() }).toEqual({ status: 202, published: ['kept'] });
});

test('a table leaves with its last shape', async () => {
  await database.query('CREATE TABLE leaving (id integer PRIMARY KEY)');
  const shapes = await Promise.all(
    [{}, { where: 'id > 0' }].map((params) => new ShapeFollower(service.shapeUrl, { table: 'leaving', ...params }).catchUp()),
  );
  const both = await publishedTables();
  await Promise.all(shapes.map(remove));
  await expect.poll(publishedTables).toEqual(['kept']);
  expect(both).toEqual(['kept', 'leaving']);
});

test('a shape whose table was taken out of the publication and put back at once starts over', async () => {
  await database.query('CREATE TABLE back (id integer PRIMARY KEY, title text)');
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'back' }).catchUp();
  const [publication] = await database.query<{ pubname: string }>('SELECT pubname FROM pg_publication');
  const alter = `ALTER PUBLICATION "${publication?.pubname}"`;
  await database.query(`DO $$ BEGIN
    ${alter} DROP TABLE back; COMMIT; INSERT INTO back VALUES (1, 'unheard'); COMMIT;
    BEGIN ${alter} ADD TABLE back; EXCEPTION WHEN duplicate_object THEN NULL; END; -- The service was faster.
  END $$`);

  await expect.poll(async () => (await follower.catchUp()).sorted()).toEqual([{ id: '1', title: 'unheard' }]);
  expect(follower.refetches).toBe(1);
});

test.each([
  ['taken out of the publication', (table: string, publication: string) => `ALTER PUBLICATION "${publication}" DROP TABLE ${table}`],
  ['dropped and made anew', (table: string) => `DROP TABLE ${table}; CREATE TABLE ${table} (id integer PRIMARY KEY, title text)`],
])('a shape whose table is %s starts over instead of falling silent', async (how, sqlOf) => {
  const table = `silent_${how.length}`;
  await database.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, title text)`);
  const follower = await new ShapeFollower(service.shapeUrl, { table }).catchUp();
  const [publication] = await database.query<{ pubname: string }>('SELECT pubname FROM pg_publication');
  await database.query(sqlOf(table, publication?.pubname ?? ''));
  await database.query(`INSERT INTO ${table} VALUES (1, 'afterwards')`);

  await expect.poll(async () => (await follower.catchUp()).sorted()).toEqual([{ id: '1', title: 'afterwards' }]);
  await database.query(`INSERT INTO ${table} VALUES (2, 'heard of')`);
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);
});
