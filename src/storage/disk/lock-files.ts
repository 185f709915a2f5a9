/**
 * LockFiles: the files by which a storage directory says who works in it, `lock.<number>`. The one with the highest number counts.
 *
 * A lock that is left over is never changed or moved: whoever takes over makes the next number, which only one can make. So two who found
 * the same lock cannot both take it over, and none can mistake a new lock for the old one.
 */
import type { Disk, DiskFile } from './disk.ts';
import { DiskError, passDiskError } from '../errors.ts';
import type { ProcessMark } from './processes.ts';

export interface FoundLock {
  readonly number: number;
  readonly text: string;
  /** Undefined for one that does not say whose it is: its holder was stopped, or its bytes were damaged, before that was on the disk. */
  readonly mark: ProcessMark | undefined;
}

/** Before locks had numbers. */
const UNNUMBERED = 'lock';
const NAME_PATTERN = /^lock\.(\d{1,15})$/;
const BEAT_DIGITS = 12;

export class LockFiles {
  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
  ) {}

  /** In their order. */
  async numbers(): Promise<readonly number[]> {
    const names = await this.disk.list(this.directory);
    const found = names.flatMap((name) => (name === UNNUMBERED ? [0] : (NAME_PATTERN.exec(name)?.slice(1).map(Number) ?? [])));
    return found.sort((left, right) => left - right);
  }

  /** @returns undefined when there is none, or when it went meanwhile. */
  async highest(): Promise<FoundLock | undefined> {
    const number = (await this.numbers()).at(-1);
    return number === undefined ? undefined : await this.read(number);
  }

  /** @returns undefined when there is none of that number. */
  async read(number: number): Promise<FoundLock | undefined> {
    try {
      const file = await this.disk.open(this.pathOf(number), 'read');
      const bytes = await file.read(0, file.size).finally(() => file.close());
      const text = Buffer.from(bytes).toString();
      return { number, text, mark: markOf(text) };
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** @returns false when there is one of that number already. */
  async create(number: number, text: string): Promise<boolean> {
    let file: DiskFile;
    try {
      file = await this.disk.open(this.pathOf(number), 'create');
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      throw error;
    }
    try {
      await file.append(Buffer.from(text)).finally(() => file.close());
      return true;
    } catch (error) {
      await this.remove(number).catch(passDiskError); // It says nothing, and one that finds it must think about it.
      throw error;
    }
  }

  /** Opened and closed each time, so that another machine sees it where the directory is shared. @param text as long as what is there. */
  async overwrite(number: number, text: string): Promise<void> {
    const file = await this.disk.open(this.pathOf(number), 'write');
    await file.overwrite(0, Buffer.from(text)).finally(() => file.close());
  }

  /** One that is not there is no error. */
  async remove(number: number): Promise<void> {
    try {
      await this.disk.removeFile(this.pathOf(number));
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }

  private pathOf(number: number): string {
    return `${this.directory}/${number === 0 ? UNNUMBERED : `lock.${number}`}`;
  }
}

/** @param beat how many signs of life its holder has given: always of one length, so that it can be written over. */
export function lockText({ host, pid, start, place = '' }: ProcessMark, beat: number): string {
  return JSON.stringify({ host, pid, start, place, beat: String(beat).padStart(BEAT_DIGITS, '0') });
}

export function isSameProcess(one: ProcessMark | undefined, other: ProcessMark): boolean {
  if (one === undefined) return false;
  return one.host === other.host && one.pid === other.pid && one.start === other.start && (one.place ?? '') === (other.place ?? '');
}

/** @returns undefined for a text that does not say whose it is. */
export function markOf(text: string): ProcessMark | undefined {
  const read: unknown = jsonOf(text);
  if (typeof read !== 'object' || read === null) return undefined;
  const { host, pid, start, place } = read as Partial<Record<string, unknown>>;
  const isMark = typeof host === 'string' && typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 && typeof start === 'string';
  if (!isMark) return undefined;
  return { host, pid, start, ...(typeof place === 'string' ? { place } : {}) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof DiskError && error.code === code;
}
