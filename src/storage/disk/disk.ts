/**
 * Disk: the one place where storage touches the file system. Everything else takes it as an argument, so that a test
 * can give a disk that withholds a sync, tears a write or fails.
 *
 * A write is durable only after `sync` of its file; a new or moved name only after `syncDirectory` of its parent.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { lendBytes } from '../../base/lent-bytes.ts';
import { DiskError, codeOf } from '../errors.ts';

/** How a file is opened. */
export type OpenMode =
  | 'read'
  | 'write' // Made when it does not exist; its content is kept.
  | 'create'; // Fails with `EEXIST` when it exists.

/** Every refusal is a `DiskError` with the system's code. */
export interface Disk {
  /** With its parents. @returns the first one that was not there; undefined when all were. Their names are durable only by a sync. */
  makeDirectory(path: string): Promise<string | undefined>;
  /** Makes names durable that are new in it, moved or gone. */
  syncDirectory(path: string): Promise<void>;
  /** Names in a directory, in no order; none when there is no such directory. */
  list(path: string): Promise<readonly string[]>;
  /** An open file, to be closed. */
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** In place of what had the name. */
  rename(from: string, to: string): Promise<void>;
  /** It is there. */
  removeFile(path: string): Promise<void>;
}

/** An open file. */
export interface DiskFile {
  /** Bytes, as of the opening and this file's own writes. */
  readonly size: number;
  /** Shorter than `length` only at the end of the file. */
  read(at: number, length: number): Promise<Uint8Array>;
  /** Writes behind its end. */
  append(bytes: Uint8Array): Promise<void>;
  /** Writes behind its end, durably, with all that was written before: what `append` and then `sync` do, in one go where that can be. */
  appendSynced(bytes: Uint8Array): Promise<void>;
  /** Writes over what is there; never past the end. */
  overwrite(at: number, bytes: Uint8Array): Promise<void>;
  /** Cuts it off behind so many bytes. */
  truncate(size: number): Promise<void>;
  /** Makes content and size durable. */
  sync(): Promise<void>;
  /** Gives it back; nothing is synced by that. */
  close(): Promise<void>;
}

const FLAGS = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR | constants.O_CREAT,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

/**
 * How a file is opened of which a write returns when what it wrote is durable, with the size. Undefined where no system but Linux is known
 * to do so: a Mac takes the flag, and leaves the bytes in the drive's cache, which `sync` alone empties (`F_FULLFSYNC`).
 */
export function throughFlags(platform: string): number | undefined {
  return platform === 'linux' ? constants.O_WRONLY | constants.O_DSYNC : undefined;
}

const THROUGH = throughFlags(process.platform);

export const nodeDisk: Disk = {
  makeDirectory: (path) => attempt('create', path, () => mkdir(path, { recursive: true })),
  syncDirectory: (path) => attempt('sync', path, () => syncName(path)),
  list: (path) => attempt('list', path, () => listOrNone(path)),
  open: (path, mode) => attempt('open', path, async () => openFile(path, mode)),
  rename: (from, to) => attempt('rename', from, () => rename(from, to)),
  removeFile: (path) => attempt('remove', path, () => unlink(path)),
};

class NodeFile implements DiskFile {
  /** The same file once more, where each write is durable: for the log, a second way to the disk would cost as much as the first. */
  private through: FileHandle | undefined;
  private changes = 1; // What others left of it, no sync of ours has covered.
  private syncedChanges = 0;

  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    public size: number,
  ) {}

  read(at: number, length: number): Promise<Uint8Array> {
    return attempt('read', this.path, async () => {
      const bytes = lendBytes(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await this.handle.read(bytes, filled, length - filled, at + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    });
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.changes += 1;
    await attempt('write', this.path, () => writeAll(this.handle, bytes, this.size));
    this.size += bytes.length;
  }

  /** What `THROUGH` makes durable is the write alone: so nothing else may be left. */
  async appendSynced(bytes: Uint8Array): Promise<void> {
    if (THROUGH === undefined || this.syncedChanges < this.changes) {
      await this.append(bytes);
      return this.sync();
    }
    this.changes += 1;
    await attempt('sync', this.path, async () => {
      this.through ??= await open(this.path, THROUGH);
      await writeAll(this.through, bytes, this.size);
    });
    this.size += bytes.length;
    this.syncedChanges += 1;
  }

  overwrite(at: number, bytes: Uint8Array): Promise<void> {
    this.changes += 1;
    return attempt('write', this.path, () => writeAll(this.handle, bytes, at));
  }

  async truncate(size: number): Promise<void> {
    this.changes += 1;
    await attempt('truncate', this.path, () => this.handle.truncate(size));
    this.size = size;
  }

  async sync(): Promise<void> {
    const { changes } = this;
    await attempt('sync', this.path, () => this.handle.datasync());
    this.syncedChanges = changes;
  }

  async close(): Promise<void> {
    try {
      await attempt('close', this.path, async () => this.through?.close());
    } finally {
      await attempt('close', this.path, () => this.handle.close());
    }
  }
}

/** A single write may be short, on a full disk for one. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}

async function openFile(path: string, mode: OpenMode): Promise<DiskFile> {
  const handle = await open(path, FLAGS[mode]);
  const { size } = await handle.stat();
  return new NodeFile(path, handle, size);
}

async function syncName(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function listOrNone(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function attempt<T>(operation: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new DiskError(operation, path, error);
  }
}
