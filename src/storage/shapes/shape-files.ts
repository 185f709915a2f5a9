/**
 * ShapeFiles: one shape's bytes on a disk: the snapshot, the lines of one generation with their index, and the rows of splices. Nothing
 * goes to a reader before the checksum of its piece was found to hold.
 */
import { uncopied } from '../../base/fork.ts';
import type { Handle } from '../../model/shape.ts';
import type { PackPlace } from '../packs/pack-paths.ts';
import { FEW_BYTES_MAX } from './few-rows.ts';
import type { FilePlace, LineFiles } from './filed-lines.ts';
import type { LineBatch } from './line-buffer.ts';
import { NO_BLOCKS, packPlaceOf, type TailBlock } from './line-tail.ts';
import { LinesGeneration } from './lines-generation.ts';
import type { Succession } from './lines-source.ts';
import { MovedFiles } from './moved-files.ts';
import type { Piece } from './piece.ts';
import { ShapeFileAccess, type ShapeGround } from './shape-file-access.ts';
import { filedPart, generationOf } from './shape-lines.ts';
import type { MovedWriter, ShapeStore } from './shape-store.ts';
import { SnapshotRows } from './snapshot-rows.ts';
import type { ShapeState } from './stored-shape.ts';

/** What a start has found of a shape. */
export interface FoundFiles {
  /** Some file of it, whichever. */
  readonly isFound: boolean;
  /** Of lines; some files of it are there perhaps, and are being removed. */
  readonly lastGeneration?: number | undefined;
}

const NOTHING_UNDER_WAY = Promise.resolve();
const UNCOPIED = uncopied('a file of a shape');

export class ShapeFiles implements ShapeStore, LineFiles {
  readonly clone = UNCOPIED;
  readonly rows: SnapshotRows;
  /** Settles when nothing is being written to files of lines and moves. */
  private writing = NOTHING_UNDER_WAY;
  private readonly access: ShapeFileAccess;
  /** Most shapes never have any. */
  private movedFiles: MovedFiles | undefined;
  private generation: LinesGeneration;
  /** The last one that was begun. None is begun twice: a checkpoint that failed may count it all the same. */
  private begun: number;
  /** Those before it, the oldest first: somebody may be reading in them. */
  private replaced: LinesGeneration[] | undefined;
  private readonly handle: Handle;
  /** There may be files of it that are not those of the snapshot. */
  private hasOthers: boolean;
  private hasDirectory: boolean;
  /** In packs, and not given back to these: those of the tail, and those that the last checkpoint may count. */
  private living: readonly TailBlock[];

  constructor(
    private readonly ground: ShapeGround,
    /** What the last checkpoint says. */
    { handle, lines, snapshot }: Pick<ShapeState, 'handle' | 'lines' | 'snapshot'>,
    { isFound, lastGeneration = 0 }: FoundFiles = { isFound: filedPart(lines).count > 0 },
  ) {
    this.handle = handle;
    this.access = new ShapeFileAccess(ground, handle);
    this.rows = new SnapshotRows(this.access, ground.fewBytesMax ?? FEW_BYTES_MAX, snapshot);
    this.generation = new LinesGeneration(this.access, generationOf(lines), lines, lines.tail);
    this.living = this.tail;
    this.begun = Math.max(this.generation.number, lastGeneration);
    this.hasOthers = isFound;
    this.hasDirectory = isFound;
  }

  /** There is no file of it, and never was: nothing is to be removed. */
  get isBare(): boolean {
    return !this.rows.hasFile && !this.hasOthers;
  }

  get fewRows(): Uint8Array | undefined {
    return this.rows.few;
  }

  get lines(): LinesGeneration {
    return this.generation;
  }

  get tail(): readonly TailBlock[] {
    return this.generation.tail;
  }

  /** Where it has anything in packs. */
  get inPacks(): readonly PackPlace[] {
    const { place } = this.rows;
    return [...(place === undefined ? [] : [place]), ...this.tail.map(packPlaceOf)];
  }

  /** They lie in packs from now on, durably. @param tail all that lies there. */
  putTail(tail: readonly TailBlock[]): void {
    const others = this.living.filter((block) => !tail.includes(block));
    this.living = others.length === 0 ? tail : [...others, ...tail];
    this.generation.tail = tail;
  }

