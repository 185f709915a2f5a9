/** Who watches: nobody, unless somebody asked for it, so that nothing is put together for anybody. */
import { trace } from '@opentelemetry/api';
import { AlwaysOffSampler, BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import { UNWATCHED, watchesOf } from '../../../src/service/wiring/telemetry.ts';
import { watchedSink } from '../../../src/service/wiring/watches.ts';
import type { CommittedTransaction, TransactionWatch } from '../../../src/telemetry/transaction-watch.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingSink } from '../../support/postgres/recording-sink.ts';

afterEach(() => trace.disable());

test('without a port for metrics and a provider of traces nobody watches anything', () => {
  expect(watchesOf(undefined, new ManualClock())).toEqual(UNWATCHED);
});

test('with a provider whose sampler takes nothing, a request is followed by nobody', () => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ sampler: new AlwaysOffSampler() }));

  const { requests, subset } = watchesOf(undefined, new ManualClock());

  const follower = requests?.begun({ method: 'GET', route: 'readShape', isLive: true, headers: {} });
  expect([requests === undefined, follower, subset]).toEqual([false, undefined, undefined]);
});

test('a transaction is told once, with what came of it since the one before; one that was given up leaves nothing', () => {
  const clock = new ManualClock(1_000_000);
  const told: CommittedTransaction[] = [];
  const watch: TransactionWatch = { committed: (each) => told.push(each), durable() {}, routed() {}, shown() {} };
  const sink = watchedSink(new RecordingSink(), () => 77 as LogPosition, watch, clock);
  const commit = (xid: number) => {
    const figures = { committedMicros: xid, operations: 1 };
    sink.commit(xid as Xid, String(xid) as Lsn, String(xid + 1) as Lsn, new Set(), figures);
  };

  commit(1);
  sink.abandon();
  clock.advance(1);
  commit(2);

  const common = { end: 77, bytes: 0, operations: 1 };
  expect(told).toEqual([
    { ...common, xid: 1, lsn: '1', committedMicros: 1, begunMicros: 1_000_000 },
    { ...common, xid: 2, lsn: '2', committedMicros: 2, begunMicros: 1_001_000 },
  ]);
});
