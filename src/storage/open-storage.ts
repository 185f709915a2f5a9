/** Opens a storage directory: locks it, checks its format, and recovers the log and the shapes. */
import type { Clock } from '../base/clock.ts';
import type { CompactionBounds } from './compaction/compactor.ts';
import type { LineFolder } from './compaction/line-folder.ts';
import { lockDirectory, type AwaitedLock } from './disk/directory-lock.ts';
import { nodeDisk, type Disk } from './disk/disk.ts';
import { makeDurablyAnywhere } from './disk/durable-directory.ts';
import { heldDisk } from './disk/held-disk.ts';
import { probeDisk } from './disk/disk-probe.ts';
import { DiskStanding } from './disk/disk-standing.ts';
import { DiskShapeLogs, type PackingBounds } from './shapes/disk-shape-logs.ts';
import { DiskError, StorageDirectoryError, StorageVersionError } from './errors.ts';
import { FileCache, type FilesMax } from './shapes/file-cache.ts';
import { openCheckpoints, type Checkpoints } from './checkpoint/checkpoints.ts';
import { systemProcesses, type Processes } from './disk/processes.ts';
import { openTrustedLog, shapeNotes } from './recovery.ts';
import { ShapePaths } from './shapes/shape-paths.ts';
import { recoverShapes } from './shapes/shape-recovery.ts';
import { CHUNK_BYTES_MAX, type Storage } from './storage.ts';
import { Reserve, withReserve } from './disk/reserve.ts';
import { watchedDisk } from './disk/watched-disk.ts';

const READ_FILES: FilesMax = { idle: 48, uses: 80 };

export interface StorageOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** JSON bytes at which a chunk closes; default 10 MiB. Applies to shapes that are created from now on. */
  readonly chunkBytesMax?: number;
  /** Default 64 MiB. */
  readonly segmentBytesMax?: number;
  /** What the newest transactions may take of the memory; default 64 MiB. */
  readonly tailBytesMax?: number;
  /** Files that are open to be read. Default: `READ_FILES`; at rest, with those that are written, fewer than 64 are open. */
  readonly readFiles?: FilesMax | undefined;
  /** Told of who has the lock of the directory, when it must be waited for whether it lives. */
  readonly lockAwaited?: ((lock: AwaitedLock) => void) | undefined;
  /** Told how many segments of the log were read, of how many. */
  readonly logRead?: ((done: number, of: number) => void) | undefined;
  /** What is known of the lines of shapes; without it their logs are not compacted. */
  readonly folder?: LineFolder | undefined;
  readonly compaction?: Partial<CompactionBounds>;
  readonly packing?: Partial<PackingBounds> | undefined;
  readonly disk?: Disk;
  readonly processes?: Processes;
}

/** Changes when an older version would misread what this one writes. */
const STORAGE_FORMAT = '7';
/**
 * This version reads what was written in these as it is: in 3 no lines were compacted, in 4 each snapshot had a file of its own, in 5 each
 * shape's lines, and in 6 a checkpoint said of each shape all of its definition.
 */
const OLDER_FORMATS: readonly string[] = ['3', '4', '5', '6'];
const MIB = 1024 * 1024;
const DIRECTORY_CODES = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'ENAMETOOLONG', 'ENOSPC', 'EDQUOT'];

/**
 * @throws {StorageDirectoryError} the directory cannot be made or written to.
 * @throws {StorageLockedError} another process works in it.
 * @throws {StorageVersionError} another version wrote it.
 * @throws {UnknownContentError} another version wrote something in it; nothing was changed.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { directory, disk = nodeDisk, processes = systemProcesses } = options;
  const lock = await inUsableDirectory(directory, async () => {
    await makeDurablyAnywhere(disk, directory);
    const locking = () => lockDirectory(disk, directory, processes, options.clock, options.lockAwaited);
    return withReserve(disk, directory, locking);
  });
  try {
    const found = await inUsableDirectory(directory, () => formatOf(disk, directory));
    const standing = new DiskStanding(options.clock, () => probeDisk(watched, directory));
    const held = heldDisk(disk, lock);
    const watched = watchedDisk(held, standing);
    const reserve = new Reserve(held, directory);
    const recovered = await recover({ ...options, disk: watched }, standing, reserve, async () => {
      await reserve.keep();
      if (found !== STORAGE_FORMAT) await writeFormat(disk, directory); // Before anything is written that the older one would misread.
    });
    const storage = { ...recovered, notes: [...(lock.note === undefined ? [] : [lock.note]), ...recovered.notes] };
    return closingOnce(async () => {
      standing.end();
      try {
        await storage.close();
        await reserve.keep();
      } finally {
        await lock.release();
      }
    }, storage);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** @param begin done when all is read, and before anything changes for it. */
