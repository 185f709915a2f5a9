/** Postgres goes away under load and comes back: health says so, stored shapes stay readable, clients carry on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { freePort, healthOf, startServiceProcess, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-away-'));
let port: number;
let postgres: EmbeddedPostgres;
let service: ServiceProcess;

const cluster = clusterDirectory();
const startServer = () => startPostgres({ directory: cluster, port, settings: { fsync: 'off' } });

beforeAll(async () => {
  port = await freePort();
  postgres = await startServer();
  await query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  service = await startServiceProcess({
    databaseUrl: postgres.url,
    storageDirectory: join(directory, 'storage'),
    environment: { ARMATURE_LONG_POLL_TIMEOUT: '1000' },
  });
});

afterAll(async () => {
  await service.stop();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  client.on('error', () => {}); // It goes away with its server.
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('postgres-disconnection: stopped and started under load, everything is equal afterwards, with the same handles', async () => {
  const follower = new ShapeFollower(service.shapeUrl, { table: 'items' });
  await query("INSERT INTO items SELECT n, 'before' FROM generate_series(1, 100) AS n");
  await follower.catchUp();
  const { handle } = follower;

  await query("INSERT INTO items SELECT n, 'at the end' FROM generate_series(101, 200) AS n");
  await postgres.stop();
  await expect.poll(() => healthOf(service)).toBe('starting');
  const stored = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const { offset } = stored;
  const polled = await readShape(service.shapeUrl, { table: 'items', handle: stored.handle ?? '', offset, live: 'true' });
  postgres = await startServer();
  await query("INSERT INTO items SELECT n, 'after' FROM generate_series(201, 300) AS n");
  await untilActive(service);

  const expected = await query('SELECT id::text, title FROM items ORDER BY items.id');
  await expect
    .poll(async () => {
      await follower.catchUp();
      return [...follower.rows.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
    })
    .toEqual(expected);
  expect({
    handle: follower.handle, readableMeanwhile: stored.handle, refetches: follower.refetches, polled: [polled.status, polled.text],
  }).toEqual({
    polled: [503, expect.stringContaining('"code":"not_up_to_date"')],
    handle,
    readableMeanwhile: handle,
    refetches: 0,
  });
});
