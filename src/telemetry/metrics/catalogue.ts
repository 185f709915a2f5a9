/**
 * The catalogue: every metric that `/metrics` tells, as a table. docs/metrics.md is made from it, and what `ops/` draws and alerts on
 * must stand here.
 *
 * Where ElectricSQL has a metric that says the same, its name is kept (`electric_…`), in its unit: dashboards go on. What is ours
 * begins with `armature_`, in seconds and bytes. What is told of the program as such has the names that all programs on Node have.
 * No label is a shape, a table or a client: there may be ten thousand of each.
 */
export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels?: readonly string[];
  /** Of a histogram. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const MILLISECONDS = SECONDS.map((seconds) => seconds * 1000);
const OPERATIONS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

export const METRICS = {
  // The service.
  build: { name: 'armature_build_info', type: 'gauge', labels: ['version'], help: '1, with the version of Armature' },
  status: {
    name: 'armature_status', type: 'gauge', labels: ['status'],
    help: '1 for what /v1/health says at present (starting, waiting or active), 0 for the others',
  },
  postgresUp: { name: 'armature_postgres_up', type: 'gauge', help: '1 while Postgres answers on the pool for the catalogue' },
  postgresAsleep: {
    name: 'armature_postgres_asleep', type: 'gauge',
    help: '1 while all connections to Postgres are closed because nobody uses it; what is asked of it is not told then',
  },
  scrapeSeconds: { name: 'armature_scrape_duration_seconds', type: 'gauge', help: 'How long the scrape before this one took' },

  // Requests.
  serveCount: { name: 'electric_plug_serve_shape_count', type: 'counter', help: 'Reads of a shape that did not wait for changes' },
  serveMs: {
    name: 'electric_plug_serve_shape_duration', type: 'histogram', buckets: MILLISECONDS,
    help: 'Milliseconds from such a request to the last byte of its answer',
  },
  serveRequests: {
    name: 'electric_plug_serve_shape_requests_count', type: 'counter', labels: ['status', 'known_error', 'live'],
    help: 'All reads of a shape; known_error: refused for a reason that an operator knows',
  },
  requests: {
    name: 'armature_requests_total', type: 'counter', labels: ['route', 'status'],
    help: 'Requests that are over, by route; status is none where the client went before an answer',
  },
  requestSeconds: {
    name: 'armature_request_duration_seconds', type: 'histogram', labels: ['route', 'live'], buckets: SECONDS,
    help: 'From a request to the last byte of its answer; live ones wait for a change by intent',
  },
  requestsOpen: { name: 'armature_requests_open', type: 'gauge', labels: ['route'], help: 'Requests under way' },
  requestErrors: { name: 'armature_request_errors_total', type: 'counter', help: 'Requests that ended in an error of Armature itself' },
  liveParked: { name: 'armature_live_requests_waiting', type: 'gauge', help: 'Long polls and event streams that wait for a change' },
  streamsOpen: { name: 'armature_event_streams_open', type: 'gauge', help: 'Event streams (server-sent events) that are open' },
  cutOff: {
    name: 'armature_clients_cut_off_total', type: 'counter',
    help: 'Clients cut off because they did not read; those of the last minute may be missing',
  },
  turnedAway: {
    name: 'armature_connections_turned_away_total', type: 'counter',
    help: 'Connections closed at once because the process may have no more files open; those of the last minute may be missing',
  },
  admitted: {
    name: 'electric_admission_control_acquire_current', type: 'gauge', labels: ['kind'],
    help: 'Requests that are admitted at present: initial may make a shape, existing read one',
  },
  admissionLimit: { name: 'electric_admission_control_acquire_limit', type: 'gauge', labels: ['kind'], help: 'How many may be' },
  refused: {
    name: 'electric_admission_control_reject_count', type: 'counter', labels: ['kind'],
    help: 'Requests refused because too many were under way',
  },
  subsetResults: {
    name: 'electric_subqueries_subset_result_count', type: 'counter', help: 'Subset snapshots that were answered with rows',
  },
  subsets: {
    name: 'armature_subset_queries_total', type: 'counter', labels: ['outcome'],
    help: 'Subset snapshots that were asked for: rows, over, moved, refused, or failed',
  },
  subsetSeconds: {
    name: 'armature_subset_query_duration_seconds', type: 'histogram', buckets: SECONDS,
    help: 'From the question to the first row of a subset snapshot, the wait for a connection included',
  },

  // Transactions.
  received: {
    name: 'electric_postgres_replication_transaction_received_count', type: 'counter', help: 'Transactions received from Postgres',
  },
  receivedBytes: {
    name: 'electric_postgres_replication_transaction_received_bytes', type: 'counter',
    help: 'Bytes of changes received, as they are written into the transaction log',
  },
  receivedOperations: {
    name: 'electric_postgres_replication_transaction_received_operations', type: 'histogram', buckets: OPERATIONS,
    help: 'Row operations of each transaction',
  },
  receiveLagMs: {
    name: 'electric_postgres_replication_transaction_received_receive_lag', type: 'histogram', buckets: MILLISECONDS,
    help: 'Milliseconds from the commit, by the clock of Postgres, to its receipt, by ours',
  },
  durableSeconds: {
    name: 'armature_commit_to_durable_seconds', type: 'histogram', buckets: SECONDS,
    help: 'From the commit, by the clock of Postgres, until the transaction is durable here, by ours',
  },
  clientSeconds: {
    name: 'armature_commit_to_client_seconds', type: 'histogram', buckets: SECONDS,
    help: 'From the commit, by the clock of Postgres, until every shape that goes along shows it to its clients, by ours',
  },
  untimed: {
    name: 'armature_transactions_untimed_total', type: 'counter',
    help: 'Transactions that no time was taken of, because too many were under way',
  },

  // The log and the shapes.
  logBytes: { name: 'armature_log_bytes', type: 'gauge', help: 'What is kept of the transaction log' },
  logSegments: { name: 'armature_log_segments', type: 'gauge', help: 'Files that it lies in' },
  logBehind: { name: 'armature_log_untaken_bytes', type: 'gauge', help: 'What of it is durable, and the shapes have yet to take' },
  logPinned: {
    name: 'armature_checkpoint_lag_bytes', type: 'gauge',
    help: 'What of it is needed still: by the next restart, as the last checkpoint has it, or by a shape that lags',
  },
  unsaved: { name: 'armature_unsaved_bytes', type: 'gauge', help: 'Lines of shapes in memory that no checkpoint has brought to the disk' },
  storageBytes: {
    name: 'armature_storage_bytes', type: 'gauge', labels: ['kind'],
    help: 'What the storage has, by kind: log, checkpoints, snapshots, lines (with their index, and those in memory)',
  },
  storageBytesMax: { name: 'armature_storage_limit_bytes', type: 'gauge', help: 'From so many bytes of snapshots and lines on shapes end' },
  shapesMax: { name: 'armature_shapes_limit', type: 'gauge', help: 'Beyond so many shapes the longest unread end' },
  limitEnds: { name: 'armature_limits_ended_total', type: 'counter', help: 'Shapes that a limit has ended: by age, number or bytes' },
  limitRefusals: { name: 'armature_limits_refused_total', type: 'counter', help: 'New shapes that were refused because there was no room' },
  storageRefused: {
    name: 'armature_storage_refused_total', type: 'counter', labels: ['code'],
    help: 'What the disk has refused, attempts to do it again included, by the code: ENOSPC, EDQUOT, EIO, EROFS, EMFILE or ENFILE',
  },
  totalShapes: { name: 'electric_shapes_total_shapes_count', type: 'gauge', help: 'Shapes that are served' },
  activeShapes: { name: 'electric_shapes_active_shapes_count', type: 'gauge', help: 'Shapes whose process is awake' },
  shapes: {
    name: 'armature_shapes', type: 'gauge', labels: ['life'],
    help: 'Shapes by what becomes of them: reserved, starting, live, dormant, condemned',
  },
  shapesEnded: { name: 'armature_shapes_ended_total', type: 'counter', help: 'Shapes that ended since the shapes were started' },
  snapshots: {
    name: 'armature_snapshots', type: 'gauge', labels: ['state'],
    help: 'First rows of shapes that are asked for: queued waits for a connection, running is read',
  },
  snapshotEnds: { name: 'armature_snapshots_total', type: 'counter', labels: ['outcome'], help: 'Those that were completed, or failed' },
  snapshotsStored: { name: 'electric_storage_snapshot_stored_count', type: 'counter', help: 'Snapshots that were stored as a whole' },
  snapshotBytes: { name: 'electric_storage_snapshot_stored_bytes', type: 'counter', help: 'Bytes of rows read for snapshots' },
  snapshotMs: {
    name: 'electric_storage_make_new_snapshot_stop_duration', type: 'histogram', buckets: MILLISECONDS,
    help: 'Milliseconds from the request for a snapshot until it is stored, the wait for a connection included',
  },

  // Postgres.
  walOffset: { name: 'electric_postgres_replication_pg_wal_offset', type: 'gauge', help: 'Where the WAL of Postgres ends, in bytes' },
  walRetained: {
    name: 'electric_postgres_replication_slot_retained_wal_size', type: 'gauge', help: 'Bytes of WAL that Postgres keeps for our slot',
  },
  flushLag: {
    name: 'electric_postgres_replication_slot_confirmed_flush_lsn_lag', type: 'gauge',
    help: 'Bytes of WAL behind what we have confirmed to be durable here',
  },
  slotActive: { name: 'armature_slot_active', type: 'gauge', help: '1 while somebody streams from our slot' },
  slotSafe: {
    name: 'armature_slot_safe_wal_bytes', type: 'gauge',
    help: 'Bytes of WAL that may yet be written before Postgres may drop what our slot needs; absent where it sets no limit',
  },

  // The tree.
  restarts: {
    name: 'armature_supervisor_restarts_total', type: 'counter', labels: ['supervisor'], help: 'Processes that a supervisor started again',
  },
  ends: {
    name: 'armature_process_ends_total', type: 'counter', labels: ['kind', 'reason'],
    help: 'Processes that ended, by kind and exit reason: normal, shutdown, killed, noproc, error',
  },
  processes: { name: 'armature_processes', type: 'gauge', labels: ['kind'], help: 'Living processes' },
  hibernating: { name: 'armature_processes_hibernating', type: 'gauge', labels: ['kind'], help: 'Those of them that hibernate' },
  mailboxMax: {
    name: 'armature_mailbox_length_max', type: 'gauge', labels: ['kind'], help: 'The longest mailbox of a kind, postponed events included',
  },
  mailboxSum: { name: 'armature_mailbox_length_sum', type: 'gauge', labels: ['kind'], help: 'All mailboxes of a kind together' },

  // The program.
  startTime: { name: 'process_start_time_seconds', type: 'gauge', help: 'When the program was started, since 1970-01-01 UTC' },
  cpu: { name: 'process_cpu_seconds_total', type: 'counter', help: 'Processor time' },
  resident: { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory' },
  heapUsed: { name: 'nodejs_heap_size_used_bytes', type: 'gauge', help: 'Of the heap of V8, what is used' },
  heapTotal: { name: 'nodejs_heap_size_total_bytes', type: 'gauge', help: 'The heap of V8' },
  external: { name: 'nodejs_external_memory_bytes', type: 'gauge', help: 'Memory outside of the heap, buffers above all' },
  loopLagMean: { name: 'nodejs_eventloop_lag_mean_seconds', type: 'gauge', help: 'By how much timers were late since the last scrape' },
  loopLagP99: { name: 'nodejs_eventloop_lag_p99_seconds', type: 'gauge', help: 'Of that, what one in a hundred exceeded' },
  loopLagMax: { name: 'nodejs_eventloop_lag_max_seconds', type: 'gauge', help: 'Of that, the most' },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricKey = keyof typeof METRICS;
