/**
 * ShapeLines: the replicated half of a shape's log, as far as it is in memory, and where its chunks end.
 *
 * A chunk closes with the line that brings its JSON to the threshold. Its end must never move: a response for an
 * offset is cached under its URL for ever. So ends are kept with the log, and the threshold is the shape's own for ever.
 */
import { invariant } from '../../base/invariant.ts';
import { compareOffsets, offsetOf, SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { PlacedLines } from '../../model/placed-lines.ts';
import { addressOf, compareAddresses, LineBuffer, type LineAddress, type LineBatch } from './line-buffer.ts';
import { LineDraft } from './line-draft.ts';
import { indexEntriesOf } from './line-pieces.ts';
import { extentOf, NO_BLOCKS, type TailBlock } from './line-tail.ts';

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
  /** Left out while no line was compacted. */
  readonly compacted?: CompactedPart;
  /** The last of them, where they lie in packs: one behind the other. Left out where all are in the files. */
  readonly tail?: readonly TailBlock[];
}

/** The first lines of a log, as far as they were compacted. */
export interface CompactedPart {
  /** The how manieth time it was, which names the files. */
  readonly generation: number;
  /** The end of the last chunk of it. */
  readonly through: LogOffset;
  readonly bytes: number;
}

/** What a compaction made of the first lines of a log. */
export interface Compaction extends CompactedPart {
  readonly chunkEnds: readonly ChunkEnd[];
  /** What is to be added to the places behind it: both are negative, or nothing. */
  readonly shift: { readonly bytes: number; readonly count: number };
}

export const NO_LINES: LinesState = { end: SNAPSHOT_END, bytes: 0, count: 0, chunkEnds: [], openBytes: 0 };

/** What of them is in the files. */
export function filedPart({ bytes, count, tail = NO_BLOCKS }: LinesState): Pick<LinesState, 'bytes' | 'count'> {
  const packed = extentOf(tail);
  return { bytes: bytes - packed.bytes, count: count - packed.count };
}

export function generationOf({ compacted }: LinesState): number {
  return compacted?.generation ?? 0;
}

/** The same lines in the files of the next generation. */
export function compactedState(state: LinesState, compaction: Compaction): LinesState {
  const { generation, through, bytes, shift } = compaction;
  return {
    end: state.end,
    bytes: state.bytes + shift.bytes,
    count: state.count + shift.count,
    openBytes: state.openBytes,
    chunkEnds: compactedEnds(state.chunkEnds, compaction),
    compacted: { generation, through, bytes },
  };
}

function compactedEnds(ends: readonly ChunkEnd[], { through, chunkEnds, shift }: Compaction): ChunkEnd[] {
  const behind = ends.filter(({ offset }) => compareOffsets(offset, through) > 0);
  return [...chunkEnds, ...behind.map(({ offset, bytes }) => ({ offset, bytes: bytes + shift.bytes }))];
}

/** What is known of the lines from the first on. */
type Totals = Pick<LinesState, 'bytes' | 'count' | 'openBytes'> & { readonly chunkCount: number };

const NO_TOTALS: Totals = { bytes: 0, count: 0, openBytes: 0, chunkCount: 0 };
const BEFORE_LINES = addressOf(SNAPSHOT_END);

export class ShapeLines {
  private appended: LineAddress;
  private published: LogOffset;
  /** Of the lines that are published. */
  private shown: Totals;
  // Of all that were appended.
  private bytes: number;
  private count: number;
  private openBytes: number;
  /** Never changed: most shapes share one that is empty. */
  private chunkEnds: readonly ChunkEnd[];
  private compacted: CompactedPart | undefined;

  constructor(
    { end, bytes, count, chunkEnds, openBytes, compacted }: LinesState,
    private readonly chunkBytesMax: number,
    readonly buffer = new LineBuffer(),
    /** Not published, and in memory; made by the first line. */
    private pending?: LineDraft,
  ) {
    this.published = end;
    this.appended = end === SNAPSHOT_END ? BEFORE_LINES : addressOf(end);
    this.chunkEnds = chunkEnds;
    this.compacted = compacted;
    [this.bytes, this.count, this.openBytes] = [bytes, count, openBytes];
    this.shown = count === 0 && chunkEnds.length === 0 ? NO_TOTALS : this.totals;
  }

  get end(): LogOffset {
    return this.published;
  }

  /** As `state` has them. */
  get bytesShown(): number {
    return this.shown.bytes;
  }

  get countShown(): number {
    return this.shown.count;
  }

  /** Of the files that the lines are counted in. */
  get generation(): number {
    return this.compacted?.generation ?? 0;
  }

  get state(): LinesState {
    const { bytes, count, openBytes, chunkCount } = this.shown;
    const { compacted } = this;
    if (count === 0 && compacted === undefined) return NO_LINES;
    return {
      end: this.published,
      bytes,
      count,
      openBytes,
      chunkEnds: this.chunkEnds.length === chunkCount ? this.chunkEnds : this.chunkEnds.slice(0, chunkCount),
      ...(compacted === undefined ? {} : { compacted }),
    };
  }

