/**
 * The test files, below `test`, that take eight seconds or more on a machine that has nothing else to do, the longest first; but of those
 * that share a process, which are the last, those that wait for something one by one among those that compute.
 */
export const LONG_FILES: readonly string[] = [
  'packaging/package', 'bench/workloads', 'observer/page', 'packaging/dockerfile', 'examples/todo', 'clients/faulty-world', 'bench/otp',
  'oracle/oracle', 'clients/subset-merging', 'torture/torture', 'bench/recovery', 'bench/rolling', 'packaging/api-reference',
  'clients/pglite-sync', 'bench/restart', 'clients/restarted-service', 'operations/high-availability', 'explore/orders',
  'sql/large-values', 'operations/db-connection-scaledown', 'storage/whole/whole-cuts', 'operations/cut-network',
  'conformance/http/clauses', 'explore/splices', 'service/full-disk', 'service/slots/moved-slot', 'commands/cleanup',
  'explore/taken-at-once', 'sql/time-zones-postgres', 'service/tables/missed-changes', 'actors/log-tables-contract',
  'service/tables/published-versions', 'explore/handles', 'service/supervision', 'service/large-transaction',
  'operations/promoted-standby', 'explore/agreement', 'operations/rights-and-limits', 'explore/hand-over', 'storage/refusals',
  'operations/pooled-connections', 'service/outgrown-logs', 'postgres/replication/replication-port', 'service/slow-readers',
  'postgres/snapshot/snapshot-port', 'service/growing-snapshot', 'races/layers', 'service/failing-disk', 'explore/transition-coverage',
  'service/negated-subqueries', 'postgres/connection/lock-port', 'service/catching-up', 'service/read-only-disk',
  'http-cache/kept-answers', 'service/start-without-postgres', 'explore/worlds', 'postgres/replication/unfit-slot',
  'service/tables/partitioned-versions', 'races/hand-over', 'operations/rolling-deploy', 'service/nested-shapes', 'service/large-data',
  'postgres/connection/pool', 'sql/older-versions', 'service/subsets', 'service/tables/altered-tables', 'demo/embedded-postgres',
  'service/dependent-shapes', 'otp/supervision/supervisor-exhaustive', 'postgres/snapshot/rows-thread', 'service/durability',
  'operations/secure-db-connection', 'service/dormant-shapes', 'service/drain', 'telemetry/prometheus', 'service/start-output',
  'storage/whole/whole-damage', 'operations/replication-keepalive-during-backpressure', 'service/thousand-shapes',
];

/** The project of the files that share a process with those before them: of rooms that leave nothing behind there. */
export const SHARED_PROCESS = 'shared';

/** Not those of clients, of examples and of the observer: packages for the browser change what is global. */
export const SHARING_ROOMS = [
  'actors', 'api', 'base', 'bench', 'charts', 'commands', 'conformance', 'demo', 'explore', 'http', 'http-cache', 'library', 'lint',
  'model', 'operations', 'oracle', 'otp', 'packaging', 'postgres', 'races', 'service', 'settings', 'shapes', 'soak', 'sql', 'storage',
  'telemetry', 'torture',
] as const;

const RANKS: ReadonlyMap<string, number> = new Map(LONG_FILES.map((file, index) => [`test/${file}.test.ts`, index]));

/**
 * When a file begins: those of a lower rank before it. The shared project comes behind all others and in one run, for vitest ends its
 * processes where a file of another is in between. So the last files that run are shared ones, and of these too the longest begin.
 */
export function rankOf(path: string, project: string): number {
  const rank = RANKS.get(path) ?? RANKS.size;
  return project === SHARED_PROCESS ? RANKS.size + 1 + rank : rank;
}
