/** The test files that take ten seconds or more on a machine that has nothing else to do, the longest first. */
export const LONG_FILES: readonly string[] = [
  'packaging/package', 'service/durability', 'sql/large-values', 'bench/dependent', 'service/tables/missed-changes',
  'service/slots/moved-slot', 'service/large-transaction', 'observer/page', 'conformance/subqueries/middle-shapes', 'explore/orders',
  'clients/faulty-world', 'bench/waiting', 'packaging/dockerfile', 'service/negated-subqueries', 'explore/agreement',
  'service/full-disk', 'conformance/http/clauses', 'sql/time-zones-postgres', 'explore/splices', 'explore/taken-at-once',
  'races/hand-over', 'service/catching-up', 'service/subsets', 'service/supervision', 'sql/values-postgres', 'oracle/oracle',
  'service/nested-shapes', 'examples/todo', 'postgres/catalog/publication', 'races/layers', 'otp/supervision/supervisor-exhaustive',
  'postgres/replication/replication-port', 'bench/restart', 'explore/worlds', 'sql/where-language', 'service/large-data', 'bench/run',
  'bench/otp', 'service/slow-readers', 'actors/log-tables-contract', 'bench/filters', 'explore/transition-coverage',
  'service/growing-snapshot', 'service/failing-disk', 'explore/hand-over', 'clients/subset-merging',
  'service/tables/partitioned-restarts', 'service/thousand-shapes', 'demo/embedded-postgres', 'actors/directory/shape-directory-model',
  'http-cache/kept-answers', 'conformance/where/protocol-forms', 'service/transactions',
];

/** The project of the files that share a process with those before them: of rooms that leave nothing behind there. */
export const SHARED_PROCESS = 'shared';

/** Not those of clients and of the observer: packages for the browser change what is global. */
export const SHARING_ROOMS = [
  'actors', 'api', 'base', 'charts', 'commands', 'conformance', 'demo', 'explore', 'http', 'http-cache', 'library', 'lint', 'model', 'otp',
  'postgres', 'races', 'service', 'settings', 'shapes', 'sql', 'storage', 'telemetry',
] as const;
