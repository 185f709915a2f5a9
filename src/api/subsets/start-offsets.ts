/**
 * StartOffsets: from where a client follows the log that begins with a subset.
 *
 * A client that begins may ask for several subsets at once, and then it follows from the offset of whichever answer comes last. Were
 * that the end of the log as it was for that answer, it would miss for the rows of the others what committed in between. So requests that
 * come soon after each other are told an offset that all of their snapshots have seen: the end as it was at the first of them, or before.
 * What a client is told twice by that, it leaves out by itself, or takes once more.
 */
import type { Clock } from '../../base/clock.ts';
import type { LogOffset } from '../../model/log-offset.ts';
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
    if (known !== undefined && ageMs < TOGETHER_MS) return (known.before ?? known.latest).end;
    const before = ageMs < 2 * TOGETHER_MS ? known?.latest : undefined; // Else nobody is left who asked with it.
    this.shapes.delete(handle);
    this.shapes.set(handle, { latest: now, before });
    for (const oldest of this.shapes.keys()) {
      if (this.shapes.size <= SHAPES_MAX) break;
      this.shapes.delete(oldest);
    }
    return (before ?? now).end;
  }
}
