/**
 * DurableDirectory: a directory whose name lasts. Its parent is synced also where it is there already: whoever made it may have been
 * stopped, or refused that sync, before the name was durable, and everything in it would go with the name.
 */
import { dirname } from 'node:path';
import { DiskError } from '../errors.ts';
import type { Disk } from './disk.ts';

type Directories = Pick<Disk, 'makeDirectory' | 'syncDirectory'>;

/** A parent of which this is said is somebody else's, and so was the making. */
const FOREIGN = ['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EROFS'];

/** With its parents. @throws {DiskError} perhaps it is there, and not durable: the same call may be repeated. */
export async function makeDurably(disk: Directories, path: string): Promise<void> {
  const first = await disk.makeDirectory(path);
  await syncNames(disk, path, first ?? path);
}

/** The same of a directory in one that may be nobody's to read: an operator may have made it for us. */
export async function makeDurablyAnywhere(disk: Directories, path: string): Promise<void> {
  const first = await disk.makeDirectory(path);
  if (first === undefined) await disk.syncDirectory(dirname(path)).catch(passForeign);
  else await syncNames(disk, path, first);
}

/** From that of `path` up to that of `first`, which is one of its parents. */
async function syncNames(disk: Directories, path: string, first: string): Promise<void> {
  for (let made = path; ; made = dirname(made)) {
    await disk.syncDirectory(dirname(made));
    if (made === first || dirname(made) === made) return;
  }
}

function passForeign(error: unknown): void {
  if (!(error instanceof DiskError && FOREIGN.includes(error.code))) throw error;
}
