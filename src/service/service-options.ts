/** ServiceOptions: what a program says when it starts the service. What is left out has its default, as for `armature start`. */
import type { Configuration } from '../settings/configuration.ts';
import { ConfigurationError } from '../settings/configuration-error.ts';
import { readOptions, type FormedOptions, type LogLevel, type SettingOptions } from '../settings/options.ts';
import type { ServiceLogger, WriteLine } from '../telemetry/service-logger.ts';

export type { ServiceLogger, WriteLine };

/** Every setting of `armature start` by its name, and what only a program can give. Durations are in milliseconds, or as a name says. */
export interface ServiceOptions extends SettingOptions {
  /** The database to follow: `postgresql://user:password@host:5432/database`. Required. */
  readonly databaseUrl: string;
  /** Where snapshots are queried, through a pooler. Default: the database. */
  readonly pooledDatabaseUrl?: string;
  /**
   * A file of certificates, in PEM: the database must show one for its host that is signed by one of these. Default: as the `sslmode` of
   * its URL says.
   */
  readonly databaseCaFile?: string;
  /** What clients must send as `?secret=…` or `Authorization: Bearer …`. Either this, or `insecure`, or `listen: false`. */
  readonly secret?: string;
  /** Let everybody read who can reach the port. Default: false. */
  readonly insecure?: boolean;
  /** False: open no port. Requests come by `fetchHandler` and `shape` then, and `url` is empty. Default: true. */
  readonly listen?: boolean;
  /** Where to listen; 0 lets the system choose. Default: 3000. */
  readonly port?: number;
  /** The address to listen on. Default: `0.0.0.0`, all of IPv4. */
  readonly host?: string;
  /** Listen on IPv6 too. Default: false. */
  readonly listenOnIpv6?: boolean;
  /** Where logs are kept: in memory, from which nothing comes back, or below a directory. Default: `./.armature/storage`. */
  readonly storage?: 'memory' | { readonly directory: string };
  /**
   * How many bytes shapes may take: from there on the longest unread ones end, and new ones are refused when all are in use. The log and
   * the checkpoints come beside it. Default: no limit.
   */
  readonly storageBytesMax?: number;
  /** Shapes beyond which the longest unread ones end. Default: no limit. */
  readonly maxShapes?: number;
  /** How long a shape may be unread before it ends, in milliseconds: no less than it counts as in use. Default: for ever. */
  readonly shapeExpireAfterMs?: number;
  /**
   * How many bytes the log of a shape may have, once it is also eight times its first rows: then the shape starts over, and its readers get
   * a fresh one. At least 65,536. Default: 1,073,741,824.
   */
  readonly shapeLogBytesMax?: number;
  /** A logger of the program's own (pino's has this form), or how much is written to stdout. Default: `info`. */
  readonly logger?: ServiceLogger | LogLevel;
  /** Let clients delete shapes, as test suites do. Default: false. */
  readonly enableDeletion?: boolean;
  /** How long a live request waits, in milliseconds. Default: 20,000. */
  readonly longPollTimeoutMs?: number;
  /** Size at which a response ends and the next begins, in bytes. Default: 10,485,760. */
  readonly chunkBytesMax?: number;
  /** Compact no log, and start no shape over for it: each update of a row can be read by itself. Default: false. */
  readonly keepEveryUpdate?: boolean;
  /** How long caches may keep a catch-up response, in seconds. Default: 60. */
  readonly cacheMaxAgeSeconds?: number;
  /** How long they may serve it while they ask anew, in seconds. Default: 300. */
  readonly cacheStaleAgeSeconds?: number;
  /** Requests at once: those that may make a shape, and those for shapes that exist. Default: 300 and 10,000. */
  readonly maxConcurrentRequests?: { readonly initial: number; readonly existing: number };
  /** Suffix of the publication and the replication slot: of `a` to `z`, digits and `_`. Default: `default`. */
  readonly replicationStreamId?: string;
  /** Use a replication slot that ends with its connection, and the shapes with it. Default: false. */
  readonly cleanupReplicationSlots?: boolean;
  /** Drop a replication slot of that name that Armature did not make, and its position with it. Default: false. */
  readonly takeOverSlot?: boolean;
  /** Never alter a table, nor what the publication publishes. Default: false. */
  readonly manualTablePublishing?: boolean;
  /** How often the publication is held against the shapes, in milliseconds. Default: 10,000. */
  readonly publicationCheckEveryMs?: number;
  /** From so much WAL on that Postgres keeps for the slot, the log says so, in bytes. Default: 1,073,741,824. */
  readonly retainedWalBytesMax?: number;
  /**
   * When nobody has used the database for so long, in milliseconds, all connections to it close, until the next request for a shape. At
   * least 1,000. Default: 0, never.
   */
  readonly replicationIdleTimeoutMs?: number;
  /** How long a shape waits for a change before its process hibernates, in milliseconds. Default: 30,000. */
  readonly shapeHibernateAfterMs?: number;
  /**
   * How long nothing touches a shape before it has no process at all, until something does, in milliseconds. 0 where each shape keeps its
   * process. Default: 60,000.
   */
  readonly shapeDormantAfterMs?: number;
  /** The largest transaction that is followed, in bytes. Default: 262,144,000. */
  readonly transactionBytesMax?: number;
  /** Values that a subquery may select; some 70 bytes each. Default: 5,000,000. */
  readonly subqueryValuesMax?: number;
  /** Connections for snapshots and the catalogue. Default: 20. */
  readonly databasePoolSize?: number;
  /** How long Postgres may be silent before it counts as gone, in milliseconds, from 1,000 on. Default: 15,000. */
  readonly databaseTimeoutMs?: number;
  /** How long open responses may go on at the end, in milliseconds. Default: 5,000. */
  readonly drainTimeoutMs?: number;
  /** How long a request may take to arrive, in milliseconds. Default: 60,000. */
  readonly tcpReadTimeoutMs?: number;
  /** How long a client may take nothing of its answer, in milliseconds; over `fetchHandler` too. Default: 30,000. */
  readonly tcpSendTimeoutMs?: number;
  /** How long a connection may wait for its next request, in milliseconds. Default: 75,000. */
  readonly keepAliveTimeoutMs?: number;
  /** Where Prometheus gets its metrics, `GET /metrics`; 0 lets the system choose. Default: nowhere. */
  readonly prometheusPort?: number;
  /** Show the service at work at `/_observer`, to who may look. Default: where `host` is this machine alone. */
  readonly observer?: boolean;
  /** Stream the inspection protocol of xstate on 127.0.0.1. Default: false. */
  readonly inspect?: boolean;
  /** Where; 0 lets the system choose. Default: 3001. */
  readonly inspectPort?: number;
}

const OTHER_NAMES = ['listen', 'logger', 'storage'];

/** @throws {ConfigurationError} with every mistake that the options have. */
export function configurationOf(options: ServiceOptions): Configuration {
  const read = readOptions({ ...options }, formedOf(options), OTHER_NAMES);
  if ('problems' in read) throw new ConfigurationError(read.problems.join('\n'));
  return read.configuration;
}

/** A storage of another form is a text that no storage has. */
function formedOf({ storage, logger, listen = true }: ServiceOptions): FormedOptions {
  const directory = typeof storage === 'object' ? storage.directory : undefined;
  return {
    storage: directory === undefined ? storage === undefined ? undefined : String(storage) : 'disk',
    storageDirectory: directory,
    logLevel: typeof logger === 'string' ? logger : undefined,
    listens: listen,
  };
}
