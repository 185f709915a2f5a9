/**
 * SnapshotRows: where the bytes of one shape's snapshot lie. While they are few they are gathered in memory, and its record keeps them,
 * which is synced in any case and together with others; a checkpoint brings them into a pack, with those of other shapes. For more a file
 * is begun, and what was gathered goes there first.
 */
import type { DiskFile } from '../disk/disk.ts';
import { ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { PackPlace } from '../packs/pack-paths.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import { holds, verified, type Piece } from './piece.ts';
import type { ShapeFileAccess } from './shape-file-access.ts';
import type { SnapshotState } from './shape-logs.ts';

const NOTHING_UNDER_WAY = Promise.resolve();

export class SnapshotRows {
  /** All that there is, as long as no file and no pack has it. */
  private gathered: GatheredBytes | undefined;
  private packed: PackPlace | undefined;
  private file: DiskFile | undefined;
  private beginning: Promise<void> = NOTHING_UNDER_WAY;
  private isFiled: boolean;

  constructor(
    private readonly access: ShapeFileAccess,
    /** More go to a file. */
    private readonly fewBytesMax: number,
    snapshot: SnapshotState,
  ) {
    this.isFiled = snapshot.state === 'complete';
    if (snapshot.state !== 'complete') return;
    const { fewRows, packed } = snapshot;
    this.packed = packed;
    this.isFiled = fewRows === undefined && packed === undefined;
    if (fewRows === undefined) return;
    this.gathered = new GatheredBytes();
    this.gathered.append(Buffer.from(fewRows, 'base64'));
  }

  /** It has a file of its own, or had one begun. */
  get hasFile(): boolean {
    return this.isFiled;
  }

  get place(): PackPlace | undefined {
    return this.packed;
  }

  /** Those that lie in memory alone. */
  get few(): Uint8Array | undefined {
    return this.gathered?.read(0, this.gathered.size);
  }

  begin(): void {
    this.gathered = new GatheredBytes();
  }

  async append(bytes: Uint8Array): Promise<void> {
    const { gathered } = this;
    if (this.isFiled || gathered === undefined) return await this.appendToFile(bytes);
    if (gathered.size + bytes.length <= this.fewBytesMax) return gathered.append(bytes);
    this.isFiled = true;
    this.beginning = this.create();
    await this.appendToFile(Buffer.concat([gathered.read(0, gathered.size), bytes]));
    this.gathered = undefined; // Not before: somebody may read them.
  }

  async sync(): Promise<void> {
    await this.file?.sync();
  }

  async end(): Promise<void> {
    if (this.file === undefined) return;
    await this.closeFile();
    await this.access.syncNames();
  }

  /** A checkpoint counts them there. */
  putInPack(place: PackPlace): void {
    this.packed = place;
    this.gathered = undefined;
  }

  /** As `ShapeStore.readSnapshot`. */
  async read(piece: Piece, before: number): Promise<Uint8Array> {
    this.access.requireHere();
    const { gathered, packed } = this;
    const { handle, paths } = this.access;
    if (gathered !== undefined) return verified(gathered.read(piece.at, piece.bytes), 'the record of its snapshot', handle, piece, before);
    if (packed === undefined) return await this.readIn(paths.snapshotPathOf(handle), piece, before);
    try {
      return await this.readIn(paths.packs.pathOf(packed.pack), { ...piece, at: packed.at + piece.at }, before);
    } catch (error) {
      if (!(error instanceof ShapeCorruptError) || this.packed === packed) throw error;
      return await this.read(piece, before); // They were moved meanwhile.
    }
  }

  /** As `ShapeStore.readSnapshotNow`. */
  readNow(piece: Piece): Uint8Array | undefined {
    const bytes = this.gathered?.read(piece.at, piece.bytes);
    return bytes !== undefined && holds(bytes, piece) ? bytes : undefined;
  }

  /** Nothing is opened any more, and nobody reads. */
  async close(): Promise<void> {
    await Promise.allSettled([this.beginning]); // Else a file could appear after it was discarded.
    this.gathered = undefined;
    await this.closeFile();
    if (this.isFiled) await this.access.forget(this.access.paths.snapshotPathOf(this.access.handle));
  }

  private readIn(path: string, piece: Piece, before: number): Promise<Uint8Array> {
    return this.access.reading(path, async (file) =>
      verified(await file.read(piece.at, piece.bytes), path, this.access.handle, piece, before),
    );
  }

  private async appendToFile(bytes: Uint8Array): Promise<void> {
    await this.beginning;
    if (this.file === undefined) throw new ShapeGoneError(this.access.handle);
    await this.file.append(bytes);
  }

  private async create(): Promise<void> {
    await this.access.prepare();
    this.access.requireHere();
    this.file = await this.access.create(this.access.paths.snapshotPathOf(this.access.handle));
  }

  private async closeFile(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }
}
