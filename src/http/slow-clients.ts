/** SlowClients: those that were cut off because they did not read. They can be many, and the operator is told in few lines. */
import type { Clock } from '../base/clock.ts';

/** Between two lines. */
const TOLD_EVERY_MS = 60_000;

export class SlowClients {
  private untold = 0;
  private toldMs = Number.NEGATIVE_INFINITY;

  /** @param tell how many there were since it was last called. */
  constructor(
    private readonly clock: Clock,
    private readonly tell: (count: number) => void,
  ) {}

  /** The first is told at once, and what comes soon after with the first that comes later. */
  add(): void {
    this.untold += 1;
    const nowMs = this.clock.nowMs();
    if (nowMs < this.toldMs + TOLD_EVERY_MS) return;
    this.tell(this.untold);
    this.toldMs = nowMs;
    this.untold = 0;
  }
}
