/**
 * SplicedViews: by which versions of its inner shapes' values a shape's lines are chosen, and the splices that change them.
 *
 * A splice stands in the transaction log before any line of it is made. It waits here until its lines are published, so that
 * whoever makes them, after whatever crash, makes all of them at the same place.
 */
import { invariant } from '../../base/invariant.ts';
import { BEFORE_ALL, laterOffset, type LogOffset } from '../../model/log-offset.ts';
import type { Splice } from '../log/shape-record.ts';

/** As a checkpoint keeps it: plain JSON. */
export interface ViewsState {
  /** One version for each dependency: of the lines that are published. None before the first snapshot was begun. */
  readonly views: readonly LogOffset[];
  /** The number of the last splice whose lines are published. */
  readonly taken: number;
  /** Behind which the entries of all of them stand, and all that follow. Left out while there was none. */
  readonly first?: LogOffset;
  /** Recorded behind it, in their order. */
  readonly pending: readonly Splice[];
}

export const NO_VIEWS: ViewsState = { views: [], taken: 0, pending: [] };

/** A record that comes again changes nothing. @returns undefined when one is missing before it. */
export function withSplice(state: ViewsState, splice: Splice): ViewsState | undefined {
  const last = state.pending.at(-1)?.number ?? state.taken;
  if (splice.number <= last) return state;
  if (splice.number !== last + 1) return undefined;
  return { ...state, pending: [...state.pending, splice] };
}

export class SplicedViews {
  private published: ViewsState;
  /** How many of the pending ones have their lines in the log, not yet published. */
  private hidden = 0;

  constructor(state: ViewsState) {
    this.published = state;
  }

  get state(): ViewsState {
    return this.published;
  }

  /** By which the next line is chosen. */
  get current(): readonly LogOffset[] {
    return this.published.pending[this.hidden - 1]?.views ?? this.published.views;
  }

  /**
   * No line that comes now stands before it: all splices begin behind it, also those that brought no line. The last one need not be the
   * one that begins last, since one that asks nothing knows less of Postgres's log than one that has asked.
   */
  get placedBehind(): LogOffset {
    const { first = BEFORE_ALL, pending } = this.published;
    return pending.slice(0, this.hidden).reduce((furthest, splice) => laterOffset(furthest, splice.first), first);
  }

  /** Behind all that is recorded. */
  get last(): readonly LogOffset[] {
    return this.published.pending.at(-1)?.views ?? this.published.views;
  }

  /** The next one whose lines are to be made. */
  get next(): Splice | undefined {
    return this.published.pending[this.hidden];
  }

  /** The number of the next one that is recorded. */
  get nextNumber(): number {
    return (this.published.pending.at(-1)?.number ?? this.published.taken) + 1;
  }

  /** The first snapshot is to be chosen by these. */
  begin(views: readonly LogOffset[]): void {
    this.published = { ...this.published, views };
  }

  record(splice: Splice): void {
    const next = withSplice(this.published, splice);
    invariant(next !== undefined, `splice ${splice.number} is the next one`);
    this.published = next;
  }

  /** The lines of the next one are in the log. */
  take(): Splice {
    const { next } = this;
    invariant(next !== undefined, 'a splice is taken once it was recorded');
    this.hidden += 1;
    return next;
  }

  publish(): void {
    if (this.hidden === 0) return;
    const { taken, pending } = this.published;
    const { current: views, placedBehind: first } = this;
    this.published = { views, taken: taken + this.hidden, first, pending: pending.slice(this.hidden) };
    this.hidden = 0;
  }

  discard(): void {
    this.hidden = 0;
  }

  clone(): SplicedViews {
    const copy = new SplicedViews(this.published);
    copy.hidden = this.hidden;
    return copy;
  }
}
