/** `--prometheus-port` on the running service: after known work each metric says exactly that. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { METRICS } from '../../src/telemetry/metrics/catalogue.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { parsedMetrics, pick, scrape, scrapeUntil } from '../support/service/scraped-metrics.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one')");
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'prometheus-port': '0', 'long-poll-timeout': '20s' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

test('counts requests, transactions, snapshots and shapes, and takes the time of each', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  for (const id of [2, 3, 4]) {
    const polled = follower.poll();
    await database.query(`BEGIN; INSERT INTO items VALUES (${id}); DELETE FROM items WHERE id = ${id}; COMMIT`);
    await polled;
  }
  await fetch(`${service.shapeUrl}?table=missing&offset=-1`);
  await fetch(`${service.url}/nowhere`);

  const metrics = await scrapeUntil(service.metricsUrl, 'armature_commit_to_client_seconds_count', 3);

  const expected = {
    'armature_status{status="active"}': 1,
    'armature_status{status="waiting"}': 0,
    armature_postgres_up: 1,
    'electric_plug_serve_shape_requests_count{status="200",live="false",known_error="false"}': 2,
    'electric_plug_serve_shape_requests_count{status="200",live="true",known_error="false"}': 3,
    'electric_plug_serve_shape_requests_count{status="400",live="false",known_error="false"}': 1,
    electric_plug_serve_shape_count: 3,
    electric_plug_serve_shape_duration_count: 3,
    'armature_requests_total{route="unknown",status="404"}': 1,
    'armature_request_duration_seconds_count{route="readShape",live="true"}': 3,
    'armature_requests_open{route="readShape"}': 0,
    armature_live_requests_waiting: 0,
    armature_request_errors_total: 0,
    'electric_admission_control_acquire_limit{kind="existing"}': 10_000,
    'electric_admission_control_reject_count{kind="initial"}': 0,
    electric_postgres_replication_transaction_received_count: 3,
    electric_postgres_replication_transaction_received_operations_sum: 6,
    electric_postgres_replication_transaction_received_receive_lag_count: 3,
    armature_commit_to_durable_seconds_count: 3,
    armature_commit_to_client_seconds_count: 3,
    armature_transactions_untimed_total: 0,
    'armature_snapshots_total{outcome="completed"}': 1,
    electric_storage_snapshot_stored_count: 1,
    electric_storage_make_new_snapshot_stop_duration_count: 1,
    'armature_snapshots{state="queued"}': 0,
    'armature_snapshots{state="running"}': 0,
    electric_shapes_total_shapes_count: 1,
    electric_shapes_active_shapes_count: 1,
    'armature_shapes{life="live"}': 1,
    armature_shapes_ended_total: 0,
    armature_log_segments: 1,
    armature_log_untaken_bytes: 0,
    armature_slot_active: 1,
    'armature_processes{kind="consumer"}': 1,
    'armature_process_ends_total{kind="snapshotter",reason="normal"}': 1,
    'armature_mailbox_length_sum{kind="consumer"}': 0,
  };
  expect(pick(metrics, Object.keys(expected))).toEqual(expected);
});

test('tells what Postgres keeps for the slot, and nothing that is not in the catalogue', async () => {
  const response = await fetch(service.metricsUrl ?? '');
  const text = await response.text();

  const metrics = parsedMetrics(text);
  const told = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  const slot = 'electric_postgres_replication';
  const sizes = [`${slot}_slot_retained_wal_size`, `${slot}_pg_wal_offset`, 'armature_log_bytes'];
  expect({
    status: response.status,
    type: response.headers.get('content-type'),
    names: told.sort(),
    areThere: sizes.map((name) => (metrics.get(name) ?? 0) > 0),
  }).toEqual({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    names: Object.values(METRICS).map(({ name }) => name).sort(),
    areThere: [true, true, true],
  });
});

test('anything but GET /metrics is not found there', async () => {
  const origin = new URL(service.metricsUrl ?? '').origin;

  const answers = await Promise.all([
    fetch(`${origin}/`), fetch(`${origin}/metrics/`), fetch(`${origin}/metrics?x=1`), fetch(`${origin}/metrics`, { method: 'POST' }),
  ]);

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 200, 404]);
});

test('counts a restart by its supervisor, and the end by its reason', async () => {
  const before = await scrape(service.metricsUrl);
  const ended = service.runtime.whenDown('@catch-up-collector');
  service.runtime.exit('@catch-up-collector', 'kill');
  await ended;

  const keys = [
    'armature_supervisor_restarts_total{supervisor="stack/shapes"}',
    'armature_process_ends_total{kind="catch-up-collector",reason="killed"}',
    'armature_process_ends_total{kind="shape-cache",reason="shutdown"}',
  ];
  const counted = async (): Promise<readonly (number | undefined)[]> => {
    const after = await scrape(service.metricsUrl);
    return keys.map((key) => after.get(key));
  };
  await expect.poll(counted).toEqual([6, 1, 1]);
  expect(keys.map((key) => before.get(key) ?? 0)).toEqual([0, 0, 0]);
});
