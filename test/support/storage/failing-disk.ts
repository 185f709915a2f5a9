/** The system's disk, until it is told that certain files can no longer be made durable. */
import { DiskError } from '../../../src/storage/errors.ts';
import { nodeDisk, type Disk, type DiskFile } from '../../../src/storage/disk.ts';

export interface FailingDisk extends Disk {
  /** From now on a sync of a file whose path ends so is refused, as a broken device refuses it. */
  failSyncs(ending: string): void;
}

export function failingDisk(): FailingDisk {
  let failing: string | undefined;
  const check = (path: string): void => {
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

function guarded(file: DiskFile, check: () => void): DiskFile {
  return {
    get size() {
      return file.size;
    },
    read: (at, length) => file.read(at, length),
    append: (bytes) => file.append(bytes),
    overwrite: (at, bytes) => file.overwrite(at, bytes),
    truncate: (size) => file.truncate(size),
    async sync() {
      check();
      await file.sync();
    },
    close: () => file.close(),
  };
}
