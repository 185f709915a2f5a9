/**
 * PassedWatch: until the log holds what Postgres had logged up to some place. Postgres is asked again and again how far it has come,
 * since on a quiet database nobody else would say; once for all who wait, who may be thousands.
 */
import type { Clock } from '../../base/clock.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { LogIntake } from './log-intake.ts';

/** The first question goes out at once; what Postgres has yet to flush takes it some milliseconds. */
const ASK_AGAIN_MS = 5;
const ASK_AGAIN_MS_MAX = 200;

interface Waiter {
  readonly lsn: Lsn;
  readonly resolve: () => void;
}

export class PassedWatch {
  private readonly waiters = new Set<Waiter>();
  private isAsking = false;
  /** Between the next two questions. */
  private delayMs = ASK_AGAIN_MS;
  private askSoon: () => void = () => {};

  constructor(
    private readonly intake: Pick<LogIntake, 'hasPassed' | 'whenSynced'>,
    /** Has Postgres asked. */
    private readonly ask: () => void,
    private readonly clock: Clock,
  ) {}

  /** Resolves when every transaction that committed before `lsn` is durable. @throws the reason of `signal`, when it is aborted first. */
  async until(lsn: Lsn, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.intake.hasPassed(lsn)) return;
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        lsn,
        resolve: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      const giveUp = (): void => {
        this.waiters.delete(waiter);
        if (this.waiters.size === 0) this.askSoon();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiters.add(waiter);
      if (!this.isAsking) void this.askWhileAwaited();
      else if (this.delayMs > 2 * ASK_AGAIN_MS) this.askSoon(); // It need not wait as long as the others by now do.
    });
  }

  private async askWhileAwaited(): Promise<void> {
    this.isAsking = true;
    this.delayMs = ASK_AGAIN_MS;
    while (this.waiters.size > 0) {
      this.ask();
      const { delayMs } = this;
      this.delayMs = Math.min(2 * delayMs, ASK_AGAIN_MS_MAX);
      await this.nextSync(delayMs);
      this.settle();
    }
    this.isAsking = false;
  }

  /** Resolves with the next sync, and when it is time to ask again. */
  private async nextSync(delayMs: number): Promise<void> {
    const over = new AbortController();
    this.askSoon = () => {
      this.delayMs = ASK_AGAIN_MS;
      over.abort();
    };
    const timer = this.clock.setTimer(() => over.abort(), delayMs);
    await this.intake.whenSynced(over.signal);
    this.clock.clearTimer(timer);
  }

  private settle(): void {
    for (const waiter of [...this.waiters]) {
      if (!this.intake.hasPassed(waiter.lsn)) continue;
      this.waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