  /** Everything up to here was compacted; nothing, before the first time. */
  get compactedThrough(): LogOffset {
    return this.compacted?.through ?? SNAPSHOT_END;
  }

  append(lsn: Lsn, position: number, bytes: Uint8Array): void {
    const address = { lsn, position };
    if (compareAddresses(address, this.appended) <= 0) {
      invariant(!this.hasHidden, 'lines come in the order of their offsets');
      return;
    }
    this.pending ??= new LineDraft();
    this.pending.append(lsn, position, bytes);
    this.appended = address;
    this.account(address, bytes.length);
  }

  appendAll(lsn: Lsn, lines: PlacedLines): void {
    const [first, last] = [lines.positions[0], lines.positions.at(-1)];
    if (first === undefined || last === undefined) return;
    if (compareAddresses({ lsn, position: first }, this.appended) <= 0) {
      for (const { position, bytes } of lines) this.append(lsn, position, bytes);
      return;
    }
    this.pending ??= new LineDraft();
    this.pending.appendAll(lsn, lines);
    this.appended = { lsn, position: last };
    let start = 0;
    for (const [index, end] of lines.ends.entries()) {
      this.account({ lsn, position: lines.positions[index] ?? last }, end - start - 1);
      start = end;
    }
  }

  /** @returns how many bytes in memory became readable. */
  publish(): number {
    if (!this.hasHidden) return 0;
    this.shown = this.totals;
    this.published = offsetOf(this.appended.lsn, this.appended.position);
    const batch = this.pending?.take();
    if (batch === undefined) return 0;
    this.buffer.push(batch);
    return batch.bytes.length;
  }

  /** Hands over what is in memory and not published; it counts as appended all the same. */
  takePending(): LineBatch | undefined {
    return this.pending?.take();
  }

  discard(): void {
    if (!this.hasHidden) return;
    this.pending?.clear();
    this.appended = addressOf(this.published);
    ({ bytes: this.bytes, count: this.count, openBytes: this.openBytes } = this.shown);
    this.chunkEnds = this.chunkEnds.slice(0, this.shown.chunkCount);
  }

  /** The files of the next generation count from now on. */
  compact(compaction: Compaction): void {
    const { bytes, count, chunkCount } = this.shown;
    const { shift } = compaction;
    const hiddenCount = this.chunkEnds.length - chunkCount;
    const { generation, through, bytes: compactedBytes } = compaction;
    this.chunkEnds = compactedEnds(this.chunkEnds, compaction);
    this.compacted = { generation, through, bytes: compactedBytes };
    this.bytes += shift.bytes;
    this.count += shift.count;
    this.shown = {
      ...this.shown, bytes: bytes + shift.bytes, count: count + shift.count, chunkCount: this.chunkEnds.length - hiddenCount,
    };
  }

  /** Where a read from `after` ends: with its chunk, or with the log. */
  readEnd(after: LogOffset): ChunkEnd {
    return this.chunkEndBehind(after) ?? { offset: this.published, bytes: this.shown.bytes };
  }

  /** From where no more than `bytesMax` lie behind, or the open chunk alone: the end of a chunk, or of the snapshot. */
  tailFrom(bytesMax: number): LogOffset {
    const ends = this.chunkEnds.slice(0, this.shown.chunkCount);
    const near = this.shown.bytes <= bytesMax ? undefined : (ends.find(({ bytes }) => this.shown.bytes - bytes <= bytesMax) ?? ends.at(-1));
    return near?.offset ?? SNAPSHOT_END;
  }

  clone(): ShapeLines {
    const copy = new ShapeLines(this.state, this.chunkBytesMax, this.buffer.clone(), this.pending?.clone());
    copy.appended = this.appended;
    [copy.bytes, copy.count, copy.openBytes] = [this.bytes, this.count, this.openBytes];
    copy.chunkEnds = this.chunkEnds;
    return copy;
  }

  /** The first published chunk that ends behind `after`. */
  chunkEndBehind(after: LogOffset): ChunkEnd | undefined {
    let low = 0;
    let high = this.shown.chunkCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const end = this.chunkEnds[middle];
      if (end !== undefined && compareOffsets(end.offset, after) > 0) high = middle;
      else low = middle + 1;
    }
    return low < this.shown.chunkCount ? this.chunkEnds[low] : undefined;
  }

  private get totals(): Totals {
    const { bytes, count, openBytes, chunkEnds } = this;
    return { bytes, count, openBytes, chunkCount: chunkEnds.length };
  }

  /** There are lines that nobody sees yet. */
  private get hasHidden(): boolean {
    return this.bytes > this.shown.bytes;
  }

  private account({ lsn, position }: LineAddress, bytes: number): void {
    this.bytes += bytes + 1;
    this.count += indexEntriesOf(bytes + 1);
    this.openBytes += bytes;
    if (this.openBytes < this.chunkBytesMax) return;
    this.chunkEnds = [...this.chunkEnds, { offset: offsetOf(lsn, position), bytes: this.bytes }];
    this.openBytes = 0;
  }
}
