/** The database that the service follows: how to reach it, by which names, and who asks it. */
import type { Clock } from '../base/clock.ts';
import { ConfigurationError } from '../settings/configuration-error.ts';
import type { Configuration } from '../settings/configuration.ts';
import { createCatalog, type Catalog } from '../postgres/catalog/catalog.ts';
import { createTimeZones, type TimeZones } from '../postgres/catalog/time-zones.ts';
import { caCertificates } from '../settings/ca-certificates.ts';
import { isProblem, parseDatabaseUrl, trusting, type DatabaseProblem, type DatabaseTarget } from '../settings/database-url.ts';
import { streamNames } from '../settings/stream-names.ts';
import { HeldLock } from '../postgres/connection/held-lock.ts';
import { createPool, type DatabasePool } from '../postgres/connection/pool.ts';
import { RowsThreads } from '../postgres/snapshot/rows-thread.ts';
import { packageRoot } from '../observer/package-root.ts';
import type { Disk } from '../storage/disk/disk.ts';
import { wholeText } from '../storage/disk/whole-text.ts';

export interface Database {
  /** For replication and the lock: never through a pooler. */
  readonly target: DatabaseTarget;
  /** As they were read at the start, in PEM. */
  readonly ca: string | undefined;
  readonly slot: string;
  readonly lock: HeldLock;
  /** The slot ends with the connection that streams, so Postgres keeps nothing for a service that is away. */
  readonly isSlotTemporary: boolean;
  /** A slot that Armature did not make may be dropped. */
  readonly takesOverSlot: boolean;
  readonly publication: string;
  /** For the catalogue and the publication. */
  readonly adminPool: DatabasePool;
  readonly snapshotPool: DatabasePool;
  /** For the rows of large tables; undefined where there are too few connections for it, or a pooler lends them. */
  readonly rowsThreads: RowsThreads | undefined;
  /** For the rows of moves, which must not wait behind snapshots. */
  readonly movePool: DatabasePool;
  /** For what clients ask for by themselves: however much that is, shapes are made and followed. */
  readonly subsetPool: DatabasePool;
  readonly catalog: Catalog;
  readonly zones: TimeZones;
}

const ADMIN_CONNECTIONS_MAX = 4;
const MOVE_CONNECTIONS_MAX = 4;
const SUBSET_CONNECTIONS_MAX = 4;
const THREADS_MAX = 2;
/** One thread for so many connections. */
const CONNECTIONS_PER_THREAD = 8;

/** Of the sessions that read first rows, in whichever thread. */
const SNAPSHOTS = 'armature snapshots';
/** As the build made it; where it did not, no thread comes about. */
const ROWS_PROGRAM = new URL('dist/postgres/snapshot/rows-worker.js', packageRoot());

/** By which it proves who it is; undefined where none are set. @throws {ConfigurationError} */
export async function databaseCertificates({ databaseCaFile }: Configuration, disk: Disk): Promise<string | undefined> {
  return databaseCaFile === undefined ? undefined : accepted(await caCertificates(databaseCaFile, (path) => wholeText(disk, path)));
}

/** Under what name whose connections for the catalogue are. */
export type AdminName = (slot: string) => string;

/** @param ca in PEM. @throws {ConfigurationError} nothing was opened. */
export function databaseOf(
  configuration: Configuration,
  databaseUrl: string,
  ca: string | undefined,
  clock: Clock,
  adminName: AdminName = () => 'armature admin',
): Database {
  const { pooledDatabaseUrl } = configuration;
  const target = targetOf(databaseUrl, ca);
  const snapshotTarget = pooledDatabaseUrl === undefined ? target : targetOf(pooledDatabaseUrl, ca);
  const isLent = pooledDatabaseUrl !== undefined;
  const share = Math.max(1, Math.floor(configuration.databasePoolSize / 4));
  const adminConnections = Math.min(ADMIN_CONNECTIONS_MAX, share);
  const moveConnections = Math.min(MOVE_CONNECTIONS_MAX, share);
  const subsetConnections = Math.min(SUBSET_CONNECTIONS_MAX, share);
  const threads = isLent ? 0 : Math.min(THREADS_MAX, Math.floor(configuration.databasePoolSize / CONNECTIONS_PER_THREAD));
  const common = { clock, silenceMsMax: configuration.databaseTimeoutMs };
  const queries = { ...common, target: snapshotTarget, isLent };
  const names = streamNames(configuration.replicationStreamId);
  const adminPool = createPool({ ...common, target, applicationName: adminName(names.slot), max: adminConnections });
  return {
    target,
    ca,
    ...names,
    lock: new HeldLock(),
    isSlotTemporary: configuration.cleanupReplicationSlots,
    takesOverSlot: configuration.takeOverSlot,
    adminPool,
    snapshotPool: createPool({
      ...queries,
      applicationName: SNAPSHOTS,
      max: Math.max(1, configuration.databasePoolSize - adminConnections - moveConnections - subsetConnections - threads),
    }),
    rowsThreads: threads === 0 ? undefined : new RowsThreads({
      program: ROWS_PROGRAM,
      target,
      applicationName: SNAPSHOTS,
      max: threads,
      clock,
    }),
    movePool: createPool({ ...queries, applicationName: 'armature moves', max: moveConnections }),
    subsetPool: createPool({ ...queries, applicationName: 'armature subsets', max: subsetConnections }),
    catalog: createCatalog(adminPool),
    zones: createTimeZones(adminPool),
  };
}

function targetOf(url: string, ca: string | undefined): DatabaseTarget {
  const target = accepted(parseDatabaseUrl(url));
  return ca === undefined ? target : accepted(trusting(target, ca));
}

function accepted<Value extends string | object>(value: Value | DatabaseProblem): Value {
  if (typeof value === 'object' && isProblem(value)) throw new ConfigurationError(value.message);
  return value;
}
