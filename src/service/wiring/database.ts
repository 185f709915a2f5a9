/** The wiring of the database: the ports that talk to Postgres, and where what they bring goes. */
import type { LogOffset } from '../../model/log-offset.ts';
import { maxLsn, type Lsn } from '../../model/lsn.ts';
import type { PgSnapshot, Xid } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import type { PortSpec } from '../../otp/process.ts';
import { publicationPort } from '../../postgres/catalog/publication-port.ts';
import { lockHolder } from '../../postgres/connection/lock-holder.ts';
import { lockPort } from '../../postgres/connection/lock-port.ts';
import { poolPort } from '../../postgres/connection/pool-port.ts';
import { replicationPort } from '../../postgres/replication/replication-port.ts';
import { slotPort } from '../../postgres/replication/slot-port.ts';
import type { StoredStream } from '../../postgres/replication/slot-standing.ts';
import type { TransactionSink } from '../../postgres/replication/transaction-sink.ts';
import { moveQueryPort } from '../../postgres/snapshot/move-query-port.ts';
import { snapshotPort, type SnapshotTarget } from '../../postgres/snapshot/snapshot-port.ts';
import { subsetQueryPort } from '../../postgres/snapshot/subset-query-port.ts';
import type { Storage } from '../../storage/storage.ts';
import type { ServiceResources } from '../service-resources.ts';
import { condemnAltered } from './altered-tables.ts';
import { lendingOf } from './lent-sessions.ts';
import { moveTarget } from './move-target.ts';
import { viewsAt } from './shape-views.ts';
import { snapshotTarget } from './snapshot-target.ts';
import { linesOf, type LogAccess } from './storage.ts';
import { ToldTables } from './told-tables.ts';
import type { SubsetQueries } from './subsets/subset-queries.ts';
import { watchedSink, watchedSnapshot, type Watches } from './watches.ts';

/** Told of each transaction that came whole from Postgres. */
export interface StreamWatcher {
  received(xid: Xid, lsn: Lsn): void;
}

export function databasePorts(
  resources: ServiceResources,
  access: LogAccess,
  subsets: Pick<SubsetQueries, 'target'>,
  watcher?: StreamWatcher,
) {
  const { configuration, database, world } = resources;
  const { target, adminPool, snapshotPool, rowsThreads, movePool, subsetPool, slot, lock, publication } = database;
  const lending = lendingOf(resources.runtime, resources.configuration.databaseTimeoutMs);
  return {
    lock: (): PortSpec =>
      lockPort({
        name: '@lock',
        target,
        slot,
        owner: '@connection-lock',
        holder: () => lockHolder(adminPool, slot),
        answerMsMax: configuration.databaseTimeoutMs,
        held: lock,
        clock: world.clock,
      }),
    replication: () => replication(resources, access, watcher),
    pools: () => poolPort({ name: '@pools', pools: [adminPool, snapshotPool, movePool, subsetPool], lending }),
    publication: () =>
      publicationPort({
        name: '@publication',
        pool: adminPool,
        publication,
        isManual: configuration.manualTablePublishing,
        trees: resources.storage.log,
        memberships: resources.storage.log,
        streamedVersion: () => resources.storage.log.source?.publication,
        altered: (tables) => !condemnAltered(resources, tables),
        clock: world.clock,
      }),
    snapshots: () =>
      snapshotPort({
        name: '@snapshots',
        pool: snapshotPool,
        threads: rowsThreads,
        clock: world.clock,
        target: (handle) => followed(snapshotTargetOf(resources, access, handle), handle, resources.watches.snapshot),
      }),
    moveQueries: () =>
      moveQueryPort({
        name: '@move-queries',
        pool: movePool,
        clock: world.clock,
        target: (handle, views) => moveTargetOf(resources, access, handle, views),
      }),
    slot: () => slotPort({ name: '@slot', pool: adminPool, slot, clock: world.clock }),
    subsetQueries: () =>
      subsetQueryPort({ name: '@subset-queries', pool: subsetPool, adminPool, clock: world.clock, target: (id) => subsets.target(id) }),
  };
}

