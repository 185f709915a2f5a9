/** QueryCounts: the queries that bring rows: first rows of shapes, and subsets that clients ask for. */
import type { Clock } from '../../base/clock.ts';
import type { MadeMetrics } from './made-metrics.ts';

export interface CountedSnapshot {
  /** It has a connection, and its rows come. */
  running(): void;
  read(bytes: number): void;
  /** Once, and last. */
  ended(outcome: 'completed' | 'failed'): void;
}

export class QueryCounts {
  constructor(
    private readonly metrics: MadeMetrics,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {
    for (const state of ['queued', 'running']) metrics.snapshots.set({ state }, 0);
  }

  /** A snapshot was asked for. */
  snapshot(): CountedSnapshot {
    const { snapshots, snapshotBytes, snapshotEnds, snapshotsStored, snapshotMs } = this.metrics;
    const beganMs = this.clock.nowMs();
    let state = 'queued';
    snapshots.inc({ state });
    return {
      running() {
        snapshots.dec({ state });
        state = 'running';
        snapshots.inc({ state });
      },
      read: (bytes) => snapshotBytes.inc(bytes),
      ended: (outcome) => {
        snapshots.dec({ state });
        snapshotEnds.inc({ outcome });
        if (outcome === 'failed') return;
        snapshotsStored.inc();
        snapshotMs.observe(this.clock.nowMs() - beganMs);
      },
    };
  }

  /** A subset was asked for. @returns told once, of how it came out. */
  subset(): (outcome: string) => void {
    const { subsets, subsetResults, subsetSeconds } = this.metrics;
    const beganMs = this.clock.nowMs();
    return (outcome) => {
      subsets.inc({ outcome });
      if (outcome !== 'rows') return;
      subsetResults.inc();
      subsetSeconds.observe((this.clock.nowMs() - beganMs) / 1000);
    };
  }
}
