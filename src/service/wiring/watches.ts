/**
 * Watches: who looks on while the service works, as the wiring hands them around. Each part that is not there costs nothing: whatever it
 * would be told of is not even put together.
 */
import type { RequestWatch } from '../../http/request-watch.ts';
import type { SubsetSource } from '../../api/subsets/subset-source.ts';
import type { SnapshotTarget, TakenRows } from '../../postgres/snapshot/snapshot-port.ts';
import type { TransactionSink } from '../../postgres/replication/transaction-sink.ts';
import type { PositionKeeper } from '../../actors/collector/log-progress.ts';
import type { Clock } from '../../base/clock.ts';
import type { JoinedLines } from '../../model/joined-lines.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import type { TransactionWatch } from '../../telemetry/transaction-watch.ts';

export interface Watches {
  readonly transactions: TransactionWatch | undefined;
  readonly requests: RequestWatch | undefined;
  /** Told of each snapshot that is asked for. */
  readonly snapshot: ((handle: Handle) => WatchedSnapshot) | undefined;
  /** Told of each subset that is asked for; it is told how that came out. */
  readonly subset: (() => (outcome: string) => void) | undefined;
  readonly cutOff: ((clients: number) => void) | undefined;
  readonly turnedAway: ((connections: number) => void) | undefined;
  readonly requestFailed: (() => void) | undefined;
}

export interface WatchedSnapshot {
  /** It has a connection. */
  running(): void;
  read(bytes: number): void;
  /** Once, and last. */
  ended(outcome: 'completed' | 'failed'): void;
}

/** @param end behind what the sink has taken last. */
export function watchedSink(
  sink: TransactionSink,
  end: () => LogPosition,
  watch: TransactionWatch,
  clock: Pick<Clock, 'epochMicros'>,
): TransactionSink {
  let bytes = 0;
  let begunMicros: number | undefined;
  const forget = (): void => {
    bytes = 0;
    begunMicros = undefined;
  };
  return {
    layout: (layout) => sink.layout(layout),
    changes(xid, fragment) {
      begunMicros ??= clock.epochMicros();
      bytes += fragment.byteLength;
      sink.changes(xid, fragment);
    },
    commit(xid, lsn, endLsn, layouts, figures) {
      sink.commit(xid, lsn, endLsn, layouts, figures);
      watch.committed({ xid, lsn, end: end(), bytes, ...figures, begunMicros: begunMicros ?? clock.epochMicros() });
      forget();
    },
    abandon() {
      sink.abandon();
      forget();
    },
    progress: (lsn, isAsked) => sink.progress(lsn, isAsked),
    get congestion() {
      return sink.congestion;
    },
  };
}

/** Told whenever all shapes that go along have taken the log up to a position. */
export function watchedKeeper(keeper: PositionKeeper, watch: TransactionWatch): PositionKeeper {
  return {
    advance(position) {
      keeper.advance(position);
      watch.shown(position);
    },
    get isHeldUp() {
      return keeper.isHeldUp;
    },
    get: (handle) => keeper.get(handle),
    clone: (fork) => keeper.clone(fork), // A copy is for a search, which nobody watches.
  };
}

export function watchedSnapshot(target: SnapshotTarget, watch: WatchedSnapshot): SnapshotTarget {
  return {
    ...target,
    rows: target.rows && watchedRows(target.rows, watch),
    begin(pgSnapshot) {
      watch.running();
      target.begin(pgSnapshot);
    },
    async complete() {
      await target.complete();
      watch.ended('completed');
    },
    abort(error) {
      target.abort(error);
      watch.ended('failed');
    },
  };
}

function watchedRows(rows: TakenRows, watch: WatchedSnapshot): TakenRows {
  if (rows.as === 'changes') {
    return {
      ...rows,
      async take(fragment: Uint8Array) {
        watch.read(fragment.length);
        await rows.take(fragment);
      },
    };
  }
  return {
    ...rows,
    async take(fragment: JoinedLines) {
      watch.read(fragment.bytes.length);
      await rows.take(fragment);
    },
  };
}

export function watchedSubsets(source: SubsetSource, asked: () => (outcome: string) => void): SubsetSource {
  return {
    language: source.language,
    isFollowed: (handle) => source.isFollowed(handle),
    async read(reader, query) {
      const ended = asked();
      try {
        const read = await source.read(reader, query);
        ended(read.outcome);
        return read;
      } catch (error) {
        ended('failed');
        throw error;
      }
    },
  };
}
