/** The system's disk, until it is told that it can make certain files durable no longer, or not now. */
import { DiskError } from '../../../src/storage/errors.ts';
import { nodeDisk, type Disk } from '../../../src/storage/disk/disk.ts';
import { guarded } from './guarded-file.ts';

export interface FailingDisk extends Disk {
  /** From now on a sync of a file whose path ends so is refused, as a broken device refuses it. */
  failSyncs(ending: string, code?: string): void;
  /** From now on no such file is made. */
  failMaking(ending: string, code: string): void;
  /** From now on such a sync waits until the disk is well. */
  delaySyncs(ending: string): void;
  heal(): void;
}

export function failingDisk(): FailingDisk {
  let failing: { readonly ending: string; readonly check: (path: string) => Promise<void> } | undefined;
  let unmade: { readonly ending: string; readonly code: string } | undefined;
  let release = (): void => {};
  const check = async (path: string): Promise<void> => {
    if (failing !== undefined && path.endsWith(failing.ending)) await failing.check(path);
  };
  return {
    ...nodeDisk,
    async open(path, mode) {
      if (mode === 'create' && unmade !== undefined && path.endsWith(unmade.ending)) throw broken('open', path, unmade.code);
      return guarded(await nodeDisk.open(path, mode), () => check(path));
    },
    failSyncs(ending, code = 'EIO') {
      failing = { ending, check: (path) => Promise.reject(broken('sync', path, code)) };
    },
    failMaking(ending, code) {
      unmade = { ending, code };
    },
    delaySyncs(ending) {
      const well = new Promise<void>((resolve) => (release = resolve));
      failing = { ending, check: () => well };
    },
    heal() {
      failing = unmade = undefined;
      release();
    },
  };
}

function broken(operation: string, path: string, code: string): DiskError {
  return new DiskError(operation, path, Object.assign(new Error('a broken disk'), { code }));
}
