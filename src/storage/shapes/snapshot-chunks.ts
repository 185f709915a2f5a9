/**
 * SnapshotChunks: a shape's snapshot as chunks, readable while it is still being written.
 *
 * A chunk closes behind the row that brings it to the threshold. A reader of a chunk that grows follows it to its end;
 * it sees whole rows only, each once its checksum was found to hold, waits a bounded time for progress, and fails when
 * the writer gives up.
 *
 * Who waits for more is given what was written from memory, and has nothing read from the disk that has just come to it.
 */
import type { Clock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { joinedLines, type JoinedLines } from '../../model/joined-lines.ts';
import type { EntryRun } from '../../model/log-entry.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import { snapshotEndLine } from '../../model/snapshot-end.ts';
import { ShapeGoneError, SnapshotStalledError } from '../errors.ts';
import { GrowingSums, PIECE_BYTES, type ChunkSums, type Piece } from './piece.ts';
import type { ShapeStore } from './shape-store.ts';

export interface WholeSnapshot {
  readonly pgSnapshot: PgSnapshot;
  readonly chunks: readonly ChunkSums[];
}

/** A piece of what was written last, or the part of one that was. */
interface LatePart {
  /** Of its chunk. */
  readonly index: number;
  /** In that. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Of its piece, up to its end. */
  readonly sum: number;
  /** No row ends at its end. */
  readonly goesOn: boolean;
}

interface EndPlace {
  readonly index: number;
  readonly at: number;
}

/** Of nearly all shapes: they are whole. */
const NOTHING_WRITTEN: GrowingSums[] = [];
Object.freeze(NOTHING_WRITTEN);
const NOTHING_LATE: readonly LatePart[] = [];

export const FOLLOW_WAIT_MS = 60_000;

export class SnapshotChunks {
  /** Each chunk as far as readers may see it; of chunks written by this process. */
  private written = NOTHING_WRITTEN;
  /** Size of the open chunk as the threshold counts it: each row and one byte. */
  private openBytes = 0;
  private closedCount = 0;
  private whole: boolean;
  private failed = false;
  /** Where `snapshot-end` begins, while it is being written. */
  private endAt: EndPlace | undefined;
  /** Undefined while nobody waits. */
  private waiters: Set<() => void> | undefined;
  /** What was written last, if somebody waited for it, until more is. */
  private late = NOTHING_LATE;

  constructor(
    private readonly handle: Handle,
    private readonly store: ShapeStore,
    private readonly clock: Clock,
    private readonly chunkBytesMax: number,
    /** A snapshot of an earlier process, or one that is whole by now. */
    private restored: WholeSnapshot | undefined,
  ) {
    this.whole = restored !== undefined;
  }

  /** Chunks that have a row, the open one included. */
  get count(): number {
    return this.chunks.length;
  }

  /** In all chunks. */
  get bytes(): number {
    return this.chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** False once it is certain that there is no such chunk, and never will be. */
  mayGrowTo(index: number): boolean {
    return !this.whole || index < this.count;
  }

  begin(): Promise<void> {
    return this.store.beginSnapshot();
  }

  async write({ bytes, ends }: JoinedLines): Promise<void> {
    let from = 0;
    for (let line = 0; this.openBytes + bytes.length - from >= this.chunkBytesMax; ) {
      while (this.openBytes + (ends[line] ?? bytes.length) - from < this.chunkBytesMax) line += 1;
      const end = ends[line] ?? bytes.length;
      await this.put(bytes.subarray(from, end));
      await this.closeChunk();
      from = end;
    }
    if (from === bytes.length) return;
    this.openBytes += bytes.length - from;
    await this.put(bytes.subarray(from));
  }

  /** Behind the last row. @returns what verifies the chunks, for whoever reads them after this process. */
  async end(pgSnapshot: PgSnapshot): Promise<readonly ChunkSums[]> {
    this.endAt = { index: this.closedCount, at: this.chunkAt(this.closedCount).bytes };
    await this.put(joinedLines([snapshotEndLine(pgSnapshot)]).bytes);
    this.whole = true;
    await this.closeChunk();
    await this.store.endSnapshot();
    const chunks = this.written.map(({ bytes, sums }) => ({ bytes, sums: sums.slice() }));
    this.endAt = undefined;
    this.restored = { pgSnapshot, chunks }; // From here on it is as one of an earlier process, which takes less.
    this.written = NOTHING_WRITTEN;
    this.late = NOTHING_LATE;
    return chunks;
  }

  /** The same, as somebody else holds it: once is enough. */
  holdAs(whole: WholeSnapshot): void {
    this.restored = whole;
  }

  /** Who writes the snapshot, or waits for more of it, goes on with the original alone. */
  clone(store: ShapeStore): SnapshotChunks {
    const copy = new SnapshotChunks(this.handle, store, this.clock, this.chunkBytesMax, this.restored);
    if (this.written.length > 0) copy.written = this.written.map((sums) => sums.clone());
    copy.openBytes = this.openBytes;
    copy.closedCount = this.closedCount;
    copy.whole = this.whole;
    copy.failed = this.failed;
    copy.endAt = this.endAt;
    return copy;
  }

  fail(): void {
    this.failed = true;
    this.late = NOTHING_LATE;
    this.wake();
  }

  /** All of chunk `index` where it lies in memory, grows no more and is small; undefined for any other: `read` gives it. */
  readNow(index: number): readonly EntryRun[] | undefined {
    const { bytes } = this.chunkAt(index);
    if (this.failed || !this.isClosed(index) || bytes === 0 || bytes > PIECE_BYTES) return undefined;
    const part = this.store.readSnapshotNow(this.pieceAt(index, 0));
    return part && [...this.runsOf(index, 0, part, false)];
  }

  /** Chunk `index`, from byte `from` on; nothing when the snapshot ends before it. */
  async *read(index: number, from = 0): AsyncGenerator<EntryRun> {
    let sum = 0;
    // The piece of the first byte is read whole, for its sum to be verified.
    for (let at = from - (from % PIECE_BYTES); ; ) {
      const { bytes } = this.chunkAt(index);
      if (at === bytes && this.isClosed(index)) return;
      // Asked only now: a reader that has the whole chunk need not learn that the snapshot has failed since.
      if (this.failed) throw new ShapeGoneError(this.handle);
      if (at === bytes) {
        await this.progress();
        continue;
      }
      const part = this.latePart(index, at) ?? (await this.readPart(index, at, sum));
      ({ sum } = part);
      const skipped = Math.max(0, from - at);
      yield* this.runsOf(index, at + skipped, part.bytes.subarray(skipped), part.goesOn);
      at += part.bytes.length;
    }
  }

  private latePart(index: number, at: number): LatePart | undefined {
    return this.late.find((part) => part.index === index && part.at === at);
  }

  /** @param sum of what lies before `at` in the same piece. */
  private async readPart(index: number, at: number, sum: number): Promise<LatePart> {
    const piece = this.pieceAt(index, at);
    const goesOn = at + piece.bytes < this.chunkAt(index).bytes; // Else a row ends here, and perhaps the chunk.
    const bytes = await this.store.readSnapshot(piece, at % PIECE_BYTES === 0 ? 0 : sum);
    return { index, at, bytes, sum: piece.sum, goesOn };
  }

  private get chunks(): readonly ChunkSums[] {
    return this.restored?.chunks ?? this.written;
  }

  private chunkAt(index: number): ChunkSums {
    return this.chunks[index] ?? NO_ROWS;
  }

  /** What lies behind byte `at` of the chunk, as far as its piece goes by now: the sum is that of the piece up to there. */
  private pieceAt(index: number, at: number): Piece {
    const { bytes, sums } = this.chunkAt(index);
    const number = Math.floor(at / PIECE_BYTES);
    const end = Math.min(bytes, (number + 1) * PIECE_BYTES);
    const start = this.chunks.slice(0, index).reduce((sum, chunk) => sum + chunk.bytes, 0);
    return { at: start + at, bytes: end - at, sum: sums[number] ?? 0 };
  }

  /** @param part lies at byte `at` of chunk `index`. */
  private *runsOf(index: number, at: number, part: Uint8Array, goesOn: boolean): Generator<EntryRun> {
    const end = this.endAt ?? (this.restored && endOf(this.restored));
    const rowBytes = end?.index === index ? Math.max(0, end.at - at) : part.length;
    if (rowBytes > 0) yield { kind: 'row', bytes: part.subarray(0, rowBytes), goesOn: goesOn || rowBytes < part.length };
    if (rowBytes < part.length) yield { kind: 'control', bytes: part.subarray(rowBytes), goesOn };
  }

  private isClosed(index: number): boolean {
    return this.whole || index < this.closedCount;
  }

  private async put(bytes: Uint8Array): Promise<void> {
    invariant(!this.whole, 'a whole snapshot takes no rows');
    if (this.failed) throw new ShapeGoneError(this.handle);
    const index = this.closedCount;
    await this.store.appendSnapshot(bytes);
    if (this.written === NOTHING_WRITTEN) this.written = [];
    const sums = (this.written[index] ??= new GrowingSums());
    const at = sums.bytes;
    sums.add(bytes);
    this.late = this.waiters === undefined ? NOTHING_LATE : [...this.lateParts(index, at, bytes)];
    this.wake();
  }

  /** Apart from each other: who reads slowly is not to hold more than a piece. */
  private *lateParts(index: number, at: number, bytes: Uint8Array): Generator<LatePart> {
    for (let from = 0; from < bytes.length; ) {
      const { bytes: length, sum } = this.pieceAt(index, at + from);
      const end = from + length;
      yield { index, at: at + from, bytes: copyOf(bytes, from, end), sum, goesOn: end < bytes.length };
      from = end;
    }
  }

  private async closeChunk(): Promise<void> {
    this.closedCount += 1;
    this.openBytes = 0;
    this.wake();
    await this.store.syncSnapshot();
  }

  private progress(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimer(() => {
        this.waiters?.delete(wake);
        reject(new SnapshotStalledError(this.handle, FOLLOW_WAIT_MS));
      }, FOLLOW_WAIT_MS);
      const wake = (): void => {
        this.clock.clearTimer(timer);
        resolve();
      };
      this.waiters ??= new Set();
      this.waiters.add(wake);
    });
  }

  private wake(): void {
    const { waiters } = this;
    this.waiters = undefined;
    for (const wake of waiters ?? []) wake();
  }
}

const WORD_BYTES = 8;

/** From a whole word on: in memory that is shared with another thread, it would be copied byte by byte otherwise. */
function copyOf({ buffer, byteOffset }: Uint8Array, from: number, end: number): Uint8Array {
  const start = byteOffset + from;
  const before = start % WORD_BYTES;
  return new Uint8Array(new Uint8Array(buffer, start - before, end - from + before)).subarray(before);
}

const NO_ROWS: ChunkSums = { bytes: 0, sums: [] };

/** It is the last entry of the last chunk, with a comma behind it. */
function endOf({ chunks, pgSnapshot }: WholeSnapshot): EndPlace {
  const { bytes } = chunks.at(-1) ?? NO_ROWS;
  return { index: chunks.length - 1, at: bytes - snapshotEndLine(pgSnapshot).length - 1 };
}
