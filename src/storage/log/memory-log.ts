/** The transaction log in memory: for tests, and for a service that may forget everything. Durable means synced. */
import { InvariantError } from '../../base/invariant.ts';
import { LOG_START, type LogPosition, type LogRange } from '../../model/log-position.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import { FRAME_HEADER_BYTES, FRAME_KINDS, type FrameKind } from './frame.ts';
import { decodeRecord } from './frame-payloads.ts';
import { FramedLog, type FrameReader, type FrameSink } from './framed-log.ts';
import { NO_STREAM } from './held-stream.ts';
import { Layouts } from './layouts.ts';
import { RecentCommits } from './recent-commits.ts';
import type { RecordAt } from './shape-record.ts';
import { TailCache } from './tail-cache.ts';
import type { TransactionLog } from './transaction-log.ts';

const RECENT_BYTES_MAX = 64 * 1024 * 1024;

export function memoryLog(): TransactionLog {
  const frames = new MemoryFrames();
  const [layouts, recent] = [new Layouts(), new RecentCommits(RECENT_BYTES_MAX)];
  const tail = new TailCache(LOG_START, Number.POSITIVE_INFINITY);
  return new FramedLog({ sink: frames, reader: frames, layouts, tail, recent, stream: NO_STREAM });
}

/** Keeps records alone: every transaction stays in the log's cache until it is released. */
class MemoryFrames implements FrameSink, FrameReader {
  end: LogPosition = LOG_START;
  private kept: RecordAt[] = [];

  put(kind: FrameKind, _flags: number, _xid: Xid, payload: Uint8Array): Uint8Array {
    this.end = (this.end + FRAME_HEADER_BYTES + payload.length) as LogPosition;
    if (kind === FRAME_KINDS.record) this.kept.push({ record: decodeRecord(payload), end: this.end });
    return new Uint8Array(payload);
  }

  async flush(): Promise<void> {}

  testify(): void {}

  async release(position: LogPosition): Promise<void> {
    this.kept = this.kept.filter(({ end }) => end > position);
  }

  async close(): Promise<void> {}

  async read(): Promise<never> {
    throw new InvariantError('nobody reads before a released position');
  }

  async *records({ after, through }: LogRange): AsyncIterable<RecordAt> {
    for (const at of this.kept) if (at.end > after && at.end <= through) yield at;
  }
}
