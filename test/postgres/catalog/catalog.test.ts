import { afterAll, beforeAll, expect, test } from 'vitest';
import { invariant } from '../../../src/base/invariant.ts';
import { createCatalog, type FoundRelation } from '../../../src/postgres/catalog/catalog.ts';
import { DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { MAJOR } from '../../support/postgres/start-postgres.ts';

/** Before that generated columns are stored, and no publication carries them. */
const GENERATED_SINCE = 18;
/** Before that some operations of filters give other results. */
const FILTERS_ALIKE_SINCE = 17;

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

function oidOf(found: FoundRelation): number | undefined {
  return found !== undefined && 'oid' in found ? found.oid : undefined;
}

function columnCount(found: FoundRelation): number | undefined {
  return found !== undefined && 'columns' in found ? found.columns.length : undefined;
}

test('a table that is dropped while it is looked at is found as it was', async () => {
  await database.query('CREATE TABLE leaving (id int PRIMARY KEY)');

  const found = await pool.use(async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT');
    await database.query('DROP TABLE leaving');
    const query = async (sql: string, params: unknown[]) => (await client.query(sql, params)).rows as unknown[];
    const before = await createCatalog(Object.create(pool, { query: { value: query } }) as DatabasePool).relation('public', 'leaving');
    await client.query('COMMIT');
    return before;
  });

  expect(columnCount(found)).toBe(1);
});

test('describes columns in attribute order, the primary key in its own', async () => {
  await database.query(`
    CREATE TABLE "Odd ""name" (
      b varchar(7) NOT NULL, gone int, tags text[][], a int, d numeric(5,2), "c" int GENERATED ALWAYS AS (a + 1) STORED,
      PRIMARY KEY (a, b) INCLUDE (d)
    );
    ALTER TABLE "Odd ""name" DROP COLUMN gone`);

  const relation = await createCatalog(pool).relation('public', 'Odd "name');

  const collation = { name: 'C', order: 'bytes', cases: 'ascii', isDeterministic: true };
  const plain = { typeMod: -1, dimensions: 0, notNull: false, generated: false };
  const facts = (number: number, more = {}) => ({
    facts: {
      number, version: expect.any(Number) as unknown, notNull: false, collation: 0, types: null,
      isMissing: false, defaultOid: null, ...more,
    },
  });
  const generated = { generated: MAJOR < GENERATED_SINCE, ...facts(6, { defaultOid: expect.any(Number) as unknown }) };
  const first = facts(1, { notNull: true, collation: 100 });
  expect(relation).toEqual({
    oid: expect.any(Number), schema: 'public', name: 'Odd "name', files: expect.stringMatching(/^\d+$/),
    columns: [
      { ...plain, name: 'b', typeOid: 1043, typeMod: 11, typeName: 'varchar', notNull: true, pkIndex: 1, collation, ...first },
      { ...plain, name: 'tags', typeOid: 1009, typeName: 'text', dimensions: 2, collation, ...facts(3, { collation: 100 }) },
      { ...plain, name: 'a', typeOid: 23, typeName: 'int4', notNull: true, pkIndex: 0, ...facts(4, { notNull: true }) },
      { ...plain, name: 'd', typeOid: 1700, typeMod: 327686, typeName: 'numeric', ...facts(5) },
      { ...plain, name: 'c', typeOid: 23, typeName: 'int4', ...generated },
    ],
    collation,
    ...MAJOR < FILTERS_ALIKE_SINCE ? { version: MAJOR } : {},
  });
});

const C = { name: 'C', order: 'bytes', cases: 'ascii', isDeterministic: true };
const COLLATED = [
  { column: 'plain text', collation: C },
  { column: 'c text COLLATE "C"', collation: C },
  { column: 'unicode text COLLATE "pg_c_utf8"', since: 17, collation: { ...C, name: 'pg_c_utf8', cases: 'unicode' } },
  { column: 'fast text COLLATE "pg_unicode_fast"', since: 18, collation: { ...C, name: 'pg_unicode_fast', cases: 'unknown' } },
  { column: 'german text COLLATE "de-x-icu"', collation: { ...C, name: 'de-x-icu', order: 'language', cases: 'unknown' } },
  { column: 'loose text COLLATE loose', collation: { name: 'loose', order: 'language', cases: 'unknown', isDeterministic: false } },
  { column: 'tag name', collation: C },
  { column: 'mood mood', isEnum: true },
  { column: 'size int' },
].filter(({ since = 0 }) => MAJOR >= since);

