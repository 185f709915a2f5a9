/** A clock that stands still until the test moves it; timers run in the order in which they fall due. */
import type { Clock, TimerId } from '../../src/base/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  private elapsedMs = 0;
  private sleptMs = 0;
  private readonly timers = new Map<TimerId, Timer>();

  constructor(private readonly startMicros: number = Date.UTC(2026, 0, 1) * 1000) {}

  get pendingTimers(): number {
    return this.timers.size;
  }

  nowMs(): number {
    return this.elapsedMs;
  }

  epochMicros(): number {
    return this.startMicros + Math.round(this.elapsedMs * 1000);
  }

  wallMs(): number {
    return this.startMicros / 1000 + this.elapsedMs + this.sleptMs;
  }

  /** The machine sleeps: only the clock on the wall goes on. A negative time sets that back. */
  sleep(forMs: number): void {
    this.sleptMs += forMs;
  }

  setTimer(callback: () => void, delayMs: number): TimerId {
    const timer = Symbol('timer');
    this.timers.set(timer, { dueMs: this.elapsedMs + delayMs, callback });
    return timer;
  }

  clearTimer(timer: TimerId): void {
    this.timers.delete(timer);
  }

  /** The process stands still meanwhile: what falls due is late. */
  standStill(forMs: number): void {
    this.elapsedMs += forMs;
    this.advance(0);
  }

  advance(byMs: number): void {
    const untilMs = this.elapsedMs + byMs;
    for (let next = this.nextDue(untilMs); next !== undefined; next = this.nextDue(untilMs)) {
      const [id, { dueMs, callback }] = next;
      this.timers.delete(id);
      this.elapsedMs = Math.max(this.elapsedMs, dueMs);
      callback();
    }
    this.elapsedMs = untilMs;
  }

  private nextDue(untilMs: number): readonly [TimerId, Timer] | undefined {
    const due = [...this.timers].filter(([, { dueMs }]) => dueMs <= untilMs);
    return due.sort(([, left], [, right]) => left.dueMs - right.dueMs)[0];
  }
}
