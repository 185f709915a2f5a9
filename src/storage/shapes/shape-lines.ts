/**
 * ShapeLines: the replicated half of a shape's log, as far as it is in memory, and where its chunks end.
 *
 * A chunk closes with the line that brings its JSON to the threshold. Its end must never move: a response for an
 * offset is cached under its URL for ever. So ends are kept with the log, and the threshold is the shape's own for ever.
 */
import { invariant } from '../../base/invariant.ts';
import { compareOffsets, offsetOf, SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import { addressOf, compareAddresses, LineBatch, LineBuffer, type Line, type LineAddress } from './line-buffer.ts';
import { indexEntriesOf } from './line-pieces.ts';

export interface ChunkEnd {
  /** Of the chunk's last line. */
  readonly offset: LogOffset;
  /** Bytes of the log up to here, commas included. */
  readonly bytes: number;
}

/** Everything about the lines but the lines: plain JSON, as it is checkpointed. */
export interface LinesState {
  readonly end: LogOffset;
  readonly bytes: number;
  /** Entries of the index. */
  readonly count: number;
  readonly chunkEnds: readonly ChunkEnd[];
  /** JSON bytes in the chunk that is still open. */
  readonly openBytes: number;
}

export const NO_LINES: LinesState = { end: SNAPSHOT_END, bytes: 0, count: 0, chunkEnds: [], openBytes: 0 };

export class ShapeLines {
  readonly buffer = new LineBuffer();
  private pending: Line[] = [];
  private appended: LineAddress;
  private published: LogOffset;
  private bytes: number;
  private count: number;
  private openBytes: number;
  private readonly chunkEnds: ChunkEnd[];

  constructor(
    state: LinesState,
    private readonly chunkBytesMax: number,
  ) {
    this.published = state.end;
    this.appended = addressOf(state.end);
    this.bytes = state.bytes;
    this.count = state.count;
    this.openBytes = state.openBytes;
    this.chunkEnds = [...state.chunkEnds];
  }

  get end(): LogOffset {
    return this.published;
  }

  get state(): LinesState {
    const { bytes, count, openBytes } = this;
    return { end: this.published, bytes, count, openBytes, chunkEnds: [...this.chunkEnds] };
  }

  append(lsn: Lsn, position: number, bytes: Uint8Array): void {
    const line = { lsn, position, bytes };
    if (compareAddresses(line, this.appended) <= 0) {
      invariant(this.pending.length === 0, 'lines come in the order of their offsets');
      return;
    }
    this.pending.push(line);
    this.appended = line;
  }

  /** @returns how many bytes became readable. */
  publish(): number {
    if (this.pending.length === 0) return 0;
    const lines = this.pending;
    this.pending = [];
    for (const line of lines) this.account(line);
    const batch = LineBatch.of(lines);
    this.published = batch.lastOffset;
    this.buffer.push(batch);
    return batch.bytes.length;
  }

  discard(): void {
    this.pending = [];
    this.appended = addressOf(this.published);
  }

  /** Where a read from `after` ends: with its chunk, or with the log. */
  readEnd(after: LogOffset): LogOffset {
    return this.chunkEndBehind(after)?.offset ?? this.published;
  }

  /** The first chunk that ends behind `after`. */
  chunkEndBehind(after: LogOffset): ChunkEnd | undefined {
    let low = 0;
    let high = this.chunkEnds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const end = this.chunkEnds[middle];
      if (end !== undefined && compareOffsets(end.offset, after) > 0) high = middle;
      else low = middle + 1;
    }
    return this.chunkEnds[low];
  }

  private account(line: Line): void {
    this.bytes += line.bytes.length + 1;
    this.count += indexEntriesOf(line.bytes.length + 1);
    this.openBytes += line.bytes.length;
    if (this.openBytes < this.chunkBytesMax) return;
    this.chunkEnds.push({ offset: offsetOf(line.lsn, line.position), bytes: this.bytes });
    this.openBytes = 0;
  }
}
