/**
 * The test files, below `test`, that take ten seconds or more on a machine that has nothing else to do, the longest first; but those that
 * wait for timers of the service one by one among those that compute.
 */
export const LONG_FILES: readonly string[] = [
  'packaging/package', 'observer/page', 'bench/workloads', 'clients/faulty-world', 'bench/rolling', 'packaging/dockerfile',
  'examples/todo', 'clients/restarted-service', 'bench/otp', 'clients/subset-merging', 'service/failing-disk', 'sql/large-values',
  'service/hanging-disk',
  'service/large-transaction', 'service/supervision', 'service/slots/moved-slot', 'service/tables/missed-changes', 'service/full-disk',
  'service/tables/published-versions', 'service/durability', 'service/slots/foreign-slot', 'storage/whole/whole-cuts',
  'conformance/subqueries/middle-shapes', 'explore/orders', 'operations/high-availability', 'storage/whole/whole-damage',
  'sql/where-postgres', 'service/negated-subqueries', 'explore/agreement', 'conformance/http/clauses', 'operations/cut-network',
  'sql/time-zones-postgres', 'explore/splices', 'explore/taken-at-once', 'races/hand-over', 'service/catching-up', 'service/limits',
  'service/subsets', 'sql/values-postgres', 'service/nested-shapes', 'postgres/catalog/publication', 'races/layers',
  'service/tables/partitioned-versions', 'operations/secure-db-connection', 'otp/supervision/supervisor-exhaustive',
  'postgres/replication/replication-port', 'service/tables/partitioned-tables-property', 'explore/worlds', 'sql/where-language',
  'sql/older-versions', 'postgres/replication/unfit-slot', 'service/read-only-disk', 'service/large-data', 'service/slow-readers',
  'actors/log-tables-contract', 'explore/transition-coverage', 'service/growing-snapshot', 'operations/promoted-standby',
  'explore/hand-over', 'service/tables/partitioned-restarts', 'service/thousand-shapes', 'postgres/other-versions',
  'demo/embedded-postgres', 'actors/directory/shape-directory-model', 'service/outgrown-logs', 'http-cache/kept-answers',
  'conformance/where/protocol-forms', 'service/transactions',
];

/** The project of the files that share a process with those before them: of rooms that leave nothing behind there. */
export const SHARED_PROCESS = 'shared';

/** Not those of clients and of the observer: packages for the browser change what is global. */
export const SHARING_ROOMS = [
  'actors', 'api', 'base', 'charts', 'commands', 'conformance', 'demo', 'explore', 'http', 'http-cache', 'lint', 'model', 'operations',
  'otp', 'postgres', 'races', 'service', 'settings', 'shapes', 'sql', 'storage', 'telemetry',
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
