/**
 * Restart with many stored shapes: what it costs should grow with their number and no faster, with Postgres there, with
 * Postgres away, and when their tables have gone. It is over when a shape that nobody has asked for before gets its first
 * answer: that one stands behind all that the stored ones ask for.
 *
 *   npm run bench:restart                                  2,500, 5,000 and 10,000 shapes, ten on a table
 *   npm run bench:restart -- --shapes 20,40 --away 100     a short share
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
import { pause } from '../src/base/pause.ts';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { healthOf, spawnService, startServiceProcess, type ServiceProcess } from '../test/support/service/service-process.ts';
import { openDatabase } from './database.ts';
import { usageOf } from './process-usage.ts';
import { openDoor } from './server-door.ts';
import { createShapes, createTables, secondsSince, SHAPES_PER_TABLE, shapeOn, until } from './stored-shapes.ts';

const { values } = parseArgs({
  options: { shapes: { type: 'string', default: '2500,5000,10000' }, away: { type: 'string', default: '10000' } },
});
const sizes = values.shapes.split(',').map(Number);
const awayMs = Number(values.away);
const directory = mkdtempSync(join(tmpdir(), 'armature-restart-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off', autovacuum: 'off' } });
const database = await openDatabase(postgres.url);
const door = await openDoor(postgres.port);
const url = new URL(postgres.url);
url.port = String(door.port);
const options = { databaseUrl: url.href, storageDirectory: join(directory, 'storage') };
let newTables = 0;
try {
  await createTables(database, 'table', Math.ceil(Math.max(...sizes) / SHAPES_PER_TABLE));
  for (const [index, size] of sizes.entries()) {
    await growTo(size, sizes[index - 1] ?? 0);
    await restartWithPostgres('Postgres there');
    await restartWithout();
  }
  await dropTables(Math.ceil(Math.max(...sizes) / SHAPES_PER_TABLE));
  await restartWithPostgres('Their tables gone');
} finally {
  await database.close();
  await door.close();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function growTo(size: number, before: number): Promise<void> {
  const service = await startServiceProcess(options);
  const startedMs = systemClock.nowMs();
  await createShapes(service, before, size);
  const tables = Math.ceil(size / SHAPES_PER_TABLE);
  process.stdout.write(`\n${size} shapes on ${tables} tables; ${size - before} made in ${secondsSince(startedMs)}\n`);
  await service.stop();
}

async function restartWithPostgres(how: string): Promise<void> {
  const startedMs = systemClock.nowMs();
  const service = await spawnService(options);
  await untilServed(service, how, startedMs);
  await service.stop();
}

async function restartWithout(): Promise<void> {
  door.shutBut('armature preflight');
  const startedMs = systemClock.nowMs();
  const service = await spawnService(options);
  await until(async () => service.output().includes('shapes.restored'), service);
  report('Postgres away: restored', startedMs, service);
  await pause(systemClock, awayMs);
  report(`  ${awayMs} ms later`, startedMs, service);
  door.open();
  await untilServed(service, 'Postgres back', systemClock.nowMs());
  await service.stop();
}

async function untilServed(service: ServiceProcess, how: string, startedMs: number): Promise<void> {
  await until(async () => (await healthOf(service)) === 'active', service);
  report(`${how}: active`, startedMs, service);
  newTables += 1;
  await createTables(database, `new_${newTables}`, 1);
  await until(() => isAnswered(service, `new_${newTables}_0`), service);
  report('  a new shape on a new table answers', startedMs, service);
}

function report(what: string, startedMs: number, { child, output }: ServiceProcess): void {
  invariant(child.pid !== undefined, 'a service that answers has a process');
  const lines = output().trimEnd().split('\n');
  const warnings = lines.filter((line) => /"level":"(?:warn|error)"/.test(line));
  const cells = [
    what.padEnd(40),
    secondsSince(startedMs).padStart(10),
    `${(usageOf(child.pid).cpuMicros / 1e6).toFixed(2)} CPU s`.padStart(14),
    `${lines.length} lines`.padStart(14),
    `${warnings.length} warnings`.padStart(16),
  ];
  process.stdout.write(`  ${cells.join('')}\n`);
}

async function dropTables(count: number): Promise<void> {
  await database.query(`DO $$ BEGIN FOR i IN 0..${count - 1} LOOP EXECUTE format('DROP TABLE table_%s', i); END LOOP; END $$`);
}

async function isAnswered({ shapeUrl }: ServiceProcess, table: string): Promise<boolean> {
  const response = await fetch(shapeOn(shapeUrl, table)).catch(() => undefined);
  await response?.text();
  return response?.status === 200;
}
