/**
 * The settings: one table from which flags, variables, defaults and the help text all follow.
 *
 * Each can be set as `--flag`, as `ARMATURE_FLAG`, or under the name that ElectricSQL has for it.
 */
import type * as z from 'zod';
import {
  ageMs, answerMs, bytesMax, databaseUrl, durationMs, flag, idleMs, integer, INTEGER_MAX, logBytesMax, logLevel, optionalFlag, optionalText,
  requestLimits, storageKind, streamId, text, waitMs,
} from './setting-types.ts';

export interface Setting {
  /** Of the flag `--name`; `ARMATURE_NAME` is its variable. */
  readonly flag: string;
  readonly type: z.ZodType;
  /** Variables that are read when ours is not set. */
  readonly electric: readonly string[];
  /** What stands for the value in the help; undefined for a setting that is on or off. */
  readonly value?: string;
  readonly help: string;
}

export type Settings = { readonly [Name in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[Name]['type']> };

export const SETTINGS = {
  databaseUrl: {
    flag: 'database-url',
    value: 'URL',
    type: databaseUrl.optional(),
    electric: ['DATABASE_URL'],
    help: 'the database to follow: postgresql://user:password@host:5432/database',
  },
  pooledDatabaseUrl: {
    flag: 'pooled-database-url',
    value: 'URL',
    type: databaseUrl.optional(),
    electric: ['ELECTRIC_POOLED_DATABASE_URL', 'ELECTRIC_QUERY_DATABASE_URL'],
    help: 'where snapshots are queried, through a pooler (default: the database)',
  },
  databaseCaFile: {
    flag: 'database-ca-certificate-file',
    value: 'PATH',
    type: optionalText,
    electric: ['ELECTRIC_DATABASE_CA_CERTIFICATE_FILE'],
    help: 'who must have signed the certificate of the database (default: as its sslmode says)',
  },
  secret: {
    flag: 'secret',
    value: 'TEXT',
    type: optionalText,
    electric: ['ELECTRIC_SECRET'],
    help: 'what clients must send as ?secret=…',
  },
  insecure: {
    flag: 'insecure',
    type: flag(false),
    electric: ['ELECTRIC_INSECURE'],
    help: 'let everybody read who can reach the port',
  },
  port: {
    flag: 'port',
    value: 'NUMBER',
    type: integer(0, 65_535).default(3000),
    electric: ['ELECTRIC_PORT'],
    help: 'where to listen (default: 3000; 0: any)',
  },
  host: {
    flag: 'host',
    value: 'ADDRESS',
    type: optionalText,
    electric: [],
    help: 'the address to listen on (default: all of IPv4; demo: 127.0.0.1)',
  },
  listenOnIpv6: { flag: 'listen-on-ipv6', type: flag(false), electric: ['ELECTRIC_LISTEN_ON_IPV6'], help: 'listen on IPv6 too' },
  enableDeletion: {
    flag: 'enable-deletion',
    type: flag(false),
    electric: ['ELECTRIC_ENABLE_INTEGRATION_TESTING'],
    help: 'let clients delete shapes, as test suites do',
  },
  longPollTimeoutMs: {
    flag: 'long-poll-timeout',
    value: 'DURATION',
    type: durationMs.default(20_000),
    electric: ['ELECTRIC_LONG_POLL_TIMEOUT'],
    help: 'how long a live request waits (default: 20s)',
  },
  chunkBytesMax: {
    flag: 'shape-chunk-bytes-threshold',
    value: 'BYTES',
    type: integer(1, INTEGER_MAX).default(10 * 1024 * 1024),
    electric: ['ELECTRIC_SHAPE_CHUNK_BYTES_THRESHOLD'],
    help: 'size at which a response ends and the next begins (default: 10485760)',
  },
  keepEveryUpdate: {
    flag: 'keep-every-update',
    type: flag(false),
    electric: [],
    help: 'compact no log, and start no shape over for it: each update of a row can be read by itself',
  },
  cacheMaxAgeSeconds: {
    flag: 'cache-max-age',
    value: 'SECONDS',
    type: integer(0, INTEGER_MAX).default(60),
    electric: ['ELECTRIC_CACHE_MAX_AGE'],
    help: 'how long caches may keep a catch-up response (default: 60)',
  },
  cacheStaleAgeSeconds: {
    flag: 'cache-stale-age',
    value: 'SECONDS',
    type: integer(0, INTEGER_MAX).default(300),
    electric: ['ELECTRIC_CACHE_STALE_AGE'],
    help: 'how long they may serve it while they ask anew (default: 300)',
  },
  maxConcurrentRequests: {
    flag: 'max-concurrent-requests',
    value: 'JSON',
    type: requestLimits.default({ initial: 300, existing: 10_000 }),
    electric: ['ELECTRIC_MAX_CONCURRENT_REQUESTS'],
    help: 'requests at once (default: {"initial":300,"existing":10000})',
  },
  storage: {
    flag: 'storage',
    value: 'disk|memory',
    type: storageKind.default('disk'),
    electric: ['ELECTRIC_STORAGE'],
    help: 'where logs are kept (default: disk)',
  },
  storageDirectory: {
    flag: 'storage-dir',
    value: 'PATH',
    type: text.default('./.armature/storage'),
    electric: ['ELECTRIC_STORAGE_DIR'],
    help: 'the directory of the logs (default: ./.armature/storage)',
  },
  storageBytesMax: {
    flag: 'max-storage-size',
    value: 'BYTES',
    type: bytesMax.optional(),
    electric: [],
    help: 'from so many bytes of shapes on the longest unread end, new ones are refused (default: no limit)',
  },
  maxShapes: {
    flag: 'max-shapes',
    value: 'NUMBER',
    type: integer(1, INTEGER_MAX).optional(),
    electric: ['ELECTRIC_MAX_SHAPES'],
    help: 'beyond so many the longest unread shapes end (default: no limit)',
  },
  shapeExpireAfterMs: {
    flag: 'shape-expire-after',
    value: 'DURATION',
    type: ageMs.optional(),
    electric: [],
    help: 'how long a shape may be unread before it ends (default: for ever)',
  },
  shapeLogBytesMax: {
    flag: 'max-shape-log-size',
    value: 'BYTES',
    type: logBytesMax.default(1024 * 1024 * 1024),
    electric: [],
    help: 'a log of so many bytes, 65536 or more, and 8 times its rows starts over (default: 1073741824)',
  },
  replicationStreamId: {
    flag: 'replication-stream-id',
    value: 'NAME',
    type: streamId.default('default'),
    electric: ['ELECTRIC_REPLICATION_STREAM_ID'],
    help: 'suffix of the publication and the replication slot (default: default)',
  },
  cleanupReplicationSlots: {
    flag: 'cleanup-replication-slots-on-shutdown',
    type: flag(false),
    electric: ['CLEANUP_REPLICATION_SLOTS_ON_SHUTDOWN'],
    help: 'use a replication slot that ends with its connection, and the shapes with it',
  },
  takeOverSlot: {
    flag: 'take-over-slot',
    type: flag(false),
    electric: [],
    help: 'drop a replication slot of that name that Armature did not make, and its position with it',
  },
  manualTablePublishing: {
    flag: 'manual-table-publishing',
    type: flag(false),
    electric: ['ELECTRIC_MANUAL_TABLE_PUBLISHING'],
    help: 'never alter a table, nor what the publication publishes',
  },
  publicationCheckEveryMs: {
    flag: 'publication-refresh-period',
    value: 'DURATION',
    type: durationMs.default(10_000),
    electric: ['ELECTRIC_TWEAKS_PUBLICATION_REFRESH_PERIOD'],
    help: 'how often the publication is held against the shapes (default: 10s)',
  },
  retainedWalBytesMax: {
    flag: 'retained-wal-warning',
    value: 'BYTES',
    type: bytesMax.default(1024 * 1024 * 1024),
    electric: [],
    help: 'from so much WAL on that Postgres keeps for the slot, the log says so (default: 1073741824)',
  },
  replicationIdleTimeoutMs: {
    flag: 'replication-idle-timeout',
    value: 'DURATION',
    type: idleMs.default(0),
    electric: ['ELECTRIC_REPLICATION_IDLE_TIMEOUT'],
    help: 'unused for so long, all connections to Postgres close until the next request (default: 0, never)',
  },
  shapeHibernateAfterMs: {
    flag: 'shape-hibernate-after',
    value: 'DURATION',
    type: durationMs.default(30_000),
    electric: ['ELECTRIC_SHAPE_HIBERNATE_AFTER'],
    help: 'how long a shape waits for a change before its process hibernates (default: 30s)',
  },
  shapeDormantAfterMs: {
    flag: 'shape-dormant-after',
    value: 'DURATION',
    type: durationMs.default(60_000),
    electric: [],
    help: 'how long nothing touches a shape before its process ends until then (default: 1min; 0, never)',
  },
  transactionBytesMax: {
    flag: 'max-txn-size',
    value: 'BYTES',
    type: integer(1, INTEGER_MAX).default(250 * 1024 * 1024),
    electric: ['ELECTRIC_EXPERIMENTAL_MAX_TXN_SIZE'],
    help: 'the largest transaction that is followed (default: 262144000)',
  },
  subqueryValuesMax: {
    flag: 'max-subquery-values',
    value: 'NUMBER',
    type: integer(1, 5_000_000).default(5_000_000),
    electric: [],
    help: 'values that a subquery may select; some 70 bytes each (default: 5000000)',
  },
  databasePoolSize: {
    flag: 'db-pool-size',
    value: 'NUMBER',
    type: integer(1, 10_000).default(20),
    electric: ['ELECTRIC_DB_POOL_SIZE'],
    help: 'connections for snapshots and the catalogue (default: 20)',
  },
  databaseTimeoutMs: {
    flag: 'database-timeout',
    value: 'DURATION',
    type: answerMs.default(15_000),
    electric: [],
    help: 'how long Postgres may be silent before it counts as gone, 1s or more (default: 15s)',
  },
  drainTimeoutMs: {
    flag: 'drain-timeout',
    value: 'DURATION',
    type: durationMs.default(5000),
    electric: [],
    help: 'how long open responses may go on at the end (default: 5s)',
  },
  tcpReadTimeoutMs: {
    flag: 'tcp-read-timeout',
    value: 'DURATION',
    type: waitMs.default(60_000),
    electric: ['ELECTRIC_TCP_READ_TIMEOUT'],
    help: 'how long a request may take to arrive (default: 60s)',
  },
  tcpSendTimeoutMs: {
    flag: 'tcp-send-timeout',
    value: 'DURATION',
    type: waitMs.default(30_000),
    electric: ['ELECTRIC_TCP_SEND_TIMEOUT'],
    help: 'how long a client may take nothing of its answer (default: 30s)',
  },
  keepAliveTimeoutMs: {
    flag: 'keep-alive-timeout',
    value: 'DURATION',
    type: waitMs.default(75_000),
    electric: [],
    help: 'how long a connection may wait for its next request (default: 75s)',
  },
  prometheusPort: {
    flag: 'prometheus-port',
    value: 'NUMBER',
    type: integer(0, 65_535).optional(),
    electric: ['ELECTRIC_PROMETHEUS_PORT'],
    help: 'where Prometheus gets its metrics: GET /metrics (default: nowhere; 0: any)',
  },
  logLevel: {
    flag: 'log-level',
    value: 'LEVEL',
    type: logLevel.default('info'),
    electric: ['ELECTRIC_LOG_LEVEL'],
    help: 'trace … fatal, or silent (default: info)',
  },
  observer: {
    flag: 'observer',
    type: optionalFlag,
    electric: [],
    help: 'show the service at work at /_observer (default: on this machine only, and in the demo)',
  },
  inspect: { flag: 'inspect', type: flag(false), electric: [], help: 'stream the inspection protocol of xstate on 127.0.0.1' },
  inspectPort: {
    flag: 'inspect-port',
    value: 'NUMBER',
    type: integer(0, 65_535).default(3001),
    electric: [],
    help: 'where (default: 3001; 0: any)',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export function variableOf({ flag: name }: Pick<Setting, 'flag'>): string {
  return `ARMATURE_${name.replaceAll('-', '_').toUpperCase()}`;
}
