/**
 * DirectoryLock: one process at a time in a storage directory. The lock is a file that names its holder; a holder that
 * was killed leaves it behind, so a lock whose process no longer lives is taken over.
 */
import type { Disk } from './disk.ts';
import { DiskError, StorageLockedError } from './errors.ts';
import type { ProcessMark, Processes } from './processes.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

const ATTEMPTS_MAX = 3;

/** @throws {StorageLockedError} a living process holds the lock. */
export async function lockDirectory(disk: Disk, directory: string, processes: Processes): Promise<DirectoryLock> {
  const path = `${directory}/lock`;
  const own = JSON.stringify(processes.self);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (await writeNew(disk, path, own)) return { release: () => disk.removeFile(path) };
    const found = await readText(disk, path);
    const holder = found === undefined ? undefined : markOf(found);
    if (holder !== undefined && processes.isAlive(holder)) throw new StorageLockedError(directory, holder.pid);
    if (found !== undefined) await takeAway(disk, path, found, processes.self);
  }
  throw new StorageLockedError(directory, markOf((await readText(disk, path)) ?? '')?.pid ?? 0);
}

/**
 * Moves a dead process's lock aside. Two may try at once: only one moves the file that both have seen, and the other
 * finds that it moved a living lock, and puts it back.
 */
async function takeAway(disk: Disk, path: string, seen: string, self: ProcessMark): Promise<void> {
  const aside = `${path}.${self.pid}`;
  try {
    await disk.rename(path, aside);
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return;
    throw error;
  }
  if ((await readText(disk, aside)) === seen) await disk.removeFile(aside);
  else await disk.rename(aside, path);
}

async function writeNew(disk: Disk, path: string, text: string): Promise<boolean> {
  try {
    const file = await disk.open(path, 'create');
    await file.append(Buffer.from(text));
    await file.close();
    return true;
  } catch (error) {
    if (error instanceof DiskError && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function readText(disk: Disk, path: string): Promise<string | undefined> {
  try {
    const file = await disk.open(path, 'read');
    const bytes = await file.read(0, file.size);
    await file.close();
    return Buffer.from(bytes).toString();
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined for a lock whose writer was stopped before its name was on the disk. */
function markOf(text: string): ProcessMark | undefined {
  const match = /^\{"host":"[\w.-]*","pid":\d{1,10},"start":"[\w.-]*"\}$/.exec(text);
  return match === null ? undefined : JSON.parse(text);
}

/** Who holds the lock of a directory, for who only looks. */
export interface SeenLock {
  readonly host: string;
  readonly pid: number;
  /** `unknown`: nothing can be found out about that process from here. */
  readonly standing: 'alive' | 'dead' | 'unknown';
}

/** @returns undefined when nobody has the lock, or none that can be read. */
export async function seeLock(disk: Disk, directory: string, processes: Processes): Promise<SeenLock | undefined> {
  const mark = markOf((await readText(disk, `${directory}/lock`)) ?? '');
  if (mark === undefined) return undefined;
  const { host, pid } = mark;
  return { host, pid, standing: processes.isAlive(mark) ? 'alive' : 'dead' };
}

/** The same as a part of a sentence. */
export function heldBy(lock: SeenLock | undefined): string {
  if (lock === undefined) return 'in use by nobody';
  const { host, pid, standing } = lock;
  if (standing === 'dead') return `in use by nobody (process ${pid} on ${host} left its lock when it was killed)`;
  return `in use by process ${pid} on ${host}${standing === 'alive' ? '' : ', if that still runs'}`;
}
