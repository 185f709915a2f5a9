/** A process that may have few files open: clients that would take them all do not keep it from following the database. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { scrape } from '../support/service/scraped-metrics.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

/** Enough for the service by itself, and fewer than the connections that come. */
const OPEN_FILES_MAX = 240;
const SHAPES = 40;
const directory = temporaryDirectory();

let database: TestDatabase;
let service: ServiceProcess;
let metricsUrl: string;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id int PRIMARY KEY, owner int, body text)');
  const metricsPort = await freePort();
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  service = await startServiceProcess({
    databaseUrl: database.url,
    storageDirectory: directory,
    environment: { ARMATURE_PROMETHEUS_PORT: String(metricsPort) },
    openFilesMax: OPEN_FILES_MAX,
  });
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  removeDirectory(directory);
});

const insert = (from: number): Promise<unknown> =>
  database.query(`INSERT INTO items SELECT i, i % ${SHAPES}, repeat('x', 1000) FROM generate_series(${from}, ${from + 10 * SHAPES - 1}) i`);

/** As many connections that say nothing, of which those that were let in are open still. Resolves when the others are closed. */
async function flood(connections: number): Promise<readonly Socket[]> {
  const { port, hostname } = new URL(service.url);
  const closed = new Set<Socket>();
  const sockets = await Promise.all(Array.from({ length: connections }, async () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).on('close', () => closed.add(socket));
    await once(socket, 'connect');
    return socket;
  }));
  await expect.poll(() => connections - closed.size, { timeout: 20_000 }).toBeLessThan(OPEN_FILES_MAX / 2);
  return sockets;
}

test('while strangers hold all connections that there may be, changes are followed, and all are served when they have gone', async () => {
  const follower = new ShapeFollower(service.shapeUrl, { table: 'items' });
  await follower.catchUp();
  const polled = follower.poll();
  const strangers = await flood(2 * OPEN_FILES_MAX);
  await insert(0);
  await polled;
  const live = follower.rows.size;
  for (const stranger of strangers) stranger.destroy();
  await insert(10 * SHAPES);
  const ownedBy = (owner: number) => new ShapeFollower(service.shapeUrl, { table: 'items', where: `owner = ${owner}` });
  const owners = Array.from({ length: SHAPES }, (_, owner) => ownedBy(owner));
  for (const owner of owners) await owner.catchUp();

  const told = service.output();
  const metrics = await scrape(metricsUrl);
  expect({
    isLive: live > 0,
    rows: owners.map(({ rows }) => rows.size),
    isTold: told.includes('connections were closed at once: this process may have no more files open'),
    isCounted: (metrics.get('armature_connections_turned_away_total') ?? 0) > 0,
    isReplicationEnded: told.includes('replication.ended'),
    hasError: /"level":"(error|fatal)"/.test(told),
  }).toEqual({ isLive: true, rows: owners.map(() => 20), isTold: true, isCounted: true, isReplicationEnded: false, hasError: false });
});
