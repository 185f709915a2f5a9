/**
 * Postgres has no room for the connections of the service: it starts, waits, says why, and goes on by itself.
 *
 * In the scenario there is room for the lock, and for nothing else. Here there is none at all, or for two connections, which any may get.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { urlWith } from '../support/operations/database-url.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { freePort, type ServiceProcess, spawnService, untilActive } from '../support/service/service-process.ts';
import { readShape } from '../support/service/shape-follower.ts';

/** Three of them are kept for superusers. */
const CONNECTIONS = 10;
const OPEN_TO_ALL = 7;

const directory = mkdtempSync(join(tmpdir(), 'armature-connections-'));
const cluster = clusterDirectory();
let port: number;
let server: EmbeddedPostgres;

beforeAll(async () => {
  port = await freePort();
  server = await startServer(CONNECTIONS);
  const [superuser] = await sessionsAs('postgres', 1);
  await superuser?.query(`
    CREATE ROLE service LOGIN REPLICATION PASSWORD 'secret-word'; GRANT CREATE ON DATABASE postgres TO service;
    CREATE TABLE items (id integer PRIMARY KEY); ALTER TABLE items OWNER TO service; INSERT INTO items VALUES (1)`);
  await superuser?.end();
});

afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

function startServer(connections: number): Promise<EmbeddedPostgres> {
  const settings = { fsync: 'off', max_connections: String(connections) };
  return startPostgres({ directory: cluster, port, settings });
}

function urlAs(username: string): string {
  return username === 'postgres' ? server.url : urlWith(server.url, { username, password: 'secret-word' });
}

async function sessionsAs(role: string, count: number): Promise<readonly pg.Client[]> {
  return await Promise.all(Array.from({ length: count }, async () => {
    const client = new pg.Client({ connectionString: urlAs(role) });
    client.on('error', () => {}); // It ends with its server.
    await client.connect();
    return client;
  }));
}

async function health({ url }: ServiceProcess): Promise<unknown> {
  const response = await fetch(`${url}/v1/health`).catch(() => undefined);
  return response === undefined ? 'unreachable' : await response.json();
}

async function sessionsOfService(): Promise<number> {
  const [superuser] = await sessionsAs('postgres', 1);
  const found = await superuser?.query("SELECT FROM pg_stat_activity WHERE application_name LIKE 'armature%'");
  await superuser?.end();
  return found?.rowCount ?? 0;
}

/** Postgres has two sentences for it, by who is left out. */
function starting(who: RegExp): unknown {
  const cause = new RegExp(`${who.source}.* since .*(connection slots|too many clients)`);
  return { status: 'starting', cause: expect.stringMatching(cause) as string };
}

test('insufficient-connection-resources: waits for connections, says why, and goes on when there are enough', async () => {
  const others = await sessionsAs('service', OPEN_TO_ALL);
  const service = await spawnService({ databaseUrl: urlAs('service'), storageDirectory: join(directory, 'storage') });
  await expect.poll(() => health(service)).toEqual(starting(/^Postgres cannot be asked for the lock/));
  await Promise.all(others.slice(0, 2).map((client) => client.end()));
  await expect.poll(sessionsOfService).toBeGreaterThan(0);
  await expect.poll(() => health(service)).toEqual(starting(/^Postgres /));
  await server.stop();
  server = await startServer(100);
  await untilActive(service);
  const { status } = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  const exitCode = await service.stop();

  expect({ status, exitCode }).toEqual({ status: 200, exitCode: 0 });
});
