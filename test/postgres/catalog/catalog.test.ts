import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCatalog } from '../../../src/postgres/catalog/catalog.ts';
import { DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { targetOf } from '../../support/postgres-target.ts';

let database: TestDatabase;
let pool: DatabasePool;
beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'test', max: 2 });
  await pool.open();
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

test('describes columns in attribute order, the primary key in its own', async () => {
  await database.query(`CREATE TABLE "Odd ""name" (b varchar(7) NOT NULL, gone int, tags text[][], a int, d numeric(5,2), "c" int GENERATED ALWAYS AS (a + 1) STORED, PRIMARY KEY (a, b));
    ALTER TABLE "Odd ""name" DROP COLUMN gone`);

  const relation = await createCatalog(pool).relation('public', 'Odd "name');

  const plain = { typeMod: -1, dimensions: 0, notNull: false, generated: false };
  expect(relation).toEqual({
    oid: expect.any(Number), schema: 'public', name: 'Odd "name',
    columns: [
      { ...plain, name: 'b', typeOid: 1043, typeMod: 11, typeName: 'varchar', notNull: true, pkIndex: 1 },
      { ...plain, name: 'tags', typeOid: 1009, typeName: 'text', dimensions: 2 },
      { ...plain, name: 'a', typeOid: 23, typeName: 'int4', notNull: true, pkIndex: 0 },
      { ...plain, name: 'd', typeOid: 1700, typeMod: 327686, typeName: 'numeric' },
      { ...plain, name: 'c', typeOid: 23, typeName: 'int4', generated: true },
    ],
  });
});

test('knows no views, no empty tables and no missing ones, but partitioned roots', async () => {
  await database.query('CREATE VIEW seen AS SELECT 1 AS a; CREATE TABLE void (); CREATE TABLE parts (a int) PARTITION BY HASH (a)');
  const catalog = createCatalog(pool);

  const answers = await Promise.all(['seen', 'void', 'missing', 'parts'].map((name) => catalog.relation('public', name)));

  expect(answers.map((relation) => relation?.name)).toEqual([undefined, undefined, undefined, 'parts']);
});

test('keeps an answer until the table is put in doubt', async () => {
  await database.query('CREATE TABLE grows (a int)');
  const catalog = createCatalog(pool);
  const before = await catalog.relation('public', 'grows');
  await database.query('ALTER TABLE grows ADD b int');
  const kept = await catalog.relation('public', 'grows');

  catalog.doubt({ oid: before?.oid ?? 0, schema: 'public', name: 'renamed since' });

  const after = await catalog.relation('public', 'grows');
  expect([before, kept, after].map((relation) => relation?.columns.length)).toEqual([1, 1, 2]);
});

test('says that the database is unreachable, not that the table is missing', async () => {
  const away = createPool({ target: { ...targetOf(database.url), port: 1 }, applicationName: 'test', max: 1 });

  const answer = createCatalog(away).relation('public', 'items');

  await expect(answer).rejects.toBeInstanceOf(DatabaseUnreachableError);
});

test('a table that was dropped and made anew under its name is asked for again', async () => {
  await database.query('CREATE TABLE reborn (a int)');
  const catalog = createCatalog(pool);
  const before = await catalog.relation('public', 'reborn');
  const [made] = await database.query<{ oid: number }>(`DROP TABLE reborn; CREATE TABLE reborn (a int); SELECT 'reborn'::regclass::oid::int AS oid`);

  catalog.doubt({ oid: made?.oid ?? 0, schema: 'public', name: 'reborn' });

  const after = await catalog.relation('public', 'reborn');
  expect([before?.oid === after?.oid, after?.oid]).toEqual([false, made?.oid]);
});

test('a doubtful answer is better than none, and an unchanged one is the same object', async () => {
  await database.query('CREATE TABLE steady (a int)');
  const ownPool = createPool({ target: targetOf(database.url), applicationName: 'test', max: 1 });
  await ownPool.open();
  const catalog = createCatalog(ownPool);
  const before = await catalog.relation('public', 'steady');
  catalog.doubtAll();
  const again = await catalog.relation('public', 'steady');
  catalog.doubtAll();
  await ownPool.close();
  const away = await catalog.relation('public', 'steady');

  expect([again === before, away === before]).toEqual([true, true]);
});
