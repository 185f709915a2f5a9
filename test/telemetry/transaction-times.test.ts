/** How long transactions take: one observation each, when the last of the shapes that go along has it. */
import { expect, test } from 'vitest';
import type { LogPosition } from '../../src/model/log-position.ts';
import type { Lsn } from '../../src/model/lsn.ts';
import type { Xid } from '../../src/model/pg-snapshot.ts';
import { makeMetrics } from '../../src/telemetry/metrics/made-metrics.ts';
import { TransactionTimes } from '../../src/telemetry/metrics/transaction-times.ts';
import { parsedMetrics, pick } from '../support/service/scraped-metrics.ts';

const KEYS = [
  'electric_postgres_replication_transaction_received_count',
  'armature_commit_to_durable_seconds_count', 'armature_commit_to_durable_seconds_sum',
  'armature_commit_to_client_seconds_count', 'armature_commit_to_client_seconds_sum',
  'armature_transactions_untimed_total',
];

function timing(timedMax?: number) {
  const { registry, made } = makeMetrics();
  const clock = { nowMicros: 0, epochMicros: () => clock.nowMicros };
  const times = new TransactionTimes(made, clock, timedMax);
  const commit = (end: number, committedMicros: number, bytes = 10) => {
    const at = { xid: end as Xid, lsn: String(end) as Lsn, end: end as LogPosition, begunMicros: committedMicros };
    times.committed({ ...at, bytes, operations: 1, committedMicros });
  };
  return { clock, times, commit, told: async () => Object.values(pick(parsedMetrics(await registry.metrics()), KEYS)) };
}

test('each is observed once at each stage, from its commit on', async () => {
  const { clock, times, commit, told } = timing();

  commit(10, 1_000_000);
  commit(20, 2_000_000);
  clock.nowMicros = 3_000_000;
  times.durable(20 as LogPosition);
  clock.nowMicros = 4_000_000;
  times.shown(15 as LogPosition);
  const half = await told();
  times.shown(20 as LogPosition);
  times.shown(20 as LogPosition);

  expect([half, await told()]).toEqual([[2, 2, 3, 1, 3, 0], [2, 2, 3, 2, 5, 0]]);
});

test('a clock that is behind that of Postgres makes nothing shorter than nothing', async () => {
  const { times, commit, told } = timing();

  commit(10, 5_000_000);
  times.durable(10 as LogPosition);
  times.shown(10 as LogPosition);

  expect(await told()).toEqual([1, 1, 0, 1, 0, 0]);
});

test('one that changed nothing is counted alone, and so are those beyond what is kept', async () => {
  const { times, commit, told } = timing(1);

  commit(5, 0, 0);
  commit(10, 0);
  commit(20, 0);
  times.durable(20 as LogPosition);
  times.shown(20 as LogPosition);

  expect(await told()).toEqual([3, 1, 0, 1, 0, 1]);
});
