/**
 * Lines in steps: what a reader gets of many lines, each step from where the lines are by the time that it is asked for. So one who
 * reads slowly keeps none in memory that has left it for the files since.
 */
import { invariant } from '../../base/invariant.ts';
import type { EntryRun } from '../../model/log-entry.ts';
import { compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import { ShapeGoneError } from '../errors.ts';
import type { FiledLines } from './filed-lines.ts';
import type { LineBuffer } from './line-buffer.ts';
import type { LinesSource, Succession } from './lines-source.ts';
import { PIECE_BYTES } from './piece.ts';

/** Where the lines of a shape are read. */
export interface LinesRead {
  readonly handle: Handle;
  readonly buffer: LineBuffer;
  readonly filed: FiledLines;
  readonly isGone: () => boolean;
}

export interface Stretch {
  /** Where the lines were when it was decided what the reader gets. */
  readonly source: LinesSource;
  readonly after: LogOffset;
  /** Of the last line. */
  readonly end: LogOffset;
  /** Bytes of that source up to there. */
  readonly endBytes: number;
}

/** @throws {ShapeGoneError} and what reading from the files throws. */
export async function* linesInSteps(lines: LinesRead, stretch: Stretch): AsyncGenerator<EntryRun> {
  const held = new HeldSource(stretch);
  try {
    yield* stepsIn(lines, stretch, held);
  } finally {
    held.release();
  }
}

async function* stepsIn({ handle, buffer, filed, isGone }: LinesRead, { after, end }: Stretch, held: HeldSource): AsyncGenerator<EntryRun> {
  for (let place = after; place !== end; ) {
    if (isGone()) throw new ShapeGoneError(handle);
    held.follow(place);
    const { source, endBytes } = held;
    const saved = source.successor?.from ?? filed.end;
    if (saved.count > 0 && compareOffsets(place, saved.end) < 0) {
      const throughBytes = Math.min(endBytes, saved.bytes);
      const isAll = throughBytes === endBytes;
      for await (const { kind, bytes, goesOn } of source.readLines(place, throughBytes)) yield { kind, bytes, goesOn: goesOn || !isAll };
      place = isAll ? end : saved.end;
    } else {
      const run = buffer.firstRun(place, end, PIECE_BYTES);
      invariant(run !== undefined, 'a line that was published stays in the log');
      yield run;
      place = run.end;
    }
  }
}

/** Where a reader reads. Between two steps, too: from memory it comes to the files, and they must be there then. */
class HeldSource {
  source: LinesSource;
  endBytes: number;
  release: () => void;

  constructor({ source, endBytes }: Stretch) {
    [this.source, this.endBytes] = [source, endBytes];
    this.release = source.hold();
  }

  /** To where the lines behind `place` are now. */
  follow(place: LogOffset): void {
    for (let next = this.source.successor; next !== undefined && isBehind(place, next); next = this.source.successor) {
      const release = next.source.hold();
      this.release();
      [this.source, this.endBytes, this.release] = [next.source, this.endBytes + next.shiftBytes, release];
    }
  }
}

function isBehind(place: LogOffset, { from }: Succession): boolean {
  return compareOffsets(place, from.end) >= 0;
}
