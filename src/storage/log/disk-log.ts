/** The transaction log on a disk: segments of frames, synced in groups, the newest transactions kept in memory. */
import { invariant } from '../../base/invariant.ts';
import { LOG_START, minPosition, type LogPosition, type LogRange } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { PgSnapshot, Xid } from '../../model/pg-snapshot.ts';
import type { RelationLayout } from '../../model/relation.ts';
import type { LogBlock } from '../../model/transaction.ts';
import type { Disk } from '../disk.ts';
import { FRAME_KINDS } from './frame.ts';
import { encodeJson, LOG_FORMAT } from './frame-payloads.ts';
import { GroupCommit } from './group-commit.ts';
import { Layouts } from './layouts.ts';
import { LogHead, type Settled } from './log-head.ts';
import { LogReader } from './log-reader.ts';
import { recoverLog, type RecoveredLog } from './log-recovery.ts';
import { LogWriter, type Preamble } from './log-writer.ts';
import { RecentCommits } from './recent-commits.ts';
import { Segments } from './segments.ts';
import type { RecordAt, ShapeRecord } from './shape-record.ts';
import { TailCache } from './tail-cache.ts';
import type { TransactionLog } from './transaction-log.ts';

export interface DiskLogOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly segmentBytesMax: number;
  /** What the newest transactions may take of the memory, and of the disk when nobody needs them any more. */
  readonly tailBytesMax: number;
  /** The last checkpoint: recovery reads the log from here. */
  readonly from: LogPosition;
}

/** @throws {LogCorruptError | DiskError | StorageVersionError} nothing was changed, unless the disk failed in between. */
export async function openDiskLog(options: DiskLogOptions): Promise<DiskLog> {
  const { disk, directory, from } = options;
  await disk.makeDirectory(directory);
  const segments = new Segments(disk, directory);
  const layouts = new Layouts();
  const recent = new RecentCommits(options.tailBytesMax);
  const log = new DiskLog(options, segments, layouts, recent, await recoverLog(segments, from, layouts, recent));
  await log.sync();
  return log;
}

export class DiskLog implements TransactionLog {
  private readonly writer: LogWriter;
  private readonly reader: LogReader;
  private readonly tail: TailCache;
  private readonly head: LogHead;
  private readonly commits = new GroupCommit(() => this.flush());
  private durable: Settled;

  constructor(
    { segmentBytesMax, tailBytesMax }: DiskLogOptions,
    private readonly segments: Segments,
    private readonly layouts: Layouts,
    private readonly recent: RecentCommits,
    { end, lastFirst, lastCommitLsn, source }: RecoveredLog,
  ) {
    this.writer = new LogWriter(segments, segmentBytesMax, (first) => this.preamble(first), end, lastFirst ?? end, end);
    this.reader = new LogReader(segments);
    this.tail = new TailCache(end, tailBytesMax);
    this.head = new LogHead(this.writer, layouts, this.tail, recent, lastCommitLsn, source);
    this.durable = this.head.settled;
    if (lastFirst === undefined) this.writer.beginSegment(LOG_START);
  }

  get durableEnd(): LogPosition {
    return this.durable.end;
  }

  get lastCommitLsn(): Lsn {
    return this.head.lastCommitLsn;
  }

  get durableLsn(): Lsn {
    return this.head.durableLsn(this.durable);
  }

  get source(): string {
    return this.head.source;
  }

  appendLayout(layout: Omit<RelationLayout, 'id'>): number {
    return this.head.appendLayout(layout);
  }

  layoutOf(id: number): RelationLayout | undefined {
    return this.layouts.get(id);
  }

  appendChanges(xid: Xid, changes: Uint8Array): void {
    this.head.appendChanges(xid, changes);
  }

  appendCommit(xid: Xid, lsn: Lsn): void {
    this.head.appendCommit(xid, lsn);
  }

  abandon(): void {
    this.head.abandon();
  }

  restart(source: string): void {
    this.head.restart(source);
  }

  appendRecord(record: ShapeRecord): void {
    this.head.appendRecord(record);
  }

  async sync(): Promise<LogPosition> {
    await this.commits.request();
    return this.durable.end;
  }

  async read(range: LogRange, bytesMax: number): Promise<LogBlock> {
    invariant(range.through <= this.durable.end, 'only the durable part of the log is read');
    return this.tail.read(range, bytesMax) ?? (await this.reader.read(range, bytesMax));
  }

  records(after: LogPosition): AsyncIterable<RecordAt> {
    return this.reader.records({ after, through: this.writer.syncedEnd });
  }

  firstUnseen(snapshot: PgSnapshot): LogPosition | undefined {
    return this.recent.firstUnseen(snapshot);
  }

  async release(position: LogPosition): Promise<void> {
    const before = minPosition(position, this.recent.start ?? position);
    for (const first of this.segments.firsts) {
      const next = this.segments.after(first);
      // The next segment repeats all layouts; until its head is durable this one is still needed.
      if (next === undefined || next > before || next >= this.writer.syncedEnd) return;
      await this.segments.remove(first);
    }
  }

  /** After a close in good order the next recovery knows that all of the log was durable. */
  async close(): Promise<void> {
    try {
      await this.sync();
      this.writer.testify();
      await this.sync();
    } finally {
      await this.writer.close();
    }
  }

  private async flush(): Promise<void> {
    const { settled } = this.head;
    await this.writer.flush();
    this.durable = settled;
  }

  private *preamble(first: LogPosition): Iterable<Preamble> {
    const { lastCommitLsn, source } = this.head;
    yield { kind: FRAME_KINDS.segment, payload: encodeJson({ format: LOG_FORMAT, first, lastCommitLsn, source }) };
    for (const layout of this.layouts.all()) yield { kind: FRAME_KINDS.layout, payload: encodeJson(layout) };
  }
}
