/** What a reader gets of a snapshot that is being written, from the disk or from what was in memory a moment ago. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextTurn } from '../../../src/base/turn.ts';
import type { EntryRun } from '../../../src/model/log-entry.ts';
import { MemoryShapeStore } from '../../../src/storage/shapes/memory-shape-store.ts';
import { PIECE_BYTES, verified, type Piece } from '../../../src/storage/shapes/piece.ts';
import { SnapshotChunks } from '../../../src/storage/shapes/snapshot-chunks.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf } from '../../support/shapes.ts';
import { pgSnapshot } from '../../support/storage/stored-samples.ts';

/** Reads as a disk does: each piece must have its sum. */
class VerifyingStore extends MemoryShapeStore {
  reads = 0;

  override async readSnapshot(piece: Piece, before = 0): Promise<Uint8Array> {
    this.reads += 1;
    return verified(await super.readSnapshot(piece), 'the memory', handleOf(1), piece, before);
  }
}

/** One line of so many bytes, in memory that is used again. */
class LineWriter {
  readonly written: Buffer[] = [];
  private readonly memory = new Uint8Array(new SharedArrayBuffer(2 * PIECE_BYTES));

  constructor(private readonly chunks: SnapshotChunks) {}

  async write(size: number, at: number): Promise<void> {
    const bytes = this.memory.subarray(at, at + size);
    for (let index = 0; index < size; index += 1) bytes[index] = 97 + ((this.written.length + index) % 26);
    bytes[size - 1] = 44;
    this.written.push(Buffer.from(bytes));
    await this.chunks.write({ bytes, ends: Uint32Array.of(size) });
    bytes.fill(0);
  }
}

async function begin(chunkBytesMax: number) {
  const store = new VerifyingStore(handleOf(1));
  const chunks = new SnapshotChunks(handleOf(1), store, new ManualClock(), chunkBytesMax, undefined);
  await chunks.begin();
  return { store, chunks, writer: new LineWriter(chunks) };
}

async function textOf(runs: AsyncIterable<EntryRun>): Promise<{ readonly rows: Buffer; readonly isWhole: boolean }> {
  const parts: Uint8Array[] = [];
  let isWhole = true;
  for await (const { kind, bytes, goesOn } of runs) {
    if (kind === 'row') parts.push(bytes);
    isWhole = !goesOn;
  }
  return { rows: Buffer.concat(parts), isWhole };
}

test('who waits for more has nothing read from the disk', async () => {
  const { store, chunks, writer } = await begin(100 * PIECE_BYTES);
  const runs = chunks.read(0);
  const seen: Buffer[] = [];

  for (const size of [10, PIECE_BYTES, 300, PIECE_BYTES + 17]) {
    const next = runs.next();
    await new Promise<void>(nextTurn); // By then it waits.
    await writer.write(size, 0);
    for (let run = await next; ; run = await runs.next()) {
      seen.push(Buffer.from((run.value as EntryRun).bytes));
      if (!(run.value as EntryRun).goesOn) break;
    }
  }

  const isSame = Buffer.concat(seen).equals(Buffer.concat(writer.written));
  expect({ reads: store.reads, isSame }).toEqual({ reads: 0, isSame: true });
});

test('any rows are the same for who follows, who comes later, and who reads when all are there', async () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 2, max: 60 }), fc.integer({ min: PIECE_BYTES - 40, max: PIECE_BYTES + 40 })), {
    minLength: 1, maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(7), fc.nat(9), fc.scheduler(), async (lines, late, at, scheduler) => {
      const { chunks, writer } = await begin(2 * PIECE_BYTES);
      const readers = [textOf(scheduledRuns(scheduler, chunks.read(0)))];
      for (const [index, size] of lines.entries()) {
        if (index === late) readers.push(textOf(scheduledRuns(scheduler, chunks.read(0))));
        await writer.write(size, at);
        await scheduler.waitNext(Math.min(1, scheduler.count()));
      }
      const ended = chunks.end(pgSnapshot);
      await scheduler.waitAll();
      await ended;
      readers.push(textOf(chunks.read(0)));
      const read = await scheduler.waitFor(Promise.all(readers));

      const all = Buffer.concat(writer.written);
      const [first] = read;
      const isPrefix = first !== undefined && all.subarray(0, first.rows.length).equals(first.rows);
      const areSame = read.every(({ rows }) => rows.equals(first?.rows ?? all));
      expect({ isPrefix, areSame, areWhole: read.every(({ isWhole }) => isWhole) }).toEqual({
        isPrefix: true, areSame: true, areWhole: true,
      });
    }),
    { numRuns: 150 },
  );
});

async function* scheduledRuns(scheduler: fc.Scheduler, runs: AsyncIterable<EntryRun>): AsyncGenerator<EntryRun> {
  for await (const run of runs) {
    await scheduler.schedule(Promise.resolve());
    yield run;
  }
}