test('describes the collation of text, and which types are enums', async () => {
  await database.query(`
    CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false);
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE voices (${COLLATED.map(({ column }) => column).join()})`);

  const relation = await createCatalog(pool).relation('public', 'voices');

  const columns = relation !== undefined && 'columns' in relation ? relation.columns : [];
  expect(columns.map(({ name, collation, isEnum }) => [name, collation, isEnum])).toEqual(
    COLLATED.map(({ column, collation, isEnum }) => [column.split(' ')[0], collation, isEnum]),
  );
});

test('knows no empty tables and no missing ones, but partitioned roots', async () => {
  await database.query('CREATE TABLE void (); CREATE TABLE parts (a int) PARTITION BY HASH (a)');
  const catalog = createCatalog(pool);

  const answers = await Promise.all(['void', 'missing', 'parts'].map((name) => catalog.relation('public', name)));

  expect(answers).toEqual([undefined, undefined, expect.objectContaining({ name: 'parts' })]);
});

test('names what Postgres streams no changes of', async () => {
  const session = await database.session();
  await session.query(`
    CREATE VIEW seen AS SELECT 1 AS a; CREATE MATERIALIZED VIEW stored AS SELECT 1 AS a; CREATE SEQUENCE counter;
    CREATE UNLOGGED TABLE fleeting (a int PRIMARY KEY); CREATE TYPE pair AS (a int, b int); CREATE TEMPORARY TABLE own (a int);
    CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
    CREATE FOREIGN TABLE far (a int) SERVER nowhere`);
  const { rows: [temporary] } = await session.query<{ name: string }>('SELECT pg_my_temp_schema()::regnamespace::text AS name');
  const catalog = createCatalog(pool);
  const named: readonly (readonly [string, string])[] = [
    ['public', 'seen'], ['public', 'stored'], ['public', 'counter'], ['public', 'fleeting'], ['public', 'fleeting_pkey'],
    ['public', 'pair'], ['public', 'far'],
    [temporary?.name ?? '', 'own'], ['pg_catalog', 'pg_authid'], ['information_schema', 'sql_features'], ['information_schema', 'tables'],
  ];

  const answers = await Promise.all(named.map(([schema, name]) => catalog.relation(schema, name)));

  expect(answers.map((found) => found !== undefined && 'kindName' in found && found.kindName)).toEqual([
    'a view', 'a materialized view', 'a sequence', 'an unlogged table', 'an index', 'a composite type', 'a foreign table',
    'a temporary table', 'a system table', 'a system table', 'a view',
  ]);
});

test('keeps an answer until the table is put in doubt', async () => {
  await database.query('CREATE TABLE grows (a int)');
  const catalog = createCatalog(pool);
  const before = await catalog.relation('public', 'grows');
  await database.query('ALTER TABLE grows ADD b int');
  const kept = await catalog.relation('public', 'grows');

  catalog.doubt({ oid: oidOf(before) ?? 0, schema: 'public', name: 'renamed since' });

  const after = await catalog.relation('public', 'grows');
  expect([before, kept, after].map(columnCount)).toEqual([1, 1, 2]);
});

