/**
 * Time that goes several times as fast once it is told to, for a service in this process of which a test wants to see what it does when
 * it has waited: all its waits are shorter and keep their proportions, and what it waits for is real. Not from the start on: the first
 * one with a storage gives Postgres seconds to answer, and is refused then.
 */
import { type Clock, systemClock, type TimerId } from '../../../src/base/clock.ts';

interface Timer {
  readonly run: () => void;
  readonly dueMs: number;
  system: TimerId;
}

export class QuickClock implements Clock {
  readonly epochMicros = systemClock.epochMicros;
  private readonly timers = new Set<Timer>();
  private readonly wallOffsetMs = systemClock.wallMs() - systemClock.nowMs();
  private times = 1;
  private lastMs = systemClock.nowMs();
  private toldMs = this.lastMs;

  /** @param quickly how many seconds go by in one. */
  constructor(private readonly quickly = 5) {}

  nowMs(): number {
    const nowMs = systemClock.nowMs();
    this.toldMs += (nowMs - this.lastMs) * this.times;
    this.lastMs = nowMs;
    return this.toldMs;
  }

  wallMs(): number {
    return this.nowMs() + this.wallOffsetMs;
  }

  setTimer(callback: () => void, delayMs: number): TimerId {
    const run = (): void => {
      this.timers.delete(timer);
      callback();
    };
    const timer: Timer = { run, dueMs: this.nowMs() + delayMs, system: systemClock.setTimer(run, delayMs / this.times) };
    this.timers.add(timer);
    return timer;
  }

  clearTimer(timer: TimerId): void {
    systemClock.clearTimer((timer as Timer).system);
    this.timers.delete(timer as Timer);
  }

  /** From now on, also of what is waited for already. */
  hurry(): void {
    const nowMs = this.nowMs();
    this.times = this.quickly;
    for (const timer of this.timers) {
      systemClock.clearTimer(timer.system);
      timer.system = systemClock.setTimer(timer.run, (timer.dueMs - nowMs) / this.times);
    }
  }
}
