/**
 * Tables that change while no shape uses them, so that the stream says nothing of it: whoever asks next gets the table
 * as it is, after at most one 409. A client that follows the protocol is never sent round in a circle.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { readShape } from '../../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let table = '';
let tables = 0;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'enable-deletion': true } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** A table that was served once, and is known to the service, though nobody reads it any more. */
beforeEach(async () => {
  tables += 1;
  table = `unused_${tables}`;
  await database.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, title text); INSERT INTO ${table} VALUES (1, 'one')`);
  await readShape(service.shapeUrl, { table, offset: '-1' });
  await fetch(`${service.shapeUrl}?table=${table}`, { method: 'DELETE' });
  await database.until(`SELECT WHERE NOT EXISTS (SELECT FROM pg_publication_tables WHERE tablename = '${table}')`);
  await readShape(service.shapeUrl, { table, where: 'nothing = 1', offset: '-1' });
});

/** What a client gets that asks again after each 409. */
async function asked(
  params: Readonly<Record<string, string>> = {},
): Promise<{ status: number; refetches: number; rows: unknown[]; errors: unknown }> {
  for (let refetches = 0; ; refetches += 1) {
    const { status, messages, text } = await readShape(service.shapeUrl, { table, ...params, offset: '-1' });
    if (status === 409 && refetches < 5) continue;
    const rows = messages.map(({ value }) => value).filter((value) => value !== undefined);
    return { status, refetches, rows, errors: status === 400 ? (JSON.parse(text) as { errors: unknown }).errors : undefined };
  }
}

const served = (refetches: number, ...rows: readonly object[]): object => ({ status: 200, refetches, rows, errors: undefined });
const refused = (refetches: number, errors: object): object => ({ status: 400, refetches, rows: [], errors });
const missing = (schema: string, name: string): string =>
  `Table "${schema}"."${name}" does not exist. If the table name contains capitals or special characters you must quote it.`;

test('dropped and made anew: served', async () => {
  await database.query(
    `DROP TABLE ${table}; CREATE TABLE ${table} (id integer PRIMARY KEY, title text); INSERT INTO ${table} VALUES (2, 'two')`,
  );
  expect(await asked()).toEqual(served(1, { id: '2', title: 'two' }));
});

test('dropped: refused', async () => {
  await database.query(`DROP TABLE ${table}`);
  expect(await asked()).toEqual(refused(1, { table: [missing('public', table)] }));
});

test('renamed: found under its new name alone', async () => {
  await database.query(`ALTER TABLE ${table} RENAME TO ${table}_new`);
  const former = await asked();
  expect([former, await asked({ table: `${table}_new` })]).toEqual([
    refused(1, { table: [missing('public', table)] }),
    served(0, { id: '1', title: 'one' }),
  ]);
});

test('moved to another schema: found there alone', async () => {
  await database.query(`CREATE SCHEMA IF NOT EXISTS elsewhere; ALTER TABLE ${table} SET SCHEMA elsewhere`);
  const former = await asked();
  expect([former, await asked({ table: `elsewhere.${table}` })]).toEqual([
    refused(1, { table: [missing('public', table)] }),
    served(0, { id: '1', title: 'one' }),
  ]);
});

test('another table got its name: that one is served', async () => {
  await database.query(
    `ALTER TABLE ${table} RENAME TO ${table}_old; CREATE TABLE ${table} (key text PRIMARY KEY); INSERT INTO ${table} VALUES ('k')`,
  );
  expect(await asked()).toEqual(served(1, { key: 'k' }));
});

test('a column is added: served with it, and at once to whoever names it', async () => {
  await database.query(`ALTER TABLE ${table} ADD COLUMN size integer DEFAULT 3`);
  const named = await asked({ columns: 'id,size', where: 'size = 3' });
  expect([named, await asked()]).toEqual([served(0, { id: '1', size: '3' }), served(0, { id: '1', title: 'one', size: '3' })]);
});

test('a column is added, and nobody names it: a shape of all columns has it', async () => {
  await database.query(`ALTER TABLE ${table} ADD COLUMN size integer DEFAULT 3`);
  expect(await asked()).toEqual(served(1, { id: '1', title: 'one', size: '3' }));
});

test('a column is dropped: refused to whoever names it, and served without it', async () => {
  await database.query(`ALTER TABLE ${table} DROP COLUMN title`);
  const named = await asked({ columns: 'id,title' });
  expect([named, await asked()]).toEqual([
    refused(1, { columns: ['The following columns are not found on the table: title'] }),
    served(0, { id: '1' }),
  ]);
});

test('a table that was none is one now, and one that was a table is a view', async () => {
  await database.query(`DROP TABLE ${table}; CREATE VIEW ${table} AS SELECT 1 AS id`);
  const view = await asked();
  await database.query(`DROP VIEW ${table}; CREATE TABLE ${table} (id integer PRIMARY KEY); INSERT INTO ${table} VALUES (5)`);
  expect([view, await asked()]).toEqual([refused(1, { table: [expect.stringContaining('is a view')] }), served(0, { id: '5' })]);
});

test('a shape of a table that was made anew goes on with its changes', async () => {
  await database.query(`DROP TABLE ${table}; CREATE TABLE ${table} (id integer PRIMARY KEY, title text)`);
  await asked();
  const { headers } = await fetch(`${service.shapeUrl}?table=${table}&offset=-1`);
  const live = readShape(service.shapeUrl, { table, offset: '0_inf', handle: headers.get('electric-handle') ?? '', live: 'true' });
  await database.query(`INSERT INTO ${table} VALUES (9, 'nine')`);
  expect((await live).messages[0]).toMatchObject({ value: { id: '9', title: 'nine' }, headers: { operation: 'insert' } });
});
