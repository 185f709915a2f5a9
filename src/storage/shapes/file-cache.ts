/**
 * FileCache: a bounded number of files kept open for reading, so that a shape read often is not opened each time. However many are to be
 * read, no more are open: who comes then waits for whoever is done.
 */
import type { Disk, DiskFile } from '../disk/disk.ts';

export interface FilesMax {
  /** How many stay open while nobody uses them. */
  readonly idle: number;
  /** How many uses there may be at a time: at least one. */
  readonly uses: number;
}

interface Entry {
  readonly file: Promise<DiskFile>;
  users: number;
}

export class FileCache {
  /** Least recently used first. */
  private readonly entries = new Map<string, Entry>();

  private uses = 0;
  /** In the order in which they came: no more than there are requests, and work under way. */
  private readonly waiting: (() => void)[] = [];
  private idleMax: number;

  constructor(
    private readonly disk: Pick<Disk, 'open'>,
    private readonly max: FilesMax,
  ) {
    this.idleMax = max.idle;
  }

  /**
   * Lends a file to `action`; it stays open until that has ended, also when it is deleted meanwhile.
   * @param action uses no other file of the cache: it could wait for itself.
   */
  async use<T>(path: string, action: (file: DiskFile) => Promise<T>): Promise<T> {
    if (this.uses < this.max.uses) this.uses += 1;
    else await new Promise<void>((enter) => this.waiting.push(enter)); // Whoever leaves gives over his place.
    try {
      return await this.lend(path, action);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.uses -= 1;
      else next();
    }
  }

  private async lend<T>(path: string, action: (file: DiskFile) => Promise<T>): Promise<T> {
    const entry = this.entries.get(path) ?? { file: this.disk.open(path, 'read'), users: 0 };
    this.touch(path, entry);
    entry.users += 1;
    try {
      return await action(await entry.file);
    } catch (error) {
      if (this.entries.get(path) === entry) this.entries.delete(path); // Perhaps it could not even be opened.
      throw error;
    } finally {
      entry.users -= 1;
      await this.settle(path, entry);
    }
  }

  /** Closes a file; one that is in use is closed by its last user. */
  async forget(path: string): Promise<void> {
    const entry = this.entries.get(path);
    if (entry === undefined) return;
    this.entries.delete(path);
    await this.settle(path, entry);
  }

  /** Closes all; one that is in use is closed by its last user, and so is one that somebody opens who waited for a place. */
  async close(): Promise<void> {
    this.idleMax = 0;
    for (const path of [...this.entries.keys()]) await this.forget(path);
  }

  private touch(path: string, entry: Entry): void {
    this.entries.delete(path);
    this.entries.set(path, entry);
  }

  private async settle(path: string, entry: Entry): Promise<void> {
    if (this.entries.get(path) !== entry) await closeUnused(entry);
    if (this.entries.size <= this.idleMax) return;
    const idle = [...this.entries].find(([, candidate]) => candidate.users === 0);
    if (idle === undefined) return;
    this.entries.delete(idle[0]);
    await closeUnused(idle[1]);
  }
}

async function closeUnused(entry: Entry): Promise<void> {
  if (entry.users > 0) return;
  const file = await entry.file.catch(() => undefined); // One that could not be opened needs no closing.
  await file?.close();
}
