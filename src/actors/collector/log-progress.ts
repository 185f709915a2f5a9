/**
 * LogProgress: how far every shape has come. The collector's table, read directly by requests: the LSN that an
 * up-to-date message may promise.
 *
 * It passes a transaction only after every shape that the transaction touches has stored it.
 */
import type { Fork, Forkable } from '../../base/fork.ts';
import type { LogPosition } from '../../model/log-position.ts';
import { LSN_ZERO, maxLsn, type Lsn } from '../../model/lsn.ts';
import type { Handle } from '../../model/shape.ts';
import type { Table } from '../../otp/process.ts';
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
  | { readonly registered: Handle };

/** Remembers, for the next start, that the log before a position has been taken. */
export interface PositionKeeper extends Forkable<PositionKeeper> {
  advance(position: LogPosition): void;
  get(handle: Handle): Pick<ShapeLog, 'leaveBehind' | 'bringAgain'> | undefined;
}

export class LogProgress implements Table<ProgressChange> {
  private lsn: Lsn | undefined;

  constructor(private readonly keeper: PositionKeeper) {}

  /** Every shape has stored all transactions up to here; undefined before the first was seen. */
  get lastProcessedLsn(): Lsn | undefined {
    return this.lsn;
  }

  apply(change: ProgressChange): undefined {
    if ('notTaken' in change) return this.leaveBehind(change.notTaken);
    if ('registered' in change) return void this.keeper.get(change.registered)?.bringAgain();
    const { position, lsn, isCaughtUp } = change;
    this.keeper.advance(position);
    if (isCaughtUp && lsn !== '0') this.lsn = this.lsn === undefined ? lsn : maxLsn(this.lsn, lsn);
  }

  clone(fork: Fork): LogProgress {
    const copy = new LogProgress(this.keeper.clone(fork));
    copy.lsn = this.lsn;
    return copy;
  }

  key(): string {
    return this.lsn ?? '';
  }

  /** A shape must not pass what its Consumer did not take: it would never be brought again, after a restart as well. */
  private leaveBehind(handles: readonly Handle[]): undefined {
    for (const handle of handles) this.keeper.get(handle)?.leaveBehind(this.lsn ?? LSN_ZERO);
  }
}
