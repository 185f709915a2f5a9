/**
 * MovedFiles: the rows that a shape's splices bring, a file for each, from the query until a checkpoint has their lines.
 *
 * A file is durable before its splice is recorded, so what is left of a number that was never recorded is nobody's, and is
 * written over by the next one. A query that was given up may still be on its way to the disk then: so one write comes after the
 * other, and each asks in its turn whether it still may.
 */
import type { Handle } from '../../model/shape.ts';
import type { DiskFile } from '../disk/disk.ts';
import { DiskError, ShapeCorruptError } from '../errors.ts';
import { GrowingSums, verified, wholeOf, type Piece } from './piece.ts';
import type { ShapeGround } from './shape-file-access.ts';
import type { MovedWriter } from './shape-store.ts';

export class MovedFiles {
  /** Those that there may be. */
  private readonly numbers = new Set<number>();
  private writing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly ground: Omit<ShapeGround, 'files'>,
    private readonly handle: Handle,
  ) {}

  begin(number: number, claim: () => void): MovedWriter {
    const sums = new GrowingSums();
    return {
      write: (lines) =>
        this.inTurn(claim, async () => {
          await this.append(number, lines, sums.bytes);
          sums.add(lines);
        }),
      complete: () =>
        this.inTurn(claim, async () => {
          if (sums.bytes > 0) await this.sync(number);
          return wholeOf(sums);
        }),
    };
  }

  read(number: number, piece: Piece): Promise<Uint8Array> {
    return this.ground.faults.reading(this.handle, () => this.readOnce(number, piece));
  }

  /** What an earlier process left may be of a splice that needs no file any more, so all of it is known from now on. */
  note(found: readonly number[]): void {
    for (const number of found) this.numbers.add(number);
  }

  async forget(through: number): Promise<void> {
    for (const number of [...this.numbers].filter((each) => each <= through)) {
      await this.ground.paths.removeMoved(this.handle, number);
      this.numbers.delete(number);
    }
  }

  private inTurn<Result>(claim: () => void, write: () => Promise<Result>): Promise<Result> {
    const written = this.writing.then(() => {
      claim();
      return write();
    });
    this.writing = written.catch(() => {}); // Who asked for it is told.
    return written;
  }

  private async readOnce(number: number, piece: Piece): Promise<Uint8Array> {
    const path = this.ground.paths.movedPathOf(this.handle, number);
    const file = await this.open(path);
    try {
      return verified(await file.read(piece.at, piece.bytes), path, this.handle, piece, 0);
    } finally {
      await file.close();
    }
  }

  private async append(number: number, lines: Uint8Array, at: number): Promise<void> {
    if (at === 0) await this.ground.paths.prepare(this.handle);
    await this.opened(number, async (file) => {
      await file.truncate(at);
      await file.append(lines);
    });
  }

  private async sync(number: number): Promise<void> {
    await this.opened(number, (file) => file.sync());
    await this.ground.paths.syncNames(this.handle);
  }

  private async opened(number: number, action: (file: DiskFile) => Promise<void>): Promise<void> {
    this.numbers.add(number);
    const file = await this.ground.disk.open(this.ground.paths.movedPathOf(this.handle, number), 'write');
    try {
      await action(file);
    } finally {
      await file.close();
    }
  }

  private async open(path: string): Promise<DiskFile> {
    try {
      return await this.ground.disk.open(path, 'read');
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
      throw new ShapeCorruptError(this.handle, `${path} is missing`);
    }
  }
}
