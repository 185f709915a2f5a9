/**
 * SeenLog: the transaction log as it lies there, read beside whoever writes it. What recovery would cut off, or begin anew, is left as it
 * is and told.
 *
 * The witness is read before the segments: what it tells must be there, whatever is appended meanwhile.
 */
import { LOG_START, maxPosition, type LogPosition } from '../../model/log-position.ts';
import type { PartitionTree } from '../../model/partition-tree.ts';
import type { TableMembership } from '../../model/table-membership.ts';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { DiskError, LogCorruptError } from '../errors.ts';
import { seeWitness, type SeenWitness } from '../log/durable-witness.ts';
import { NO_STREAM, type HeldStream } from '../log/held-stream.ts';
import { Layouts } from '../log/layouts.ts';
import { LogReader } from '../log/log-reader.ts';
import { checkHeader, learn, learnBehind, streamOf, type Findings } from '../log/log-recovery.ts';
import { RecentCommits } from '../log/recent-commits.ts';
import { SegmentCursor } from '../log/segment-cursor.ts';
import { SegmentFrames } from '../log/segment-frames.ts';
import { SegmentFiles } from '../log/segments.ts';
import type { RecordAt } from '../log/shape-record.ts';
import { TableFacts } from '../log/table-facts.ts';
import type { Damage } from './damage.ts';
import { StaleViewError } from './stale-view-error.ts';

export interface SeenLog {
  readonly segments: SegmentFiles;
  readonly begin: LogPosition;
  /** Behind the last frame that holds. */
  readonly end: LogPosition;
  /** Up to here there is proof that it was durable. */
  readonly durable: LogPosition;
  readonly stream: HeldStream;
  readonly witness: SeenWitness;
  /** Of what was read, in its order. */
  readonly damages: readonly Damage[];
  /** Bytes behind the end: a tail that did not arrive whole, or is being written. */
  readonly tornBytes: number;
  /** @throws {LogCorruptError} */
  records(after: LogPosition): AsyncIterable<RecordAt>;
}

export interface LogScope {
  /** What recovery would read; a damage before it concerns nobody. */
  readonly needs: LogPosition;
  /** The position of the checkpoint: so far the log was durable. */
  readonly durable: LogPosition;
  /** Reads what lies before `needs` as well. */
  readonly isWhole: boolean;
  /** Told how many bytes were read since the last call. */
  readonly read: (bytes: number) => void;
}

/** Recovery remembers where transactions begin; here nobody asks. */
const REMEMBERED_BYTES = 1;

/** @throws {StaleViewError} a segment was released meanwhile. @throws {UnknownContentError | StorageVersionError | DiskError} */
export async function seeLog(disk: Disk, directory: string, scope: LogScope): Promise<SeenLog> {
  const witness = await seeWitness(disk, directory);
  const segments = new SegmentFiles(disk, directory);
  await segments.scan();
  const durable = maxPosition(scope.durable, witness.position);
  const scan = new LogScan(segments, scope, durable);
  await scan.run();
  const { end, damages, tornBytes, findings } = scan;
  const reader = new LogReader(new SegmentFrames(segments));
  return {
    segments, begin: segments.firsts[0] ?? LOG_START, end, witness, damages, tornBytes,
    durable: findings.durable,
    stream: streamOf(findings),
    records: (after) => reader.records({ after, through: end }),
  };
}

class LogScan {
  readonly damages: Damage[] = [];
  readonly findings: Findings;
  end: LogPosition = LOG_START;
  tornBytes = 0;
  /** Recovery begins with this segment, and reads all of it. */
  private readonly needed: LogPosition;

  constructor(
    private readonly segments: SegmentFiles,
    private readonly scope: LogScope,
    durable: LogPosition,
  ) {
    const [trees, memberships] = [new TableFacts<PartitionTree>(), new TableFacts<TableMembership>()];
    const learned = { layouts: new Layouts(), trees, memberships, recent: new RecentCommits(REMEMBERED_BYTES) };
    this.findings = { ...learned, openAfter: undefined, stream: NO_STREAM, commit: undefined, durable };
    this.needed = segments.holding(scope.needs) ?? segments.firsts[0] ?? LOG_START;
  }

  async run(): Promise<void> {
    const { segments, scope, needed, findings } = this;
    const firsts = segments.firsts.filter((first) => scope.isWhole || first >= needed);
    this.end = firsts[0] ?? LOG_START;
    for (const first of firsts) {
      if (first !== this.end) {
        this.note(first <= needed, `The transaction log has a gap: position ${this.end} is followed by a segment that begins at ${first}`);
      }
      this.end = await this.scanSegment(first);
    }
    const [only] = segments.firsts;
    if (segments.firsts.length === 1 && only === this.end && only > LOG_START) {
      this.note(false, `${segments.pathOf(only)}, the only segment of the transaction log, has no header`);
    } else if (this.end < findings.durable) {
      this.note(false, `The transaction log does not hold from position ${this.end} on, and was durable up to ${findings.durable}`);
    }
  }

  /** @returns where the next one must begin. */
  private async scanSegment(first: LogPosition): Promise<LogPosition> {
    const file = await this.open(this.segments.pathOf(first));
    const end = (first + file.size) as LogPosition;
    const next = this.segments.after(first);
    try {
      const held = await this.readFrames(file, first, end);
      if (held === end) return end;
      if (next !== undefined) return this.noteSegment(first, held, next);
      await learnBehind(file, first, held, this.findings);
      this.tornBytes = end - held;
      return held;
    } catch (error) {
      if (error instanceof LogCorruptError) return this.noteSegment(first, error.position, next ?? end); // It has another beginning.
      throw error;
    } finally {
      await file.close();
    }
  }

  /** @returns behind the last frame that holds. */
  private async readFrames(file: DiskFile, first: LogPosition, end: LogPosition): Promise<LogPosition> {
    const { findings, scope, segments } = this;
    const cursor = new SegmentCursor(file, first, first, end);
    for (let frame = await cursor.read(); typeof frame !== 'string'; frame = await cursor.read()) {
      if (frame.start === first) checkHeader(frame, segments.directory, findings);
      else learn(frame, findings);
      scope.read(frame.end - frame.start);
    }
    return cursor.position;
  }

  private async open(path: string): Promise<DiskFile> {
    try {
      return await this.segments.disk.open(path, 'read');
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') throw new StaleViewError(path);
      throw error;
    }
  }

  /** @returns `next`, as if all of it held. */
  private noteSegment(first: LogPosition, at: LogPosition, next: LogPosition): LogPosition {
    const path = this.segments.pathOf(first);
    this.note(first < this.needed, `${path} does not hold from byte ${at - first} on, position ${at} of the transaction log`);
    return next;
  }

  private note(isUnneeded: boolean, found: string): void {
    this.damages.push({ found, consequence: isUnneeded ? 'nothingLost' : 'logBegunAnew' });
  }
}
