/** The transaction log in memory: for tests, and for a service that may forget everything. Durable means synced. */
import { Copies, type Fork, type Forkable } from '../../base/fork.ts';
import { LOG_START, type LogPosition, type LogRange } from '../../model/log-position.ts';
import type { PartitionTree } from '../../model/partition-tree.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { TableMembership } from '../../model/table-membership.ts';
import { FRAME_HEADER_BYTES, type Frame, type FrameKind } from './frame.ts';
import { FramedLog, type FrameSink, type LogParts } from './framed-log.ts';
import { NO_STREAM } from './held-stream.ts';
import { Layouts } from './layouts.ts';
import { LogReader, type FrameSource } from './log-reader.ts';
import { RecentCommits } from './recent-commits.ts';
import { TableFacts } from './table-facts.ts';
import { TailCache } from './tail-cache.ts';
import type { RetainedLog, TransactionLog } from './transaction-log.ts';

const RECENT_BYTES_MAX = 64 * 1024 * 1024;

/** A log of which there can be another one that holds the same. */
export interface MemoryLog extends TransactionLog, Forkable<MemoryLog> {}

/** @param tailBytesMax what the newest transactions may take before they are read from their frames again. */
export function memoryLog(tailBytesMax = RECENT_BYTES_MAX): MemoryLog {
  const [layouts, recent] = [new Layouts(), new RecentCommits(RECENT_BYTES_MAX)];
  const [trees, memberships] = [new TableFacts<PartitionTree>(), new TableFacts<TableMembership>()];
  const tail = new TailCache(LOG_START, tailBytesMax);
  return new KeptLog(new MemoryFrames(), { layouts, trees, memberships, recent, tail, stream: NO_STREAM });
}

class KeptLog extends FramedLog implements MemoryLog {
  private readonly copies = new Copies<KeptLog>();

  constructor(
    private readonly frames: MemoryFrames,
    private readonly known: Pick<LogParts, 'layouts' | 'trees' | 'memberships' | 'recent' | 'tail' | 'stream'>,
    original?: FramedLog,
  ) {
    super({ sink: frames, reader: new LogReader(frames), ...known }, original);
  }

  /** What a reader remembers of large transactions is not copied: a block may then end elsewhere, of the same transactions. */
  clone(fork: Fork): MemoryLog {
    return this.copies.of(fork, () => {
      const { layouts, trees, memberships, recent, tail } = this.known;
      const known = {
        layouts: layouts.clone(), trees: trees.clone(), memberships: memberships.clone(), recent: recent.clone(), tail: tail.clone(),
        stream: this.heldStream,
      };
      return new KeptLog(this.frames.clone(), known, this);
    });
  }
}

class MemoryFrames implements FrameSink, FrameSource {
  end: LogPosition = LOG_START;
  private kept: Frame[] = [];

  get retained(): RetainedLog {
    return { bytes: this.end - (this.kept[0]?.start ?? this.end), segments: 0 };
  }

  put(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): void {
    this.putKept(kind, flags, xid, payload);
  }

  putKept(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): Uint8Array {
    const frame = { kind, flags, xid, payload: new Uint8Array(payload), start: this.end, end: this.end };
    this.end = frame.end = (this.end + FRAME_HEADER_BYTES + payload.length) as LogPosition;
    this.kept.push(frame);
    return frame.payload;
  }

  /** A frame never changes: the copy has the same. */
  clone(): MemoryFrames {
    const copy = new MemoryFrames();
    copy.end = this.end;
    copy.kept = [...this.kept];
    return copy;
  }

  async flush(): Promise<void> {}

  testify(): void {}

  async release(position: LogPosition): Promise<void> {
    this.kept = this.kept.filter(({ end }) => end > position);
  }

  async close(): Promise<void> {}

  async *frames({ after, through }: LogRange): AsyncIterable<Frame> {
    const { kept } = this; // What is released meanwhile is another list.
    for (let index = this.firstBehind(after); index < kept.length; index += 1) {
      const frame = kept[index];
      if (frame === undefined || frame.end > through) return;
      yield frame;
    }
  }

  private firstBehind(position: LogPosition): number {
    let low = 0;
    let high = this.kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.kept[middle]?.end ?? LOG_START) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
