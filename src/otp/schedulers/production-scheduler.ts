/**
 * ProductionScheduler: one mailbox per process, one queue of the processes that have something in theirs.
 *
 * A process gets at most `SLICE_MAX` deliveries in a row, and the loop gives the thread back to I/O behind the delivery
 * with which `BUDGET_MS` are over: neither a busy process nor a busy runtime can starve the rest. A delivery that gives way, since somebody
 * waits for what it has brought, has that come next: what is left to deliver goes on behind it, within the same time.
 */
import type { Clock } from '../../base/clock.ts';
import { Ring } from '../../base/ring.ts';
import { behindPromises, nextTurn } from '../../base/turn.ts';
import type { Entry, Mailbox, MessageSignal, Signal } from '../kernel/entry.ts';
import type { Scheduler, SchedulerHost } from './scheduler.ts';

const SLICE_MAX = 32;
const BUDGET_MS = 1;

/** The one that a runtime has by default: it runs by itself, and gives the thread back to I/O every millisecond. */
export function productionScheduler(): Scheduler {
  return new ProductionScheduler();
}

/** All signals in one queue; only `kill` waits behind nothing. */
class FifoMailbox implements Mailbox {
  private readonly signals = new Ring<Signal>();
  kill: Signal | undefined;
  messageCount = 0;

  get length(): number {
    return this.signals.length + (this.kill === undefined ? 0 : 1);
  }

  push(signal: Signal): void {
    if (signal.kind === 'message') this.messageCount += 1;
    if (signal.kind === 'exit' && signal.reason === 'kill') this.kill = signal;
    else this.signals.push(signal);
  }

  shift(): Signal | undefined {
    const signal = this.signals.shift();
    if (signal?.kind === 'message') this.messageCount -= 1;
    return signal;
  }

  takeOldestMessage(): MessageSignal | undefined {
    const oldest = this.signals.take(({ kind }) => kind === 'message');
    if (oldest?.kind !== 'message') return undefined;
    this.messageCount -= 1;
    return oldest;
  }

  clear(): void {
    this.signals.clear();
    this.messageCount = 0;
    this.kill = undefined;
  }
}

/** Why the loop has stopped: nothing is left to deliver, or it goes on in the next turn, or in this one. */
type Stop = 'idle' | 'timeOver' | 'wayGiven';

class ProductionScheduler implements Scheduler {
  private readonly runQueue = new Ring<Entry>();
  private host: SchedulerHost | undefined;
  private loopIsDue = false;
  private readonly loop = () => this.run();
  private isWayGiven = false;
  /** The process whose slice `step` is in, and what is left of it. */
  private running: Entry | undefined;
  private sliceLeft = 0;

  attach(host: SchedulerHost): void {
    this.host = host;
  }

  createMailbox(): Mailbox {
    return new FifoMailbox();
  }

  ready(entry: Entry): void {
    this.runQueue.push(entry);
    if (this.loopIsDue) return;
    this.loopIsDue = true;
    nextTurn(this.loop);
  }

  giveWay(): void {
    this.isWayGiven = true;
  }

  step(): boolean {
    for (;;) {
      if (this.running === undefined) {
        this.running = this.runQueue.shift();
        this.sliceLeft = SLICE_MAX;
      }
      const entry = this.running;
      if (entry === undefined || this.host === undefined) return false;
      if (!entry.isAwake) {
        this.running = undefined; // It hibernates, so it has no mailbox.
        continue;
      }
      const mailbox = entry.mailbox as FifoMailbox;
      const signal = mailbox.kill ?? entry.urgent.shift() ?? mailbox.shift();
      if (signal !== undefined) {
        this.host.deliver(entry, signal);
        this.sliceLeft -= 1;
        if (this.sliceLeft === 0) this.yieldSlice(entry);
        return true;
      }
      entry.scheduled = false;
      this.running = undefined;
    }
  }

  private yieldSlice(entry: Entry): void {
    this.running = undefined;
    this.runQueue.push(entry);
  }

  /** @param untilMs when its time is over, where a part of that has passed. */
  private run(untilMs?: number): void {
    const clock = this.host?.clock;
    if (clock === undefined) return;
    const endMs = untilMs ?? clock.nowMs() + BUDGET_MS;
    let stop: Stop = 'timeOver';
    try {
      stop = this.runUntil(clock, endMs);
    } finally {
      // A throw that reaches this place comes from no process, and must not stop all of them.
      this.loopIsDue = stop !== 'idle';
      if (stop === 'timeOver') nextTurn(this.loop);
      else if (stop === 'wayGiven') behindPromises(() => this.run(endMs));
    }
  }

  private runUntil(clock: Clock, untilMs: number): Stop {
    this.isWayGiven = false;
    for (;;) {
      if (!this.step()) return 'idle';
      if (clock.nowMs() >= untilMs) return 'timeOver';
      if (this.isWayGiven) return 'wayGiven';
    }
  }
}
