/**
 * Furnishes the tree: the ports and tables of its processes, over one storage, one database and one server.
 *
 * What lives longer than a process stands here: the storage and the intake of its log, the pools, the catalogue. What
 * a process owns is made anew for each incarnation; requests read the tables of the one that lives now.
 */
import type { Logger } from 'pino';
import { ConsumerLog } from '../../actors/consumer-log.ts';
import { LinkValues } from '../../actors/link-values.ts';
import { LogProgress } from '../../actors/log-progress.ts';
import { PublishedTables } from '../../actors/published-tables.ts';
import { RouterTable } from '../../actors/router-table.ts';
import { ShapeDirectory } from '../../actors/shape-directory.ts';
import { Subscribers } from '../../actors/subscribers.ts';
import { apiCatalog, apiDirectory, apiStatus } from './api-ports.ts';
import { createApi, type Api } from '../../api/api.ts';
import { invariant } from '../../base/invariant.ts';
import type { Configuration } from '../../settings/configuration.ts';
import { httpPort } from '../../http/http-port.ts';
import type { Handle } from '../../model/shape.ts';
import type { PortSpec } from '../../otp/process.ts';
import type { Runtime } from '../../otp/runtime.ts';
import type { Database } from './database.ts';
import { lockPort } from '../../postgres/connection/lock-port.ts';
import { poolPort } from '../../postgres/connection/pool-port.ts';
import { publicationPort } from '../../postgres/catalog/publication-port.ts';
import { replicationPort } from '../../postgres/replication/replication-port.ts';
import { snapshotPort } from '../../postgres/snapshot/snapshot-port.ts';
import { ShapeFilters } from './shape-filters.ts';
import { ShapeLines } from '../../shapes/shape-lines.ts';
import { ShapeRouter } from '../../shapes/shape-router.ts';
import { snapshotTarget } from './snapshot-target.ts';
import { equalText } from '../../sql/equal-text.ts';
import type { WhereLanguage } from '../../sql/where.ts';
import { checkpointPort } from '../../storage/checkpoint/checkpoint-port.ts';
import { LogBlocks } from '../../storage/log/log-blocks.ts';
import { LogIntake } from '../../storage/log/log-intake.ts';
import { logReaderPort } from '../../storage/log/log-reader-port.ts';
import { logWriterPort } from '../../storage/log/log-writer-port.ts';
import { ShapeBlocks } from '../../storage/shapes/shape-blocks.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import { shapeReaderPort } from '../../storage/shapes/shape-reader-port.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Rooms } from '../../supervisors/stack-wiring.ts';
import { journalPort } from '../../telemetry/journal-port.ts';
import { VERSION } from '../../base/version.ts';
import type { World } from '../world.ts';

/** What was opened before the tree starts, and is closed after it has stopped. */
export interface Foundation {
  readonly configuration: Configuration;
  readonly world: World;
  readonly logger: Logger;
  readonly storage: Storage;
  readonly language: WhereLanguage;
  readonly database: Database;
  readonly runtime: Runtime;
}

/** The tables of the processes that live now: made when a process starts, read by requests. */
interface LivingTables {
  router?: RouterTable;
  progress?: LogProgress;
  directory?: ShapeDirectory;
}

/** Over the storage: what several ports and tables share. */
interface Desk {
  readonly intake: LogIntake;
  readonly blocks: LogBlocks;
  readonly shapeBlocks: ShapeBlocks;
  readonly filters: ShapeFilters;
  readonly living: LivingTables;
  readonly api: Api;
}

const CHECKPOINT_EVERY_MS = 5_000;

export function furnish(foundation: Foundation): Rooms {
  const { storage, language } = foundation;
  const living: LivingTables = {};
  const desk: Desk = {
    intake: new LogIntake(storage.log),
    blocks: new LogBlocks(storage.log),
    shapeBlocks: new ShapeBlocks(),
    filters: new ShapeFilters(language),
    living,
    api: makeApi(foundation, living),
  };
  return {
    ports: { ...storagePorts(foundation, desk), ...databasePorts(foundation, desk), ...edgePorts(foundation, desk) },
    tables: tables(foundation, desk),
    shapeLog: (handle) => shapeLogOf(storage, handle),
    takenThrough: () => storage.shapes.position,
    checkpointEveryMs: CHECKPOINT_EVERY_MS,
    drainTimeoutMs: foundation.configuration.drainTimeoutMs,
    publicationCheckEveryMs: foundation.configuration.publicationCheckEveryMs,
  };
}

function makeApi({ configuration, database, runtime, storage, language, world }: Foundation, living: LivingTables): Api {
  const ports = {
    catalog: apiCatalog(database.catalog),
    directory: apiDirectory(runtime, () => living.directory),
    logs: storage.shapes,
    status: apiStatus(runtime),
    language,
    lastProcessedLsn: () => living.progress?.lastProcessedLsn,
  };
  const settings = {
    longPollTimeoutMs: configuration.longPollTimeoutMs,
    readinessTimeoutMs: READINESS_TIMEOUT_MS,
    maxConcurrentRequests: configuration.maxConcurrentRequests,
    cache: { maxAgeSeconds: configuration.cacheMaxAgeSeconds, staleAgeSeconds: configuration.cacheStaleAgeSeconds },
    isDeletionEnabled: configuration.enableDeletion,
  };
  return createApi(ports, settings, world.clock, world.random);
}

const READINESS_TIMEOUT_MS = 5_000;