  /** A checkpoint counts those of `tail`. @returns what neither it nor anybody here needs any more. */
  releasedBy(tail: readonly TailBlock[]): readonly TailBlock[] {
    const { tail: current, living } = this;
    if (living === current) return NO_BLOCKS;
    this.living = living.filter((block) => current.includes(block) || tail.includes(block));
    if (this.living.length === current.length) this.living = current;
    return living.filter((block) => !this.living.includes(block));
  }

  /** Nobody needs it any more. @returns all that was living in packs. */
  takeLiving(): readonly TailBlock[] {
    const { living } = this;
    this.living = NO_BLOCKS;
    return living;
  }

  async beginSnapshot(): Promise<void> {
    this.rows.begin();
  }

  appendSnapshot(bytes: Uint8Array): Promise<void> {
    return this.rows.append(bytes);
  }

  syncSnapshot(): Promise<void> {
    return this.rows.sync();
  }

  endSnapshot(): Promise<void> {
    return this.rows.end();
  }

  readSnapshot(piece: Piece, before: number): Promise<Uint8Array> {
    return this.rows.read(piece, before);
  }

  readSnapshotNow(piece: Piece): Uint8Array | undefined {
    return this.rows.readNow(piece);
  }

  beginMoved(number: number, claim: () => void): MovedWriter {
    this.hasOthers = true;
    const writer = this.moved.begin(number, claim);
    return {
      write: (lines) => this.whileHere(() => writer.write(lines)),
      complete: () => this.whileHere(() => writer.complete()),
    };
  }

  async readMoved(number: number, piece: Piece): Promise<Uint8Array> {
    this.access.requireHere();
    return this.moved.read(number, piece);
  }

  /** When the storage is opened: rows of splices `found` are there. */
  noteMoved(found: readonly number[]): void {
    this.moved.note(found);
  }

  forgetMoved(number: number): Promise<void> {
    return this.movedFiles?.forget(number) ?? NOTHING_UNDER_WAY;
  }

  append(place: FilePlace, batches: readonly LineBatch[], isDurable: boolean): Promise<void> {
    return this.counted(this.appendBehind(place, batches, isDurable));
  }

  cut(place: FilePlace): void {
    this.generation.cut(place);
  }

  /** The next generation, of which nothing counts yet. Only `appendTo` writes to it. */
  nextGeneration(): LinesGeneration {
    this.begun += 1;
    return new LinesGeneration(this.access, this.begun, { bytes: 0, count: 0 });
  }

  /** @throws {ShapeGoneError} and as `append`. */
  appendTo(next: LinesGeneration, ...lines: Parameters<LinesGeneration['append']>): Promise<void> {
    return this.whileHere(() => next.append(...lines));
  }

  /** A checkpoint counts the next generation. */
  replaceLines(next: LinesGeneration, { from, shiftBytes }: Omit<Succession, 'source'>): void {
    this.generation.succeedBy({ source: next, from, shiftBytes });
    (this.replaced ??= []).push(this.generation);
    this.generation = next;
  }

  /** Those that nobody reads: one that is read keeps those behind it, for its reader goes on there. @returns whether some are left. */
  async removeReplaced(): Promise<boolean> {
    for (let [oldest] = this.replaced ?? []; oldest !== undefined && !oldest.isRead; [oldest] = this.replaced ?? []) {
      if (this.access.isGone) return false; // All its files go.
      await this.counted(oldest.remove());
      this.replaced?.shift();
    }
    return (this.replaced ?? []).length > 0;
  }

  /** From now on nothing is opened; what is open may be read to its end. */
  async remove(): Promise<void> {
    this.access.isGone = true;
    await Promise.allSettled([this.writing]); // Else a file could appear after it was discarded.
    await this.rows.close();
    for (const generation of [...(this.replaced ?? []), this.generation]) await generation.close();
  }

  private get moved(): MovedFiles {
    return (this.movedFiles ??= new MovedFiles(this.ground, this.handle));
  }

  private async appendBehind(place: FilePlace, batches: readonly LineBatch[], isDurable: boolean): Promise<void> {
    this.hasOthers = true;
    if (!this.hasDirectory) await this.access.prepare();
    this.hasDirectory = true;
    await this.generation.append(place, batches, isDurable);
  }

  private async whileHere<T>(write: () => Promise<T>): Promise<T> {
    this.access.requireHere();
    return await this.counted(write());
  }

  /** A file that is being written when the shape goes is whole before it is discarded. Who asked for it is told how that went. */
  private counted<T>(written: Promise<T>): Promise<T> {
    this.writing = Promise.allSettled([this.writing, written]).then(() => {});
    return written;
  }
}
