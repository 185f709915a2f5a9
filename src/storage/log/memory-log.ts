/** The transaction log in memory: for tests, and for a service that may forget everything. Durable means synced. */
import { invariant } from '../../base/invariant.ts';
import { LOG_START, minPosition, type LogPosition, type LogRange } from '../../model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../model/lsn.ts';
import type { PgSnapshot, Xid } from '../../model/pg-snapshot.ts';
import type { RelationLayout } from '../../model/relation.ts';
import type { LogBlock } from '../../model/transaction.ts';
import { FRAME_HEADER_BYTES, FRAME_KINDS, type FrameKind } from './frame.ts';
import { decodeRecord } from './frame-payloads.ts';
import { GroupCommit } from './group-commit.ts';
import { Layouts } from './layouts.ts';
import { LogHead, type FrameSink, type Settled } from './log-head.ts';
import { RecentCommits } from './recent-commits.ts';
import type { RecordAt, ShapeRecord } from './shape-record.ts';
import { TailCache } from './tail-cache.ts';
import type { TransactionLog } from './transaction-log.ts';

const RECENT_BYTES_MAX = 64 * 1024 * 1024;

class MemorySink implements FrameSink {
  end: LogPosition = LOG_START;
  records: RecordAt[] = [];

  put(kind: FrameKind, _flags: number, _xid: Xid, payload: Uint8Array): Uint8Array {
    this.end = (this.end + FRAME_HEADER_BYTES + payload.length) as LogPosition;
    if (kind === FRAME_KINDS.record) this.records.push({ record: decodeRecord(payload), end: this.end });
    return new Uint8Array(payload);
  }
}

export class MemoryLog implements TransactionLog {
  private readonly sink = new MemorySink();
  private readonly layouts = new Layouts();
  private readonly tail = new TailCache(LOG_START, Number.POSITIVE_INFINITY);
  private readonly recent = new RecentCommits(RECENT_BYTES_MAX);
  private readonly head = new LogHead(this.sink, this.layouts, this.tail, this.recent, LSN_ZERO, '');
  private readonly commits = new GroupCommit(async () => {
    const { settled } = this.head;
    await Promise.resolve();
    this.durable = settled;
  });
  private durable: Settled = this.head.settled;

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
    const block = this.tail.read(range, bytesMax);
    invariant(block !== undefined, 'nobody reads before a released position');
    return block;
  }

  async *records(after: LogPosition): AsyncIterable<RecordAt> {
    for (const at of this.sink.records) if (at.end > after) yield at;
  }

  firstUnseen(snapshot: PgSnapshot): LogPosition | undefined {
    return this.recent.firstUnseen(snapshot);
  }

  async release(position: LogPosition): Promise<void> {
    const before = minPosition(position, this.recent.start ?? position);
    this.tail.forget(before);
    this.sink.records = this.sink.records.filter((at) => at.end > before);
  }

  async close(): Promise<void> {
    await this.sync();
  }
}
