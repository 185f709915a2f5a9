/** PackPaths: where the packs of a storage lie. They are numbered from 1 on; no number is given to another one while its file is there. */
import type { Disk } from '../disk/disk.ts';
import { makeDurably } from '../disk/durable-directory.ts';
import { isFailing, passMissing } from '../errors.ts';

/** Where the bytes of one snapshot lie, or of a block of lines. Plain JSON. */
export interface PackPlace {
  /** The number of the pack. */
  readonly pack: number;
  readonly at: number;
  readonly bytes: number;
}

/** By number, the bytes of each pack that there is; infinite where the device fails it. */
export type FoundPacks = ReadonlyMap<number, number>;

const DIGITS = 16;
const NAME_PATTERN = /^\d{16}\.pack$/;

export class PackPaths {
  readonly directory: string;
  private made: Promise<void> | undefined;

  constructor(
    private readonly disk: Disk,
    storage: string,
  ) {
    this.directory = `${storage}/packs`;
  }

  pathOf(number: number): string {
    return `${this.directory}/${String(number).padStart(DIGITS, '0')}.pack`;
  }

  /** Makes the directory. One that the disk refused is asked for again. */
  prepare(): Promise<void> {
    this.made ??= makeDurably(this.disk, this.directory).catch((error: unknown) => {
      this.made = undefined;
      throw error;
    });
    return this.made;
  }

  syncNames(): Promise<void> {
    return this.disk.syncDirectory(this.directory);
  }

  /** @throws {DiskError} */
  async found(): Promise<FoundPacks> {
    const names = (await this.disk.list(this.directory)).filter((name) => NAME_PATTERN.test(name));
    const found = new Map<number, number>();
    for (const name of names.sort()) {
      const bytes = await this.sizeOf(`${this.directory}/${name}`);
      if (bytes !== undefined) found.set(Number(name.slice(0, DIGITS)), bytes);
    }
    return found;
  }

  /** One that is not there is no error. */
  remove(number: number): Promise<void> {
    return this.disk.removeFile(this.pathOf(number)).catch(passMissing);
  }

  /** @returns undefined for one that went meanwhile. */
  private async sizeOf(path: string): Promise<number | undefined> {
    try {
      const file = await this.disk.open(path, 'read');
      await file.close();
      return file.size;
    } catch (error) {
      if (isFailing(error)) return Infinity;
      passMissing(error);
      return undefined;
    }
  }
}