test('an answer is current as long as it is kept and not in doubt, and whatever else has its name is not', async () => {
  await database.query('CREATE TABLE certain (a int)');
  const catalog = createCatalog(pool);
  const found = await catalog.relation('public', 'certain');
  invariant(found !== undefined && !('kindName' in found), 'a table was made');
  const kept = [catalog.isCurrent(found), catalog.isCurrent({ ...found })];
  catalog.doubtTables([found.oid]);
  const doubted = catalog.isCurrent(found);
  await database.query('ALTER TABLE certain ADD b int');
  const now = await catalog.relation('public', 'certain');

  expect({ kept, doubted, before: catalog.isCurrent(found), columns: columnCount(now) }).toEqual({
    kept: [true, false], doubted: false, before: false, columns: 2,
  });
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
  const [made] = await database.query<{ oid: number }>(
    `DROP TABLE reborn; CREATE TABLE reborn (a int); SELECT 'reborn'::regclass::oid::int AS oid`,
  );

  catalog.doubt({ oid: made?.oid ?? 0, schema: 'public', name: 'reborn' });

  const after = await catalog.relation('public', 'reborn');
  expect([oidOf(before) === oidOf(after), oidOf(after)]).toEqual([false, made?.oid]);
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

test('a table that has two names, one of them from before, has but the one that it has', async () => {
  await database.query('CREATE TABLE former (a int)');
  const catalog = createCatalog(pool);
  await catalog.relation('public', 'former');
  await database.query('ALTER TABLE former RENAME TO latter');

  const latter = await catalog.relation('public', 'latter');

  expect([columnCount(latter), await catalog.relation('public', 'former')]).toEqual([1, undefined]);
});

test('who asks for the table as it is now gets an answer that was asked for since, and so does everybody from then on', async () => {
  await database.query('CREATE TABLE present (a int)');
  const catalog = createCatalog(pool);
  const first = await catalog.relation('public', 'present');
  const open = catalog.relationNow('public', 'present');
  await database.query('ALTER TABLE present ADD b int');

  const now = await Promise.all([catalog.relationNow('public', 'present'), catalog.relationNow('public', 'present')]);

  const counts = [first, ...now, await catalog.relation('public', 'present')].map(columnCount);
  expect([...counts, (await open) !== undefined]).toEqual([1, 2, 2, 2, true]);
});

test('a table that is gone is forgotten, and one of another kind is not kept', async () => {
  await database.query('CREATE TABLE changing (a int)');
  const catalog = createCatalog(pool);
  const table = await catalog.relation('public', 'changing');
  await database.query('DROP TABLE changing; CREATE VIEW changing AS SELECT 1 AS a');
  const view = await catalog.relationNow('public', 'changing');
  await database.query('DROP VIEW changing; CREATE TABLE changing (a int, b int)');

  expect([columnCount(table), view, columnCount(await catalog.relation('public', 'changing'))]).toEqual([1, { kindName: 'a view' }, 2]);
});

const FAULTY = [
  {
    what: 'a root has a partition that Postgres does not replicate',
    made: 'CREATE TABLE mended_a (a int) PARTITION BY LIST (a); CREATE UNLOGGED TABLE mended_b PARTITION OF mended_a DEFAULT',
    mended: 'ALTER TABLE mended_a DETACH PARTITION mended_b',
    name: 'mended_a',
  },
  {
    what: 'a table has a virtual column', since: GENERATED_SINCE,
    made: 'CREATE TABLE mended_c (a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL)',
    mended: 'ALTER TABLE mended_c DROP COLUMN twice',
    name: 'mended_c',
  },
].filter(({ since = 0 }) => MAJOR >= since);

test.each(FAULTY)('that $what is not kept, so that it is seen at once when that is mended', async ({ made, mended, name }) => {
  await database.query(made);
  const catalog = createCatalog(pool);
  const faultOf = (found: FoundRelation): boolean | undefined => {
    return found !== undefined && 'columns' in found
      ? found.untoldPartition !== undefined || found.columns.some(({ isVirtual }) => isVirtual === true)
      : undefined;
  };
  const before = await catalog.relation('public', name);
  await database.query(mended);

  expect([before, await catalog.relation('public', name)].map(faultOf)).toEqual([true, false]);
});

test('a root is described without waiting for who has a partition locked', async () => {
  await database.query('CREATE TABLE awaited (a int) PARTITION BY LIST (a); CREATE TABLE awaited_a PARTITION OF awaited DEFAULT');
  const holder = await database.session();
  await holder.query('BEGIN; LOCK TABLE awaited_a IN ACCESS EXCLUSIVE MODE');
  const found = await createCatalog(pool).relation('public', 'awaited');
  await holder.query('ROLLBACK');

  expect(columnCount(found)).toBe(1);
});
