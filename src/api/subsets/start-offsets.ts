/**
 * StartOffsets: from where a client follows the log that begins with a subset.
 *
 * A client that begins may ask for several subsets at once, and then it follows from the offset of whichever answer comes last. Were
 * that the end of the log as it was for that answer, it would miss for the rows of the others what committed in between. So requests that
 * come soon after each other are told an offset that all of their snapshots have seen: the end as it was for the first of them.
 * What a client is told twice by that, it leaves out by itself, or takes once more.
 *
 * An end is noted when it is read, before the snapshot is taken. Snapshots come to light in any order, and answers too: a request that is
 * noted only then would have told nothing to others that read a later end and were quicker.
 */
import type { Clock } from '../../base/clock.ts';
import { compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';

/** Longer than an answer takes to come. */
const TOGETHER_MS = 60_000;
/** Ends that are read within so short a time are noted as one, the first of them: a minute has so many and no more. */
const ONE_MS = 1_000;
/** Where each has to be known. Of more only the latest are: a minute is shorter where so many begin in it. */
const ENDS_MAX = 256;
const SHAPES_MAX = 10_000;

/** An end from which somebody may follow the log: for how long there have been requests that found it, or a later one, is noted with it. */
interface Noted {
  readonly end: LogOffset;
  readonly firstMs: number;
  readonly lastMs: number;
}

export class StartOffsets {
  /** Of each shape in the order in which they were read. */
  private readonly shapes = new Map<Handle, readonly Noted[]>();

  constructor(private readonly clock: Clock) {}

  /**
   * @param end of the shape's log now: the snapshot of who asks will see what lies before.
   * @param isEachKnown nobody may begin before some end, with the rows of a subquery that has moved. Then all must find the first one
   *   behind it, and none of them may have been noted as one with others that lie before.
   */
  startOf(handle: Handle, end: LogOffset, isEachKnown: boolean): LogOffset {
    const nowMs = this.clock.nowMs();
    const noted = (this.shapes.get(handle) ?? []).filter(({ lastMs }) => nowMs - lastMs < TOGETHER_MS);
    const last = noted.at(-1);
    const isOne = last !== undefined && (last.end === end || (!isEachKnown && nowMs - last.firstMs < ONE_MS));
    const newest = isOne ? { ...last, lastMs: nowMs } : { end, firstMs: nowMs, lastMs: nowMs };
    this.note(handle, [...(isOne ? noted.slice(0, -1) : noted), newest].slice(-ENDS_MAX));
    return earlier(noted[0]?.end ?? end, end);
  }

  /**
   * Nobody who asks from now on may begin at `start`, nor before it.
   *
   * @param end that who asks has found, behind `start`.
   * @returns where others have begun since, at `end` at the latest.
   */
  startBehind(handle: Handle, start: LogOffset, end: LogOffset): LogOffset {
    const nowMs = this.clock.nowMs();
    const later = (this.shapes.get(handle) ?? []).filter((one) => compareOffsets(one.end, start) > 0);
    const [first] = later;
    const isFirst = first === undefined || compareOffsets(end, first.end) < 0; // Its own was forgotten.
    this.note(handle, isFirst ? [{ end, firstMs: nowMs, lastMs: nowMs }, ...later] : later);
    return isFirst ? end : first.end;
  }

  private note(handle: Handle, noted: readonly Noted[]): void {
    this.shapes.delete(handle);
    this.shapes.set(handle, noted);
    for (const oldest of this.shapes.keys()) {
      if (this.shapes.size <= SHAPES_MAX) break;
      this.shapes.delete(oldest);
    }
  }
}

function earlier(start: LogOffset, end: LogOffset): LogOffset {
  return compareOffsets(start, end) < 0 ? start : end;
}
