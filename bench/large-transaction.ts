/**
 * One transaction near the limit, with several shapes on its table: what it costs, and what everybody else feels.
 *
 *   npm run bench:large                          2,400,000 rows, five shapes, a heap of 512 MB
 *   npm run bench:large -- --rows 240000         a short share
 *
 * While it is written, streamed and taken, health is asked without a pause, and rows are committed one after the other to
 * a second table, whose live client says when it has each of them. Fails when the memory, or a row of the second table, is
 * beyond its bound.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { startServiceProcess } from '../test/support/service/service-process.ts';
import { largeTransaction, TABLES, type LargeTransaction } from '../test/support/service/large-transaction.ts';
import { openDatabase } from './database.ts';
import { usageOf } from './process-usage.ts';
import { createSlot, drainSlot } from './slot-drain.ts';

const MIB = 1024 * 1024;
/** What may be resident at most, and how much later than by `pg_recvlogical` alone a row of another table may come. */
const PEAK_BYTES_MAX = 600 * MIB;
const BEHIND_SLOT_MS_MAX = 1_000;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '2400000' },
    shapes: { type: 'string', default: '5' },
    heap: { type: 'string', default: '512' },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'armature-large-'));
const postgres = await startEmbeddedPostgres({
  directory: join(directory, 'postgres'),
  settings: { shared_buffers: '256MB', max_wal_size: '8GB', autovacuum: 'off' },
});
try {
  const database = await openDatabase(postgres.url);
  const other = await openDatabase(postgres.url);
  const service = await startServiceProcess({
    databaseUrl: postgres.url,
    storageDirectory: join(directory, 'storage'),
    environment: { NODE_OPTIONS: `--max-old-space-size=${values.heap}` },
  });
  try {
    await database.query(TABLES);
    const slot = await createSlot(database, 'large');
    const usedBefore = usageOf(service.child.pid ?? 0).cpuMicros;
    const seen = await largeTransaction({ service, database, other, rows: Number(values.rows), shapes: Number(values.shapes) });
    report(seen, usageOf(service.child.pid ?? 0).cpuMicros - usedBefore, (await drainSlot(database, slot)).elapsedMs);
  } finally {
    await service.stop();
    await database.close();
    await other.close();
  }
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

/** @param slotMs what `pg_recvlogical` takes for the same from a slot of its own: Postgres decodes it before what follows. */
function report(seen: LargeTransaction, cpuMicros: number, slotMs: number): void {
  const rows: readonly (readonly [string, string])[] = [
    ['rows in each shape', seen.rows.join(', ')],
    ['commit to the last shape', `${(seen.elapsedMs / 1000).toFixed(2)} s`],
    ['processor time of the service', `${(cpuMicros / 1e6).toFixed(2)} s`],
    ['resident when idle, at most', `${(seen.idleBytes / MIB).toFixed(0)} MiB, ${(seen.peakBytes / MIB).toFixed(0)} MiB`],
    ['health, slowest answer', `${seen.slowestHealthMs.toFixed(0)} ms of ${seen.healthCount} answers`],
    ['all of it by pg_recvlogical', `${slotMs.toFixed(0)} ms`],
    ['a row of another table, slowest', `${seen.slowestOtherMs.toFixed(0)} ms of ${seen.otherCount} rows`],
  ];
  for (const [what, measured] of rows) process.stdout.write(`  ${what.padEnd(36)}${measured}\n`);
  if (seen.peakBytes > PEAK_BYTES_MAX || seen.slowestOtherMs > slotMs + BEHIND_SLOT_MS_MAX) {
    process.stdout.write('  beyond what is promised\n');
    process.exitCode = 1;
  }
}
