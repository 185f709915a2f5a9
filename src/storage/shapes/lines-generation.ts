/**
 * LinesGeneration: the lines of a shape that have left the memory, and the index that finds and verifies them: two files, and behind what
 * is in these a tail in packs, while that is short. When the lines are compacted, those of the next generation take their place, and who
 * reads in these goes on in these.
 *
 * How much of them counts is what the last checkpoint says; what lies behind it was left by a crash, or by a transaction that was
 * given up, and is cut off before the next append.
 */
import { joinedInParts } from '../../base/joined-bytes.ts';
import type { EntryRun, LogEntry } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import { isRefusal, LinesReplacedError, ShapeCorruptError } from '../errors.ts';
import type { FilePlace, LineFiles } from './filed-lines.ts';
import { addressOf, type LineAddress, type LineBatch } from './line-buffer.ts';
import { INDEX_ENTRY_BYTES, LineIndex, type IndexOwner } from './line-index.ts';
import { indexEntriesIn } from './line-pieces.ts';
import { BlockPart, encodeBlock, extentOf, indexOf, LineTail, NO_BLOCKS, type BlockBytes, type TailBlock } from './line-tail.ts';
import type { LinesPart } from './lines-part.ts';
import type { LinesSource, Succession } from './lines-source.ts';
import { verified, type Piece } from './piece.ts';
import { entriesIn, type IndexedBytes } from './saved-lines.ts';
import type { ShapeFileAccess } from './shape-file-access.ts';
import type { LinesKind } from './shape-paths.ts';

const WRITE_BYTES = 256 * 1024;
/** Who reads line by line is kept from everybody else for so many at a time. */
const ENTRIES_AT_ONCE = 256;
/** Refused, these may tell of what was written long before: a file system of a network does so when a file is closed. */
const TELLING_OF_WRITES = new Set(['sync', 'close']);

export class LinesGeneration implements LinesSource, LineFiles {
  /** So much holds of the files. */
  private filedBytes: number;
  private filedCount: number;
  private lineTail: LineTail | undefined;
  /** The names of its files are durable. */
  private isNamed: boolean;
  /** Lines were put there that no sync has covered, and are in memory no more. */
  private hasUnsynced = false;
  /** A sync of such lines failed, or a close: whether they are there, nobody knows. */
  private isDoubtful = false;
  private readers = 0;
  private isRemoved = false;
  private next: Succession | undefined;

  constructor(
    private readonly access: ShapeFileAccess,
    /** From 0 on. */
    readonly number: number,
    /** What counts of its lines. */
    { bytes, count }: Pick<FilePlace, 'bytes' | 'count'>,
    /** Of that, what lies in packs. */
    tail: readonly TailBlock[] = NO_BLOCKS,
  ) {
    const packed = extentOf(tail);
    this.filedBytes = bytes - packed.bytes;
    this.filedCount = count - packed.count;
    this.isNamed = this.filedBytes > 0;
    this.tail = tail;
  }

  /** What lies in packs, behind what is in the files. */
  get tail(): readonly TailBlock[] {
    return this.lineTail?.blocks ?? NO_BLOCKS;
  }

  /** Lies there from now on, durably: the same lines, or these and more behind. */
  set tail(blocks: readonly TailBlock[]) {
    const { access, number, filedBytes, filedCount } = this;
    this.lineTail = blocks.length === 0 ? undefined : new LineTail(access, number, filedBytes, filedCount, blocks);
  }

  /** All that lies in packs, as it is there. @throws {ShapeGoneError | ShapeCorruptError} */
  async readTail(): Promise<BlockBytes | undefined> {
    return await this.lineTail?.whole();
  }

  /** Lines that come behind `place`, as a block has them. */
  blockOf(batches: readonly LineBatch[], place: FilePlace): BlockBytes {
    return encodeBlock(batches, place, this.owner);
  }

  get successor(): Succession | undefined {
    return this.next;
  }

  /** Somebody is reading in its files. */
  get isRead(): boolean {
    return this.readers > 0;
  }

  hold(): () => void {
    this.readers += 1;
    return () => {
      this.readers -= 1;
    };
  }

  async *readLines(after: LogOffset, throughBytes: number): AsyncGenerator<EntryRun> {
    for await (const { at, bytes } of this.pieces(after, throughBytes))
      yield { kind: 'row', bytes, goesOn: at + bytes.length < throughBytes };
  }

  readEntries(after: LogOffset, throughBytes: number): AsyncIterable<readonly LogEntry[]> {
    return entriesIn(this.indexed(after, throughBytes));
  }

  /** Where the first line behind `address` begins. @throws {ShapeCorruptError} also when there is none. */
  async placeBehind(address: LineAddress): Promise<Pick<FilePlace, 'bytes' | 'count'>> {
    const part = await this.partBehind(address);
    const { start, number } = await part.readIndex((index) => index.lineBehind(address));
    return { bytes: start, count: number };
  }

  /** What lies in packs comes into the files as well, before these. */
  async append({ bytes, count }: Pick<FilePlace, 'bytes' | 'count'>, batches: readonly LineBatch[], isDurable: boolean): Promise<void> {
    this.access.requireHere();
    if (this.isDoubtful) throw new ShapeCorruptError(this.access.handle, 'a sync failed of lines that are in memory no more');
    const { index: packedIndex = [], lines: packedLines = [] } = (await this.readTail()) ?? {};
    const packed = extentOf(this.tail);
    const from = { bytes: bytes - packed.bytes, count: count - packed.count };
    const entries = indexOf(batches, { bytes, count }, this.owner);
    try {
      await this.appendAt('lines', from.bytes, [...packedLines, ...batches.map((batch) => batch.bytes)], isDurable);
      await this.appendAt('index', from.count * INDEX_ENTRY_BYTES, oneBehindTheOther(packedIndex, entries), isDurable);
    } catch (error) {
      this.isDoubtful = this.hasUnsynced && isRefusal(error) && TELLING_OF_WRITES.has(error.operation);
      throw error;
    }
    this.hasUnsynced = !isDurable;
    if (isDurable && !this.isNamed) await this.access.syncNames();
    this.isNamed ||= isDurable;
    this.cut(batches.reduce(behind, { bytes, count }));
    this.lineTail = undefined; // Not before: where the disk refuses a name, what lies in packs counts on.
  }

