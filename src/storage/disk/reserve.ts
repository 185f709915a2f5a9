/**
 * Reserve: a little room that a storage keeps for itself, so that it can be opened on a disk that has become full: a lock must be written
 * before anything is read that another process might change. With it the storage is opened, and what is stored is served.
 */
import type { Disk } from './disk.ts';
import { isFull, passDiskError, passMissing } from '../errors.ts';

/** Of a file system with large blocks, a few of them. */
export const RESERVE_BYTES = 256 * 1024;
/** As of all that was not finished, the end of its name says that it counts for nothing. */
const NAME = 'reserve.new';

/** Does what makes room use of a little, and where there is none, once more with the reserve. */
export async function withReserve<Result>(disk: Disk, directory: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isFull(error) || !(await disk.list(directory)).includes(NAME)) throw error;
    await disk.removeFile(`${directory}/${NAME}`).catch(passMissing);
    await disk.syncDirectory(directory);
    return await work();
  }
}

/** Without it nothing is amiss, but for a start on a full disk. */
export class Reserve {
  private isKept = false;

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
  ) {}

  /** Makes it where it is missing, and there is room for it: a start on a full disk has used it up. Asked again, it looks at no disk. */
  async keep(): Promise<void> {
    if (this.isKept) return;
    const path = `${this.directory}/${NAME}`;
    try {
      await fill(this.disk, path);
      this.isKept = true;
    } catch (error) {
      passDiskError(error);
      await this.disk.removeFile(path).catch(passDiskError);
    }
  }
}

async function fill(disk: Disk, path: string): Promise<void> {
  const file = await disk.open(path, 'write');
  try {
    if (file.size >= RESERVE_BYTES) return;
    await file.append(Buffer.alloc(RESERVE_BYTES - file.size, 0x5a));
    await file.sync();
  } finally {
    await file.close();
  }
}
