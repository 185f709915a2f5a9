/**
 * WatchedDisk: a disk of which it is known what it refuses, and how long it takes for what changes it. Reads go by unseen: what cannot be
 * read is an affair of who asked for it. One that work which must be done meets on its way is noted there (`DiskStanding.insist`).
 */
import type { Disk, DiskFile } from './disk.ts';
import type { DiskStanding } from './disk-standing.ts';

export function watchedDisk(disk: Disk, standing: DiskStanding): Disk {
  return {
    makeDirectory: (path) => standing.watch('create', path, () => disk.makeDirectory(path)),
    syncDirectory: (path) => standing.watch('sync', path, () => disk.syncDirectory(path)),
    list: (path) => disk.list(path),
    async open(path, mode) {
      if (mode === 'read') return disk.open(path, mode);
      return new WatchedFile(await standing.watch('open', path, () => disk.open(path, mode)), path, standing);
    },
    rename: (from, to) => standing.watch('rename', from, () => disk.rename(from, to)),
    removeFile: (path) => standing.watch('remove', path, () => disk.removeFile(path)),
  };
}

class WatchedFile implements DiskFile {
  constructor(
    private readonly file: DiskFile,
    private readonly path: string,
    private readonly standing: DiskStanding,
  ) {}

  get size(): number {
    return this.file.size;
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.file.read(at, length);
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.standing.watch('write', this.path, () => this.file.append(bytes));
  }

  appendSynced(bytes: Uint8Array): Promise<void> {
    return this.standing.watch('sync', this.path, () => this.file.appendSynced(bytes));
  }

  overwrite(at: number, bytes: Uint8Array): Promise<void> {
    return this.standing.watch('write', this.path, () => this.file.overwrite(at, bytes));
  }

  truncate(size: number): Promise<void> {
    return this.standing.watch('truncate', this.path, () => this.file.truncate(size));
  }

  sync(): Promise<void> {
    return this.standing.watch('sync', this.path, () => this.file.sync());
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