  cut({ bytes, count }: Pick<FilePlace, 'bytes' | 'count'>): void {
    this.filedBytes = bytes;
    this.filedCount = count;
  }

  /** From now on lines are read and written elsewhere, but for those who read here already. */
  succeedBy(next: Succession): void {
    this.next = next;
  }

  async close(): Promise<void> {
    await this.access.forget(this.pathOf('lines'));
    await this.access.forget(this.pathOf('index'));
  }

  /** Nobody reads in them, and nobody counts them. */
  async remove(): Promise<void> {
    this.isRemoved = true;
    await this.close();
    await this.access.paths.removeLines(this.access.handle, this.number);
  }

  /** What lies behind `after`, as far as byte `throughBytes`, piece by piece; with it where it lies, and the numbers of its entries. */
  private async *pieces(after: LogOffset, throughBytes: number) {
    if (this.isRemoved) throw new LinesReplacedError(this.access.handle);
    const release = this.hold();
    try {
      const address = addressOf(after);
      let part = await this.partBehind(address);
      const found = await part.readIndex((index) => index.lineBehind(address));
      let { piece, number, next } = found;
      for (let at = found.start; at < throughBytes; ) {
        const bytes = await part.readPiece(piece);
        yield { at, bytes: bytes.subarray(at - piece.at, throughBytes - piece.at), number, next, part };
        at = piece.at + piece.bytes;
        const behind = next;
        if (at >= throughBytes) break;
        part = await this.partOf(behind, part);
        ({ piece, number, next } = await part.readIndex((index) => index.pieceOfEntry(behind)));
      }
    } finally {
      release();
    }
  }

  private async *indexed(after: LogOffset, throughBytes: number): AsyncGenerator<IndexedBytes> {
    for await (const { at: start, bytes, number, next, part } of this.pieces(after, throughBytes)) {
      for (let from = number, at = start; from < next; from += ENTRIES_AT_ONCE) {
        const lines = await part.readIndex((index) => index.lines(from, Math.min(from + ENTRIES_AT_ONCE, next)));
        const ends = lines.filter(({ end }) => end <= throughBytes);
        const through = ends.at(-1)?.end ?? at;
        yield { at, bytes: bytes.subarray(at - start, through - start), ends };
        at = through;
      }
    }
  }

  /** Where the first line behind `address` lies. */
  private partBehind(address: LineAddress): Promise<LinesPart> {
    return this.partIn((tail) => tail.blockBehind(address));
  }

  /** Where entry `number` lies. @param last where the one before it does. */
  private async partOf(number: number, last: LinesPart): Promise<LinesPart> {
    if (last instanceof BlockPart && last.has(number)) return last;
    return await this.partIn((tail) => tail.blockOf(number));
  }

  private async partIn(find: (tail: LineTail) => TailBlock | undefined): Promise<LinesPart> {
    for (;;) {
      const tail = this.lineTail;
      const block = tail && find(tail);
      if (tail === undefined || block === undefined) return this.files;
      try {
        return await tail.read(block);
      } catch (error) {
        if (!(error instanceof ShapeCorruptError) || this.tail.includes(block)) throw error; // Else it was brought elsewhere meanwhile.
      }
    }
  }

  private get files(): LinesPart {
    return { readIndex: (action) => this.readFiledIndex(action), readPiece: (piece) => this.readFiledPiece(piece) };
  }

  private readFiledIndex<T>(action: (index: LineIndex) => Promise<T>): Promise<T> {
    const span = { first: 0, start: 0, end: this.filedCount };
    const path = this.pathOf('index');
    return this.access.reading(path, (file) => action(new LineIndex(file, path, this.owner, span)));
  }

  private readFiledPiece(piece: Piece): Promise<Uint8Array> {
    const path = this.pathOf('lines');
    return this.access.reading(path, async (file) =>
      verified(await file.read(piece.at, piece.bytes), path, this.access.handle, piece, 0),
    );
  }

  private async appendAt(kind: LinesKind, size: number, parts: Iterable<Uint8Array>, isDurable: boolean): Promise<void> {
    const path = this.pathOf(kind);
    const file = await this.access.openLines(path);
    try {
      if (file.size < size) throw new ShapeCorruptError(this.access.handle, `${path} ends at byte ${file.size}, not behind ${size}`);
      if (file.size > size) await file.truncate(size);
      for (const part of joinedInParts(parts, WRITE_BYTES)) await file.append(part);
      if (isDurable) await file.sync();
    } finally {
      await file.close();
    }
  }

  private get owner(): IndexOwner {
    return { handle: this.access.handle, generation: this.number };
  }

  private pathOf(kind: LinesKind): string {
    return this.access.paths.linesPathOf(this.access.handle, kind, this.number);
  }
}

function* oneBehindTheOther<T>(first: Iterable<T>, then: Iterable<T>): Generator<T> {
  yield* first;
  yield* then;
}

function behind({ bytes, count }: Pick<FilePlace, 'bytes' | 'count'>, batch: LineBatch): Pick<FilePlace, 'bytes' | 'count'> {
  return { bytes: bytes + batch.bytes.length, count: count + indexEntriesIn(batch) };
}
