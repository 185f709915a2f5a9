/**
 * The role may replicate, and nothing else: the publication is somebody else's. Clause 8.7.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRole, publicationOf, type RestrictedRole } from '../support/operations/restricted-role.ts';
import { refusedStart } from '../support/operations/refused-start.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-publication-'));
let database: TestDatabase;
let role: RestrictedRole;
let publication: string;

beforeAll(async () => {
  database = await createDatabase();
  role = await createRole(database, 'REPLICATION');
  publication = publicationOf(database);
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, val text); INSERT INTO items VALUES (1, 'one')");
});

afterAll(async () => {
  await role.drop();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

const options = () => ({ databaseUrl: role.url, storageDirectory: join(directory, 'storage') });

test('not-owner-of-the-publication: refuses to start where there is none, and where it does not publish everything', async () => {
  const missing = await refusedStart(options());
  await database.query(`CREATE PUBLICATION ${publication} WITH (publish = 'insert')`);
  const incomplete = await refusedStart(options());
  const slots = await database.query('SELECT slot_name FROM pg_replication_slots WHERE database = current_database()');

  expect({ missing, incomplete, slots }).toEqual({
    missing: { exitCode: 1, output: expect.stringContaining(`Publication "${publication}" not found in the database`) as string },
    incomplete: {
      exitCode: 1,
      output: expect.stringContaining(
        `Publication "${publication}" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE`,
      ) as string,
    },
    slots: [],
  });
});

test('not-owner-of-the-publication: with a complete one, what a table lacks is told, until it is served and followed', async () => {
  await database.query(`DROP PUBLICATION IF EXISTS ${publication}; CREATE PUBLICATION ${publication}`);
  const service = await startServiceProcess(options());
  const told: unknown[] = [];
  for (const sql of [
    'SELECT',
    `ALTER PUBLICATION ${publication} ADD TABLE items`,
    'ALTER TABLE items REPLICA IDENTITY FULL',
    `GRANT SELECT ON items TO ${role.name}`,
  ]) {
    await database.query(sql);
    const { status, text } = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
    told.push(status === 200 ? status : [status, (JSON.parse(text) as { message: string }).message]);
  }
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await database.query("UPDATE items SET val = 'two'");
  await expect.poll(async () => (await follower.catchUp()).sorted()).toEqual([{ id: '1', val: 'two' }]);
  await service.stop();

  expect(told).toEqual([
    [503, `Database table "public.items" is missing from the publication "${publication}" and Electric lacks privileges to add it`],
    [503, 'Database table "public.items" does not have its replica identity set to FULL'],
    [503, 'Unable to create initial snapshot: permission denied for table items'],
    200,
  ]);
});
