/**
 * CompactionRun: the lines of one shape on their way into the files of the next generation. It takes as long as it takes, while the
 * shape goes on in its old files; only a checkpoint makes the new ones count, and until then they are nothing.
 */
import { invariant } from '../../base/invariant.ts';
import { lsnOfOffset, SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import { lsnOf, type Lsn } from '../../model/lsn.ts';
import type { FilePlace, FilesHold } from '../shapes/filed-lines.ts';
import type { LinesGeneration } from '../shapes/lines-generation.ts';
import type { ShapeFiles } from '../shapes/shape-files.ts';
import { compactedState, type ChunkEnd, type Compaction, type LinesState } from '../shapes/shape-lines.ts';
import type { StoredShape } from '../shapes/stored-shape.ts';
import { CompactedLines, type NewPlace } from './compacted-lines.ts';
import { planOf, writeFolded, type Folding, type OldEnds, type Region } from './fold-lines.ts';
import { updatedShare } from './line-sample.ts';
import { linesBetween } from './line-walk.ts';

/** With less to copy than this, what is left is copied by the checkpoint. */
const LEFT_BYTES_MAX = 1024 * 1024;
/** A sample may show fewer updates than there are. */
const SAMPLED_SHARE = 1 / 2;

export interface RunOptions extends Folding {
  readonly shape: StoredShape;
  readonly files: ShapeFiles;
  readonly chunkBytesMax: number;
  /** Of the bytes that are looked through, so many must go: else nothing is gained that is worth the writing. */
  readonly goneShareMin: number;
  /** With more to copy than this, no checkpoint takes the new files over. */
  readonly waitedBytesMax: number;
}

/**
 * The new files, once a checkpoint may count them. Until `commit`, or `abandon`, nothing else is written to the shape's files. What was
 * abandoned may be taken over by the next one.
 */
export interface TakeOver {
  /** As the checkpoint is to have it. */
  readonly state: LinesState;
  commit(): void;
  abandon(): void;
}

export class CompactionRun {
  readonly shape: StoredShape;
  private readonly next: LinesGeneration;
  private readonly lines: CompactedLines;
  private compacted: { readonly region: Region; readonly end: ChunkEnd; readonly newPlace: NewPlace } | undefined;
  private mayCount = false;
  /** The old lines are in the new files up to here. */
  private copied: Pick<FilePlace, 'end' | 'bytes'> = { end: SNAPSHOT_END, bytes: 0 };

  constructor(private readonly options: RunOptions) {
    const { shape, files, chunkBytesMax } = options;
    this.shape = shape;
    this.next = files.nextGeneration();
    this.lines = new CompactedLines(this.next.number, chunkBytesMax, (place, batch) => files.appendTo(this.next, place, [batch], false));
  }

  /**
   * @param ends of the chunks that may be compacted, one at least.
   * @param logEnd that of the log, or of what is in the files.
   * @returns false when there is too little to gain.
   * @throws {ShapeGoneError | ShapeCorruptError | UnreadableEntryError | DiskError}
   */
  async compact(ends: OldEnds, logEnd: LogOffset): Promise<boolean> {
    const { files, folder, goneShareMin } = this.options;
    const last = ends.at(-1);
    const closed = last && (await regionOf(files.lines, last, lsnOfOffset(logEnd)));
    if (closed === undefined) return false;
    if ((await updatedShare(closed, ends, folder)) < SAMPLED_SHARE * goneShareMin) return false;
    const planned = await planOf(closed, ends, this.options);
    const { plan, region } = planned;
    if (plan.goneBytes < goneShareMin * region.bytes || plan.goneBytes === 0) return false;
    // Lines that others went into are longer than they were.
    if (!(await writeFolded(planned, ends, this.lines, (1 - goneShareMin) * region.bytes, this.options))) return false;
    const end = await this.lines.endCompacted(region.lsn);
    this.compacted = { region, end, newPlace: this.lines.place };
    this.copied = { end: behind(region.lsn), bytes: region.bytes };
    return true;
  }

  /** Brings what lies behind into the new files, as it is, but for the little that is written meanwhile. May be called again. */
  async copy(): Promise<void> {
    for (let left = Infinity; left > LEFT_BYTES_MAX; ) {
      const hold = await this.shape.holdFiles();
      hold.release();
      if (hold.place === undefined) return; // Of a large transaction some is there already that nobody may see.
      left = hold.place.bytes - this.copied.bytes;
      await this.copyThrough(hold.place, this.options.turn);
    }
  }

  /**
   * For a checkpoint that has saved all of `state`, and perhaps what came since.
   *
   * @returns undefined while a part of a transaction is in the files that nobody may see, or when one has just become visible that is
   * too large to be waited for: a later one may take over, once `copy` was called again.
   * @throws as `compact`.
   */
  async takeOver(state: LinesState): Promise<TakeOver | undefined> {
    const hold = await this.shape.holdFiles();
    try {
      const compaction = await this.finish(state, hold);
      if (compaction === undefined) hold.release();
      return compaction && this.tookOver(compactedState(state, compaction), compaction, hold);
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  /** What was written is of no use. What a checkpoint may count that failed stays: the next start knows whether it does. */
  async abandon(): Promise<void> {
    if (!this.mayCount) await this.next.remove();
  }

  private async finish(state: LinesState, { place }: FilesHold): Promise<Compaction | undefined> {
    const { compacted, lines, next, options: { files } } = this;
    if (compacted === undefined || place === undefined || state.bytes < this.copied.bytes || place.bytes < state.bytes) return undefined;
    if (place.bytes - this.copied.bytes > this.options.waitedBytesMax) return undefined;
    if (files.tail.length > 0) await files.append(place, [], true); // Who reads on in the old files finds it there.
    await this.copyThrough(state, noTurn); // The checkpoint waits for it, and what it counts ends with a piece.
    await this.copyThrough(place, noTurn);
    await files.appendTo(next, lines.place, [], true);
    const { region, end, newPlace } = compacted;
    return {
      generation: next.number,
      through: end.offset,
      bytes: end.bytes,
      chunkEnds: lines.chunkEnds,
      shift: { bytes: newPlace.bytes - region.bytes, count: newPlace.count - region.count },
    };
  }

  private tookOver(state: LinesState, compaction: Compaction, hold: FilesHold): TakeOver {
    const { shape, compacted, options: { files } } = this;
    invariant(compacted !== undefined, 'what is taken over was compacted');
    this.mayCount = true;
    const { lsn, bytes, count } = compacted.region;
    return {
      state,
      commit: () => {
        shape.compact(compaction);
        files.replaceLines(this.next, { from: { end: behind(lsn), bytes, count }, shiftBytes: compaction.shift.bytes });
        hold.release();
      },
      abandon: hold.release,
    };
  }

  private async copyThrough({ end, bytes }: Pick<FilePlace, 'end' | 'bytes'>, turn: () => Promise<void>): Promise<void> {
    if (bytes === this.copied.bytes) return;
    const { files } = this.options;
    for await (const line of linesBetween(files.lines, this.copied.end, bytes, turn)) await this.lines.append(line.address, line.bytes);
    await this.lines.flush();
    this.copied = { end, bytes };
  }
}

/** Up to the end of the last transaction that ends in these chunks. A chunk may end within one. @returns undefined when none does. */
async function regionOf(source: LinesGeneration, { offset, bytes }: ChunkEnd, lastLsn: Lsn): Promise<Region | undefined> {
  const lsn = lsnOfOffset(offset);
  const whole = lsn === lastLsn ? undefined : await source.placeBehind({ lsn, position: Infinity });
  if (whole?.bytes === bytes) return { source, lsn, ...whole };
  const before = await source.placeBehind({ lsn, position: -1 });
  if (before.bytes === 0) return undefined;
  return { source, lsn: lsnOf(BigInt(lsn) - 1n), ...before };
}

function behind(lsn: Lsn): LogOffset {
  return `${lsn}_inf` as LogOffset;
}

async function noTurn(): Promise<void> {}
