/**
 * The operator publishes: what is still to be done is told one thing after the other, and altered by nobody else. Clause 8.7.
 *
 * A table that nobody needs any more stays in the publication too.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRole, publicationOf, type RestrictedRole } from '../support/operations/restricted-role.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service/service-process.ts';
import { readShape } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-manual-'));
let database: TestDatabase;
let role: RestrictedRole;
let service: ServiceProcess;
let publication: string;

beforeAll(async () => {
  database = await createDatabase();
  role = await createRole(database, 'REPLICATION');
  publication = publicationOf(database);
  await database.query(`CREATE PUBLICATION ${publication}; CREATE TABLE items (val text); INSERT INTO items VALUES ('one')`);
  service = await startServiceProcess({
    databaseUrl: role.url,
    storageDirectory: join(directory, 'storage'),
    environment: {
      ELECTRIC_MANUAL_TABLE_PUBLISHING: 'true', ELECTRIC_TWEAKS_PUBLICATION_REFRESH_PERIOD: '50ms',
      ELECTRIC_ENABLE_INTEGRATION_TESTING: 'true',
    },
  });
});

afterAll(async () => {
  await service.stop();
  await role.drop();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

const first = (table: string) => readShape(service.shapeUrl, { table, offset: '-1' });

test('manual-table-publishing: not published, then without old rows, then not to be read, and served at last', async () => {
  const told: unknown[] = [];
  for (const sql of [
    'SELECT',
    `ALTER PUBLICATION ${publication} ADD TABLE items`,
    'ALTER TABLE items REPLICA IDENTITY FULL',
    `GRANT SELECT ON items TO ${role.name}`,
  ]) {
    await database.query(sql);
    const { status, text, offset, messages } = await first('items');
    told.push(status === 200 ? { offset, controls: messages.map(({ headers: { control }, value }) => control ?? value) } : [status, text]);
  }

  const refused = (message: string): unknown => [503, JSON.stringify({ message })];
  expect(told).toEqual([
    refused(
      `Database table "public.items" is missing from the publication "${publication}" and the ` +
        'ELECTRIC_MANUAL_TABLE_PUBLISHING setting prevents Electric from adding it',
    ),
    refused('Database table "public.items" does not have its replica identity set to FULL'),
    refused('Unable to create initial snapshot: permission denied for table items'),
    { offset: '0_0', controls: [{ val: 'one' }, 'snapshot-end'] },
  ]);
});

test('manual-table-publishing: a table stays published when the last shape on it has gone', async () => {
  await database.query(`
    CREATE TABLE others (id integer PRIMARY KEY); ALTER TABLE others REPLICA IDENTITY FULL;
    GRANT SELECT ON others TO ${role.name}; ALTER PUBLICATION ${publication} ADD TABLE others`);
  const { handle } = await first('others');
  const removed = await fetch(`${service.shapeUrl}?table=others&handle=${handle}`, { method: 'DELETE' });
  await expect.poll(async () => (await readShape(service.shapeUrl, { table: 'others', offset: '-1' })).handle).not.toBe(handle);
  await database.query('CREATE TABLE unpublished (id integer)');
  const refused = await first('unpublished'); // Asked for behind what has become due.

  const published = await database.query('SELECT tablename FROM pg_publication_tables ORDER BY 1');
  expect([removed.status, refused.status, published]).toEqual([202, 503, [{ tablename: 'items' }, { tablename: 'others' }]]);
});
