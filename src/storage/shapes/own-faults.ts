/**
 * OwnFaults: what the device fails of one shape's files (`EIO`) while it takes everything else. Such a shape must not hold up all others,
 * as a disk does that refuses everything: it is refused for a moment, in case that passes, and is then damaged like any other.
 *
 * Whose fault it is, a little says that is written elsewhere at once. Where that is refused too, the disk is at fault, and no shape.
 */
import type { Clock } from '../../base/clock.ts';
import type { Handle } from '../../model/shape.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import { isFailing, ShapeCorruptError, ShapeRefusedError } from '../errors.ts';

/** For so long, a shape's files may be refused alone. */
export const ALONE_MS = 2_000;

export class OwnFaults {
  /** When each was refused first. */
  private readonly since = new Map<Handle, number>();

  constructor(
    private readonly standing: Pick<DiskStanding, 'takesOthers'>,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {}

  /**
   * Brings something to the files of a shape.
   *
   * @throws {ShapeRefusedError} they alone are refused: the same work may be done again.
   * @throws {ShapeCorruptError} they alone were, for too long.
   */
  async writing<Result>(handle: Handle, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work();
      this.since.delete(handle);
      return result;
    } catch (error) {
      throw await this.judged(handle, error);
    }
  }

  /** Reads in the files of a shape. @throws {ShapeCorruptError} they alone cannot be read. */
  reading<Result>(handle: Handle, read: () => Promise<Result>): Promise<Result> {
    return readAgain(handle, read, () => this.standing.takesOthers());
  }

  /** @returns whether it was done; false where these files alone are refused. */
  async removing(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (isFailing(error) && (await this.standing.takesOthers())) return false;
      throw error;
    }
  }

  forget(handle: Handle): void {
    this.since.delete(handle);
  }

  private async judged(handle: Handle, error: unknown): Promise<unknown> {
    if (!isFailing(error)) return error;
    if (!(await this.standing.takesOthers())) {
      this.since.delete(handle); // The time of an outage is no time of its own.
      return error;
    }
    const now = this.clock.nowMs();
    const since = this.since.get(handle) ?? now;
    this.since.set(handle, since);
    if (now - since < ALONE_MS) return new ShapeRefusedError(handle, error);
    const forSeconds = Math.floor((now - since) / 1000);
    return new ShapeCorruptError(handle, `${error.message}, for ${forSeconds} s, while the disk takes everything else`);
  }
}

/**
 * Reads, and again where the device fails: at once, and when that is known to be alone. A device that is away for a moment fails all that
 * is read then, and is back before anybody can tell; only what it cannot read by then, it has lost.
 *
 * @throws {ShapeCorruptError} if `isAlone`, and it still is.
 */
export async function readAgain<Result>(handle: Handle, read: () => Promise<Result>, isAlone: () => Promise<boolean>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!isFailing(error)) throw error;
  }
  try {
    return await read();
  } catch (error) {
    if (!isFailing(error) || !(await isAlone())) throw error;
  }
  try {
    return await read();
  } catch (error) {
    if (!isFailing(error)) throw error;
    throw new ShapeCorruptError(handle, `${error.message}, again and again`);
  }
}
