/**
 * LinesGeneration: the lines of a shape that have left the memory, and the index that finds and verifies them: two files. When the
 * lines are compacted, those of the next generation take their place, and who reads in these goes on in these.
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
import { encodeIndex, INDEX_ENTRY_BYTES, LineIndex, type IndexOwner } from './line-index.ts';
import { indexEntriesIn, piecesOf } from './line-pieces.ts';
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
  /** So many entries of the index hold. */
  private count: number;
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
    { bytes, count }: Pick<FilePlace, 'bytes' | 'count'>,
  ) {
    this.count = count;
    this.isNamed = bytes > 0;
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
    const { start, number } = await this.readIndex((index) => index.lineBehind(address));
    return { bytes: start, count: number };
  }

  async append({ bytes, count }: Pick<FilePlace, 'bytes' | 'count'>, batches: readonly LineBatch[], isDurable: boolean): Promise<void> {
    this.access.requireHere();
    if (this.isDoubtful) throw new ShapeCorruptError(this.access.handle, 'a sync failed of lines that are in memory no more');
    try {
      await this.appendAt('lines', bytes, batches.map((batch) => batch.bytes), isDurable);
      await this.appendAt('index', count * INDEX_ENTRY_BYTES, this.indexOf(batches, bytes, count), isDurable);
    } catch (error) {
      this.isDoubtful = this.hasUnsynced && isRefusal(error) && TELLING_OF_WRITES.has(error.operation);
      throw error;
    }
    this.hasUnsynced = !isDurable;
    this.count = count + batches.reduce((sum, batch) => sum + indexEntriesIn(batch), 0);
    if (!isDurable || this.isNamed) return;
    await this.access.syncNames();
    this.isNamed = true;
  }

  cut({ count }: FilePlace): void {
    this.count = count;
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

  /** What lies behind `after`, as far as byte `throughBytes`, piece by piece; with it the numbers of the entries of each piece. */
  private async *pieces(after: LogOffset, throughBytes: number) {
    if (this.isRemoved) throw new LinesReplacedError(this.access.handle);
    const release = this.hold();
    try {
      const found = await this.readIndex((index) => index.lineBehind(addressOf(after)));
      let { piece, number, next } = found;
      for (let at = found.start; at < throughBytes; ) {
        const bytes = await this.readPiece(piece);
        yield { at, bytes: bytes.subarray(at - piece.at, throughBytes - piece.at), number, next };
        at = piece.at + piece.bytes;
        const behind = next;
        if (at < throughBytes) ({ piece, number, next } = await this.readIndex((index) => index.pieceOfEntry(behind)));
      }
    } finally {
      release();
    }
  }

  private async *indexed(after: LogOffset, throughBytes: number): AsyncGenerator<IndexedBytes> {
    for await (const { at: start, bytes, number, next } of this.pieces(after, throughBytes)) {
      for (let from = number, at = start; from < next; from += ENTRIES_AT_ONCE) {
        const lines = await this.readIndex((index) => index.lines(from, Math.min(from + ENTRIES_AT_ONCE, next)));
        const ends = lines.filter(({ end }) => end <= throughBytes);
        const through = ends.at(-1)?.end ?? at;
        yield { at, bytes: bytes.subarray(at - start, through - start), ends };
        at = through;
      }
    }
  }

  private *indexOf(batches: readonly LineBatch[], start: number, count: number): Generator<Buffer> {
    let number = count;
    for (const piece of piecesOf(batches, start)) {
      yield encodeIndex(piece, this.owner, number);
      number += piece.lines.length;
    }
  }

  private readIndex<T>(action: (index: LineIndex) => Promise<T>): Promise<T> {
    const { count } = this;
    const path = this.pathOf('index');
    return this.access.reading(path, (file) => action(new LineIndex(file, path, this.owner, count)));
  }

  private readPiece(piece: Piece): Promise<Uint8Array> {
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
