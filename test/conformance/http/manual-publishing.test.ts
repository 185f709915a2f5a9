/** Clause 8.7 where the operator publishes: what is still to be done is told one thing after the other, and altered by nobody else. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, streamIdOf, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ask } from './clause.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let role: string;
let publication: string;

beforeAll(async () => {
  database = await createDatabase();
  role = `operated_${database.name}`;
  publication = `electric_publication_${streamIdOf(database.url)}`;
  await database.query(`
    CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'operated'; CREATE PUBLICATION ${publication};
    CREATE TABLE items (id int PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one')`);
  const url = new URL(database.url);
  [url.username, url.password] = [role, 'operated'];
  service = await startServiceInProcess({ databaseUrl: url.href, flags: { 'manual-table-publishing': true } });
});

afterAll(async () => {
  await service.remove();
  await database.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
  await database.drop();
});

test('a table that is not published, then has no old rows, then may not be read, and is served at last', async () => {
  const told: unknown[] = [];
  for (const sql of [
    'SELECT',
    `ALTER PUBLICATION ${publication} ADD TABLE items`,
    'ALTER TABLE items REPLICA IDENTITY FULL',
    `GRANT SELECT ON items TO ${role}`,
  ]) {
    await database.query(sql);
    const { status, body } = await ask(service.url, 'GET /v1/shape?table=items&offset=-1');
    told.push(status === 200 ? 'served' : [status, (body as { message: string }).message]);
  }
  expect(told).toEqual([
    [503,
      `Database table "public.items" is missing from the publication "${publication}" and the ` +
      'ELECTRIC_MANUAL_TABLE_PUBLISHING setting prevents Electric from adding it',
    ],
    [503, 'Database table "public.items" does not have its replica identity set to FULL'],
    [503, 'Unable to create initial snapshot: permission denied for table items'],
    'served',
  ]);
});
