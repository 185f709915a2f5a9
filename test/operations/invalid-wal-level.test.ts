/** A server that writes too little into its WAL: whoever starts the service is told which setting that is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { refusedStart } from '../support/operations/refused-start.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { hurry, QUICK_TIME_LATER } from '../support/service/quick-time.ts';
import { freePort, startServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-wal-level-'));
const cluster = clusterDirectory();
let server: EmbeddedPostgres;

const startServer = (level: string, port: number) =>
  startPostgres({ directory: cluster, port, settings: { wal_level: level, fsync: 'off' } });

beforeAll(async () => {
  server = await startServer('replica', await freePort());
});

afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('invalid-wal-level: refuses to start, and says which setting is to be what', async () => {
  const { exitCode, output } = await refusedStart({ databaseUrl: server.url, storageDirectory: join(directory, 'storage') });

  const said = output.split('\n').filter((line) => line.startsWith('armature: '));
  expect({ exitCode, said }).toEqual({
    exitCode: 1,
    said: ["armature: The server's wal_level is replica. Run ALTER SYSTEM SET wal_level = 'logical' and restart Postgres."],
  });
});

async function query(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => {});
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** Postgres does not start with less while there is the slot, so whoever wants that has dropped it. */
const DROP_SLOT = `
  SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active; SELECT pg_drop_replication_slot('electric_slot_default')`;

test('invalid-wal-level: a server that comes back with less is waited for, and the shapes start over behind that', async () => {
  const { port } = server;
  await server.stop();
  server = await startServer('logical', port);
  await query('CREATE TABLE items (id int PRIMARY KEY)');
  const environment = { ...QUICK_TIME_LATER, ARMATURE_REPLICATION_STREAM_ID: 'default', ARMATURE_LONG_POLL_TIMEOUT: '500' };
  const service = await startServiceProcess({ databaseUrl: server.url, storageDirectory: join(directory, 'storage'), environment });
  hurry(service);
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  service.child.kill('SIGSTOP'); // Or it would come back in between, and make the slot anew.
  await expect.poll(() => query(DROP_SLOT).then(() => 'dropped', String)).toBe('dropped');
  await server.stop();
  server = await startServer('replica', port);
  service.child.kill('SIGCONT');

  const health = async (): Promise<unknown> => (await fetch(`${service.url}/v1/health`)).json();
  await expect.poll(health, { timeout: 30_000 }).toEqual({
    status: 'starting', cause: expect.stringMatching(/^the replication stream is broken since .*wal_level/) as string,
  });
  await server.stop();
  server = await startServer('logical', port);
  await query('INSERT INTO items VALUES (1)');

  await expect.poll(async () => (await follower.catchUp()).rows.size, { timeout: 30_000 }).toBe(1);
  expect([follower.refetches, await service.stop()]).toEqual([1, 0]);
}, 90_000);