async function recover(
  options: StorageOptions & { readonly disk: Disk },
  standing: DiskStanding,
  reserve: Reserve,
  begin: () => Promise<void>,
): Promise<Storage> {
  const { disk, directory, clock, chunkBytesMax = CHUNK_BYTES_MAX, segmentBytesMax = 64 * MIB, tailBytesMax = 64 * MIB } = options;
  const checkpoints = await openCheckpoints(disk, `${directory}/checkpoint`);
  const logOptions = { disk, standing, directory: `${directory}/log`, segmentBytesMax, tailBytesMax, logRead: options.logRead };
  const paths = new ShapePaths(disk, directory);
  const listing = paths.stored(); // While the log is read: nobody but us changes them.
  listing.catch(() => {}); // Heard below, unless the log keeps us from asking.
  const { log, notes, ...damage } = await openTrustedLog(logOptions, checkpoints);
  const files = new FileCache(disk, options.readFiles ?? READ_FILES);
  const recovering = recoverShapes(log, checkpoints, paths, listing).then((found) => begin().then(() => found));
  const recovered = await recovering.catch(async (error: unknown) => {
    await log.giveUp(); // It may be on its way to its witness, and the directory is not ours for long.
    throw error;
  });
  const { folder, compaction, packing } = options;
  const ground = { disk, standing, files, paths, checkpoints: keeping(reserve, checkpoints) };
  const shapes = new DiskShapeLogs({ ...ground, log, clock, chunkBytesMax, folder, compaction, packing }, recovered);
  const close = async (): Promise<void> => {
    await shapes.close().finally(() => log.close()).finally(() => checkpoints.close());
  };
  return { log, shapes, disk: standing, notes: [...notes, ...shapeNotes(recovered)], ...damage, close, clone: shapes.clone };
}

/** Behind each checkpoint there may be room again. */
function keeping(reserve: Reserve, checkpoints: Checkpoints): Pick<Checkpoints, 'write' | 'bytes'> {
  return {
    get bytes() {
      return checkpoints.bytes;
    },
    write: (checkpoint) => checkpoints.write(checkpoint).then(() => reserve.keep()),
  };
}

function closingOnce(close: () => Promise<void>, storage: Storage): Storage {
  let closed: Promise<void> | undefined;
  return { ...storage, close: () => (closed ??= close()) };
}

/** A new directory is given one. @throws {StorageVersionError} */
async function formatOf(disk: Disk, directory: string): Promise<string> {
  const found = await storedFormat(disk, directory);
  if (found !== undefined) return found;
  await writeFormat(disk, directory);
  return STORAGE_FORMAT;
}

/**
 * Which format a directory has, if this version reads it; undefined for one that says nothing of it.
 *
 * @throws {StorageVersionError} another version wrote it.
 */
export async function storedFormat(disk: Disk, directory: string): Promise<string | undefined> {
  const names = await disk.list(directory);
  if (!names.includes('format')) return undefined;
  const file = await disk.open(formatPath(directory), 'read');
  const found = Buffer.from(await file.read(0, 32)).toString().trim();
  await file.close();
  const isKnown = found === STORAGE_FORMAT || OLDER_FORMATS.includes(found);
  if (!isKnown) throw new StorageVersionError(directory, found, STORAGE_FORMAT);
  return found;
}

/** The name appears only when the content is durable. */
async function writeFormat(disk: Disk, directory: string): Promise<void> {
  const path = formatPath(directory);
  const file = await disk.open(`${path}.new`, 'write');
  await file.truncate(0);
  await file.append(Buffer.from(`${STORAGE_FORMAT}\n`));
  await file.sync();
  await file.close();
  await disk.rename(`${path}.new`, path);
  await disk.syncDirectory(directory);
}

function formatPath(directory: string): string {
  return `${directory}/format`;
}

async function inUsableDirectory<T>(directory: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof DiskError && DIRECTORY_CODES.includes(error.code)) throw new StorageDirectoryError(directory, error.cause);
    throw error;
  }
}
