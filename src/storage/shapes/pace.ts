/**
 * Pace: how far one shape has taken the transaction log. It goes along with the others, or it stands alone at a position
 * of its own.
 *
 * Most shapes are not touched by most transactions. One that goes along has taken whatever all have taken, so nobody writes
 * a position for it. One that stands alone holds the log back until it has come as far as the others: a position that is
 * too far ahead would lose what lies before it.
 */
import type { LogPosition } from '../../model/log-position.ts';
import { compareLsn, LSN_ZERO, type Lsn } from '../../model/lsn.ts';

/** As a checkpoint keeps it: plain JSON. */
export interface PaceState {
  /** Of a shape that stands alone, its place. Of any other, how far it published by itself: perhaps ahead of the others. */
  readonly position: LogPosition;
  /** True while it stands alone. */
  readonly isLagging: boolean;
}

/** @param common how far all shapes have come that go along. */
export function positionOf({ position, isLagging }: PaceState, common: LogPosition): LogPosition {
  return isLagging || position > common ? position : common;
}

/** After a restart: who had come as far as the others goes along with them, whoever waited for it before. */
export function rejoined(pace: PaceState, common: LogPosition): PaceState {
  const { position, isLagging } = pace;
  return isLagging && position >= common ? { position, isLagging: false } : pace;
}

export class Pace {
  private own: LogPosition;
  private isAlone: boolean;
  /** The collector brings it nothing. */
  private isLeftBehind = false;
  private waits: Lsn | undefined;

  /** @param waitsAt of a shape that stood alone before a restart: nobody knows how far the others had come when it left. */
  constructor(
    /** How far those have come that go along. */
    private readonly others: { readonly position: LogPosition },
    { position, isLagging }: PaceState,
    waitsAt?: Lsn,
  ) {
    this.own = position;
    this.isAlone = isLagging;
    this.waits = isLagging ? waitsAt : undefined;
  }

  /** @param others those of the copy. */
  clone(others: { readonly position: LogPosition }): Pace {
    const copy = new Pace(others, this.state, this.waits);
    copy.isLeftBehind = this.isLeftBehind;
    return copy;
  }

  get position(): LogPosition {
    return positionOf(this.state, this.others.position);
  }

  /** While it stands alone: the shape holds what Postgres had logged up to here, and perhaps nothing behind. */
  get waitsAt(): Lsn | undefined {
    return this.waits;
  }

  get state(): PaceState {
    return { position: this.own, isLagging: this.isAlone };
  }

  /** Its snapshot does not see what lies behind `position`: that is still to be taken. */
  goBack(position: LogPosition): void {
    if (this.waits !== undefined) this.waits = LSN_ZERO; // What lies behind there may be as old as anything.
    if (position < this.own) this.own = position;
  }

  /** Whether what all have taken that go along was brought to this one too. */
  get isBrought(): boolean {
    return !this.isLeftBehind;
  }

  /**
   * It has taken the log up to `through`, and joins the others where they are. It never goes back.
   *
   * @param pace `behind` while the others do not wait for it: it stays alone, however far it has come.
   */
  take(through: LogPosition, pace?: 'behind'): void {
    if (through > this.own) this.own = through;
    if (pace === 'behind' || this.isLeftBehind || through < this.others.position) return;
    this.isAlone = false;
    this.waits = undefined;
  }

  /**
   * From here on it stands alone, where it is now.
   *
   * @param at how far in Postgres's log all have come that go along. Of one that stands alone already it says nothing, unless it is lower.
   */
  leave(at: Lsn): void {
    this.own = this.position;
    if (!this.isAlone || this.waits === undefined || compareLsn(at, this.waits) < 0) this.waits = at;
    this.isAlone = true;
  }

  /**
   * The collector goes on without it, and it does not know yet. Until it is brought again what comes, it may take what it had
   * been brought, and does not join by that: what came since is missing.
   */
  leaveBehind(at: Lsn): void {
    this.leave(at);
    this.isLeftBehind = true;
  }

  bringAgain(): void {
    this.isLeftBehind = false;
  }
}
