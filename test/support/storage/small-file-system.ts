/**
 * A file system of its own, of a few megabytes and in memory, that can be filled to the last byte. It is mounted, which needs Linux and
 * root, or an own user namespace; where that cannot be done the tests of full disks fail, and say so.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
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
  mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', directory);
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

function mount(...parameters: readonly string[]): void {
  try {
    execFileSync('mount', parameters, { stdio: 'pipe' });
  } catch (error) {
    throw new Error('the tests of a full disk mount a file system, which takes Linux and root: run them so', { cause: error });
  }
}

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
