/**
 * MovedFiles: the rows that a shape's splices bring, a file for each, from the query until a checkpoint has their lines.
 *
 * A file is durable before its splice is recorded, so what is left of a number that was never recorded is nobody's, and is
 * written over by the next one.
 */
import type { Handle } from '../../model/shape.ts';
import type { Disk, DiskFile } from '../disk.ts';
import { DiskError, ShapeCorruptError } from '../errors.ts';
import { GrowingSums, verified, wholeOf, type Piece } from './piece.ts';
import type { ShapePaths } from './shape-paths.ts';
import type { MovedWriter } from './shape-store.ts';

export class MovedFiles {
  /** Those of this process. What an earlier one left is swept up when the storage is opened. */
  private readonly numbers = new Set<number>();

  constructor(
    private readonly disk: Disk,
    private readonly paths: ShapePaths,
    private readonly handle: Handle,
  ) {}

  begin(number: number): MovedWriter {
    const sums = new GrowingSums();
    return {
      write: async (lines) => {
        await this.append(number, lines, sums.bytes);
        sums.add(lines);
      },
      complete: async () => {
        if (sums.bytes > 0) await this.sync(number);
        return wholeOf(sums);
      },
    };
  }

  async read(number: number, piece: Piece): Promise<Uint8Array> {
    const path = this.paths.movedPathOf(this.handle, number);
    const file = await this.open(path);
    try {
      return verified(await file.read(piece.at, piece.bytes), path, this.handle, piece, 0);
    } finally {
      await file.close();
    }
  }

  async forget(through: number): Promise<void> {
    for (const number of [...this.numbers].filter((each) => each <= through)) {
      this.numbers.delete(number);
      await this.disk.removeFile(this.paths.movedPathOf(this.handle, number));
    }
  }

  private async append(number: number, lines: Uint8Array, at: number): Promise<void> {
    if (at === 0) await this.paths.prepare(this.handle);
    await this.writing(number, async (file) => {
      await file.truncate(at);
      await file.append(lines);
    });
  }

  private async sync(number: number): Promise<void> {
    await this.writing(number, (file) => file.sync());
    await this.disk.syncDirectory(this.paths.directoryOf(this.handle));
  }

  private async writing(number: number, action: (file: DiskFile) => Promise<void>): Promise<void> {
    this.numbers.add(number);
    const file = await this.disk.open(this.paths.movedPathOf(this.handle, number), 'write');
    try {
      await action(file);
    } finally {
      await file.close();
    }
  }

  private async open(path: string): Promise<DiskFile> {
    try {
      return await this.disk.open(path, 'read');
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
      throw new ShapeCorruptError(this.handle, `${path} is missing`);
    }
  }
}
