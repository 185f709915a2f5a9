/**
 * LogProgress: how far every shape has come. The collector's table, read directly by requests: the LSN that an
 * up-to-date message may promise.
 *
 * It passes a transaction only after every shape that the transaction touches has stored it, or lags: then it says nothing of
 * that shape, whose own place is told instead.
 */
import type { Fork, Forkable } from '../../base/fork.ts';
import type { LogPosition } from '../../model/log-position.ts';
import { LSN_ZERO, maxLsn, type Lsn } from '../../model/lsn.ts';
import type { Handle } from '../../model/shape.ts';
import type { Message, Table } from '../../otp/process.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';

export type ProgressChange =
  | {
      readonly position: LogPosition;
      /** What Postgres had said when the log ended where the collector now stands; counts only when `isCaughtUp`. */
      readonly lsn: Lsn;
      readonly isCaughtUp: boolean;
    }
  /**
   * Shapes whose Consumers ended, or were silent for too long, before they had taken what they were brought: told before the
   * position passes it.
   */
  | { readonly notTaken: readonly Handle[] }
  /** The Consumer of this shape has registered. */
  | { readonly registered: Handle }
  /** Who of those that were left behind has not come back since the time before? */
  | 'checkReturns';

/** Remembers, for the next start, that the log before a position has been taken. */
export interface PositionKeeper extends Forkable<PositionKeeper> {
  advance(position: LogPosition): void;
  /** The disk refuses what must be written: whoever is silent may wait for it, and nothing more comes meanwhile. */
  readonly isHeldUp: boolean;
  get(handle: Handle): Pick<ShapeLog, 'leaveBehind' | 'bringAgain'> | undefined;
}

export class LogProgress implements Table<ProgressChange> {
  private lsn: Lsn | undefined;
  /** Shapes that nothing is brought to, each with how often it was looked after. */
  private readonly leftBehind = new Map<Handle, number>();
  /** Somebody looks after them from time to time. */
  private areWatched = false;

  constructor(private readonly keeper: PositionKeeper) {}

  /** Every shape that does not lag has stored all transactions up to here; undefined before the first was seen. */
  get lastProcessedLsn(): Lsn | undefined {
    return this.lsn;
  }

  apply(change: ProgressChange): Message | undefined {
    if (change === 'checkReturns') return this.checkReturns();
    if ('notTaken' in change) return this.leaveBehind(change.notTaken);
    if ('registered' in change) return this.bringAgain(change.registered);
    const { position, lsn, isCaughtUp } = change;
    this.keeper.advance(position);
    if (isCaughtUp && lsn !== '0') this.lsn = this.lsn === undefined ? lsn : maxLsn(this.lsn, lsn);
    return undefined;
  }

  clone(fork: Fork): LogProgress {
    const copy = new LogProgress(this.keeper.clone(fork));
    copy.lsn = this.lsn;
    for (const [handle, looks] of this.leftBehind) copy.leftBehind.set(handle, looks);
    copy.areWatched = this.areWatched;
    return copy;
  }

  key(): string {
    return JSON.stringify([this.lsn ?? '', [...this.leftBehind], this.areWatched]);
  }

  /** A shape must not pass what its Consumer did not take: it would never be brought again, after a restart as well. */
  private leaveBehind(handles: readonly Handle[]): Message | undefined {
    for (const handle of handles) {
      this.keeper.get(handle)?.leaveBehind(this.lsn ?? LSN_ZERO);
      if (!this.leftBehind.has(handle)) this.leftBehind.set(handle, 0);
    }
    if (this.areWatched) return undefined;
    this.areWatched = true;
    return { type: 'return.awaited' };
  }

  private bringAgain(handle: Handle): undefined {
    this.leftBehind.delete(handle);
    this.keeper.get(handle)?.bringAgain();
  }

  private checkReturns(): Message | undefined {
    const overdue: Handle[] = [];
    const isTimeless = this.keeper.isHeldUp;
    for (const [handle, looks] of this.leftBehind) {
      if (isTimeless) this.leftBehind.set(handle, 0); // Its time begins when the disk takes something again.
      else if (this.keeper.get(handle) === undefined) this.leftBehind.delete(handle);
      else if (looks === 0) this.leftBehind.set(handle, 1);
      else overdue.push(handle);
    }
    for (const handle of overdue) this.leftBehind.delete(handle);
    if (overdue.length > 0) return { type: 'shapes.overdue', handles: overdue };
    this.areWatched = this.leftBehind.size > 0;
    return this.areWatched ? { type: 'return.awaited' } : undefined;
  }
}
