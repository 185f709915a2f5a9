/**
 * Recovery: how long readers wait when a service comes back with many stored shapes and much in them, stopped in good order or killed.
 *
 * The rows are written to a few of the shapes, in transactions of a hundred, so that they lie in the files of these and, as far as it is
 * kept, in the transaction log. Times are from the spawn of `node`; the first answer is that of a stored shape, in the middle of those
 * that come back, from its beginning. Then one is asked for what comes behind its end while the others are on their way.
 *
 *   npm run bench:recovery                                          10,000 shapes and a gigabyte
 *   npm run bench:recovery -- --shapes 40 --megabytes 4 --rounds 0  a short share
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
import { openFilesIn } from './open-files.ts';
import { usageOf } from './process-usage.ts';
import { createShapes, createTables, secondsSince, SHAPES_PER_TABLE, shapeOn, until } from './stored-shapes.ts';

const GROWN_TABLES = 20;
const ROWS_AT_ONCE = 100;
/** Of 32 letters: a row has one to four kilobytes. */
const [WORDS_MIN, WORDS_SPREAD] = [32, 96];

const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: '10000' },
    megabytes: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
    settle: { type: 'string', default: '12000' },
  },
});
const shapes = Number(values.shapes);
/** Longer than a checkpoint is apart from the next. */
const settleMs = Number(values.settle);
const bytes = Number(values.megabytes) * 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'armature-recovery-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off', autovacuum: 'off' } });
const database = await openDatabase(postgres.url);
const options = { databaseUrl: postgres.url, storageDirectory: join(directory, 'storage') };
let lastId = 0;
try {
  await createTables(database, 'table', Math.ceil(shapes / SHAPES_PER_TABLE));
  await createTables(database, 'grown', GROWN_TABLES);
  const service = await startServiceProcess(options);
  await fill(service);
  await service.kill();
  await recover('killed');
  for (let round = 0; round < Number(values.rounds); round += 1) for (const how of ['stopped', 'killed'] as const) await recover(how);
} finally {
  await database.close();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function fill(service: ServiceProcess): Promise<void> {
  const startedMs = systemClock.nowMs();
  await createShapes(service, 0, shapes);
  for (let nth = 0; nth < GROWN_TABLES; nth += 1) await (await fetch(shapeOn(service.shapeUrl, `grown_${nth}`))).text();
  let written = 0;
  while (written < bytes) for (let nth = 0; nth < GROWN_TABLES; nth += 1) written += await writeRows(`grown_${nth}`, ROWS_AT_ONCE);
  const rows = `${(written / 1024 ** 2).toFixed(0)} MiB of rows`;
  process.stdout.write(`${shapes + GROWN_TABLES} shapes and ${rows} in ${secondsSince(startedMs)}\n`);
  await pause(systemClock, settleMs);
}

/** @returns how many bytes of text that was. */
async function writeRows(table: string, count: number): Promise<number> {
  const from = lastId + 1;
  lastId += count;
  await database.query(`
    INSERT INTO ${table} SELECT id, (
      SELECT string_agg(md5(random()::text || id || word), '') FROM generate_series(1, ${WORDS_MIN} + id % ${WORDS_SPREAD}) AS word
    ) FROM generate_series(${from}, ${lastId}) AS id`);
  return count * 32 * (WORDS_MIN + WORDS_SPREAD / 2);
}

/** Of a service that the last one has left so; it is left in the way that comes next. */
async function recover(how: 'stopped' | 'killed'): Promise<void> {
  process.stdout.write(`Behind one that was ${how}\n`);
  const startedMs = systemClock.nowMs();
  const service = await spawnService(options);
  const middle = shapeOn(service.shapeUrl, `table_${Math.floor(shapes / SHAPES_PER_TABLE / 2)}`, 1);
  await until(() => isAnswered(middle), service);
  report('first answer of a stored shape', startedMs, service);
  const { handle, offset } = await endOf(service, 'grown_1');
  report('one with rows, read to its end', startedMs, service);
  await writeRows('grown_1', 1);
  const behind = `${shapeOn(service.shapeUrl, 'grown_1').replace('offset=-1', `offset=${offset}`)}&handle=${handle}&live=true`;
  await until(async () => (await (await fetch(behind)).text()).includes('insert'), service);
  report('a row behind its end', startedMs, service);
  await until(async () => (await healthOf(service)) === 'active', service);
  report('all are followed', startedMs, service);
  await (how === 'stopped' ? service.kill() : service.stop());
}

async function isAnswered(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined);
  await response?.text();
  return response?.status === 200;
}

async function endOf({ shapeUrl }: ServiceProcess, table: string): Promise<{ readonly handle: string; readonly offset: string }> {
  let [handle, offset] = ['', '-1'];
  for (;;) {
    const url = shapeOn(shapeUrl, table).replace('offset=-1', `offset=${offset}`);
    const response = await fetch(handle === '' ? url : `${url}&handle=${handle}`);
    await response.text();
    invariant(response.status === 200, `${table} is read: ${response.status}`);
    [handle, offset] = [response.headers.get('electric-handle') ?? '', response.headers.get('electric-offset') ?? ''];
    if (response.headers.has('electric-up-to-date')) return { handle, offset };
  }
}

function report(what: string, startedMs: number, { child }: ServiceProcess): void {
  invariant(child.pid !== undefined, 'a service that answers has a process');
  const { cpuMicros, peakMemoryBytes = 0 } = usageOf(child.pid);
  const cells = [
    what.padEnd(40),
    secondsSince(startedMs).padStart(10),
    `${(cpuMicros / 1e6).toFixed(2)} CPU s`.padStart(14),
    `${(peakMemoryBytes / 1024 ** 2).toFixed(0)} MiB at most`.padStart(18),
    `${openFilesIn(options.storageDirectory, child.pid)} files open`.padStart(16),
  ];
  process.stdout.write(`  ${cells.join('')}\n`);
}
