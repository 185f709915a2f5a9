/**
 * Compaction of the log of one shape whose rows are updated for ever: how much disk is left, how long it takes, and for how long at a
 * time it keeps the event loop from everybody else. And what a client of another shape feels of it.
 *
 *   npm run bench:compaction                        a million updates of one row, and of ten thousand; 200,000 beside a live client
 *   npm run bench:compaction -- --updates 100000    a short share
 *   npm run bench:compaction -- --live              the client alone
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { pause } from '../src/base/pause.ts';
import { SNAPSHOT_END } from '../src/model/log-offset.ts';
import { RowLineFolder } from '../src/shapes/row-line-folder.ts';
import { openStorage } from '../src/storage/open-storage.ts';
import type { ShapeLog } from '../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../src/storage/storage.ts';
import { handleOf, shapeOf } from '../test/support/shapes.ts';
import { lineOf } from '../test/support/storage/row-lines.ts';
import { appendLines, snapshotOf } from '../test/support/storage/stored-samples.ts';
import { liveWhileCompacting } from './live-while-compacting.ts';

const LIVE_WINDOWS = 3;
const UPDATES_PER_CHECKPOINT = 50_000;
const UPDATES_PER_TRANSACTION = 10;
const QUIET_MS = 5_000;
const LOOK_EVERY_MS = 200;
const TITLE = 'x'.repeat(80);

const { values } = parseArgs({ options: { updates: { type: 'string', default: '1000000' }, live: { type: 'boolean', default: false } } });
const updates = Number(values.updates);

for (const rows of values.live ? [] : [1, 10_000]) await compactionOf(rows);
await liveWhileCompacting(updates / 5, LIVE_WINDOWS);

async function compactionOf(rows: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-compaction-'));
  try {
    const written = await withStorage(directory, false, (storage) => write(storage, rows));
    process.stdout.write(`\n${updates} updates of ${rows} rows: ${mebibytes(directory)} in ${(written / 1000).toFixed(1)} s\n`);
    const quiet = await withStorage(directory, false, () => delaysWhile(() => pause(systemClock, QUIET_MS)));
    const tookMs = await withStorage(directory, true, async (storage) => {
      const startedMs = systemClock.nowMs();
      const delays = await delaysWhile(() => untilCompacted(storage));
      process.stdout.write(`  event loop, quiet: ${quiet}; while it is compacted: ${delays}\n`);
      return systemClock.nowMs() - startedMs;
    });
    process.stdout.write(`  compacted in ${(tookMs / 1000).toFixed(1)} s: ${mebibytes(directory)}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function withStorage<T>(directory: string, isCompacted: boolean, action: (storage: Storage) => Promise<T>): Promise<T> {
  const options = { directory, clock: systemClock };
  const storage = await openStorage(isCompacted ? { ...options, folder: new RowLineFolder() } : options);
  try {
    return await action(storage);
  } finally {
    await storage.close();
  }
}

async function write(storage: Storage, rows: number): Promise<number> {
  const startedMs = systemClock.nowMs();
  const shape = storage.shapes.create(handleOf(1), shapeOf({}));
  await snapshotOf(shape, []);
  const perTransaction = Math.min(rows, UPDATES_PER_TRANSACTION);
  for (let done = 0; done < updates; done += perTransaction) {
    appendUpdates(shape, done, perTransaction, rows);
    if (done % UPDATES_PER_CHECKPOINT === 0) await storage.shapes.checkpoint();
  }
  return systemClock.nowMs() - startedMs;
}

function appendUpdates(shape: ShapeLog, from: number, count: number, rows: number): void {
  const lines = Array.from({ length: count }, (_, index) => {
    const key = String((from + index) % rows);
    const isLast = index === count - 1;
    const value = { title: TITLE, n: String(from) };
    return lineOf({ do: 'update', key, value }, { xid: from, lsn: from + 1, position: 2 * index, isLast });
  });
  appendLines(shape, from + 1, lines);
}

/** A log is looked at when it has grown. */
async function untilCompacted(storage: Storage): Promise<void> {
  const shape = storage.shapes.get(handleOf(1));
  if (shape === undefined) return;
  appendUpdates(shape, updates, 1, 1);
  while (shape.compactedThrough === SNAPSHOT_END) {
    await storage.shapes.checkpoint();
    await pause(systemClock, LOOK_EVERY_MS);
  }
  await storage.shapes.checkpoint();
}

async function delaysWhile(action: () => Promise<void>): Promise<string> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await action();
  histogram.disable();
  const told = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(1);
  return `p50 ${told(histogram.percentile(50))} ms, p99 ${told(histogram.percentile(99))} ms, at most ${told(histogram.max)} ms`;
}

function mebibytes(directory: string): string {
  const bytes = readdirSync(join(directory, 'shapes'), { recursive: true })
    .map((name) => statSync(join(directory, 'shapes', String(name))))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
