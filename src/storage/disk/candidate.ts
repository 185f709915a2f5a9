/**
 * Candidate: a file by which an instance that stands by says that it reaches the database, which nobody follows. Whoever works in the
 * storage and has lost the database finds it there, and makes room.
 *
 * It is no lock, and gives nobody a right: who is to work in the directory is decided by that alone. So nothing of it is synced, and one
 * that is torn, damaged or left over is as none: only who goes on to give signs of life counts.
 */
import type { Clock } from '../../base/clock.ts';
import type { Disk } from './disk.ts';
import { DiskError } from '../errors.ts';
import { lockText, markOf } from './lock-files.ts';
import type { ProcessMark } from './processes.ts';

/** How often a candidate gives a sign of life. */
export const SIGN_MS = 1_000;
/** How often they are looked for: by then each has given one. */
export const LOOK_MS = 2 * SIGN_MS;
/** Who has given a sign since an older look than that may have ended long ago. */
const RECENT_MS = 5 * LOOK_MS;

export class Candidacy {
  private signs = 0;
  private isSigned = false;

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly self: ProcessMark,
  ) {}

  /** One sign more. @throws {DiskError} the directory takes none: whoever works in it does not hear of us. */
  async sign(): Promise<void> {
    this.signs += 1;
    const file = await this.disk.open(pathIn(this.directory), 'write');
    this.isSigned = true;
    try {
      await file.truncate(0);
      await file.append(Buffer.from(lockText(this.self, this.signs)));
    } finally {
      await file.close();
    }
  }

  /** Of what was never given nothing has to be taken back. @throws {DiskError} it stays, as a sign of nobody. */
  async withdraw(): Promise<void> {
    if (!this.isSigned) return;
    this.isSigned = false;
    await this.disk.removeFile(pathIn(this.directory)).catch(unlessGone);
  }
}

export class CandidateWatch {
  private last: { readonly text: string; readonly atMs: number } | undefined;

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {}

  /** @returns who has given a sign since the look before, which was not long ago. @throws {DiskError} */
  async look(): Promise<ProcessMark | undefined> {
    const { last } = this;
    const atMs = this.clock.nowMs();
    const text = await this.read();
    this.last = text === undefined ? undefined : { text, atMs };
    if (text === undefined || last === undefined || last.text === text || atMs - last.atMs > RECENT_MS) return undefined;
    return markOf(text);
  }

  private async read(): Promise<string | undefined> {
    try {
      const file = await this.disk.open(pathIn(this.directory), 'read');
      const bytes = await file.read(0, file.size).finally(() => file.close());
      return Buffer.from(bytes).toString();
    } catch (error) {
      return unlessGone(error);
    }
  }
}

function pathIn(directory: string): string {
  return `${directory}/candidate`;
}

function unlessGone(error: unknown): undefined {
  if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
  throw error;
}
