/** ProgramLoad: what the program takes of the machine, and how late its event loop is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Timers that are looked at to find out how late they come. */
const RESOLUTION_MS = 20;
const NANOSECONDS = 1_000_000_000;

export interface LoopDelay {
  /** Seconds by which timers were late. */
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

export interface ProgramFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
}

export function programFigures(): ProgramFigures {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1_000_000,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
  };
}

/** Watches the event loop from now on: it wakes fifty times in a second. */
export class LoopWatch {
  private readonly delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.delays.enable();
  }

  /** Since it was last taken. */
  take(): LoopDelay {
    const { mean, max } = this.delays;
    const delay = { mean: late(mean), p99: late(this.delays.percentile(99)), max: late(max) };
    this.delays.reset();
    return delay;
  }

  close(): void {
    this.delays.disable();
  }
}

/** What is measured is the distance of two looks; nothing was measured yet when it is no number. */
function late(nanoseconds: number): number {
  const seconds = nanoseconds / NANOSECONDS - RESOLUTION_MS / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}
