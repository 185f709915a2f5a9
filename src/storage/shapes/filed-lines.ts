/**
 * FiledLines: how far a shape's lines have left the memory for its files.
 *
 * Lines go there in their order, one write at a time: what readers see, at a checkpoint; and the parts of a large
 * transaction, which nobody may see yet. Those lie behind what readers are given, and are written over when their
 * transaction is given up. What is in the files counts after a crash only as far as a checkpoint says.
 */
import { invariant } from '../../base/invariant.ts';
import { compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import type { LineBatch } from './line-buffer.ts';
import { indexEntriesIn } from './line-pieces.ts';
import type { TailBlock } from './line-tail.ts';
import type { LinesState, ShapeLines } from './shape-lines.ts';

/** Behind a line in the files: its offset, and what lies before. */
export type FilePlace = Pick<LinesState, 'end' | 'bytes' | 'count'>;

export interface LineFiles {
  /**
   * Puts lines behind `place`, over whatever lies there.
   *
   * @param isDurable makes sure, too, of everything that was put there before.
   * @throws {ShapeCorruptError} when the files end before that place.
   */
  append(place: FilePlace, batches: readonly LineBatch[], isDurable: boolean): Promise<void>;
  /** Readers find lines up to here: what lies behind is not there. */
  cut(place: FilePlace): void;
  /** The last of these lines, where they lie in packs and not in the files. */
  readonly tail: readonly TailBlock[];
}

/** Lines on their way into a pack. */
export interface OfferedLines {
  /** Behind what has left the memory. */
  readonly from: FilePlace;
  readonly batches: readonly LineBatch[];
}

export interface FilesHold {
  readonly place: FilePlace | undefined;
  release(): void;
}

const NOTHING_UNDER_WAY = Promise.resolve();

export class FiledLines {
  /** Behind the last line that readers may see. */
  private seen: FilePlace;
  /** Behind the last line of an open transaction. */
  private unseen: FilePlace | undefined;
  private isDurable = true;
  /** How often lines were given up. */
  private discards = 0;
  /** Lines of the open transaction that a refused write was to bring: they are nowhere else any more. */
  private refused: LineBatch | undefined;
  private files: LineFiles | undefined;
  private writing = NOTHING_UNDER_WAY;

  constructor(
    private readonly lines: ShapeLines,
    saved: FilePlace,
  ) {
    this.seen = saved;
  }

  /** Up to here readers find lines in the files, and behind it in memory. */
  get end(): FilePlace {
    return this.seen;
  }

  /** What comes next behind `offset` has left the memory. */
  has(offset: LogOffset): boolean {
    const { count, end } = this.seen;
    return count > 0 && compareOffsets(offset, end) < 0;
  }

  /** Brings what readers see to the files, durably. @returns what of it lies in packs. */
  save(files: LineFiles): Promise<readonly TailBlock[]> {
    return this.inTurn(async () => {
      const batches = this.lines.buffer.seal();
      if (batches.length > 0 || !this.isDurable) await this.write(files, batches, undefined, true);
      return files.tail;
    });
  }

  /** Nothing is on its way to the files, and what is there is seen and durable. */
  get isSettled(): boolean {
    return this.writing === NOTHING_UNDER_WAY && this.unseen === undefined && this.isDurable;
  }

  /**
   * What is in memory up to byte `throughBytes`, where a batch ends, for a pack. Only while settled.
   *
   * @param over resolves when that is there, and was taken, or is not to come there: until then nothing goes to the files.
   */
  offer(throughBytes: number, over: Promise<void>): OfferedLines {
    invariant(this.isSettled, 'lines go into a pack only behind what is durable');
    void this.inTurn(() => over);
    return { from: this.seen, batches: this.lines.buffer.firstBatches(throughBytes - this.seen.bytes) };
  }

  /** They lie in a pack, durably. */
  take({ from, batches }: OfferedLines): void {
    this.lines.buffer.drop(batches.length);
    this.seen = batches.reduce(behind, from);
  }

  /** Brings everything to the files, also what nobody sees yet. */
  spill(files: LineFiles): Promise<void> {
    const { discards } = this;
    return this.inTurn(async () => {
      if (discards !== this.discards) return; // What it was asked to bring was given up while it waited.
      this.refused ??= this.lines.takePending();
      await this.write(files, this.lines.buffer.seal(), this.refused, false);
      this.refused = undefined;
    });
  }

  /**
   * Resolves when nothing is on its way to the files, and nothing will be until the hold is let go.
   *
   * @returns where the files end; undefined while they have a part of a transaction that nobody may see.
   */
  hold(): Promise<FilesHold> {
    return new Promise((grant) => {
      const held = this.inTurn(() => new Promise<void>((release) => grant({ place: this.unseen ? undefined : this.seen, release })));
      held.catch(() => {}); // It cannot fail.
    });
  }

  /** The same lines lie in other files from now on. Only during a hold. */
  move({ bytes, count }: Pick<FilePlace, 'bytes' | 'count'>): void {
    invariant(this.unseen === undefined, 'nobody moves a transaction that is open');
    this.seen = { end: this.seen.end, bytes: this.seen.bytes + bytes, count: this.seen.count + count };
  }

  /** What was spilled is seen from now on. */
  publish(): void {
    invariant(this.refused === undefined, 'nothing is published while it waits for the disk');
    this.seen = this.unseen ?? this.seen;
    this.unseen = undefined;
  }

  /** What was spilled and is not seen is given up, also what is on its way. */
  discard(): void {
    this.discards += 1;
    this.refused = undefined;
    if (this.unseen === undefined) return;
    this.unseen = undefined;
    this.files?.cut(this.seen);
  }

  private async write(files: LineFiles, batches: readonly LineBatch[], hidden: LineBatch | undefined, isDurable: boolean): Promise<void> {
    invariant(this.unseen === undefined || batches.length === 0, 'nothing is published before the open transaction');
    const { discards } = this;
    const from = this.unseen ?? this.seen;
    const shown = batches.reduce(behind, from);
    this.files = files;
    this.isDurable = false;
    await files.append(from, hidden === undefined ? batches : [...batches, hidden], isDurable);
    this.isDurable = isDurable;
    this.lines.buffer.drop(batches.length);
    if (discards !== this.discards) return this.takeBack(files, batches.length > 0 ? shown : this.seen);
    if (batches.length > 0) this.seen = shown;
    if (hidden !== undefined) this.unseen = behind(shown, hidden);
  }

  /** What was on its way is nobody's any more. */
  private takeBack(files: LineFiles, shown: FilePlace): void {
    this.seen = shown;
    files.cut(shown);
  }

  private inTurn<T>(write: () => Promise<T>): Promise<T> {
    const written = this.writing.then(write);
    const over = written.then(() => {}, () => {}).then(() => { // Who asked for it is told.
      if (this.writing === over) this.writing = NOTHING_UNDER_WAY; // Every shape would keep its promise.
    });
    this.writing = over;
    return written;
  }
}

function behind({ bytes, count }: FilePlace, batch: LineBatch): FilePlace {
  return { end: batch.lastOffset, bytes: bytes + batch.bytes.length, count: count + indexEntriesIn(batch) };
}
