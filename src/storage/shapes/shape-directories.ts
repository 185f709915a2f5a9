/**
 * ShapeDirectories: which directory belongs to which shape. Deleting one is a rename within the same file system, so
 * that a half-deleted shape can never be mistaken for one; what was renamed is removed afterwards.
 */
import { fnvHash } from '../../base/fnv-hash.ts';
import type { Handle } from '../../model/shape.ts';
import type { Disk } from '../disk.ts';
import { DiskError } from '../errors.ts';

const FAN_OUT_PATTERN = /^[0-9a-f]{2}$/;

export class ShapeDirectories {
  private readonly shapes: string;
  private readonly trash: string;
  private discarded = 0;

  constructor(
    private readonly disk: Disk,
    storage: string,
  ) {
    this.shapes = `${storage}/shapes`;
    this.trash = `${storage}/trash`;
  }

  async prepare(): Promise<void> {
    await this.disk.makeDirectory(this.shapes);
    await this.disk.makeDirectory(this.trash);
  }

  pathOf(handle: Handle): string {
    const hash = hash16(handle).toString(16).padStart(4, '0');
    return `${this.shapes}/${hash.slice(0, 2)}/${hash.slice(2)}/${handle}`;
  }

  /** The handles that have a directory. */
  async handles(): Promise<ReadonlySet<Handle>> {
    const found = new Set<Handle>();
    for (const outer of await this.fanOut(this.shapes)) {
      for (const inner of await this.fanOut(outer)) {
        for (const handle of await this.disk.list(inner)) found.add(handle as Handle);
      }
    }
    return found;
  }

  /** Makes a shape's directory unfindable, then removes it; one that is not there is no error. */
  async discard(handle: Handle): Promise<void> {
    const grave = `${this.trash}/${this.discarded}-${handle}`;
    this.discarded += 1;
    try {
      await this.disk.rename(this.pathOf(handle), grave);
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') return;
      throw error;
    }
    await this.disk.removeTree(grave);
  }

  /** Removes what an earlier process had no time to remove. */
  async emptyTrash(): Promise<void> {
    for (const name of await this.disk.list(this.trash)) await this.disk.removeTree(`${this.trash}/${name}`);
  }

  private async fanOut(directory: string): Promise<string[]> {
    const names = await this.disk.list(directory);
    return names.filter((name) => FAN_OUT_PATTERN.test(name)).map((name) => `${directory}/${name}`);
  }
}

/** Folded, so that every bit counts. */
function hash16(text: string): number {
  const hash = fnvHash(text);
  return ((hash >>> 16) ^ hash) & 0xffff;
}
