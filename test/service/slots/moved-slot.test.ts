/**
 * A slot and a storage that parted: the slot went on without it, the storage is an old copy, the database was put back
 * or is another one. No shape may go on over that gap, and an operator reads why. A slot that only this storage has
 * moved on, also over WAL that was not for it, ends nothing.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dataOf } from '../../../src/demo/embedded-cluster.ts';
import type { EmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';
import { clusterDirectory } from '../../support/postgres/cluster-directory.ts';
import { createDatabase, createDatabaseOn, streamIdOf, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startPostgres } from '../../support/postgres/start-postgres.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../../support/service/service-process.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';

const ITEMS = 'CREATE TABLE items (id integer PRIMARY KEY)';
let directory: string;
/** The same over restarts, so that a follower stays. */
let port: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'armature-moved-'));
  port = await freePort();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function start(databaseUrl: string, storage: string, streamId = streamIdOf(databaseUrl)): Promise<ServiceProcess> {
  const environment = { ARMATURE_LONG_POLL_TIMEOUT: '500', ARMATURE_REPLICATION_STREAM_ID: streamId };
  return startServiceProcess({ databaseUrl, storageDirectory: join(directory, storage), port, environment });
}

/** Whole, with owners: what a backup holds. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

function follow({ shapeUrl }: ServiceProcess): Promise<ShapeFollower> {
  return new ShapeFollower(shapeUrl, { table: 'items' }).catchUp();
}

async function idsOf(follower: ShapeFollower): Promise<(string | null | undefined)[]> {
  return (await follower.catchUp()).sorted().map(({ id }) => id);
}

/** A service writes a row, serves it, and stops. */
async function writeOver(databaseUrl: string, storage: string, id: number): Promise<void> {
  const service = await start(databaseUrl, storage);
  const follower = await follow(service);
  await insert(databaseUrl, id);
  await expect.poll(() => idsOf(follower)).toContain(String(id));
  await service.stop();
}

/** By a session of its own: the server may have been another one meanwhile. */
async function insert(databaseUrl: string, id: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('INSERT INTO items VALUES ($1)', [id]);
  await client.end();
}

describe('on one server', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase();
    await database.query(ITEMS);
  });
  afterEach(() => database.drop());

  test('a storage that comes back after another one took the slot over ends its shapes, and says why', async () => {
    const first = await start(database.url, 'a');
    const follower = await follow(first);
    await first.stop();
    await writeOver(database.url, 'b', 1);

    const again = await start(database.url, 'a');

    await expect.poll(() => idsOf(follower)).toEqual(['1']);
    await again.stop();
    expect({ refetches: follower.refetches, output: again.output() }).toEqual({
      refetches: 1,
      output: expect.stringMatching(/moved on without this storage: it had confirmed [0-9A-F]+\/[0-9A-F]+, and the WAL is at/),
    });
  });

  test('a storage restored from a backup ends its shapes', async () => {
    const first = await start(database.url, 'a');
    const follower = await follow(first);
    await first.stop();
    copy(join(directory, 'a'), join(directory, 'backup'));
    await writeOver(database.url, 'a', 1);
    rmSync(join(directory, 'a'), { recursive: true });
    renameSync(join(directory, 'backup'), join(directory, 'a'));

    const restored = await start(database.url, 'a');

    await expect.poll(() => idsOf(follower)).toEqual(['1']);
    await restored.stop();
    expect(follower.refetches).toBe(1);
  });

  test('a storage of another database ends its shapes', async () => {
    const other = await createDatabase();
    await other.query(`${ITEMS}; INSERT INTO items VALUES (7)`);
    const streamId = `shared_${database.name}`;
    const first = await start(database.url, 'a', streamId);
    const follower = await follow(first);
    await first.stop();
    await database.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()');
    await (await start(other.url, 'b', streamId)).stop();

    const moved = await start(other.url, 'a', streamId);

    await expect.poll(() => idsOf(follower)).toEqual(['7']);
    await moved.stop();
    await other.drop();
    const says = expect.stringContaining('belongs to another database, ');
    expect({ refetches: follower.refetches, output: moved.output() }).toEqual({ refetches: 1, output: says });
  });

  test.each(['kill', 'stop'] as const)('WAL of others alone moves the slot on, and a %s after it ends nothing', async (end) => {
    const first = await start(database.url, 'a');
    const follower = await follow(first);
    await database.query('CREATE TABLE others (id integer)');
    for (let id = 1; id <= 20; id += 1) await database.query('INSERT INTO others VALUES ($1)', [id]);
    const [{ written } = { written: '' }] = await database.query<{ written: string }>('SELECT pg_current_wal_lsn()::text AS written');
    await database.until(`SELECT FROM pg_replication_slots WHERE database = current_database() AND confirmed_flush_lsn >= '${written}'`);
    await first[end]();
    await database.query('INSERT INTO items VALUES (1)');

    const again = await start(database.url, 'a');

    await expect.poll(() => idsOf(follower)).toEqual(['1']);
    await again.stop();
    expect(follower.refetches).toBe(0);
  });
});

describe('on a server that is put back', () => {
  let server: EmbeddedPostgres;
  let cluster: string;
  /** The next start is a recovery to a point in time, which ends on a timeline of its own. */
  const recoverToNewTimeline = (): void => writeFileSync(join(dataOf(cluster), 'recovery.signal'), '');
  const settings = { fsync: 'off', restore_command: 'false' };
  beforeAll(async () => {
    cluster = clusterDirectory();
    server = await startPostgres({ directory: cluster, settings });
  });
  afterAll(() => server.stop());

  test.each([
    ['as it was', 'the database was put back: its WAL is at ', () => {}],
    ['onto a new timeline', 'the database is on timeline 2, and this storage belongs to timeline 1', recoverToNewTimeline],
  ])('%s, the slot with it, every shape starts over: what it held may never have been', async (_, says, prepare) => {
    const database = await createDatabaseOn(server.url);
    await database.query(`${ITEMS}; INSERT INTO items VALUES (1)`);
    const first = await start(database.url, 'a');
    const follower = await follow(first);
    await first.stop();
    await server.stop();
    copy(dataOf(cluster), `${dataOf(cluster)}.backup`);
    server = await startPostgres({ directory: cluster, port: server.port, settings });
    await writeOver(database.url, 'a', 2);
    await server.stop();
    rmSync(dataOf(cluster), { recursive: true });
    renameSync(`${dataOf(cluster)}.backup`, dataOf(cluster));
    prepare();
    server = await startPostgres({ directory: cluster, port: server.port, settings });

    const again = await start(database.url, 'a');

    await expect.poll(() => idsOf(follower)).toEqual(['1']);
    await again.stop();
    expect({ refetches: follower.refetches, output: again.output() }).toEqual({ refetches: 1, output: expect.stringContaining(says) });
  });
});
