/** What is read again and again comes from memory: the same bytes, as far as they go by then, and of no shape that has gone. */
import { beforeEach, describe, expect, test } from 'vitest';
import { BEFORE_ALL, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import type { EntryRun } from '../../../src/model/log-entry.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { PIECE_BYTES } from '../../../src/storage/shapes/piece.ts';
import { RecentReads } from '../../../src/storage/shapes/recent-reads.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { appendLines, bodyOf, bytes, offset, snapshotEnd, snapshotOf, text } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

describe('a shape with lines in its files', () => {
  let disk: MemoryDisk;
  let storage: Storage;
  let shape: ShapeLog;

  beforeEach(async () => {
    disk = new MemoryDisk();
    storage = await openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount(), chunkBytesMax: 20 });
    shape = storage.shapes.create(handleOf(1), shapeOf({}));
    await snapshotOf(shape, ['"row"']);
    appendLines(shape, 10, ['"a line that fills a chunk"', '"another"']);
    await storage.shapes.checkpoint();
  });

  async function bodies(after: LogOffset, count: number): Promise<unknown[]> {
    const found = [];
    for (let read = 0; read < count; read += 1) found.push(await bodyOf(shape.read(after)));
    return found;
  }

  test.each([
    ['a chunk of the log', SNAPSHOT_END, '"a line that fills a chunk"', '10_0'],
    ['the snapshot', BEFORE_ALL, `"row",${snapshotEnd}`, '0_0'],
  ])('%s, read for the third time, asks nothing of the disk, and is the same', async (_, after, body, end) => {
    const twice = await bodies(after, 2);
    const { looks } = disk.asked;
    const thrice = await bodies(after, 1);

    const same = { body, end, upToDate: false };
    expect({ bodies: [...twice, ...thrice], looks: disk.asked.looks - looks }).toEqual({ bodies: [same, same, same], looks: 0 });
  });

  test('what comes behind the lines that were read often is not missed', async () => {
    const before = await bodies(offset('10_0'), 3);
    appendLines(shape, 20, ['"news"']);
    const unsaved = await bodies(offset('10_0'), 3);
    await storage.shapes.checkpoint();
    const saved = await bodies(offset('10_0'), 3);

    const then = { body: '"another"', end: '10_2', upToDate: true };
    const now = { body: '"another","news"', end: '20_0', upToDate: true };
    expect([before, unsaved, saved]).toEqual([[then, then, then], [now, now, now], [now, now, now]]);
  });

  test('a shape that was read often is read by nobody once it is deleted', async () => {
    await bodies(SNAPSHOT_END, 3);
    storage.shapes.delete(handleOf(1), 'the test says so');

    expect(() => shape.read(SNAPSHOT_END)).toThrow('was deleted');
  });
});

async function* streamOf(runs: readonly EntryRun[]): AsyncGenerator<EntryRun> {
  yield* runs;
}

function row(content: string, goesOn: boolean): EntryRun {
  return { kind: 'row', bytes: bytes(content), goesOn };
}

async function read(reads: RecentReads, name: string, runs: readonly EntryRun[]): Promise<void> {
  for await (const run of reads.noting(name, streamOf(runs))) expect(run.kind).toBeDefined();
}

function textsIn(reads: RecentReads, name: string): readonly unknown[] | undefined {
  return reads.get(name)?.map((run) => ({ ...run, bytes: text(run.bytes) }));
}

test('pieces of what is asked for twice are kept as one, those of another kind by themselves', async () => {
  const reads = new RecentReads(new ManualClock());
  const runs = [row('1,', true), row('2,', true), { ...row('end,', false), kind: 'control' as const }];
  await read(reads, 'chunk', runs);
  const once = textsIn(reads, 'chunk');
  await read(reads, 'chunk', runs);

  const kept = [{ kind: 'row', bytes: '1,2,', goesOn: true }, { kind: 'control', bytes: 'end,', goesOn: false }];
  expect([once, textsIn(reads, 'chunk')]).toEqual([undefined, kept]);
});

test('what is larger than a piece is not kept, nor what nobody reads to its end, and of too much what was asked for last is', async () => {
  const reads = new RecentReads(new ManualClock(), 1_000);
  const large = row('x'.repeat(PIECE_BYTES + 1), false);
  for (const name of ['large', 'large', 'large']) await read(reads, name, [large]);
  for (const name of ['first', 'first', 'second', 'second']) await read(reads, name, [row('1,', false)]);
  for (let time = 0; time < 3; time += 1) {
    const unfinished = reads.noting('left', streamOf([row('1,', true), row('2,', false)]));
    await unfinished.next();
    await unfinished.return(undefined);
  }

  expect(['large', 'first', 'second', 'left'].map((name) => reads.get(name) !== undefined)).toEqual([false, false, true, false]);
});

test('what is kept holds no more of the memory than it says', async () => {
  const reads = new RecentReads(new ManualClock());
  const piece = Buffer.alloc(PIECE_BYTES, 'x');
  for (let time = 0; time < 2; time += 1) await read(reads, 'small', [{ kind: 'row', bytes: piece.subarray(0, 10), goesOn: false }]);
  const kept = reads.get('small');

  expect(kept?.map((run) => run.bytes.buffer.byteLength)).toEqual([10]);
});

test('nor does what lay in memory before, in a part of a larger buffer', () => {
  const reads = new RecentReads(new ManualClock());
  const runs = [{ ...row('', false), bytes: Buffer.alloc(8_192, 'x').subarray(10, 20) }];
  reads.note('chunk', runs);
  const once = reads.get('chunk');
  reads.note('chunk', runs);

  expect([once, reads.get('chunk')?.map(({ bytes: { buffer } }) => buffer.byteLength)]).toEqual([undefined, [10]]);
});
