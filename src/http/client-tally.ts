/** ClientTally: clients that something was done to of which an operator has to know. They can be many, and are told in few lines. */
import type { Clock, TimerId } from '../base/clock.ts';

/** Between two lines. */
const TOLD_EVERY_MS = 60_000;

export class ClientTally {
  private untold = 0;
  private timer: TimerId | undefined;

  /** @param tell how many there were since it was last called. */
  constructor(
    private readonly clock: Clock,
    private readonly tell: (count: number) => void,
  ) {}

  /** The first is told at once, and those of the minute behind it at its end. */
  add(): void {
    this.untold += 1;
    if (this.timer === undefined) this.tellUntold();
  }

  /** Nothing is told later. */
  close(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    this.timer = undefined;
    if (this.untold > 0) this.tell(this.untold);
    this.untold = 0;
  }

  private tellUntold(): void {
    this.timer = undefined;
    if (this.untold === 0) return;
    this.tell(this.untold);
    this.untold = 0;
    this.timer = this.clock.setTimer(() => this.tellUntold(), TOLD_EVERY_MS);
  }
}
