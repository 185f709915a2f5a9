/** The transaction log in memory: for tests, and for a service that may forget everything. Durable means synced. */
import { LOG_START, type LogPosition, type LogRange } from '../../model/log-position.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import { FRAME_HEADER_BYTES, type Frame, type FrameKind } from './frame.ts';
import { FramedLog, type FrameSink } from './framed-log.ts';
import { NO_STREAM } from './held-stream.ts';
import { Layouts } from './layouts.ts';
import { LogReader, type FrameSource } from './log-reader.ts';
import { RecentCommits } from './recent-commits.ts';
import { TailCache } from './tail-cache.ts';
import type { TransactionLog } from './transaction-log.ts';

const RECENT_BYTES_MAX = 64 * 1024 * 1024;

/** @param tailBytesMax what the newest transactions may take before they are read from their frames again. */
export function memoryLog(tailBytesMax = RECENT_BYTES_MAX): TransactionLog {
  const frames = new MemoryFrames();
  const [layouts, recent] = [new Layouts(), new RecentCommits(RECENT_BYTES_MAX)];
  const tail = new TailCache(LOG_START, tailBytesMax);
  return new FramedLog({ sink: frames, reader: new LogReader(frames), layouts, tail, recent, stream: NO_STREAM });
}

class MemoryFrames implements FrameSink, FrameSource {
  end: LogPosition = LOG_START;
  private kept: Frame[] = [];

  put(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): Uint8Array {
    const frame = { kind, flags, xid, payload: new Uint8Array(payload), start: this.end, end: this.end };
    this.end = frame.end = (this.end + FRAME_HEADER_BYTES + payload.length) as LogPosition;
    this.kept.push(frame);
    return frame.payload;
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
