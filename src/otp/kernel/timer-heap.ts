/**
 * TimerHeap: all timers of a runtime, over one timer of the clock.
 *
 * A binary heap by deadline, then by order of setting, so that timers of one deadline fire in a fixed order. Setting
 * and cancelling cost O(log n); a cancelled timer leaves at once, because most time-outs never happen.
 */
import type { Clock, TimerId } from '../../base/clock.ts';

/** What the clock can wait for at most, in milliseconds. */
const WAIT_MS_MAX = 2 ** 31 - 1;

export interface HeapTimer {
  readonly deadlineMs: number;
  readonly order: number;
  readonly fire: () => void;
  /** Where it stands in the heap; -1 when it has fired or was cancelled. */
  index: number;
}

export class TimerHeap {
  private readonly clock: Clock;
  private readonly heap: HeapTimer[] = [];
  private ordered = 0;
  private wake: { readonly id: TimerId; readonly deadlineMs: number } | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.heap.length;
  }

  set(delayMs: number, fire: () => void): HeapTimer {
    const timer = { deadlineMs: this.clock.nowMs() + Math.max(0, delayMs), order: this.ordered++, fire, index: this.heap.length };
    this.heap.push(timer);
    this.up(timer);
    if (timer.index === 0) this.rearm();
    return timer;
  }

  /** Whether it is still to fire. */
  isSet(timer: HeapTimer): boolean {
    return timer.index >= 0;
  }

  /** A timer that has fired or was cancelled changes nothing. */
  cancel(timer: HeapTimer): void {
    if (timer.index < 0) return;
    this.remove(timer);
    if (this.heap.length === 0) this.rearm();
  }

  private fireDue(): void {
    this.wake = undefined;
    const nowMs = this.clock.nowMs();
    for (let first = this.heap[0]; first !== undefined && first.deadlineMs <= nowMs; first = this.heap[0]) {
      this.remove(first);
      first.fire();
    }
    this.rearm();
  }

  /** A wake-up that comes too early finds nothing due and does no harm: so it is left when the first timer is cancelled. */
  private rearm(): void {
    const first = this.heap[0];
    if (this.wake !== undefined) {
      if (first !== undefined && this.wake.deadlineMs <= first.deadlineMs) return;
      this.clock.clearTimer(this.wake.id);
      this.wake = undefined;
    }
    if (first === undefined) return;
    const delayMs = Math.min(WAIT_MS_MAX, Math.max(0, Math.ceil(first.deadlineMs - this.clock.nowMs())));
    this.wake = { id: this.clock.setTimer(() => this.fireDue(), delayMs), deadlineMs: first.deadlineMs };
  }

  private remove(timer: HeapTimer): void {
    const last = this.heap.pop();
    if (last !== undefined && last !== timer) {
      last.index = timer.index;
      this.heap[last.index] = last;
      this.up(last);
      this.down(last);
    }
    timer.index = -1;
  }

  private up(timer: HeapTimer): void {
    while (timer.index > 0) {
      const parent = this.heap[(timer.index - 1) >> 1];
      if (parent === undefined || !isBefore(timer, parent)) return;
      this.swap(timer, parent);
    }
  }

  private down(timer: HeapTimer): void {
    for (;;) {
      const left = this.heap[2 * timer.index + 1];
      const right = this.heap[2 * timer.index + 2];
      const child = left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
      if (child === undefined || !isBefore(child, timer)) return;
      this.swap(child, timer);
    }
  }

  private swap(one: HeapTimer, other: HeapTimer): void {
    const index = one.index;
    one.index = other.index;
    other.index = index;
    this.heap[one.index] = one;
    this.heap[other.index] = other;
  }
}

function isBefore(one: HeapTimer, other: HeapTimer): boolean {
  return one.deadlineMs < other.deadlineMs || (one.deadlineMs === other.deadlineMs && one.order < other.order);
}
