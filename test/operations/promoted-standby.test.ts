/**
 * A standby takes over, with a copy of our slot: where it has all that the shapes have seen, they go on as if nothing had happened; where
 * it lacks something, they hold what never was, and start over.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import pg from 'pg';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { copyAsStandby, STANDBY_SLOT } from '../support/operations/standby.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { MAJOR, startPostgres } from '../support/postgres/start-postgres.ts';
import { hurry, QUICK_TIME_LATER } from '../support/service/quick-time.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

/** Before that a standby has no copy of a logical slot. */
const testOfCopiedSlot = test.runIf(MAJOR >= 17);

let directory: string;
let clusters: string;
let port: number;
/** The one that is written to. */
let postgres: EmbeddedPostgres;
let standby: EmbeddedPostgres;
let service: ServiceProcess;

const start = (name: string, at: number, settings: Readonly<Record<string, string>> = {}) =>
  startPostgres({ directory: `${clusters}/${name}`, port: at, settings: { fsync: 'off', ...settings } });

beforeEach(async () => {
  directory = temporaryDirectory();
  clusters = clusterDirectory();
  port = await freePort();
  postgres = await start('primary', port);
  await query(postgres, `CREATE TABLE items (id integer PRIMARY KEY); SELECT pg_create_physical_replication_slot('${STANDBY_SLOT}', true)`);
  await postgres.stop();
  const settings = copyAsStandby(`${clusters}/primary`, `${clusters}/standby`, port);
  postgres = await start('primary', port);
  standby = await start('standby', await freePort(), settings);
  const environment = { ...QUICK_TIME_LATER, ARMATURE_LONG_POLL_TIMEOUT: '500', ARMATURE_REPLICATION_STREAM_ID: 'default' };
  service = await startServiceProcess({ databaseUrl: postgres.url, storageDirectory: `${directory}/storage`, environment });
  hurry(service);
});
afterEach(async () => {
  await service.stop();
  await Promise.all([postgres.stop(), standby.stop()]);
  removeDirectory(directory);
});

async function query(server: EmbeddedPostgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => {});
  await client.connect();
  try {
    const results = await client.query<Record<string, unknown>>(sql);
    return Array.isArray(results) ? [] : results.rows;
  } finally {
    await client.end();
  }
}

async function idsOf(follower: ShapeFollower): Promise<readonly unknown[]> {
  return (await follower.catchUp()).sorted().map(({ id }) => id);
}

/** Until the standby has a copy of the slot that would outlive the primary: it keeps one from where a snapshot of what runs was logged. */
async function copySlot(): Promise<void> {
  const copied = async () => {
    await query(postgres, 'SELECT pg_log_standby_snapshot()'); // By itself Postgres logs one in fifteen seconds.
    await query(standby, 'SELECT pg_sync_replication_slots()');
    return await query(standby, "SELECT slot_name FROM pg_replication_slots WHERE slot_name = 'electric_slot_default' AND NOT temporary");
  };
  await expect.poll(copied).toHaveLength(1);
}

/** Where the primary was. */
async function promote(): Promise<void> {
  await query(standby, 'SELECT pg_promote()');
  await standby.stop();
  postgres = standby = await start('standby', port);
}

testOfCopiedSlot('promoted-standby: one that has all that the shapes have seen goes on with them', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await query(postgres, 'INSERT INTO items VALUES (1)');
  await expect.poll(() => idsOf(follower)).toEqual(['1']);
  await copySlot();
  await postgres.stop(); // In good order: the standby gets all of it.

  await promote();
  await query(postgres, 'INSERT INTO items VALUES (2)');

  await expect.poll(() => idsOf(follower)).toEqual(['1', '2']);
  expect({ refetches: follower.refetches, output: service.output() }).toEqual({
    refetches: 0, output: expect.stringContaining('another timeline, 2, goes on behind all that is stored'),
  });
});

testOfCopiedSlot('promoted-standby: one that lacks what the shapes have seen has them start over', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await copySlot();
  await standby.stop();
  await query(postgres, 'INSERT INTO items VALUES (1)');
  await expect.poll(() => idsOf(follower)).toEqual(['1']);
  await postgres.stop();

  standby = await start('standby', await freePort());
  await promote();
  await query(postgres, 'INSERT INTO items VALUES (2)');

  await expect.poll(() => idsOf(follower)).toEqual(['2']);
  expect({ refetches: follower.refetches, output: service.output() }).toEqual({
    refetches: 1, output: expect.stringMatching(/to timeline 1, which was left at .*, and has seen what came up to/),
  });
});

test('promoted-standby: without a copy of the slot, and behind, it has them start over, and they go on from there', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await standby.stop();
  await query(postgres, 'INSERT INTO items VALUES (1)');
  await expect.poll(() => idsOf(follower)).toEqual(['1']);
  await postgres.stop();

  standby = await start('standby', await freePort());
  await promote();
  await query(postgres, 'INSERT INTO items VALUES (2)');

  await expect.poll(() => idsOf(follower)).toEqual(['2']);
  await query(postgres, 'INSERT INTO items VALUES (3)');
  await expect.poll(() => idsOf(follower)).toEqual(['2', '3']);
  expect({ refetches: follower.refetches, output: service.output() }).toEqual({
    refetches: 1, output: expect.stringContaining('the replication slot \\"electric_slot_default\\" is gone'),
  });
});
