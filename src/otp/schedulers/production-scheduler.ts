/**
 * ProductionScheduler: one mailbox per process, one queue of the processes that have something in theirs.
 *
 * A process gets at most `SLICE_MAX` deliveries in a row, and the loop gives the thread back to I/O behind the delivery
 * with which `BUDGET_MS` are over: neither a busy process nor a busy runtime can starve the rest.
 */
import type { Clock } from '../../base/clock.ts';
import { Ring } from '../../base/ring.ts';
import { nextTurn } from '../../base/turn.ts';
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

class ProductionScheduler implements Scheduler {
  private readonly runQueue = new Ring<Entry>();
  private host: SchedulerHost | undefined;
  private loopIsDue = false;
  private readonly loop = () => this.run();
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

  private run(): void {
    const clock = this.host?.clock;
    if (clock === undefined) return;
    let isIdle = false;
    try {
      isIdle = this.runUntil(clock, clock.nowMs() + BUDGET_MS);
    } finally {
      // A throw that reaches this place comes from no process, and must not stop all of them.
      this.loopIsDue = !isIdle;
      if (!isIdle) nextTurn(this.loop);
    }
  }

  /** @returns whether nothing is left to do. */
  private runUntil(clock: Clock, untilMs: number): boolean {
    do if (!this.step()) return true;
    while (clock.nowMs() < untilMs);
    return false;
  }
}
