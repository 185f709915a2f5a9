/**
 * Scheduler: which signal is delivered next.
 *
 * The one promise that every scheduler keeps: signals of one pair of processes arrive in order, and what is urgent for
 * a process comes before its mailbox. Everything else is the scheduler's choice.
 */
import type { Clock } from '../../base/clock.ts';
import type { Entry, Mailbox, Signal } from '../kernel/entry.ts';

export interface SchedulerHost {
  readonly clock: Clock;
  deliver(entry: Entry, signal: Signal): void;
}

/** Decides which signal is delivered next. */
export interface Scheduler {
  /** Called once, by the runtime that it serves. */
  attach(host: SchedulerHost): void;
  /** An empty one, for one process. */
  createMailbox(): Mailbox;
  /** `entry` has something to do. It is said once, and again only after the scheduler found nothing more for it. */
  ready(entry: Entry): void;
  /** Called within a delivery: what it has brought to code outside comes before the next one, where the scheduler runs by itself. */
  giveWay(): void;
  /** Delivers one signal. @returns false when there was none. */
  step(): boolean;
}
