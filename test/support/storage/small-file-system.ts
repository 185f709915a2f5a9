/**
 * A file system of its own, of a few megabytes and in memory, that can be filled to the last byte. It is mounted, which needs Linux and
 * root, or an own user namespace; where that cannot be done the tests of full disks fail, and say so.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../../src/storage/errors.ts';

export interface SmallFileSystem {
  readonly directory: string;
  /** Until not a byte is left. */
  fill(): void;
  /** What `fill` took is there again. */
  empty(): void;
  resize(mebibytes: number): void;
  remove(): void;
}

export function mountSmallFileSystem(mebibytes: number): SmallFileSystem {
  const directory = mkdtempSync(join(tmpdir(), 'armature-small-'));
  orElse(() => rmdirSync(directory), () => mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', directory));
  const ballast = join(directory, 'ballast');
  return {
    directory,
    fill: () => fill(ballast),
    empty: () => rmSync(ballast),
    resize: (size) => mount('-o', `remount,size=${size}m`, directory),
    remove() {
      execFileSync('umount', ['--lazy', directory]);
      rmdirSync(directory);
    },
  };
}

/** A file system was not made, or not mounted: nothing of it is left. */
export class NotMountedError extends Error {
  override readonly name = 'NotMountedError';
}

function mount(...parameters: readonly string[]): void {
  fileSystemTool('mount', ...parameters);
}

/** @throws {NotMountedError} it is not there, or refuses. */
function fileSystemTool(tool: string, ...parameters: readonly string[]): void {
  try {
    execFileSync(tool, parameters, { stdio: 'pipe' });
  } catch (error) {
    const why = `${tool} refuses, and the tests of a full or failing disk mount a file system, which takes Linux and root: run them so`;
    throw new NotMountedError(why, { cause: error });
  }
}

/** What was begun for `action` does not outlive its failure. */
function orElse(undo: () => void, action: () => void): void {
  try {
    action();
  } catch (error) {
    undo();
    throw error;
  }
}

/** The same on a device of its own, with a journal: it becomes read-only by itself, as after an error of the device. */
export interface SmallDevice {
  readonly directory: string;
  /** Nothing can be written from now on, whoever has files open; only `repair` helps. */
  abort(): void;
  /** Unmounted, checked, and mounted again: nobody has a file open in it. */
  repair(): void;
  remove(): void;
}

/** Why no device can be made or mounted here; undefined when one can. Whatever else goes wrong is a failure of the tests. */
export function whyNoDevice(): string | undefined {
  try {
    mountSmallDevice(4).remove();
    return undefined;
  } catch (error) {
    if (!(error instanceof NotMountedError)) throw error;
    return `no ext4 can be mounted on a loop device here: ${error.message} (${String(error.cause)})`;
  }
}

export function mountSmallDevice(mebibytes: number): SmallDevice {
  const root = mkdtempSync(join(tmpdir(), 'armature-device-'));
  const [image, directory] = [join(root, 'image'), join(root, 'mounted')];
  const removeRoot = (): void => rmSync(root, { recursive: true });
  const mountIt = (): void => mount('-o', 'loop,errors=remount-ro', image, directory);
  orElse(removeRoot, () => {
    mkdirSync(directory);
    writeFileSync(image, '');
    truncateSync(image, mebibytes * 1024 * 1024);
    fileSystemTool('mkfs.ext4', '-q', '-F', image);
    mountIt();
  });
  return {
    directory,
    abort: () => mount('-o', 'remount,abort', directory),
    repair() {
      execFileSync('umount', [directory]);
      const { status } = spawnSync('e2fsck', ['-p', image]);
      if (status !== 0 && status !== REPAIRED) throw new Error(`e2fsck ended with ${status}`);
      mountIt();
    },
    remove() {
      try {
        execFileSync('umount', ['--lazy', directory]);
      } finally {
        removeRoot();
      }
    },
  };
}

/** What e2fsck ends with when it had something to do. */
const REPAIRED = 1;

/** In ever smaller pieces: others write there too. */
function fill(path: string): void {
  const file = openSync(path, 'a');
  for (let bytes = 1024 * 1024; bytes >= 1; ) {
    try {
      writeSync(file, Buffer.alloc(bytes));
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error;
      bytes = Math.floor(bytes / 4);
    }
  }
  closeSync(file);
}
