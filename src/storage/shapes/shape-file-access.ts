/**
 * ShapeFileAccess: how one shape's files are opened, and what it means when one is not there, or cannot be read. Nothing is, once the shape
 * has gone.
 */
import type { Handle } from '../../model/shape.ts';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { DiskError, ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { FileCache } from './file-cache.ts';
import type { OwnFaults } from './own-faults.ts';
import type { ShapePaths } from './shape-paths.ts';

/** What the files of all shapes stand on. */
export interface ShapeGround {
  readonly disk: Disk;
  readonly files: FileCache;
  readonly paths: ShapePaths;
  readonly faults: Pick<OwnFaults, 'reading'>;
  /** Snapshots up to so many bytes get no file of their own; `FEW_BYTES_MAX` if it is left out. */
  readonly fewBytesMax?: number | undefined;
}

export class ShapeFileAccess {
  isGone = false;

  constructor(
    private readonly ground: ShapeGround,
    readonly handle: Handle,
  ) {}

  get paths(): ShapePaths {
    return this.ground.paths;
  }

  /** @param action may be done a second time. @throws {ShapeGoneError | ShapeCorruptError} also when there is no such file. */
  async reading<T>(path: string, action: (file: DiskFile) => Promise<T>): Promise<T> {
    this.requireHere();
    try {
      return await this.ground.faults.reading(this.handle, () => this.ground.files.use(path, action));
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
      this.requireHere();
      throw new ShapeCorruptError(this.handle, `${path} is missing`);
    }
  }

  /** For lines: made when it does not exist. */
  async openLines(path: string): Promise<DiskFile> {
    try {
      return await this.ground.disk.open(path, 'write');
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
      throw new ShapeCorruptError(this.handle, `the directory of ${path} is missing`);
    }
  }

  /** Makes the directory of its files. */
  prepare(): Promise<void> {
    return this.paths.prepare(this.handle);
  }

  create(path: string): Promise<DiskFile> {
    return this.ground.disk.open(path, 'create');
  }

  /** Makes the names of files durable. */
  syncNames(): Promise<void> {
    return this.paths.syncNames(this.handle);
  }

  forget(path: string): Promise<void> {
    return this.ground.files.forget(path);
  }

  requireHere(): void {
    if (this.isGone) throw new ShapeGoneError(this.handle);
  }
}
