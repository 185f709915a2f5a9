/** LogReader: the durable frames of the log, from the disk. A frame that does not hold is an error, never skipped. */
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { LogBlock, LoggedTransaction } from '../../model/transaction.ts';
import { LogCorruptError } from '../errors.ts';
import { FRAME_KINDS, type Frame } from './frame.ts';
import { decodeRecord } from './frame-payloads.ts';
import type { FrameReader } from './framed-log.ts';
import { SegmentCursor } from './segment-cursor.ts';
import type { Segments } from './segments.ts';
import type { RecordAt } from './shape-record.ts';
import { TransactionAssembler } from './transaction-assembler.ts';

export class LogReader implements FrameReader {
  constructor(private readonly segments: Segments) {}

  async read(range: LogRange, bytesMax: number): Promise<LogBlock> {
    const assembler = new TransactionAssembler();
    const transactions: LoggedTransaction[] = [];
    let bytes = 0;
    for await (const frame of this.frames(range)) {
      const transaction = assembler.take(frame);
      if (transaction === undefined) continue;
      transactions.push(transaction);
      bytes += transaction.fragments.reduce((sum, fragment) => sum + fragment.length, 0);
      if (bytes >= bytesMax) return { after: range.after, through: transaction.end, transactions };
    }
    return { ...range, transactions };
  }

  async *records(range: LogRange): AsyncGenerator<RecordAt> {
    for await (const frame of this.frames(range)) {
      if (frame.kind === FRAME_KINDS.record) yield { record: decodeRecord(frame.payload), end: frame.end };
    }
  }

  private async *frames({ after, through }: LogRange): AsyncGenerator<Frame> {
    for (let position = after; position < through; ) {
      const first = this.segments.holding(position);
      if (first === undefined) throw new LogCorruptError(position, 'its segment is missing');
      const limit = Math.min(this.segments.after(first) ?? through, through) as LogPosition;
      yield* this.segmentFrames(first, position, limit);
      position = limit;
    }
  }

  private async *segmentFrames(first: LogPosition, from: LogPosition, limit: LogPosition): AsyncGenerator<Frame> {
    const file = await this.segments.disk.open(this.segments.pathOf(first), 'read');
    try {
      const cursor = new SegmentCursor(file, first, from, limit);
      for (let frame = await cursor.read(); frame !== 'end'; frame = await cursor.read()) {
        if (frame === 'broken') throw new LogCorruptError(cursor.position, 'a frame does not hold');
        yield frame;
      }
    } finally {
      await file.close();
    }
  }
}
