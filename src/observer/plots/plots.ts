/**
 * Plots: numbers by the second, of the last minutes. They are taken always, so that who comes after something has happened
 * still sees it; so taking them must cost next to nothing: a count for each transaction, and one look at all mailboxes in a second.
 */
import type { Clock, TimerId } from '../../base/clock.ts';
import { lsnOfOffset, type LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { PlotSeries, PlotsView } from '../views/plots.ts';
import { CommitTimes } from './commit-times.ts';

export const MINUTES_MAX = 10;
const SECONDS_MAX = MINUTES_MAX * 60;
const EVERY_MS = 1_000;
/** Latencies of a second that are kept for its percentiles. */
const LATENCIES_MAX = 1_000;
/** Commits that wait to be shown; where more do, the oldest are forgotten, so that a latency is taken when it is at its worst. */
const COMMITS_MAX = 4_096;

type Name = PlotSeries['name'];
type Sample = Readonly<Partial<Record<Name, number>>>;

const UNITS: Readonly<Record<Name, PlotSeries['unit']>> = {
  transactions: 'perSecond',
  published: 'perSecond',
  lines: 'perSecond',
  lineBytes: 'perSecond',
  latencyP50: 'ms',
  latencyP99: 'ms',
  walRetained: 'bytes',
  mailboxMax: 'count',
  mailboxSum: 'count',
  parked: 'count',
  heapBytes: 'bytes',
  rssBytes: 'bytes',
};

interface Second {
  readonly epochSecond: number;
  readonly sample: Sample;
}

export class Plots {
  private readonly seconds: Second[] = [];
  private timer: TimerId | undefined;
  private transactions = 0;
  private published = 0;
  private latencies: number[] = [];
  /** Of commits that no shape has shown yet. */
  private readonly commits = new CommitTimes(COMMITS_MAX);

  /** @param sample the numbers that must be asked for. */
  constructor(
    private readonly clock: Clock,
    private readonly sample: () => Sample,
  ) {
    this.wait();
  }

  /** A transaction came from Postgres. */
  received(lsn: Lsn): void {
    this.transactions += 1;
    this.commits.add(lsn, this.clock.nowMs());
  }

  /**
   * Clients can read a shape up to there. The first shape that shows a transaction tells how long that took; of those before it
   * nobody knows whether any shape shows them.
   */
  shown(end: LogOffset): void {
    this.published += 1;
    const receivedMs = this.commits.take(lsnOfOffset(end));
    if (receivedMs !== undefined && this.latencies.length < LATENCIES_MAX) this.latencies.push(this.clock.nowMs() - receivedMs);
  }

  view(minutes: number): Omit<PlotsView, 'atMs'> {
    const seconds = this.seconds.slice(-Math.round(minutes * 60));
    const names = Object.keys(UNITS) as Name[];
    return {
      seconds: seconds.map(({ epochSecond }) => epochSecond),
      series: names.map((name) => ({ name, unit: UNITS[name], values: seconds.map(({ sample }) => sample[name] ?? null) })),
    };
  }

  close(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
  }

  private wait(): void {
    this.timer = this.clock.setTimer(() => {
      this.take();
      this.wait();
    }, EVERY_MS);
  }

  private take(): void {
    const { transactions, published, latencies } = this;
    [this.transactions, this.published, this.latencies] = [0, 0, []];
    const sample = { ...this.sample(), transactions, published, ...percentiles(latencies) };
    this.seconds.push({ epochSecond: Math.floor(this.clock.epochMicros() / 1_000_000), sample });
    if (this.seconds.length > 2 * SECONDS_MAX) this.seconds.splice(0, SECONDS_MAX);
  }
}

/** Of no transaction there is no latency. */
function percentiles(latencies: number[]): Sample {
  if (latencies.length === 0) return {};
  const sorted = latencies.sort((one, other) => one - other);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { latencyP50: at(0.5), latencyP99: at(0.99) };
}
