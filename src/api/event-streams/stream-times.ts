/**
 * StreamTimes: when each event stream is to be looked at, because nothing came for long, or because it has been open for long enough. There
 * are thousands, so all of them have one timer; and if it is time for many at once, some have their turn after others.
 */
import { DueQueue, type Due } from '../../base/due-queue.ts';
import type { Clock, TimerId } from '../../base/clock.ts';

/** To look at one, and to write a comment to it, takes some 10 µs. */
const IN_TURN_MAX = 256;

/** What is looked at in time. */
export abstract class TimedStream implements Due<TimedStream> {
  /** Undefined while nobody is to look at it. */
  times: StreamTimes | undefined;
  dueMs = 0;
  before: TimedStream | undefined;
  behind: TimedStream | undefined;

  /** It is time. It says when it is to be looked at again, if it is. */
  abstract tick(): void;
}

export class StreamTimes {
  private readonly queue = new DueQueue<TimedStream>();
  private timer: TimerId | undefined;
  private timerMs = 0;

  constructor(private readonly clock: Pick<Clock, 'nowMs' | 'setTimer' | 'clearTimer'>) {}

  /** In place of the time that was set before. @param dueMs on the clock's monotonic scale. */
  set(stream: TimedStream, dueMs: number): void {
    if (stream.times !== undefined) this.queue.remove(stream);
    stream.times = this;
    stream.dueMs = Math.ceil(dueMs);
    this.queue.add(stream);
    if (this.queue.head === stream) this.setTimer();
  }

  /** It is not looked at any more. */
  clear(stream: TimedStream): void {
    if (stream.times === undefined) return;
    stream.times = undefined;
    this.queue.remove(stream);
    if (this.queue.size === 0) this.clearTimer();
  }

  private readonly look = (): void => {
    this.timer = undefined;
    const nowMs = this.clock.nowMs();
    for (let left = IN_TURN_MAX; left > 0; left -= 1) {
      const { head } = this.queue;
      if (head === undefined || head.dueMs > nowMs) break;
      this.queue.remove(head);
      head.times = undefined;
      head.tick();
    }
    this.setTimer();
  };

  /** Where there is one that comes soon enough, it stays: it finds nobody whose time it is, if that one has gone meanwhile. */
  private setTimer(): void {
    const { head } = this.queue;
    if (head === undefined || (this.timer !== undefined && this.timerMs <= head.dueMs)) return;
    this.clearTimer();
    this.timerMs = head.dueMs;
    this.timer = this.clock.setTimer(this.look, Math.max(0, head.dueMs - this.clock.nowMs()));
  }

  private clearTimer(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    this.timer = undefined;
  }
}
