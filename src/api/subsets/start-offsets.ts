/**
 * StartOffsets: from where a client follows the log that begins with a subset.
 *
 * A client that begins may ask for several subsets at once, and then it follows from the offset of whichever answer comes last. Were
 * that the end of the log as it was for that answer, it would miss for the rows of the others what committed in between. So requests that
 * come soon after each other are told an offset that all of their snapshots have seen: the end as it was at the first of them, or before.
 * What a client is told twice by that, it leaves out by itself, or takes once more.
 */
import type { Clock } from '../../base/clock.ts';
import { compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';

/** Longer than an answer takes to come. Who begins is told at most three times as much of the log as came before. */
const TOGETHER_MS = 60_000;
const SHAPES_MAX = 10_000;

interface Noted {
  readonly end: LogOffset;
  readonly atMs: number;
}

export class StartOffsets {
  private readonly shapes = new Map<Handle, { readonly latest: Noted; readonly before: Noted | undefined }>();

  constructor(private readonly clock: Clock) {}

  /** @param end of the shape's log now: the snapshot of who asks has seen what lies before. */
  startOf(handle: Handle, end: LogOffset): LogOffset {
    const now = { end, atMs: this.clock.nowMs() };
    const known = this.shapes.get(handle);
    const ageMs = known === undefined ? Infinity : now.atMs - known.latest.atMs;
    if (known !== undefined && ageMs < TOGETHER_MS) return earlier((known.before ?? known.latest).end, end);
    const before = ageMs < 2 * TOGETHER_MS ? known?.latest : undefined; // Else nobody is left who asked with it.
    this.note(handle, now, before);
    return earlier((before ?? now).end, end);
  }

  /**
   * Nobody who asks now may begin at `start`: where others have begun since, or at `end` of the shape's log, from where those begin who
   * come next.
   */
  startBehind(handle: Handle, start: LogOffset, end: LogOffset): LogOffset {
    const current = this.startOf(handle, end);
    if (current !== start) return current;
    this.note(handle, { end, atMs: this.clock.nowMs() }, undefined);
    return end;
  }

  private note(handle: Handle, latest: Noted, before: Noted | undefined): void {
    this.shapes.delete(handle);
    this.shapes.set(handle, { latest, before });
    for (const oldest of this.shapes.keys()) {
      if (this.shapes.size <= SHAPES_MAX) break;
      this.shapes.delete(oldest);
    }
  }
}

/** Who was answered meanwhile may have found a later end than one who had asked before. */
function earlier(start: LogOffset, end: LogOffset): LogOffset {
  return compareOffsets(start, end) < 0 ? start : end;
}
