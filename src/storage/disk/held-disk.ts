/**
 * HeldDisk: the disk as a storage has it while it holds its directory. Before each change it is made certain that the directory is still
 * held: as a rule by a look at the clock, so that nothing waits for it.
 */
import type { DirectoryLock } from './directory-lock.ts';
import type { Disk, DiskFile } from './disk.ts';

export function heldDisk(disk: Disk, lock: Pick<DirectoryLock, 'confirm'>): Disk {
  const held = <T>(change: () => Promise<T>): Promise<T> => {
    const confirmed = lock.confirm();
    return confirmed === undefined ? change() : confirmed.then(change);
  };
  return {
    makeDirectory: (path) => held(() => disk.makeDirectory(path)),
    syncDirectory: (path) => disk.syncDirectory(path),
    list: (path) => disk.list(path),
    open(path, mode) {
      if (mode === 'read') return disk.open(path, mode);
      return held(() => disk.open(path, mode)).then((file) => new HeldFile(file, held));
    },
    rename: (from, to) => held(() => disk.rename(from, to)),
    removeFile: (path) => held(() => disk.removeFile(path)),
  };
}

class HeldFile implements DiskFile {
  constructor(
    private readonly file: DiskFile,
    private readonly held: <T>(change: () => Promise<T>) => Promise<T>,
  ) {}

  get size(): number {
    return this.file.size;
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.file.read(at, length);
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.held(() => this.file.append(bytes));
  }

  appendSynced(bytes: Uint8Array): Promise<void> {
    return this.held(() => this.file.appendSynced(bytes));
  }

  overwrite(at: number, bytes: Uint8Array): Promise<void> {
    return this.held(() => this.file.overwrite(at, bytes));
  }

  truncate(size: number): Promise<void> {
    return this.held(() => this.file.truncate(size));
  }

  sync(): Promise<void> {
    return this.file.sync();
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