function storagePorts({ storage }: Foundation, { intake, blocks, shapeBlocks }: Desk) {
  const { log, shapes } = storage;
  return {
    logWriter: () => logWriterPort(intake, { replication: '@replication', collector: '@shape-log-collector' }),
    logReader: () => logReaderPort(log, blocks),
    shapeReader: () => shapeReaderPort(shapes, shapeBlocks),
    checkpoints: () => checkpointPort(log, shapes),
  };
}

function databasePorts({ configuration, database, storage, world }: Foundation, { intake, filters }: Desk) {
  const { target, adminPool, snapshotPool, catalog, slot, isSlotTemporary, publication } = database;
  const sink = {
    // A table that is described anew may have changed: what the catalogue told of it before no longer counts.
    layout: (layout: Parameters<LogIntake['layout']>[0]) => {
      catalog.doubt(layout);
      return intake.layout(layout);
    },
    changes: intake.changes.bind(intake),
    commit: intake.commit.bind(intake),
    abandon: intake.abandon.bind(intake),
    progress: intake.progress.bind(intake),
    get congestion() {
      return intake.congestion;
    },
  };
  return {
    lock: (): PortSpec => lockPort({ name: '@lock', target, slot, owner: '@connection-lock' }),
    replication: () =>
      replicationPort({
        name: '@replication',
        target,
        slot,
        isSlotTemporary,
        publication,
        transactionBytesMax: configuration.transactionBytesMax,
        sink,
        lastCommitLsn: () => storage.log.lastCommitLsn,
        source: () => storage.log.source,
        durableLsn: () => storage.log.durableLsn,
        owner: '@replication-client',
      }),
    pools: () => poolPort({ name: '@pools', pools: [adminPool, snapshotPool] }),
    publication: () =>
      publicationPort({ name: '@publication', pool: adminPool, publication, isManual: configuration.manualTablePublishing }),
    snapshots: () =>
      snapshotPort({
        name: '@snapshots',
        pool: snapshotPool,
        clock: world.clock,
        target: (handle) => {
          const shapeLog = storage.shapes.get(handle);
          if (shapeLog === undefined) return undefined;
          const where = filters.of(shapeLog.definition);
          return snapshotTarget(shapeLog, linesOf(storage, shapeLog, filters), where, () => catalog.doubt(shapeLog.definition.relation));
        },
      }),
  };
}

function edgePorts({ configuration, logger, world }: Foundation, { api }: Desk) {
  const { host, secret, drainTimeoutMs } = configuration;
  let { port } = configuration; // When any will do, a server that starts anew takes the one that clients know.
  return {
    journal: () => journalPort(logger),
    http: () =>
      httpPort(
        { host, port, secret, version: VERSION, drainTimeoutMs },
        {
          api,
          clock: world.clock,
          random: world.random,
          listening: (address) => {
            port = address.port;
          },
          failed: (error, requestId) => logger.error({ err: error, requestId }, 'a request failed'),
        },
      ),
  };
}

function tables({ database, storage, world }: Foundation, { blocks, shapeBlocks, filters, living, api }: Desk): Rooms['tables'] {
  return {
    collector: () => ({
      router: (living.router = new RouterTable(routing(storage, filters), blocks)),
      progress: (living.progress = new LogProgress(storage.shapes)),
    }),
    publicationManager: () => ({ tables: new PublishedTables({ lost: (relation) => database.catalog.doubt(relation) }) }),
    shapeCache: () => ({
      directory: (living.directory = new ShapeDirectory(storage.shapes, world.clock, {
        rotated: (handle) => api.announcements.rotate(handle),
      })),
    }),
    consumer: (handle) => {
      const shapeLog = shapeLogOf(storage, handle);
      const log = new ConsumerLog({
        shapeLog,
        lines: linesOf(storage, shapeLog, filters),
        loadedBlock: (range) => blocks.get(range),
        delivery: (range) => {
          invariant(living.router !== undefined, 'the collector is there before the Consumers');
          return living.router.deliveryTo(handle, range);
        },
        layoutOf: (id) => storage.log.layoutOf(id),
        takenByAll: () => storage.shapes.position,
        announce: (grown, end) => api.announcements.announce(grown, end),
      });
      return { log, materializers: new Subscribers() };
    },
    materializer: (handle, column) => ({
      values: new LinkValues(handle, column, shapeBlocks, equalText(typeOidOf(shapeLogOf(storage, handle), column))),
      dependants: new Subscribers(),
    }),
  };
}

function routing(storage: Storage, filters: ShapeFilters) {
  const router = new ShapeRouter((id) => storage.log.layoutOf(id));
  return {
    add: (handle: Handle) => {
      const { definition } = shapeLogOf(storage, handle);
      router.add(handle, definition, filters.of(definition));
    },
    remove: (handle: Handle) => router.remove(handle),
    route: router.route.bind(router),
  };
}

function linesOf(storage: Storage, { definition }: ShapeLog, filters: ShapeFilters): ShapeLines {
  return new ShapeLines(definition, filters.of(definition), (id) => storage.log.layoutOf(id));
}

function shapeLogOf({ shapes }: Storage, handle: Handle): ShapeLog {
  const shapeLog = shapes.get(handle);
  invariant(shapeLog !== undefined, `a shape's log outlives its processes: ${handle}`);
  return shapeLog;
}

function typeOidOf({ definition: { columns, reads } }: ShapeLog, column: string): number {
  const layout = columns.includes(column) ? reads.find(({ name }) => name === column) : undefined;
  invariant(layout !== undefined, `a Materializer keeps a column that its shape selects, not ${column}`);
  return layout.typeOid;
}
