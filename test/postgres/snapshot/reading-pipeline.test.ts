/** A reading transaction in one write, where the table, or the session, is not what it was. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { KnownTables } from '../../../src/postgres/snapshot/known-tables.ts';
import { snapshotPort } from '../../../src/postgres/snapshot/snapshot-port.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingTarget } from '../../support/postgres/snapshot-target.ts';

let database: TestDatabase;
let pool: DatabasePool;
let port: RunningPort;
let target: RecordingTarget;

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'piped', max: 1 });
  await pool.open();
  port = await openPort(snapshotPort({ pool, tables: new KnownTables(), target: () => target }));
});

afterAll(async () => {
  await port.close();
  await pool.close();
  await database.drop();
});

/** Of the table `name`: its columns `id` and `state`. */
async function taken(name: string, columns = ['id', 'state']): Promise<{ type: string; rows: unknown; code?: unknown }> {
  target = new RecordingTarget({ name, columns });
  const { type, error } = await port.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' });
  return { type, rows: target.read, ...(error === undefined ? {} : { code: (error as { code: string }).code }) };
}

const COMPLETED = 'snapshot.completed';

test('a table that was read before is read in one write, whose statements the session prepares once', async () => {
  await database.query("CREATE TABLE plain (id int, state text); INSERT INTO plain VALUES (1, 'new')");

  const all = [await taken('plain'), await taken('plain'), await taken('plain')];
  const prepared = await pool.query("SELECT name FROM pg_prepared_statements WHERE name LIKE '%_piped' ORDER BY name");

  const read = { type: COMPLETED, rows: [['1', 'new']] };
  const names = ['armature_begin', 'armature_commit', 'armature_limit', 'armature_look', 'armature_place'];
  expect({ all, prepared: prepared.map(({ name }) => name as unknown) }).toEqual({
    all: [read, read, read],
    prepared: names.map((name) => `${name}_piped`),
  });
});

test('the look at a table is planned once in a session, and rows for the values that are asked for', async () => {
  await database.query("CREATE TABLE planned (id int, state text); INSERT INTO planned SELECT 1, current_setting('plan_cache_mode')");
  const where = { sql: "state = current_setting('plan_cache_mode') AND id = $1", params: ['1'] };
  const fresh = createPool({ target: targetOf(database.url), applicationName: 'planned', max: 1 });
  await fresh.open();
  const reading = await openPort(snapshotPort({ pool: fresh, tables: new KnownTables(), target: () => target }));
  const ask = async (): Promise<unknown> => {
    target = new RecordingTarget({ name: 'planned', columns: ['id'], where });
    await reading.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' });
    return target.read;
  };

  const rows = [await ask(), await ask(), await ask()];
  const looks = await fresh.query(`
    SELECT name, generic_plans::int AS once, custom_plans::int AS anew FROM pg_prepared_statements
    WHERE name LIKE 'armature_look%' ORDER BY name`);

  await reading.close();
  await fresh.close();
  expect({ rows, looks }).toEqual({
    rows: [[['1']], [['1']], [['1']]],
    looks: [{ name: 'armature_look', once: 1, anew: 0 }, { name: 'armature_look_piped', once: 2, anew: 0 }],
  });
});

test('where sessions are lent, nothing is prepared or set for longer than a transaction', async () => {
  await database.query('CREATE TABLE lent (id int, state text)');
  const lent = createPool({ target: targetOf(database.url), applicationName: 'lent', max: 1, isLent: true });
  await lent.open();
  const reading = await openPort(snapshotPort({ pool: lent, target: () => target }));
  const ask = async (): Promise<string> => {
    target = new RecordingTarget({ name: 'lent', columns: ['id'] });
    return (await reading.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' })).type;
  };

  const answers = [await ask(), await ask()];
  const prepared = await lent.query("SELECT name FROM pg_prepared_statements UNION SELECT name FROM pg_settings WHERE source = 'session'");

  await reading.close();
  await lent.close();
  expect({ answers, prepared }).toEqual({ answers: [COMPLETED, COMPLETED], prepared: [{ name: 'client_encoding' }] });
});

test('values are shown alike, whatever the database has set', async () => {
  await database.query(`
    CREATE TABLE times (id int, state timestamptz); INSERT INTO times VALUES (1, '2026-01-02 03:04:05+00');
    ALTER DATABASE ${database.name} SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE ${database.name} SET DateStyle = 'German'`);
  await pool.close();
  await pool.open();

  const shown = [await taken('times'), await taken('times')];

  await database.query(`ALTER DATABASE ${database.name} RESET ALL`);
  const read = { type: COMPLETED, rows: [['1', '2026-01-02 03:04:05+00']] };
  expect(shown).toEqual([read, read]);
});

const WITH_PARTS = 'CREATE TABLE changing (id int, state text) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF changing DEFAULT';

test.each([
  ['is another one', 'DROP TABLE changing; CREATE TABLE changing (id int, state text)'],
  ['has another type', 'TRUNCATE changing; ALTER TABLE changing ALTER state TYPE boolean USING true'],
  ['has partitions now', `DROP TABLE changing; ${WITH_PARTS}`],
])('a table that %s since it was read is looked at anew', async (_, change) => {
  await database.query(`
    DROP TABLE IF EXISTS changing; CREATE TABLE changing (id int, state text); INSERT INTO changing VALUES (1, 'true')`);
  await taken('changing');
  await database.query(`${change}; INSERT INTO changing VALUES (2, 'true')`);

  const after = [await taken('changing'), await taken('changing')];

  const read = { type: COMPLETED, rows: [['2', 'true']] };
  expect(after).toEqual([read, read]);
});

test('a table that is gone, or a column, is told as if it had been looked at first', async () => {
  await database.query('CREATE TABLE leaving (id int, state text)');
  await taken('leaving');
  await database.query('ALTER TABLE leaving DROP state');
  const column = await taken('leaving');
  await database.query('DROP TABLE leaving');

  expect([column, await taken('leaving')]).toEqual([
    { type: 'snapshot.failed', rows: [], code: 'schema_changed' },
    { type: 'snapshot.failed', rows: [], code: 'schema_changed' },
  ]);
});

test('a table that is refused is not read to its end', async () => {
  await database.query("CREATE TABLE refused AS SELECT i AS id, repeat('x', 1000) AS state FROM generate_series(1, 5000) i");
  await taken('refused');
  const session = async (): Promise<unknown> => (await pool.query('SELECT pg_backend_pid() AS pid'))[0]?.['pid'];
  const before = await session();
  target = new RecordingTarget({ name: 'refused', columns: ['id', 'state'], accepts: () => false });

  const { error } = await port.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' });

  expect({ error, calls: target.calls, isKept: (await session()) === before }).toMatchObject({
    error: { code: 'schema_changed' }, calls: ['abort'], isKept: false,
  });
});

test('a session that has forgotten what it prepared is closed, and the next one reads', async () => {
  await database.query('CREATE TABLE kept (id int, state text)');
  await taken('kept');
  await taken('kept');
  await pool.query('DEALLOCATE ALL');

  expect([await taken('kept'), await taken('kept')]).toEqual([
    { type: 'snapshot.failed', rows: [], code: 'connection_not_available' },
    { type: COMPLETED, rows: [] },
  ]);
});
