/**
 * The role may make publications, and does not own the table. Clause 8.7.
 *
 * Other than in the scenario, the answers are not Postgres's own ("must be owner of table items"): they say which publication, and what is
 * still to be done. And a table that an operator has published for a shape that was refused stays in the publication, so that the next
 * step is the last one. It leaves with the last shape on it, as all others do.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRole, publicationOf, type RestrictedRole } from '../support/operations/restricted-role.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service/service-process.ts';
import { readShape } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-table-'));
let database: TestDatabase;
let role: RestrictedRole;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  role = await createRole(database, 'REPLICATION');
  await database.query(`
    GRANT CREATE ON DATABASE ${database.name} TO ${role.name};
    CREATE TABLE items (id integer PRIMARY KEY); INSERT INTO items VALUES (1); GRANT SELECT ON items TO ${role.name}`);
  service = await startServiceProcess({
    databaseUrl: role.url,
    storageDirectory: join(directory, 'storage'),
    environment: { ELECTRIC_TWEAKS_PUBLICATION_REFRESH_PERIOD: '100ms', ELECTRIC_ENABLE_INTEGRATION_TESTING: 'true' },
  });
});

afterAll(async () => {
  await service.stop();
  await role.drop();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

async function answer(): Promise<unknown> {
  const { status, text } = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  return status === 200 ? status : [status, (JSON.parse(text) as { message: string }).message];
}

test('not-owner-of-the-table: what is left to do is told, and when it was done, the table comes and goes with its shapes', async () => {
  const publication = publicationOf(database);
  const unpublished = await answer();
  await database.query(`ALTER PUBLICATION ${publication} ADD TABLE items`);
  const withoutIdentity = await answer();
  await database.query('ALTER TABLE items REPLICA IDENTITY FULL');
  const served = await answer();
  await fetch(`${service.shapeUrl}?table=items`, { method: 'DELETE' });
  await database.until('SELECT WHERE NOT EXISTS (SELECT FROM pg_publication_tables)');

  expect([unpublished, withoutIdentity, served]).toEqual([
    [503, `Database table "public.items" is missing from the publication "${publication}" and Electric lacks privileges to add it`],
    [503, 'Database table "public.items" does not have its replica identity set to FULL'],
    200,
  ]);
});
