import type { DiskFile } from '../../../src/storage/disk/disk.ts';

/** A file whose syncs wait for `pass`, and fail as it does. */
export function guarded(file: DiskFile, pass: () => Promise<void>): DiskFile {
  return {
    get size() {
      return file.size;
    },
    read: (at, length) => file.read(at, length),
    append: (bytes) => file.append(bytes),
    appendSynced: (bytes) => file.append(bytes).then(pass).then(() => file.sync()),
    overwrite: (at, bytes) => file.overwrite(at, bytes),
    truncate: (size) => file.truncate(size),
    sync: () => pass().then(() => file.sync()),
    close: () => file.close(),
  };
}
