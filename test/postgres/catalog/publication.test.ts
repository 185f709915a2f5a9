import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { createPublication, type PublicationOptions } from '../../../src/postgres/catalog/publication.ts';
import { publicationPort } from '../../../src/postgres/catalog/publication-port.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

let database: TestDatabase;
let pool: DatabasePool;
let weakPool: DatabasePool;

beforeAll(async () => {
  database = await createDatabase();
  const role = `role_${database.name}`;
  await database.query(`
    CREATE ROLE ${role} LOGIN PASSWORD 'weak'; GRANT CREATE ON DATABASE ${database.name} TO ${role}; CREATE PUBLICATION pub`);
  pool = createPool({ target: targetOf(database.url), applicationName: 'test', max: 2 });
  weakPool = createPool({ target: { ...targetOf(database.url), user: role, password: 'weak' }, applicationName: 'test', max: 1 });
  await Promise.all([pool.open(), weakPool.open()]);
});
afterAll(async () => {
  await Promise.all([pool.close(), weakPool.close()]);
  await database.query(`DROP OWNED BY role_${database.name}; DROP ROLE role_${database.name}`);
  await database.drop();
});

async function table(name: string, rest = '(id int)'): Promise<{ oid: number; schema: string; name: string }> {
  await database.query(`CREATE TABLE ${name} ${rest}`);
  const [row] = await database.query<{ oid: number }>(`SELECT '${name}'::regclass::oid::int8::float8 AS oid`);
  return { oid: row?.oid ?? 0, schema: 'public', name };
}

async function published(): Promise<string[]> {
  const rows = await database.query<{ tablename: string }>(`SELECT tablename FROM pg_publication_tables WHERE pubname = 'pub' ORDER BY 1`);
  return rows.map(({ tablename }) => tablename);
}

async function refusalOf(relation: object, options: Partial<PublicationOptions> = {}): Promise<unknown> {
  const port = await openPort(publicationPort({ pool, publication: 'pub', isManual: false, ...options }));
  return (await port.ask({ type: 'addRelations', relations: [relation] }))['error'];
}

test('publishes a table with its old rows, as often as asked, and takes it out again', async () => {
  const publication = createPublication({ pool, publication: 'pub', isManual: false });
  const items = await table('items');

  await publication.add([items]);
  await publication.add([items]);
  const listed = await published();
  const [identity] = await database.query(`SELECT relreplident AS is FROM pg_class WHERE relname = 'items'`);
  await publication.drop([items]);
  await publication.drop([items]);

  expect({ listed, identity, left: await published() }).toEqual({ listed: ['items'], identity: { is: 'f' }, left: [] });
});

test('gives each partition its replica identity', async () => {
  const parts = await table('parts', '(id int) PARTITION BY RANGE (id)');
  await database.query('CREATE TABLE part PARTITION OF parts DEFAULT');

  await createPublication({ pool, publication: 'pub', isManual: false }).add([parts]);

  expect(await database.query(`SELECT relreplident AS is FROM pg_class WHERE relname = 'part'`)).toEqual([{ is: 'f' }]);
});

test.each([
  ['a table', 'busy', '(id int)', ''],
  ['a partition', 'busy_part', '(id int) PARTITION BY RANGE (id)', 'CREATE TABLE busy_part PARTITION OF busy_parts DEFAULT'],
])('publishes no table before the transactions that have written to %s are over', async (_, written, columns, partition) => {
  const name = partition === '' ? 'busy' : 'busy_parts';
  const busy = await table(name, columns);
  await database.query(`${partition}; ALTER TABLE ${written} REPLICA IDENTITY FULL`);
  const writer = await database.session();
  await writer.query(`BEGIN; INSERT INTO ${written} VALUES (1)`);
  let isPublished = false;

  const adding = createPublication({ pool, publication: 'pub', isManual: false }).add([busy]).then(() => (isPublished = true));
  await database.until(`SELECT FROM pg_locks WHERE relation = '${written}'::regclass AND mode = 'ShareLock' AND NOT granted`);
  const whileOpen = isPublished;
  await writer.query('COMMIT');
  await adding;

  expect({ whileOpen, isPublished }).toEqual({ whileOpen: false, isPublished: true });
});

test('a table that is gone can be dropped', async () => {
  const gone = { oid: 1, schema: 'nowhere', name: 'gone' };

  await expect(createPublication({ pool, publication: 'pub', isManual: false }).drop([gone])).resolves.toBeUndefined();
});

test('each refusal says what it is, in the words of the wire', async () => {
  const plain = await table('plain');
  const full = await table('full_identity');
  const locked = await table('locked');
  await database.query(`CREATE PUBLICATION part_of_it FOR TABLE plain WITH (publish = 'insert')`);
  await database.query('CREATE PUBLICATION manual FOR TABLE plain; ALTER TABLE full_identity REPLICA IDENTITY FULL');
  const written = await table('written');
  await database.query('ALTER TABLE written REPLICA IDENTITY FULL');
  const sums = await table('sums');
  await database.query(`
    ALTER TABLE sums ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED;
    CREATE PUBLICATION without_generated WITH (publish_generated_columns = none)`);
  const holder = await database.session();
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE locked; INSERT INTO written VALUES (1)');

  const refusals = {
    renamed: await refusalOf({ ...plain, oid: 1 }),
    missing: await refusalOf(plain, { publication: 'nothing' }),
    incomplete: await refusalOf(plain, { publication: 'part_of_it' }),
    manual: await refusalOf(full, { publication: 'manual', isManual: true }),
    manualIdentity: await refusalOf(plain, { publication: 'manual', isManual: true }),
    weak: await refusalOf(full, { pool: weakPool }),
    weakIdentity: await refusalOf(plain, { pool: weakPool, publication: 'manual' }),
    locked: await refusalOf(locked),
    written: await refusalOf(written),
    generated: await refusalOf(sums, { publication: 'without_generated' }),
  };
  await holder.query('ROLLBACK');

  const told = (code: string, message: string, status = 503): object => ({ name: code, code, message, status });
  expect(refusals).toEqual({
    renamed: told('table_dropped', 'Database table "public.plain" has been dropped or renamed', 409),
    missing: told('publication_missing', 'Publication "nothing" not found in the database'),
    incomplete: told(
      'publication_incomplete', 'Publication "part_of_it" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE',
    ),
    manual: told(
      'table_not_published',
      'Database table "public.full_identity" is missing from the publication "manual" ' +
        'and the ELECTRIC_MANUAL_TABLE_PUBLISHING setting prevents Electric from adding it',
    ),
    manualIdentity: told('replica_identity_not_full', 'Database table "public.plain" does not have its replica identity set to FULL'),
    weak: told(
      'table_not_published',
      'Database table "public.full_identity" is missing from the publication "pub" and Electric lacks privileges to add it',
    ),
    weakIdentity: told('replica_identity_not_full', 'Database table "public.plain" does not have its replica identity set to FULL'),
    locked: told('lock_timeout', 'Snapshot timed out while waiting for a table lock'),
    written: told('lock_timeout', 'Snapshot timed out while waiting for a table lock'),
    generated: told(
      'generated_columns_not_carried',
      'Database table "public.sums" has generated columns that the publication "without_generated" does not carry (twice): ' +
        'with its replica identity set to FULL, Postgres would refuse every UPDATE and DELETE on it. Make them STORED, and let the ' +
        'publication carry them: ALTER PUBLICATION "without_generated" SET (publish_generated_columns = stored)',
    ),
  });
}, 30_000);
