/** The system's disk, until it is told that it can no longer make certain files durable, or that it takes nothing at all. */
import { DiskError } from '../../../src/storage/errors.ts';
import { nodeDisk, type Disk } from '../../../src/storage/disk.ts';
import { guarded } from './guarded-file.ts';

export interface FailingDisk extends Disk {
  /** From now on a sync of a file whose path ends so is refused, as a broken device refuses it. */
  failSyncs(ending: string, code?: string): void;
  heal(): void;
}

export function failingDisk(): FailingDisk {
  let failing: { readonly ending: string; readonly code: string } | undefined;
  const check = async (path: string): Promise<void> => {
    if (failing !== undefined && path.endsWith(failing.ending))
      throw new DiskError('sync', path, Object.assign(new Error('a broken disk'), { code: failing.code }));
  };
  return {
    ...nodeDisk,
    open: async (path, mode) => guarded(await nodeDisk.open(path, mode), () => check(path)),
    failSyncs(ending, code = 'EIO') {
      failing = { ending, code };
    },
    heal() {
      failing = undefined;
    },
  };
}
