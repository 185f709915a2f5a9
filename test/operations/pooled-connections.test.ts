/**
 * Queries go through PgBouncer in transaction mode, the stream and the lock go to Postgres itself.
 *
 * The pooler has one session, so what the service left set in it would be met by the next who is lent it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from '../../src/postgres/connection/pool.ts';
import { snapshotPort } from '../../src/postgres/snapshot/snapshot-port.ts';
import { type PgBouncer, startPgBouncer } from '../support/operations/pgbouncer.ts';
import { refusedStart } from '../support/operations/refused-start.ts';
import { openPort } from '../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { targetOf } from '../support/postgres/postgres-target.ts';
import { RecordingTarget } from '../support/postgres/snapshot-target.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-pooled-'));
let database: TestDatabase;
let pooler: PgBouncer;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    ALTER DATABASE ${database.name} SET statement_timeout = '37s';
    ALTER DATABASE ${database.name} SET IntervalStyle = 'postgres_verbose';
    CREATE TABLE parents (id integer PRIMARY KEY, active boolean NOT NULL); INSERT INTO parents VALUES (1, true), (2, false);
    CREATE TABLE items (id integer PRIMARY KEY, parent_id integer NOT NULL, age interval NOT NULL);
    INSERT INTO items SELECT n, 1 + n % 2, '1 day' FROM generate_series(1, 10) AS n`);
  pooler = await startPgBouncer(database.url);
  service = await startServiceProcess({
    databaseUrl: database.url,
    storageDirectory: join(directory, 'storage'),
    environment: { ELECTRIC_POOLED_DATABASE_URL: pooler.url, ARMATURE_DATABASE_TIMEOUT: '2s' },
  });
});

afterAll(async () => {
  await service.stop();
  await pooler.stop();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

/** Of the session that the pooler lends to the next who asks. */
async function settingsOfTheNext(): Promise<unknown> {
  const client = new pg.Client({ connectionString: pooler.url });
  await client.connect();
  const names = ['statement_timeout', 'IntervalStyle', 'extra_float_digits', 'client_connection_check_interval'];
  const { rows } = await client.query('SELECT setting FROM pg_settings JOIN unnest($1::text[]) AS name USING (name)', [names]);
  await client.end();
  return rows;
}

test('pooled-connections: a pooler where Postgres itself should be named is refused in words', async () => {
  const refused = await refusedStart({ databaseUrl: pooler.url, storageDirectory: join(directory, 'other') });
  const holders = await database.query(`
    SELECT application_name AS name FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND datname = current_database()`);

  expect({ ...refused, holders }).toEqual({
    exitCode: 1,
    output: expect.stringMatching(/no connection that streams: .*PgBouncer.*--pooled-database-url/) as string,
    holders: [{ name: 'armature lock' }],
  });
});

test('pooled-connections: snapshot, changes, moves and subsets come through, and leave nothing behind in the session', async () => {
  const before = await settingsOfTheNext();
  const [all, moved] = [{ table: 'items' }, { table: 'items', where: 'parent_id IN (SELECT id FROM parents WHERE active)' }];
  const followers = await Promise.all([all, moved].map((params) => new ShapeFollower(service.shapeUrl, params).catchUp()));
  const handles = followers.map(({ handle }) => handle);
  const snapshots = followers.map(({ rows }) => rows.size);

  await database.query(`
    INSERT INTO items SELECT n, 1 + n % 2, '1 day' FROM generate_series(11, 20) AS n; UPDATE parents SET active = true`);
  await expect
    .poll(async () => await Promise.all(followers.map(async (follower) => (await follower.catchUp()).rows.size)))
    .toEqual([20, 20]);
  const [first] = followers;
  const subset = await readShape(service.shapeUrl, {
    ...all, handle: first?.handle ?? '', offset: first?.offset ?? '', subset__where: 'id <= 3', subset__order_by: 'id', subset__limit: '2',
  });
  const after = await settingsOfTheNext();

  expect({
    snapshots, ages: new Set(followers.flatMap(({ rows }) => [...rows.values()].map(({ age }) => age))), subset: subset.status,
    handles: followers.map(({ handle }) => handle), after,
  }).toEqual({ snapshots: [10, 5], ages: new Set(['P1D']), subset: 200, handles, after: before });
});

test('pooled-connections: while the pooler is paused, a new shape is refused in time, and others go on; then all go on', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id > 100' }).catchUp();
  const dependant = await new ShapeFollower(service.shapeUrl, {
    table: 'items', where: 'id > 100 AND parent_id IN (SELECT id FROM parents WHERE active)',
  }).catchUp();
  await pooler.pause();

  const asked = new URL(service.shapeUrl);
  asked.search = new URLSearchParams({ table: 'items', where: 'id < 5', offset: '-1' }).toString();
  const refused = await fetch(asked);
  const { code } = (await refused.json()) as { code?: string };
  const subset = await readShape(service.shapeUrl, {
    table: 'items', where: 'id > 100', handle: follower.handle ?? '', offset: follower.offset, subset__where: 'id < 200',
  });
  await database.query(`INSERT INTO parents VALUES (3, false); INSERT INTO items VALUES (101, 1, '1 day'), (103, 3, '1 day')`);
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);
  await database.query('UPDATE parents SET active = true WHERE id = 3'); // Whose rows are asked for by way of the pooler.
  await expect.poll(() => service.output()).toContain('sessions.withheld');
  const health = await fetch(`${service.url}/v1/health`);
  const told = await health.json();
  await pooler.resume();
  await expect.poll(async () => await fetch(asked).then(({ status }) => status)).toBe(200);
  await expect.poll(async () => (await dependant.catchUp()).rows.size).toBe(2);
  await expect.poll(() => service.output()).toContain('sessions.lent');

  expect({
    refused: [refused.status, code, refused.headers.get('retry-after')],
    subset: [subset.status, subset.text], health: [health.status, told],
    refetches: [follower.refetches, dependant.refetches],
  }).toEqual({
    refused: [503, 'pooler_timeout', '10'],
    subset: [503, expect.stringContaining('"code":"pooler_timeout"')],
    health: [200, { status: 'active', cause: expect.stringMatching(/^the pooler lends no session since /) as string }],
    refetches: [0, 0],
  });
});

test('pooled-connections: a table that is locked is told of in time, also where no session is lent to ask who has the lock', async () => {
  const pool = createPool({ target: targetOf(pooler.url), applicationName: 'withheld', max: 1, isLent: true, silenceMsMax: 1_000 });
  await pool.open();
  const target = new RecordingTarget({ name: 'items', columns: ['id'] });
  const port = await openPort(snapshotPort({ pool, target: () => target }));
  const locking = await database.session();
  await locking.query('BEGIN; LOCK TABLE items');

  const asked = port.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' });
  await database.until("SELECT FROM pg_locks WHERE NOT granted AND relation = 'items'::regclass");
  await pooler.pause(); // Once its transaction has ended.
  const { type, error } = await asked;
  await pooler.resume();
  await locking.query('ROLLBACK');
  await port.close();
  await pool.close();

  const message = 'Snapshot timed out while waiting for a table lock';
  expect({ type, error }).toEqual({ type: 'snapshot.failed', error: { name: 'lock_timeout', code: 'lock_timeout', message, status: 503 } });
});
