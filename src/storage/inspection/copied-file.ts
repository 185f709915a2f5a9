/** CopiedFile: the beginning of a file, copied and durable. What lies behind what counts may be written over meanwhile, and is left. */
import type { Disk, DiskFile } from '../disk/disk.ts';
import { DiskError } from '../errors.ts';
import { StaleViewError } from './stale-view-error.ts';

const COPY_BYTES = 1024 * 1024;

export interface FileCopy {
  readonly from: string;
  readonly to: string;
  /** Undefined for all that it has when it is opened. */
  readonly bytes?: number;
  /** So many of its first bytes are there already, durably. */
  readonly kept?: number;
}

/** @param copied told of each stretch. @throws {StaleViewError} it is not there any more, or shorter. @throws {DiskError} */
export async function copyFile(disk: Disk, { from, to, bytes, kept = 0 }: FileCopy, copied: (bytes: number) => void): Promise<void> {
  const source = await openSource(disk, from);
  try {
    const length = bytes ?? source.size;
    if (source.size < length) throw new StaleViewError(from);
    const file = await disk.open(to, 'write');
    try {
      await file.truncate(kept);
      for (let at = kept; at < length; at += COPY_BYTES) {
        const stretch = await source.read(at, Math.min(COPY_BYTES, length - at));
        await file.append(stretch);
        copied(stretch.length);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await source.close();
  }
}

async function openSource(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.open(path, 'read');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') throw new StaleViewError(path);
    throw error;
  }
}
