/**
 * ShapeFiles: one shape's bytes on a disk: the snapshot, the lines, and an index with what finds and verifies them.
 *
 * How much of the lines and their index counts is what the last checkpoint says; what lies behind it was left by a crash,
 * or by a transaction that was given up, and is cut off before the next append. Nothing goes to a reader before the
 * checksum of its piece was found to hold.
 */
import { uncopied } from '../../base/fork.ts';
import type { EntryRun, LogEntry } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import type { Disk, DiskFile } from '../disk.ts';
import { DiskError, ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { FileCache } from './file-cache.ts';
import type { FilePlace, LineFiles } from './filed-lines.ts';
import { addressOf, type LineBatch } from './line-buffer.ts';
import { encodeIndex, INDEX_ENTRY_BYTES, LineIndex } from './line-index.ts';
import { indexEntriesIn, piecesOf } from './line-pieces.ts';
import { verified, type Piece } from './piece.ts';
import { entriesIn, type IndexedBytes } from './saved-lines.ts';
import { MovedFiles } from './moved-files.ts';
import { FILE_KINDS, type FileKind, type ShapePaths } from './shape-paths.ts';
import type { MovedWriter, ShapeStore } from './shape-store.ts';

const WRITE_BYTES = 256 * 1024;

export class ShapeFiles implements ShapeStore, LineFiles {
  readonly clone = uncopied('a file of a shape');
  private snapshot: DiskFile | undefined;
  private beginning: Promise<void> = Promise.resolve();
  /** Settles when nothing is being written to files of lines and moves. */
  private writing: Promise<void> = Promise.resolve();
  private gone = false;
  private readonly moved: MovedFiles;
  /** So many entries of the index hold. */
  private count: number;
  /** The names of its files are durable. */
  private isNamed: boolean;

  constructor(
    private readonly disk: Disk,
    private readonly files: FileCache,
    private readonly paths: ShapePaths,
    private readonly handle: Handle,
    /** What the last checkpoint says. */
    { bytes, count }: FilePlace,
  ) {
    this.count = count;
    this.isNamed = bytes > 0;
    this.moved = new MovedFiles(disk, paths, handle);
  }

  beginSnapshot(): Promise<void> {
    this.beginning = this.createSnapshot();
    return this.beginning;
  }

  async appendSnapshot(bytes: Uint8Array): Promise<void> {
    if (this.snapshot === undefined) throw new ShapeGoneError(this.handle);
    await this.snapshot.append(bytes);
  }

  async syncSnapshot(): Promise<void> {
    await this.snapshot?.sync();
  }

  async endSnapshot(): Promise<void> {
    await this.closeSnapshot();
    await this.disk.syncDirectory(this.paths.directoryOf(this.handle));
  }

  async readSnapshot(piece: Piece, before: number): Promise<Uint8Array> {
    return this.readPiece('snapshot', piece, before);
  }

  async *readLines(after: LogOffset, throughBytes: number): AsyncGenerator<EntryRun> {
    for await (const { at, bytes } of this.pieces(after, throughBytes))
      yield { kind: 'row', bytes, goesOn: at + bytes.length < throughBytes };
  }

  beginMoved(number: number, claim: () => void): MovedWriter {
    const writer = this.moved.begin(number, claim);
    return {
      write: (lines) => this.whileHere(() => writer.write(lines)),
      complete: () => this.whileHere(() => writer.complete()),
    };
  }

  async readMoved(number: number, piece: Piece): Promise<Uint8Array> {
    if (this.gone) throw new ShapeGoneError(this.handle);
    return this.moved.read(number, piece);
  }

  /** When the storage is opened: a checkpoint has the lines of all splices up to and with `number`. */
  sweepMoved(number: number): Promise<void> {
    return this.moved.sweep(number);
  }

  forgetMoved(number: number): Promise<void> {
    return this.moved.forget(number);
  }

  readEntries(after: LogOffset, throughBytes: number): AsyncIterable<readonly LogEntry[]> {
    return entriesIn(this.indexed(after, throughBytes));
  }

  append(place: FilePlace, batches: readonly LineBatch[], isDurable: boolean): Promise<void> {
    return this.counted(this.appendBehind(place, batches, isDurable));
  }

  cut({ count }: FilePlace): void {
    this.count = count;
  }

  /** From now on nothing is opened; what is open may be read to its end. */
  async remove(): Promise<void> {
    this.gone = true;
    await Promise.allSettled([this.beginning, this.writing]); // Else a file could appear after it was discarded.
    await this.closeSnapshot();
    for (const kind of FILE_KINDS) await this.files.forget(this.pathOf(kind));
  }

  /** What lies behind `after`, as far as byte `throughBytes`, piece by piece; with it the numbers of the entries of each piece. */
  private async *pieces(after: LogOffset, throughBytes: number) {
    const found = await this.readIndex((index) => index.lineBehind(addressOf(after)));
    let { piece, number, next } = found;
    for (let at = found.start; at < throughBytes; ) {
      const bytes = await this.readPiece('lines', piece, 0);
      yield { at, bytes: bytes.subarray(at - piece.at, throughBytes - piece.at), number, next };
      at = piece.at + piece.bytes;
      const behind = next;
      if (at < throughBytes) ({ piece, number, next } = await this.readIndex((index) => index.pieceOfEntry(behind)));
    }
  }

  private async *indexed(after: LogOffset, throughBytes: number): AsyncGenerator<IndexedBytes> {
    for await (const { at, bytes, number, next } of this.pieces(after, throughBytes)) {
      const lines = await this.readIndex((index) => index.lines(number, next));
      yield { at, bytes, ends: lines.filter(({ end }) => end <= throughBytes) };
    }
  }

  private async appendBehind({ bytes, count }: FilePlace, batches: readonly LineBatch[], isDurable: boolean): Promise<void> {
    await this.beginning;
    if (this.gone) throw new ShapeGoneError(this.handle);
    await this.appendAt('lines', bytes, batches.map((batch) => batch.bytes), isDurable);
    await this.appendAt('index', count * INDEX_ENTRY_BYTES, this.indexOf(batches, bytes, count), isDurable);
    this.count = count + batches.reduce((sum, batch) => sum + indexEntriesIn(batch), 0);
    if (!isDurable || this.isNamed) return;
    await this.disk.syncDirectory(this.paths.directoryOf(this.handle));
    this.isNamed = true;
  }

  private async whileHere<T>(write: () => Promise<T>): Promise<T> {
    if (this.gone) throw new ShapeGoneError(this.handle);
    return await this.counted(write());
  }

  /** A file that is being written when the shape goes is whole before it is discarded. Who asked for it is told how that went. */
  private counted<T>(written: Promise<T>): Promise<T> {
    this.writing = Promise.allSettled([this.writing, written]).then(() => {});
    return written;
  }

  private async createSnapshot(): Promise<void> {
    await this.paths.prepare(this.handle);
    if (this.gone) throw new ShapeGoneError(this.handle);
    this.snapshot = await this.disk.open(this.pathOf('snapshot'), 'create');
  }

  private async closeSnapshot(): Promise<void> {
    const { snapshot } = this;
    this.snapshot = undefined;
    await snapshot?.close();
  }

  private pathOf(kind: FileKind): string {
    return this.paths.pathOf(this.handle, kind);
  }

  private *indexOf(batches: readonly LineBatch[], start: number, count: number): Generator<Buffer> {
    let number = count;
    for (const piece of piecesOf(batches, start)) {
      yield encodeIndex(piece, this.handle, number);
      number += piece.lines.length;
    }
  }

  private readIndex<T>(action: (index: LineIndex) => Promise<T>): Promise<T> {
    const { count } = this;
    const path = this.pathOf('index');
    return this.reading(path, (file) => action(new LineIndex(file, path, this.handle, count)));
  }

  private readPiece(kind: FileKind, piece: Piece, before: number): Promise<Uint8Array> {
    const path = this.pathOf(kind);
    return this.reading(path, async (file) => verified(await file.read(piece.at, piece.bytes), path, this.handle, piece, before));
  }

  private async appendAt(kind: FileKind, size: number, parts: Iterable<Uint8Array>, isDurable: boolean): Promise<void> {
    const path = this.pathOf(kind);
    const file = await this.openLines(path);
    try {
      if (file.size < size) throw new ShapeCorruptError(this.handle, `${path} ends at byte ${file.size}, not behind ${size}`);
      if (file.size > size) await file.truncate(size);
      for (const part of gathered(parts)) await file.append(part);
      if (isDurable) await file.sync();
    } finally {
      await file.close();
    }
  }

  private async openLines(path: string): Promise<DiskFile> {
    try {
      return await this.disk.open(path, 'write');
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
      throw new ShapeCorruptError(this.handle, `the directory of ${path} is missing`);
    }
  }

  private async reading<T>(path: string, action: (file: DiskFile) => Promise<T>): Promise<T> {
    if (this.gone) throw new ShapeGoneError(this.handle);
    try {
      return await this.files.use(path, action);
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
      if (this.gone) throw new ShapeGoneError(this.handle);
      throw new ShapeCorruptError(this.handle, `${path} is missing`);
    }
  }
}

/** Few writes instead of many small ones; between two of them others have their turn. */
function* gathered(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let together: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    together.push(part);
    bytes += part.length;
    if (bytes < WRITE_BYTES) continue;
    yield joined(together);
    together = [];
    bytes = 0;
  }
  if (together.length > 0) yield joined(together);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}
