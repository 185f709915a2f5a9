/**
 * Segments: the files of the transaction log. A segment is named by where it begins in the log, so that a position
 * says which file it is in and where; the log is the segments one behind the other, without a gap.
 */
import type { LogPosition } from '../../model/log-position.ts';
import type { Disk } from '../disk/disk.ts';
import { passMissing } from '../errors.ts';
import { WITNESS_NAME, type DurableWitness } from './durable-witness.ts';

const DIGITS = 16;
const NAME_PATTERN = new RegExp(`^\\d{${DIGITS}}\\.log$`);

/** The files alone, for who looks at a log that is another one's. */
export class SegmentFiles {
  /** Where each segment begins, in order. */
  protected starts: LogPosition[] = [];

  constructor(
    readonly disk: Disk,
    readonly directory: string,
  ) {}

  async scan(): Promise<void> {
    this.starts = await segmentStarts(this.disk, this.directory);
  }

  get firsts(): readonly LogPosition[] {
    return this.starts;
  }

  pathOf(first: LogPosition): string {
    return `${this.directory}/${String(first).padStart(DIGITS, '0')}.log`;
  }

  /** The segment that holds the byte behind `position`; undefined when it was released. */
  holding(position: LogPosition): LogPosition | undefined {
    return this.starts.findLast((first) => first <= position);
  }

  /** The segment after the one that begins at `first`. */
  after(first: LogPosition): LogPosition | undefined {
    return this.starts.find((next) => next > first);
  }
}

export class Segments extends SegmentFiles {
  constructor(
    disk: Disk,
    directory: string,
    readonly witness: DurableWitness,
  ) {
    super(disk, directory);
  }

  has(first: LogPosition): boolean {
    return this.starts.includes(first);
  }

  add(first: LogPosition): void {
    this.starts.push(first);
  }

  /** One that is not there is no error: an attempt that was refused may have taken it away. */
  async remove(first: LogPosition): Promise<void> {
    await this.disk.removeFile(this.pathOf(first)).catch(passMissing);
    this.starts = this.starts.filter((start) => start !== first);
  }
}

/** Where the segments in a directory begin, in order. */
export async function segmentStarts(disk: Disk, directory: string): Promise<LogPosition[]> {
  const names = await disk.list(directory);
  const starts = names.filter((name) => NAME_PATTERN.test(name)).map((name) => Number(name.slice(0, DIGITS)));
  return starts.sort((left, right) => left - right) as LogPosition[];
}

/**
 * Takes away a log that cannot be trusted. Its beginning goes first, durably: what a stop leaves of the rest is a log without one, of
 * which no shape comes back. The rest is gone for good with the names of a new log.
 */
export async function removeLog(disk: Disk, directory: string): Promise<void> {
  const names = (await disk.list(directory)).filter((name) => NAME_PATTERN.test(name) || name === WITNESS_NAME);
  const [beginning, ...rest] = names.sort();
  if (beginning === undefined) return;
  await disk.removeFile(`${directory}/${beginning}`);
  await disk.syncDirectory(directory);
  for (const name of rest) await disk.removeFile(`${directory}/${name}`);
}
