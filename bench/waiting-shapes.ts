/**
 * Shapes that wait: what one of them costs in memory, and what it costs to wake it.
 *
 * Most shapes of a service wait for most of the time. The memory is that of a service with all shapes less that of the same service
 * without any, after a collection of garbage each. A change that touches a shape which has waited for long is held against
 * the next change, which finds it awake: by its latency, and by the CPU time of a transaction that touches every shape of a table.
 *
 *   npm run bench:waiting                                  5,000 shapes on 10 tables
 *   npm run bench:waiting -- --shapes 200 --rest 40000     a short share
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { freePort, startServiceProcess } from '../test/support/service/service-process.ts';
import { openDatabase } from './database.ts';
import { inspectProcess, type ProcessMemory } from './process-inspector.ts';

const TABLES = 10;
const REQUESTS_AT_ONCE = 20;
const SINGLE_WAKES_MAX = 40;

const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: '5000' }, rest: { type: 'string', default: '60000' }, settle: { type: 'string', default: '2000' },
  },
});
const shapes = Number(values.shapes);
/** Longer than a Consumer waits before it hibernates. */
const restMs = Number(values.rest);
/** Before memory is measured: its checkpoint has been taken by then. */
const settleMs = Number(values.settle);
const perTable = shapes / TABLES;
invariant(Number.isInteger(perTable) && perTable > 1, 'every table has as many shapes as the others, and more than the one made first');

const directory = mkdtempSync(join(tmpdir(), 'armature-waiting-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off', autovacuum: 'off' } });
const database = await openDatabase(postgres.url);
const inspectorPort = await freePort();
const service = await startServiceProcess({
  databaseUrl: postgres.url,
  storageDirectory: join(directory, 'storage'),
  environment: { NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}`, ARMATURE_LOG_LEVEL: 'warn' },
});
const inspector = await inspectProcess(inspectorPort);
try {
  await createTables();
  await createShape(0, 0); // What the first of all shapes brings with it is not counted.
  const before = await settled();
  await createShapes();
  const made = await settled();
  await pause(restMs);
  reportMemory(before, made, await settled());
  await wakeSingly();
  await pause(restMs);
  await wakeTables();
} finally {
  inspector.close();
  await service.stop();
  await database.close();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function createTables(): Promise<void> {
  await database.query(`
    DO $$ BEGIN
      FOR i IN 0..${TABLES - 1} LOOP
        EXECUTE format('CREATE TABLE table_%s (id int PRIMARY KEY, owner int, body text, amount int, at timestamptz)', i);
        EXECUTE format('INSERT INTO table_%s SELECT n, n, ''body'', n, now() FROM generate_series(0, ${perTable - 1}) n', i);
      END LOOP;
    END $$`);
}

async function createShapes(): Promise<void> {
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let index = next++; index < shapes; index = next++) await createShape(index % TABLES, Math.floor(index / TABLES));
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, ask));
}

async function createShape(table: number, owner: number): Promise<void> {
  const response = await fetch(shapeOf(table, owner, '-1'));
  await response.text();
  invariant(response.status === 200, `a shape is made: ${response.status}`);
}

function shapeOf(table: number, owner: number, offset: string): string {
  return `${service.shapeUrl}?table=table_${table}&where=owner%20%3D%20${owner}&offset=${offset}`;
}

/** After its checkpoint and a collection. */
async function settled(): Promise<ProcessMemory> {
  await pause(settleMs);
  for (let times = 0; times < 3; times += 1) await inspector.collectGarbage();
  return await inspector.memory();
}

function reportMemory(before: ProcessMemory, made: ProcessMemory, rested: ProcessMemory): void {
  print(`${shapes} shapes on ${TABLES} tables, kB for each: heap, array buffers, resident`);
  for (const [what, { heapBytes, arrayBufferBytes, residentBytes }] of Object.entries({ 'just made': made, rested })) {
    const kilobytes = [heapBytes - before.heapBytes, arrayBufferBytes - before.arrayBufferBytes, residentBytes - before.residentBytes];
    print(`  ${what.padEnd(12)}${kilobytes.map((bytes) => (bytes / shapes / 1000).toFixed(2).padStart(10)).join('')}`);
  }
}

/** One row of one shape at a time: asleep, then awake. */
async function wakeSingly(): Promise<void> {
  const latencies: { asleep: number[]; awake: number[] } = { asleep: [], awake: [] };
  for (let nth = 0; nth < Math.min(SINGLE_WAKES_MAX, TABLES * (perTable - 1)); nth += 1) {
    const [table, owner] = [nth % TABLES, 1 + Math.floor(nth / TABLES)];
    const place = await endOf(table, owner);
    latencies.asleep.push(await latencyOf(table, owner, place));
    latencies.awake.push(await latencyOf(table, owner, place));
  }
  print('live latency of one change, ms: median, 90th percentile');
  for (const [what, each] of Object.entries(latencies)) print(`  ${what.padEnd(12)}${quantiles(each)}`);
}

interface Place {
  handle: string;
  offset: string;
}

async function endOf(table: number, owner: number): Promise<Place> {
  const place: Place = { handle: '', offset: '-1' };
  for (let isUpToDate = false; !isUpToDate; ) {
    const response = await fetch(`${shapeOf(table, owner, place.offset)}&handle=${place.handle}`);
    isUpToDate = noted(place, response).headers.has('electric-up-to-date');
    await response.text();
  }
  return place;
}

function noted(place: Place, response: Response): Response {
  place.handle = response.headers.get('electric-handle') ?? '';
  place.offset = response.headers.get('electric-offset') ?? '';
  return response;
}

async function latencyOf(table: number, owner: number, place: Place): Promise<number> {
  const poll = fetch(`${shapeOf(table, owner, place.offset)}&handle=${place.handle}&live=true`);
  await pause(50); // It is parked by then.
  await database.query(`UPDATE table_${table} SET amount = amount + 1 WHERE owner = ${owner}`);
  const committedMs = systemClock.nowMs();
  const response = noted(place, await poll);
  await response.text();
  return systemClock.nowMs() - committedMs;
}

/** Every shape of a table by one transaction: asleep, then awake. */
async function wakeTables(): Promise<void> {
  const micros: { asleep: number[]; awake: number[] } = { asleep: [], awake: [] };
  for (let table = 0; table < TABLES; table += 1) {
    micros.asleep.push(await cpuOfTable(table));
    micros.awake.push(await cpuOfTable(table));
  }
  print('CPU of a transaction that touches each shape of a table, microseconds for each shape: median, 90th percentile');
  for (const [what, each] of Object.entries(micros)) print(`  ${what.padEnd(12)}${quantiles(each)}`);
}

async function cpuOfTable(table: number): Promise<number> {
  const last = perTable - 1;
  const place = await endOf(table, last);
  const { cpuMicros } = await inspector.memory();
  const poll = fetch(`${shapeOf(table, last, place.offset)}&handle=${place.handle}&live=true`);
  await database.query(`UPDATE table_${table} SET amount = amount + 1`);
  await (await poll).text();
  await pause(100);
  return ((await inspector.memory()).cpuMicros - cpuMicros) / perTable;
}

function quantiles(figures: readonly number[]): string {
  const sorted = [...figures].sort((left, right) => left - right);
  return [0.5, 0.9].map((share) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2).padStart(10)).join('');
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => {
    systemClock.setTimer(done, ms);
  });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
