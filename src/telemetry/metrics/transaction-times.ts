/**
 * TransactionTimes: counts transactions, and how long after their commit each was received, was durable, and could be seen by clients.
 *
 * A time is taken by two clocks: the commit's by Postgres's, ours by this machine's. What they differ by is in it; less than nothing is
 * taken for nothing. `shown` is when *every* shape that goes along has the transaction, not the first; so the time holds for each client
 * that waits. One that changed nothing that is followed is counted, and no time is taken: nobody waits for it.
 */
import type { Clock } from '../../base/clock.ts';
import { Ring } from '../../base/ring.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { CommittedTransaction, TransactionWatch } from '../transaction-watch.ts';
import type { MadeMetrics } from './made-metrics.ts';

/** Transactions under way whose time is taken; some 40 bytes each. */
const TIMED_MAX = 50_000;

interface Timed {
  readonly end: LogPosition;
  readonly committedMicros: number;
}

export class TransactionTimes implements TransactionWatch {
  private readonly undurable = new Ring<Timed>();
  private readonly unshown = new Ring<Timed>();

  constructor(
    private readonly metrics: MadeMetrics,
    private readonly clock: Pick<Clock, 'epochMicros'>,
    private readonly timedMax = TIMED_MAX,
  ) {}

  committed({ end, bytes, operations, committedMicros }: CommittedTransaction): void {
    const { received, receivedBytes, receivedOperations, receiveLagMs, untimed } = this.metrics;
    received.inc();
    receivedBytes.inc(bytes);
    receivedOperations.observe(operations);
    receiveLagMs.observe(1000 * secondsBetween(committedMicros, this.clock.epochMicros()));
    if (bytes === 0) return;
    if (this.unshown.length >= this.timedMax) return untimed.inc();
    this.undurable.push({ end, committedMicros });
    this.unshown.push({ end, committedMicros });
  }

  durable(through: LogPosition): void {
    this.observe(this.undurable, through, this.metrics.durableSeconds);
  }

  routed(): void {}

  shown(through: LogPosition): void {
    this.observe(this.unshown, through, this.metrics.clientSeconds);
  }

  /** They are in the order of the log. */
  private observe(waiting: Ring<Timed>, through: LogPosition, histogram: MadeMetrics['clientSeconds']): void {
    const nowMicros = this.clock.epochMicros();
    for (let first = waiting.peek(); first !== undefined && first.end <= through; first = waiting.peek()) {
      waiting.shift();
      histogram.observe(secondsBetween(first.committedMicros, nowMicros));
    }
  }
}

function secondsBetween(fromMicros: number, toMicros: number): number {
  return Math.max(0, toMicros - fromMicros) / 1_000_000;
}
