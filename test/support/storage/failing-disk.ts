/** The system's disk, until it is told that certain files can no longer be made durable. */
import { DiskError } from '../../../src/storage/errors.ts';
import { nodeDisk, type Disk } from '../../../src/storage/disk.ts';
import { guarded } from './guarded-file.ts';

export interface FailingDisk extends Disk {
  /** From now on a sync of a file whose path ends so is refused, as a broken device refuses it. */
  failSyncs(ending: string): void;
}

export function failingDisk(): FailingDisk {
  let failing: string | undefined;
  const check = async (path: string): Promise<void> => {
    if (failing !== undefined && path.endsWith(failing))
      throw new DiskError('sync', path, Object.assign(new Error('a broken disk'), { code: 'EIO' }));
  };
  return {
    ...nodeDisk,
    open: async (path, mode) => guarded(await nodeDisk.open(path, mode), () => check(path)),
    failSyncs(ending) {
      failing = ending;
    },
  };
}
