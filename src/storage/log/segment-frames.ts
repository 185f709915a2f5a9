/** SegmentFrames: the frames of the log on a disk, segment by segment. */
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import { LogCorruptError } from '../errors.ts';
import type { Frame } from './frame.ts';
import type { FrameSource } from './log-reader.ts';
import { SegmentCursor } from './segment-cursor.ts';
import type { SegmentFiles } from './segments.ts';

export class SegmentFrames implements FrameSource {
  constructor(private readonly segments: SegmentFiles) {}

  async *frames({ after, through }: LogRange): AsyncGenerator<Frame> {
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
