/**
 * SharedWait: one question to a process, for all requests that wait for its answer.
 *
 * A question of each request would stay with the process when the request gives up. While Postgres is away for hours and
 * clients ask again and again, the process would gather them all.
 */
import type { Clock } from '../../base/clock.ts';

export class SharedWait {
  private readonly waiting = new Set<(isSo: boolean) => void>();
  private isAsked = false;

  /** @param ask resolves with true when what is waited for has come, and with false when nobody can say any more. */
  constructor(
    private readonly ask: () => Promise<boolean>,
    private readonly clock: Pick<Clock, 'setTimer' | 'clearTimer'>,
  ) {}

  /** @returns false when `timeoutMs` passed first, or when nobody could say. */
  until(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isSo: boolean): void => {
        this.clock.clearTimer(timer);
        this.waiting.delete(settle);
        resolve(isSo);
      };
      const timer = this.clock.setTimer(() => settle(false), timeoutMs);
      this.waiting.add(settle);
      if (!this.isAsked) void this.askOnce();
    });
  }

  private async askOnce(): Promise<void> {
    this.isAsked = true;
    const isSo = await this.ask();
    this.isAsked = false;
    for (const settle of this.waiting) settle(isSo);
  }
}
