/**
 * Restart with many stored shapes: what it costs should grow with their number and no faster, with Postgres there and
 * with Postgres away. A restart is over when a shape that nobody has asked for before gets its first answer: it stands
 * behind everything that the stored ones ask for.
 *
 *   npm run bench:restart                          2,500, 5,000 and 10,000 shapes, ten on a table
 *   npm run bench:restart -- --shapes 100,200      a short share
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { healthOf, spawnService, startServiceProcess, type ServiceProcess } from '../test/support/service-process.ts';
import { openDatabase, type Database } from './database.ts';
import { usageOf } from './process-usage.ts';

const SHAPES_PER_TABLE = 10;
const REQUESTS_AT_ONCE = 40;
/** Whatever asks an absent Postgres for each shape has done so by then. */
const AWAY_MS = 10_000;
const PATIENCE_MS = 600_000;
const ASK_EVERY_MS = 20;
/** What looks at the server before the service starts. */
const CONNECTIONS_OF_PREFLIGHT = 2;

const { values } = parseArgs({ options: { shapes: { type: 'string', default: '2500,5000,10000' } } });
const sizes = values.shapes.split(',').map(Number);
const directory = mkdtempSync(join(tmpdir(), 'armature-restart-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off', autovacuum: 'off' } });
const database = await openDatabase(postgres.url);
const door = await openDoor(postgres.port);
const url = new URL(postgres.url);
url.port = String(door.port);
const options = { databaseUrl: url.href, storageDirectory: join(directory, 'storage') };
try {
  await createTables(database, Math.max(...sizes) / SHAPES_PER_TABLE + 2 * sizes.length);
  let shapes = 0;
  for (const size of sizes) {
    const service = await startServiceProcess(options);
    const elapsedMs = await timed(() => createShapes(service, shapes, size));
    process.stdout.write(`\n${size} shapes on ${size / SHAPES_PER_TABLE} tables; made in ${seconds(elapsedMs)}\n`);
    await service.stop();
    shapes = size;
    await measureThere(sizes.indexOf(size));
    await measureAway(sizes.indexOf(size));
  }
} finally {
  await database.close();
  door.close();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function measureThere(nth: number): Promise<void> {
  const startedMs = systemClock.nowMs();
  const service = await spawnService(options);
  await until(async () => (await healthOf(service)) === 'active', service);
  report('Postgres there: active', startedMs, service);
  await until(() => isAnswered(service, `new_${2 * nth}`), service);
  report('a new shape on a new table answers', startedMs, service);
  await service.stop();
}

async function measureAway(nth: number): Promise<void> {
  door.admitOnly(CONNECTIONS_OF_PREFLIGHT);
  let startedMs = systemClock.nowMs();
  const service = await spawnService(options);
  await until(async () => service.output().includes('shapes.restored'), service);
  report('Postgres away: the shapes are restored', startedMs, service);
  await pause(AWAY_MS);
  report(`${AWAY_MS / 1000} s later`, startedMs, service);
  door.admitAll();
  startedMs = systemClock.nowMs();
  await until(async () => (await healthOf(service)) === 'active', service);
  report('Postgres back: active', startedMs, service);
  await until(() => isAnswered(service, `new_${2 * nth + 1}`), service);
  report('a new shape on a new table answers', startedMs, service);
  await service.stop();
}

function report(what: string, startedMs: number, { child, output }: ServiceProcess): void {
  invariant(child.pid !== undefined, 'a service that answers has a process');
  const { cpuMicros } = usageOf(child.pid);
  const lines = output().trimEnd().split('\n');
  const warnings = lines.filter((line) => line.includes('"level":"warn"') || line.includes('"level":40') || line.includes('"level":50'));
  process.stdout.write(`  ${what.padEnd(40)} ${seconds(systemClock.nowMs() - startedMs).padStart(9)} ${seconds(cpuMicros / 1000).padStart(9)} CPU ${String(lines.length).padStart(7)} lines ${String(warnings.length).padStart(7)} warnings\n`);
}

async function createTables({ query }: Database, count: number): Promise<void> {
  await query(`DO $$ BEGIN FOR i IN 0..${count - 1} LOOP EXECUTE format('CREATE TABLE table_%s (id int PRIMARY KEY, body text)', i); END LOOP; END $$`);
  await query(`DO $$ BEGIN FOR i IN 0..${2 * sizes.length - 1} LOOP EXECUTE format('CREATE TABLE new_%s (id int PRIMARY KEY, body text)', i); END LOOP; END $$`);
}

async function createShapes({ shapeUrl }: ServiceProcess, from: number, to: number): Promise<void> {
  let next = from;
  const ask = async (): Promise<void> => {
    while (next < to) {
      const index = next++;
      const response = await fetch(shapeOn(shapeUrl, `table_${Math.floor(index / SHAPES_PER_TABLE)}`, index % SHAPES_PER_TABLE));
      await response.text();
      invariant(response.status === 200, `shape ${index} is made: ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, ask));
}

function shapeOn(shapeUrl: string, table: string, nth = 0): string {
  return `${shapeUrl}?table=${table}&offset=-1&where=${encodeURIComponent(`id > ${nth}`)}`;
}

async function isAnswered({ shapeUrl }: ServiceProcess, table: string): Promise<boolean> {
  const response = await fetch(shapeOn(shapeUrl, table)).catch(() => undefined);
  await response?.text();
  return response?.status === 200;
}

async function until(isSo: () => Promise<boolean>, service: ServiceProcess): Promise<void> {
  const deadlineMs = systemClock.nowMs() + PATIENCE_MS;
  while (!(await isSo())) {
    invariant(systemClock.nowMs() < deadlineMs && service.child.exitCode === null, `the service goes on:\n${service.output().slice(-2000)}`);
    await pause(ASK_EVERY_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => {
    systemClock.setTimer(done, ms);
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = systemClock.nowMs();
  await work();
  return systemClock.nowMs() - startedMs;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

interface Door {
  readonly port: number;
  /** So many more connections find the server; then it is away, as if it had stopped. */
  admitOnly(connections: number): void;
  admitAll(): void;
  close(): void;
}

/** The way to the server, which can be shut: the service looks at the server once before it starts. */
async function openDoor(serverPort: number): Promise<Door> {
  let admitted = Infinity;
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    client.on('error', () => {});
    if (admitted-- <= 0) return void client.destroy();
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    admitOnly: (connections) => (admitted = connections),
    admitAll: () => (admitted = Infinity),
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      listener.close();
    },
  };
}
