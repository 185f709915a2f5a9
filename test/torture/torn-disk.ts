/** Where the storage lies: a small file system of its own that can be filled, or, where none can be mounted, a directory that cannot. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mountSmallFileSystem, NotMountedError, type SmallFileSystem } from '../support/storage/small-file-system.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const MEBIBYTES = 160;

export class TornDisk {
  private isFull = false;
  private readonly directory: string;

  private constructor(private readonly small: SmallFileSystem | undefined) {
    this.directory = small?.directory ?? temporaryDirectory();
  }

  static mount(): TornDisk {
    try {
      return new TornDisk(mountSmallFileSystem(MEBIBYTES));
    } catch (error) {
      if (!(error instanceof NotMountedError)) throw error;
      return new TornDisk(undefined);
    }
  }

  get canBeFilled(): boolean {
    return this.small !== undefined;
  }

  get storageDirectory(): string {
    return join(this.directory, 'storage');
  }

  fill(): void {
    if (this.isFull) return;
    this.isFull = true;
    this.small?.fill();
  }

  empty(): void {
    if (!this.isFull) return;
    this.small?.empty();
    this.isFull = false;
  }

  /** Without a trace of the storage before. */
  clear(): void {
    this.empty();
    rmSync(this.storageDirectory, { recursive: true, force: true });
    mkdirSync(this.storageDirectory);
  }

  remove(): void {
    if (this.small === undefined) removeDirectory(this.directory);
    else this.small.remove();
  }
}
