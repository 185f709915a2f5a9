/**
 * Clients from npm, polling and streaming, while what they follow breaks under them: the service is killed, Postgres goes, first rows
 * are still being written, the table is emptied. In the end each holds what SELECT answers, and nothing came twice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shape, ShapeStream, type Row } from '@electric-sql/client';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { beginBrowser, CLIENT_KINDS, ShapeClient } from '../support/clients/shape-clients.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { freePort, healthOf, startServiceProcess, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { OBSERVED, untilStored } from '../support/service/stored-shapes.ts';
import { startThrottledProxy, type ThrottledProxy } from '../support/service/throttled-proxy.ts';

/** Those that an end which was not told does not stop. */
const KINDS = CLIENT_KINDS.filter(({ hasOldEvents }) => hasOldEvents !== true);

beginBrowser();
vi.spyOn(console, 'warn').mockImplementation(() => {}); // Of a subset's 409, which names no handle.
afterAll(() => vi.restoreAllMocks());

describe('a service and a Postgres that can be killed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-faults-'));
  const cluster = clusterDirectory();
  let postgres: EmbeddedPostgres;
  let service: ServiceProcess;
  let clients: readonly ShapeClient[];
  let ports: { readonly postgres: number; readonly service: number };
  let written = 0;

  const startServer = async () =>
    (postgres = await startPostgres({ directory: cluster, port: ports.postgres, settings: { fsync: 'off' } }));
  const startService = async () =>
    (service = await startServiceProcess({
      databaseUrl: postgres.url, storageDirectory: join(directory, 'storage'), port: ports.service,
      environment: { ...OBSERVED, ARMATURE_LONG_POLL_TIMEOUT: '1000' },
    }));

  beforeEach(async () => {
    ports = { postgres: await freePort(), service: await freePort() };
    await startServer();
    await query('CREATE TABLE items (id int PRIMARY KEY, title text)');
    await write();
    await startService();
    clients = KINDS.map((kind) => new ShapeClient(kind, { url: service.shapeUrl, params: { table: 'items' } }));
  });

  afterEach(async () => {
    for (const client of clients) client.leave();
    await service.stop();
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function query(sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: postgres.url });
    client.on('error', () => {}); // It goes away with its server.
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Ten rows more, in one transaction, and the ones before changed in another. */
  async function write(): Promise<void> {
    const first = written + 1;
    written += 10;
    await query(`INSERT INTO items SELECT i, 'new' FROM generate_series(${first}, ${written}) i`);
    await query(`UPDATE items SET title = 'by ${written}' WHERE id < ${first}`);
  }

  async function untilEqual(): Promise<void> {
    const rows = await query('SELECT id, title FROM items ORDER BY id');
    const isEqual = (client: ShapeClient): boolean => JSON.stringify(client.rows) === JSON.stringify(rows);
    await expect.poll(() => clients.filter((client) => !isEqual(client)).map(({ name }) => name)).toEqual([]);
  }

  test('whatever goes, and in whatever order it comes back, all clients end where SELECT does, told of each row once', async () => {
    await untilEqual();
    await untilStored(service);
    await service.kill();
    await write();
    await startService();
    await write();
    await untilEqual();
    await write();
    await postgres.stop();
    await expect.poll(() => healthOf(service)).toBe('starting');
    await startServer();
    await write();
    await untilActive(service);
    await untilEqual();
    await write();
    await Promise.all([service.kill(), postgres.stop()]);
    await startServer();
    await write();
    await startService();
    await untilEqual();

    const inserts = Array.from({ length: written }, (_, index) => `insert ${index + 1}`).sort();
    const told = clients.map((client) => client.told.filter((word) => word.startsWith('insert')).sort());
    expect([told, clients.flatMap(({ errors }) => errors)]).toEqual([clients.map(() => inserts), []]);
  });
});

describe('first rows that are still being written', () => {
  const ROWS = 20_000;
  const PORTION_BYTES = 30_000;
  let database: TestDatabase;
  let proxy: ThrottledProxy;
  let service: ServiceInProcess;
  let clients: readonly ShapeClient[];

  beforeEach(async () => {
    database = await createDatabase();
    await database.query('CREATE TABLE items (id int PRIMARY KEY, title text)');
    await database.query(`INSERT INTO items SELECT n, repeat('words ', 15) || n FROM generate_series(1, ${ROWS}) AS n`);
    proxy = await startThrottledProxy(database.url);
    service = await startServiceInProcess({
      databaseUrl: database.url,
      flags: { 'pooled-database-url': proxy.url, 'shape-chunk-bytes-threshold': '20000', 'long-poll-timeout': '1000' },
    });
  });

  afterEach(async () => {
    for (const client of clients) client.leave();
    await service.remove();
    await proxy.close();
    await database.drop();
  });

  test('clients that come while they grow have all of them, and what was written meanwhile', async () => {
    proxy.allow(PORTION_BYTES);
    clients = KINDS.map((kind) => new ShapeClient(kind, { url: service.shapeUrl, params: { table: 'items' } }));
    await proxy.exhausted();
    await database.query("DELETE FROM items WHERE id % 4 = 0; UPDATE items SET title = 'meanwhile' WHERE id % 1000 = 1");
    for (let portion = 0; portion < 5; portion += 1) {
      proxy.allow(PORTION_BYTES);
      await proxy.exhausted();
      await database.query(`INSERT INTO items VALUES (${ROWS + 1 + portion}, 'came')`);
    }
    const asked = clients.map(({ liveCount }) => liveCount);
    proxy.allowAll();

    const rows = await database.query('SELECT id, title FROM items ORDER BY id');
    const lengths = () => clients.map((client) => client.rows.length);
    await expect.poll(lengths, { interval: 500 }).toEqual(clients.map(() => rows.length)); // Who asks takes the time of all.
    expect([asked, clients.map((client) => JSON.stringify(client.rows) === JSON.stringify(rows))]).toEqual([
      clients.map(() => 0), clients.map(() => true),
    ]);
  });
});

describe('a table that is emptied while its rows are asked for', () => {
  const ROUNDS = 8;
  let database: TestDatabase;
  let service: ServiceInProcess;
  let leaving: AbortController;

  beforeEach(async () => {
    leaving = new AbortController();
    database = await createDatabase();
    await database.query("CREATE TABLE items (id int PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'first')");
    service = await startServiceInProcess({ databaseUrl: database.url });
  });

  afterEach(async () => {
    leaving.abort();
    await service.remove();
    await database.drop();
  });

  test.each([
    { way: 'polls', liveSse: false },
    { way: 'streams', liveSse: true },
  ])('a client that $way and has asked for them ends where SELECT does', async ({ liveSse }) => {
    const stream = new ShapeStream<Row>({
      url: service.shapeUrl, params: { table: 'items' }, log: 'changes_only', liveSse, signal: leaving.signal,
    });
    // @ts-expect-error its type does not know that an optional property may be there and undefined.
    const shape = new Shape<Row>(stream);
    await shape.requestSnapshot({ where: 'TRUE' });
    for (let round = 1; round <= ROUNDS; round += 1) {
      await Promise.all([
        shape.requestSnapshot({ where: `id % 2 = ${round % 2}` }).catch(() => {}), // Its shape may have gone again and again.
        database.query(`TRUNCATE items; INSERT INTO items SELECT i, 'round ${round}' FROM generate_series(1, ${round}) i`),
      ]);
    }

    const rows = await database.query('SELECT id, title FROM items ORDER BY id');
    await expect.poll(() => [...shape.currentRows].sort((left, right) => Number(left['id']) - Number(right['id']))).toEqual(rows);
  });
});