function replication(
  resources: ServiceResources,
  { intake }: LogAccess,
  watcher: StreamWatcher | undefined,
): PortSpec {
  const { configuration, database, storage } = resources;
  const { target, slot, lock, isSlotTemporary, takesOverSlot, publication } = database;
  return replicationPort({
    name: '@replication',
    target,
    slot,
    isSlotTemporary,
    takesOverSlot,
    publication,
    isManual: configuration.manualTablePublishing,
    lock,
    transactionBytesMax: configuration.transactionBytesMax,
    sink: sinkOf(resources, intake, watcher),
    lastCommitLsn: () => storage.log.lastCommitLsn,
    stored: () => storedStream(storage),
    owner: '@replication-client',
  });
}

/** What decides whose slot it is, before the first stream and at each. */
export function storedStream({ log, shapes, damagedStream }: Storage): StoredStream {
  const { source, heldLsn } = log;
  return { source, heldLsn, seenLsn: () => seenLsn(log, shapes), damaged: damagedStream };
}

/** Of snapshots, those count alone that may have seen more than the log has brought since: the others are behind it. */
function seenLsn({ heldLsn, lastCommitLsn }: Storage['log'], shapes: Storage['shapes']): Lsn {
  let seen = maxLsn(heldLsn, lastCommitLsn);
  for (const { filterBy } of shapes.all()) if (filterBy !== undefined) seen = maxLsn(seen, filterBy.insertLsn);
  return seen;
}

function sinkOf(resources: ServiceResources, intake: LogAccess['intake'], watcher: StreamWatcher | undefined): TransactionSink {
  const { watches: { transactions }, world: { clock } } = resources;
  const sink = doubting(resources, intake, watcher);
  return transactions === undefined ? sink : watchedSink(sink, () => intake.end, transactions, clock);
}

/** A table that the stream describes anew may have changed. */
function doubting(
  { database: { catalog }, runtime }: ServiceResources,
  intake: LogAccess['intake'],
  watcher: StreamWatcher | undefined,
): TransactionSink {
  const told = new ToldTables({
    table: (table) => catalog.doubt(table),
    tablesAbove: (oids) => catalog.doubtTables(oids),
    partitionsOf: (oids) => runtime.send('@publication-manager', { type: 'doubtTables', oids }),
  });
  return {
    layout(layout) {
      const id = intake.layout(layout); // A review that is asked for must find it.
      told.tell(layout);
      return id;
    },
    changes: (...fragment) => intake.changes(...fragment),
    commit(xid, lsn, endLsn, layouts) {
      intake.commit(xid, lsn, endLsn, layouts);
      watcher?.received(xid, lsn);
    },
    abandon: () => intake.abandon(),
    progress: (...passed) => intake.progress(...passed),
    get congestion() {
      return intake.congestion;
    },
  };
}

function followed(target: SnapshotTarget | undefined, handle: Handle, watch: Watches['snapshot']): SnapshotTarget | undefined {
  return target === undefined || watch === undefined ? target : watchedSnapshot(target, watch(handle));
}

/** Where the rows of a query go, and what they are chosen by. */
type ShapeResources = Pick<ServiceResources, 'storage' | 'runtime'>;

/** Undefined for a shape that ended before its snapshot was asked for. */
export function snapshotTargetOf({ storage, runtime }: ShapeResources, access: LogAccess, handle: Handle): SnapshotTarget | undefined {
  const shapeLog = storage.shapes.get(handle);
  if (shapeLog === undefined) return undefined;
  const views = viewsAt(runtime, shapeLog, shapeLog.views);
  return views && snapshotTarget(shapeLog, linesOf(shapeLog, access), access.filters.of(shapeLog.definition), views);
}

export function moveTargetOf({ storage, runtime }: ShapeResources, access: LogAccess, handle: Handle, views: readonly LogOffset[]) {
  const shapeLog = storage.shapes.get(handle);
  if (shapeLog === undefined) return undefined;
  const where = access.filters.of(shapeLog.definition);
  const seesShown = (pgSnapshot: PgSnapshot): boolean => access.shownSnapshots.areSeenBy(shapeLog, pgSnapshot);
  return moveTarget({ runtime, log: storage.log, shapeLog, seesShown, lines: linesOf(shapeLog, access), where }, views);
}
