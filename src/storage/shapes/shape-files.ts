/**
 * ShapeFiles: one shape's bytes on a disk, in a directory of its own: `snapshot.<n>` for each chunk, `log` with the
 * lines, `log.index` with their places.
 *
 * How much of `log` and its index counts is what the last checkpoint says; what lies behind it was left by a crash
 * and is cut off before the next append.
 */
import type { LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import type { Disk, DiskFile } from '../disk.ts';
import { DiskError, ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { FileCache } from './file-cache.ts';
import { addressOf, type LineBatch } from './line-buffer.ts';
import { encodeIndex, INDEX_ENTRY_BYTES, LineIndex } from './line-index.ts';
import type { LinesState } from './shape-lines.ts';
import { PIECE_BYTES, type ShapeStore } from './shape-store.ts';

const WRITE_BYTES = 4 * 1024 * 1024;

export class ShapeFiles implements ShapeStore {
  private chunk: { readonly index: number; readonly file: DiskFile } | undefined;
  private beginning: Promise<void> = Promise.resolve();
  private gone = false;

  constructor(
    private readonly disk: Disk,
    private readonly files: FileCache,
    private readonly handle: Handle,
    readonly directory: string,
    /** What the last checkpoint says. */
    private saved: Pick<LinesState, 'bytes' | 'count'>,
  ) {}

  beginSnapshot(): Promise<void> {
    this.beginning = this.disk.makeDirectory(this.directory);
    return this.beginning;
  }

  async writeChunk(index: number, bytes: Uint8Array): Promise<void> {
    if (this.gone) throw new ShapeGoneError(this.handle);
    if (this.chunk?.index !== index) {
      await this.closeChunk();
      this.chunk = { index, file: await this.disk.open(this.pathOf(index), 'create') };
    }
    await this.chunk.file.append(bytes);
  }

  async finishChunk(index: number): Promise<void> {
    if (this.chunk?.index === index) await this.chunk.file.sync();
    await this.closeChunk();
    await this.disk.syncDirectory(this.directory);
  }

  chunkSize(index: number): Promise<number> {
    return this.reading(this.pathOf(index), async (file) => file.size);
  }

  readChunk(index: number, at: number, length: number): Promise<Uint8Array> {
    return this.reading(this.pathOf(index), (file) => this.readExactly(file, at, length));
  }

  async *readLines(after: LogOffset, throughBytes: number): AsyncGenerator<Uint8Array> {
    const { count } = this.saved;
    let at = await this.reading(this.indexPath, (file) =>
      new LineIndex(file, this.handle, count).lineStartBehind(addressOf(after)),
    );
    for (const end = throughBytes - 1; at < end; ) {
      const length = Math.min(PIECE_BYTES, end - at);
      const start = at;
      yield await this.reading(this.logPath, (file) => this.readExactly(file, start, length));
      at += length;
    }
  }

  /** Appends lines durably. They count only once a checkpoint with them is durable too: see `keep`. */
  async append(batches: readonly LineBatch[]): Promise<void> {
    await this.beginning;
    const { bytes, count } = this.saved;
    await this.appendAt(this.logPath, bytes, batches.map((batch) => batch.bytes));
    await this.appendAt(this.indexPath, count * INDEX_ENTRY_BYTES, [encodeIndex(batches, count, bytes)]);
    if (bytes === 0) await this.disk.syncDirectory(this.directory);
  }

  /** The checkpoint that counts what was appended is durable. */
  keep(saved: Pick<LinesState, 'bytes' | 'count'>): void {
    this.saved = saved;
  }

  /** From now on nothing is opened; what is open may be read to its end. */
  async remove(): Promise<void> {
    this.gone = true;
    await Promise.allSettled([this.beginning]); // Else the directory could appear after it was discarded.
    await this.closeChunk();
    await this.files.forget(this.directory);
  }

  private get logPath(): string {
    return `${this.directory}/log`;
  }

  private get indexPath(): string {
    return `${this.directory}/log.index`;
  }

  private pathOf(chunk: number): string {
    return `${this.directory}/snapshot.${chunk}`;
  }

  private async closeChunk(): Promise<void> {
    const chunk = this.chunk;
    this.chunk = undefined;
    await chunk?.file.close();
  }

  private async appendAt(path: string, size: number, pieces: readonly Uint8Array[]): Promise<void> {
    const file = await this.openLines(path);
    try {
      if (file.size < size) throw new ShapeCorruptError(this.handle, `${path} is shorter than ${size} bytes`);
      if (file.size > size) await file.truncate(size);
      for (const piece of gathered(pieces)) await file.append(piece);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  private async openLines(path: string): Promise<DiskFile> {
    try {
      return await this.disk.open(path, 'write');
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
      throw new ShapeCorruptError(this.handle, `${this.directory} is missing`);
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

  private async readExactly(file: DiskFile, at: number, length: number): Promise<Uint8Array> {
    const bytes = await file.read(at, length);
    if (bytes.length < length) throw new ShapeCorruptError(this.handle, `a file ends at ${at + bytes.length}`);
    return bytes;
  }
}

/** Few writes instead of many small ones. */
function* gathered(pieces: readonly Uint8Array[]): Generator<Buffer> {
  let part: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    part.push(piece);
    bytes += piece.length;
    if (bytes < WRITE_BYTES) continue;
    yield Buffer.concat(part);
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield Buffer.concat(part);
}
