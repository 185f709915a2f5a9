/** For each machine: how it can begin, and the events that can reach it, with the few values that make a difference. */
import { checkpointer } from '../../src/actors/checkpointer.ts';
import { diskMonitor } from '../../src/actors/disk-monitor.ts';
import { connectionLock } from '../../src/actors/connections/connection-lock.ts';
import { idleWatch } from '../../src/actors/connections/idle-watch.ts';
import { connectionPools } from '../../src/actors/connections/connection-pools.ts';
import { consumer } from '../../src/actors/consumer/consumer.ts';
import { expiry } from '../../src/actors/expiry/expiry.ts';
import { handleLife } from '../../src/actors/directory/handle-life-chart.ts';
import { materializer } from '../../src/actors/materializer.ts';
import { publicationManager } from '../../src/actors/publication/publication-manager.ts';
import { replicationClient } from '../../src/actors/connections/replication-client.ts';
import { walWatch } from '../../src/actors/connections/wal-watch.ts';
import { shapeCache } from '../../src/actors/directory/shape-cache.ts';
import { catchUpCollector } from '../../src/actors/collector/catch-up-collector.ts';
import { shapeLogCollector } from '../../src/actors/collector/shape-log-collector.ts';
import { snapshotter } from '../../src/actors/snapshotter.ts';
import { standby } from '../../src/actors/standby.ts';
import { succession } from '../../src/actors/succession.ts';
import { NO_CONNECTION } from '../../src/actors/snapshot-fault.ts';
import { CONDITIONS, statusMonitor } from '../../src/actors/status-monitor.ts';
import { dynamicSupervisorMachine } from '../../src/otp/supervision/dynamic-supervisor.ts';
import { supervisorMachine } from '../../src/otp/supervision/supervisor.ts';
import { placeAt } from '../../src/model/log-entry.ts';
import { BEFORE_ALL, SNAPSHOT_END } from '../../src/model/log-offset.ts';
import type { WalkedMachine } from './transition-coverage.ts';

const error = { name: 'Error', code: 'no', message: 'no' };
const down = (type: string, reason: unknown) => ({ type, process: 'peer#1', reason });
const failed = (type: string) => ({ type, to: '@peer', request: 'any', reason: 'noproc' });
const replyTo = 'call#1';
const everyEnd = ['shutdown', { shutdown: { delete: 'truncate' } }, { error }, 'killed', 'noproc'];

const inner = { handle: '2-1', column: 'value', consumer: 'consumer#2' };
const restored = { self: 'consumer#1', handle: '1-1', mode: 'restore', position: 10, end: '0_inf' };
const pgSnapshot = { xmin: '1', xmax: '1', xip: [], insertLsn: '1' };
/** One that is recorded, with something to see and a row. */
const splice = { place: 10, through: 20, views: ['7_0'], rowBytes: 5 };

/** What reaches a Consumer whose shape depends on another, with as little else as leads it through. */
const dependentEvents = [
  { type: 'child.started', id: 'materializer/2-1/value', pid: 'materializer#1' },
  { type: 'child.refused', id: 'materializer/2-1/value', reason: error },
  { type: 'child.refused', id: 'materializer/2-1/value', reason: 'already_started', pid: 'materializer#1' },
  failed('dependency.failed'),
  ...['shutdown', { error }].map((reason) => down('dependency.down', reason)),
  { ...down('dependency.down', 'shutdown'), process: 'materializer#1' },
  { type: 'values.areCurrent', offset: '5_0' },
  { type: 'values.areInvalid' },
  { type: 'values.areGone' },
  { type: 'collector.isGone' },
  { type: 'invalidate', reason: { shutdown: { delete: 'test' } }, replyTo },
  { type: 'views.known', views: ['5_0'], recorded: ['5_0'], splice: null },
  { type: 'views.known', views: ['7_0'], recorded: ['7_0'], splice },
  { type: 'takeMoves', handle: '2-1', column: 'value', through: '7_0', position: 20, replyTo },
  { type: 'splice.planned', views: ['7_0'], needsQuery: true },
  { type: 'splice.planned', views: ['7_0'], needsQuery: false },
  { type: 'moves.queried', pgSnapshot, rows: null },
  { type: 'moves.failed', error },
  { type: 'moves.failed', error: { ...error, status: 409 } },
  { type: 'moves.failed', error: { ...error, status: 400 } },
  { type: 'moves.failed', error: NO_CONNECTION },
  { type: 'moves.crashed', error: { name: 'InvariantError', message: 'a claim' } },
  failed('moveQuery.failed'),
  { type: 'timeout.askAgain' },
  { type: 'log.hasPassed', through: 20 },
  failed('coverage.failed'),
  { type: 'splice.recorded', splice },
  { type: 'splice.isDurable' },
  failed('splice.failed'),
  { type: 'seen.taken', through: 20, isMuch: true },
  { type: 'seen.taken', through: 20, isMuch: false },
  { type: 'moves.partlyTold' },
  { type: 'moves.areTold' },
  { type: 'moved.read', through: 5 },
  { type: 'moved.refused', why: 'its file does not hold' },
  { type: 'moved.taken', isMuch: true },
  { type: 'moved.taken', isMuch: false },
  { type: 'splice.taken', views: ['7_0'], splice: null, end: '8_0', changed: false },
  { type: 'shape.registered', position: 10 },
  { type: 'block.loaded', after: 10, through: 20 },
  { type: 'log.located', position: 10 },
  { type: 'log.taken', through: 20, end: '9_0', changed: false },
  { type: 'lines.spilled' },
];

/** What reaches one that others depend on in turn, through a splice that needs no query. */
const followedEvents = [
  { type: 'child.started', id: 'materializer/2-1/value', pid: 'materializer#1' },
  { type: 'values.areCurrent', offset: '5_0' },
  { type: 'views.known', views: ['5_0'], recorded: ['5_0'], splice: null },
  { type: 'shape.registered', position: 10 },
  { type: 'subscribers.counted', count: 1 },
  { type: 'takeMoves', handle: '2-1', column: 'value', through: '7_0', position: 20, replyTo },
  { type: 'splice.planned', views: ['7_0'], needsQuery: false },
  { type: 'splice.recorded', splice: { ...splice, through: 10, rowBytes: 0 } },
  { type: 'splice.isDurable' },
  { type: 'moves.areTold' },
  { type: 'splice.taken', views: ['7_0'], splice: null, end: '8_0', changed: true },
  { type: 'appended.done', failed: [] },
];

const consumerWalk: WalkedMachine = {
  machine: consumer,
  statesMax: 60_000,
  inputs: [{ ...restored, mode: 'create' }, restored],
  events: [
    { type: 'shape.registered', position: 10 },
    { type: 'shape.registered', position: 20 },
    failed('registration.failed'),
    { type: 'child.started', id: 'snapshotter/1-1', pid: 'snapshotter#1' },
    { type: 'child.refused', id: 'snapshotter/1-1', reason: error },
    failed('snapshotter.failed'),
    down('snapshotter.down', 'normal'),
    { type: 'snapshot.known', pgSnapshot: { xmin: '1', xmax: '1', xip: [], insertLsn: '1' } },
    { type: 'snapshot.started' },
    { type: 'snapshot.completed' },
    { type: 'snapshot.failed', error },
    { type: 'batch', delivery: 1, through: 20, replyTo },
    { type: 'logOffered', through: 20, replyTo },
    { type: 'leftBehind' },
    { type: 'sleep' },
    { type: 'catchUp.joined' },
    { type: 'catchUp.passed' },
    failed('catchUp.failed'),
    { type: 'fragment', delivery: 1, through: 20, replyTo },
    { type: 'dismissed', through: 20, replyTo },
    { type: 'block.loaded', after: 10, through: 20 },
    failed('reader.failed'),
    { type: 'part.taken', through: 15, isMuch: true },
    { type: 'part.taken', through: 15, isMuch: false },
    { type: 'lines.spilled' },
    { type: 'lines.refused', why: 'its files do not hold' },
    { type: 'block.corrupt', why: 'the log does not hold' },
    failed('spill.failed'),
    { type: 'log.located', position: 10 },
    { type: 'log.taken', through: 20, end: '7_0', changed: true },
    { type: 'log.withdrawn' },
    { type: 'log.taken', through: 20, end: '7_0', changed: false },
    { type: 'log.ended', cause: { delete: 'truncate', xid: 1, lsn: '7' } },
    { type: 'appended.done', failed: [] },
    { type: 'awaitSnapshotStart', replyTo },
    { type: 'subscribeMaterializer', materializer: 'materializer#1', replyTo },
    down('materializer.down', 'normal'),
    { type: 'subscribers.counted', count: 0 },
    { type: 'subscribers.counted', count: 1 },
    { type: 'waiters.answered' },
    { type: 'stop', cause: 'drain' },
    { type: 'stop', cause: { delete: 'expired' } },
    { type: 'EXIT', process: 'shapes#1', reason: 'shutdown', fromParent: true },
    { type: 'EXIT', process: 'shapes#1', reason: { shutdown: { delete: 'purged' } }, fromParent: true },
  ],
  also: [
    { inputs: [{ ...restored, dependencies: [inner] }], events: dependentEvents },
    { inputs: [{ ...restored, dependencies: [inner] }], events: followedEvents },
  ],
};

const materializerInputs = [{ self: 'materializer#1', handle: '1-1', column: 'value', consumer: 'consumer#1', dependant: 'consumer#2' }];
const materializerWalk: WalkedMachine = {
  machine: materializer,
  inputs: materializerInputs,
  events: [
    { type: 'snapshot.isStarted' },
    { type: 'snapshot.hasFailed', error },
    { type: 'consumer.subscribed', offset: '0_inf' },
    { type: 'consumer.subscribed', offset: '-1' },
    { type: 'takeAppended', through: '7_0', position: 10, replyTo },
    { type: 'takeAppended', through: '8_0', position: 20, replyTo },
    ...everyEnd.map((reason) => down('consumer.down', reason)),
    { type: 'history.blockRead', after: placeAt(BEFORE_ALL), through: placeAt(SNAPSHOT_END) },
    { type: 'history.isGone' },
    failed('history.failed'),
    { type: 'values.applied', place: { offset: '0_0', bytes: 100 }, version: '-1', moved: false },
    { type: 'values.applied', place: placeAt(SNAPSHOT_END), version: '0_inf', moved: false },
    { type: 'values.applied', place: { offset: '7_0', bytes: 0 }, version: '7_0', moved: true },
    { type: 'values.applied', place: { offset: '7_0', bytes: 0 }, version: '7_0', moved: true, overdue: ['9-1'] },
    { type: 'values.applied', place: { offset: '8_0', bytes: 0 }, version: '7_0', moved: false },
    { type: 'values.applied', place: { offset: '8_0', bytes: 0 }, version: '8_0', moved: true },
    { type: 'values.areTooMany', what: 'values', max: 100_000 },
    { type: 'subscribe', dependant: 'consumer#2', replyTo },
    { type: 'subscribe', dependant: 'consumer#3', replyTo },
    { type: 'currentValues', replyTo },
    { type: 'subscribers.counted', count: 0 },
    { type: 'subscribers.counted', count: 1 },
    down('dependant.down', 'shutdown'),
    { type: 'moves.done', failed: [] },
    { type: 'handle.isKept' },
    { type: 'handle.isGone' },
    failed('recheck.failed'),
    { type: 'invalidation.done', failed: [] },
  ],
  also: [
    { inputs: materializerInputs, events: [{ type: 'values.haveFailed', code: '22P02', message: 'no integer' }] },
    {
      inputs: materializerInputs,
      events: [{ type: 'values.haveTurned' }, { type: 'takeAppended', through: '7_0', position: 10, replyTo }],
    },
  ],
};

const snapshotterWalk: WalkedMachine = {
  machine: snapshotter,
  inputs: [{ self: 'snapshotter#1', handle: '1-1', relation: { oid: 1, schema: 'public', name: 'items' }, consumer: 'consumer#1' }],
  events: [
    { type: 'relation.published' },
    { type: 'relation.refused', error },
    failed('publication.failed'),
    { type: 'snapshot.known', pgSnapshot: { xmin: '1', xmax: '1', xip: [], insertLsn: '1' } },
    { type: 'snapshot.started' },
    { type: 'snapshot.completed' },
    { type: 'snapshot.failed', error },
    failed('query.failed'),
    down('consumer.down', 'shutdown'),
  ],
};

const self = 'process#1';
const relation = { oid: 1, schema: 'public', name: 'items' };

const shapeLogCollectorWalk: WalkedMachine = {
  machine: shapeLogCollector,
  inputs: [{ self, position: 0 }, { self, position: 0, restAfterMs: 60_000 }],
  events: [
    { type: 'registerShape', handle: '1-1', replyTo },
    { type: 'unregisterShape', handle: '1-1' },
    { type: 'shapesRestored' },
    { type: 'log.extended', through: 10, lsn: '5' },
    { type: 'log.extended', through: 20, lsn: '6' },
    { type: 'log.end', through: 0, lsn: '0' },
    { type: 'log.end', through: 10, lsn: '5' },
    { type: 'block.loaded', after: 0, through: 10 },
    { type: 'block.loaded', after: 10, through: 20 },
    { type: 'transaction.isLarge', through: 10, layouts: [1] },
    { type: 'offer.done', failed: [] },
    { type: 'offer.done', failed: ['@consumer/1-1'] },
    { type: 'block.partlyRouted' },
    { type: 'layer.ready', delivery: 1 },
    { type: 'block.delivered' },
    { type: 'batch.done', failed: [] },
    { type: 'batch.done', failed: ['@consumer/1-1'] },
    { type: 'block.notTaken', handles: ['1-1'] },
    { type: 'block.touches', handles: ['1-1'] },
    { type: 'dormant.touched', handles: ['1-1'] },
    { type: 'shapes.rested', handles: ['1-1'] },
    { type: 'timeout.idle' },
    { type: 'shapes.idle', handles: [], consumers: [], areMore: false },
    { type: 'shapes.idle', handles: ['1-1'], consumers: ['consumer#1'], areMore: false },
    { type: 'shapes.idle', handles: ['1-1'], consumers: ['consumer#1'], areMore: true },
    { type: 'shapes.mayRest', handles: ['1-1'], consumers: ['consumer#1'] },
    { type: 'shapes.areAtRest', asleep: ['consumer#1'], stayed: { handles: [], consumers: [] } },
    { type: 'shapes.areAtRest', asleep: [], stayed: { handles: ['1-1'], consumers: ['consumer#1'] } },
    { type: 'reportPosition', replyTo },
    { type: 'leaveBehind', handles: ['1-1'] },
    { type: 'return.awaited' },
    { type: 'timeout.return' },
    { type: 'shapes.overdue', handles: ['1-1'] },
    failed('reader.failed'),
    { type: 'timeout.retry' },
  ],
};

const catchUpCollectorWalk: WalkedMachine = {
  machine: catchUpCollector,
  inputs: [{ self }],
  events: [
    { type: 'join', handle: '1-1', after: 10, replyTo },
    { type: 'join', handle: '2-1', after: 5, replyTo },
    { type: 'joinBehind', handle: '3-1', after: 5, replyTo },
    { type: 'joinBehind', handle: '4-1', after: 20, replyTo },
    { type: 'joinBehind', handle: '5-1', after: 3_000_000, replyTo },
    { type: 'leave', handle: '1-1' },
    { type: 'log.passed', through: 20 },
    { type: 'followers.none' },
    { type: 'followers.stand', at: 10 },
    { type: 'followers.stand', at: 20 },
    { type: 'collector.position', position: 20 },
    { type: 'collector.position', position: 3_000_000 },
    { type: 'block.loaded', after: 10, through: 20 },
    { type: 'block.loaded', after: 20, through: 30 },
    { type: 'block.corrupt', why: 'the log does not hold' },
    { type: 'block.partlyRouted' },
    { type: 'layer.ready', delivery: 1 },
    { type: 'block.delivered' },
    { type: 'batch.done', failed: [] },
    { type: 'batch.done', failed: ['@consumer/1-1'] },
    { type: 'block.notTaken', handles: ['1-1'] },
    { type: 'dismissal.done', failed: [] },
    failed('reader.failed'),
    { type: 'timeout.retry' },
  ],
};

const shapeCacheWalk: WalkedMachine = {
  machine: shapeCache,
  inputs: [{ self }],
  events: [
    { type: 'createShape', definition: {}, replyTo },
    { type: 'deleteShape', handle: '1-1', why: 'asked', replyTo },
    { type: 'purge', why: 'asked', replyTo },
    { type: 'reportCondition' },
    { type: 'shape.found', handle: '1-1', replyTo },
    { type: 'shape.reserved', handle: '1-1', mode: 'create', relation: { oid: 1, schema: 'public', name: 'items' } },
    {
      type: 'shape.reserved', handle: '1-1', mode: 'restore', relation: { oid: 1, schema: 'public', name: 'items' },
      dependencies: [{ handle: '2-1', column: 'id', consumer: 'consumer#2' }],
    },
    { type: 'shape.started', handle: '1-1', pid: 'consumer#1', replies: [replyTo] },
    { type: 'shape.started', handle: '1-1', pid: 'consumer#1', replies: [replyTo], comesBack: true },
    { type: 'shape.refused', handle: '1-1', why: 'no', replies: [replyTo], pids: [] },
    { type: 'shape.condemned', handle: '1-1', pids: ['consumer#1'], why: 'asked', replies: [replyTo] },
    { type: 'shape.unknown', handle: '1-1', replyTo },
    { type: 'confirmHandle', handle: '1-1', replyTo },
    { type: 'noteReader', handle: '1-1' },
    { type: 'shape.isKept', replyTo },
    { type: 'shape.isGone', replyTo },
    { type: 'shape.gone', handle: '1-1', why: 'asked', isTold: false, pids: [], replies: [] },
    { type: 'shape.gone', handle: '1-1', why: 'asked', isTold: true, pids: ['consumer#2'], replies: [replyTo], hasFailed: true },
    { type: 'shape.gone', handle: '1-1', why: 'its index is damaged', isTold: false, pids: [], replies: [], damagedTable: 'public.items' },
    {
      type: 'shape.gone', handle: '1-1', why: 'filterFailed', isTold: false, pids: [], replies: [],
      failedFilter: { table: 'public.items', where: '1 / id > 0', error: { code: '22012', message: 'division by zero', status: 400 } },
    },
    {
      type: 'shape.gone',
      handle: '1-1',
      why: 'replicaIdentity',
      isTold: false,
      pids: [],
      replies: [],
      missed: { table: { schema: 'public', name: 'items' }, why: 'replicaIdentity', xid: 1, lsn: '7' },
    },
    { type: 'shapes.partlyEntered' },
    { type: 'shapes.entered' },
    { type: 'shapes.rested', handles: ['1-1'], relations: [{ oid: 1, schema: 'public', name: 'items' }] },
    { type: 'shapes.restMore' },
    { type: 'shapes.restored', count: 1 },
    { type: 'shapes.touched', handles: ['1-1'] },
    { type: 'shapes.idle', handles: ['1-1'], consumers: ['consumer#1'] },
    { type: 'shapes.mayRest', handles: ['1-1'], consumers: ['consumer#1'] },
    { type: 'shapes.stayed', handles: ['1-1'], consumers: ['consumer#1'] },
    { type: 'giveUpDamaged', handle: '1-1', why: 'its index is damaged' },
    { type: 'condemnShapes', handles: ['1-1'], why: 'asked' },
    { type: 'expireShapes', handles: ['1-1'], why: 'unread' },
    { type: 'shapes.condemned', pids: ['consumer#1'], why: 'asked', count: 1, relations: ['public.items'] },
    { type: 'shapes.purged', replies: [replyTo] },
    { type: 'child.started', id: '1-1', pid: 'consumer#1' },
    { type: 'child.refused', id: '1-1', reason: 'max_children' },
    failed('consumers.failed'),
    down('consumer.down', 'shutdown'),
  ],
};

const handleLifeWalk: WalkedMachine = {
  machine: handleLife,
  inputs: [{}],
  events: handleLife.events.map((type) => ({ type })),
};

const publicationManagerWalk: WalkedMachine = {
  machine: publicationManager,
  inputs: [{ self }],
  events: [
    { type: 'addRelation', handle: '1-1', relation, replyTo },
    { type: 'retainRelation', handle: '1-1', relation },
    { type: 'retainRelations', handles: ['1-1'], relations: [relation] },
    { type: 'releaseShape', handle: '1-1', why: 'asked' },
    { type: 'shapesRestored' },
    { type: 'relations.awaited' },
    { type: 'relations.due' },
    { type: 'relations.published', asked: [replyTo] },
    { type: 'relations.refused', asked: [replyTo], error },
    { type: 'relations.toReview', relations: [relation] },
    { type: 'relations.toAdd', relations: [relation] },
    { type: 'relations.toDrop', relations: [relation] },
    { type: 'relations.settled' },
    { type: 'shapes.lost', handles: ['1-1'], why: 'the table is not published any more' },
    { type: 'refusals.gathered', count: 1, refusals: [{ relation: 'public.items', error }] },
    { type: 'doubtTables', oids: [relation.oid] },
    { type: 'slot.renewed' },
    { type: 'publication.reviewed', faults: [{ relation, fault: 'isDropped' }], turns: [] },
    { type: 'publication.altered', added: [relation], turns: [] },
    { type: 'publication.refused', error },
    { type: 'publication.unavailable', error },
    { type: 'publication.unavailable', error: { ...error, code: 'connection_not_available' } },
    { type: 'publication.unavailable', error: { ...error, code: 'publication_altered' } },
    failed('publication.failed'),
    { type: 'timeout.check' },
    { type: 'timeout.retry' },
  ],
};

const expiryWalk: WalkedMachine = {
  machine: expiry,
  inputs: [{ checkEveryMs: 5_000 }],
  events: [
    { type: 'timeout.check' },
    { type: 'makeRoom' },
    { type: 'limits.kept' },
    { type: 'limits.exceeded', handles: ['1-1'], why: 'nobody has read it' },
    { type: 'limits.reached', bytes: 20, bytesMax: 10 },
    { type: 'logs.kept' },
    { type: 'logs.outgrown', handles: ['1-1'], why: 'its log is long' },
  ],
};

const statusMonitorWalk: WalkedMachine = {
  machine: statusMonitor,
  inputs: [{ self }],
  events: [
    ...CONDITIONS.map((condition) => ({ type: 'condition.met', condition, process: `${condition}#1` })),
    ...CONDITIONS.map((condition) => ({ type: 'condition.lost', condition })),
    { type: 'lock.refused', process: 'lock#1' },
    { type: 'lock.awaited' },
    { type: 'connections.closing', process: 'idle-watch#1' },
    { type: 'connections.opening' },
    down('reporter.down', 'killed'),
    { type: 'awaitActive', replyTo },
    { type: 'awaitReadable', replyTo },
    { type: 'awaitConnected', replyTo },
  ],
};

const connectionLockWalk: WalkedMachine = {
  machine: connectionLock,
  inputs: [{ self }],
  events: [
    { type: 'lock.acquired' },
    { type: 'lock.refused', error, fatal: false },
    { type: 'lock.lost' },
    failed('lock.failed'),
    { type: 'awaitLock', replyTo },
    { type: 'lock.holderSeen', holder: null },
    { type: 'lock.holderSeen', holder: { pid: 7, application: 'armature lock' } },
    failed('holder.failed'),
    { type: 'reportCondition' },
    { type: 'timeout.awaited' },
    { type: 'timeout.retry' },
    { type: 'timeout.proven' },
  ],
};

const connectionPoolsWalk: WalkedMachine = {
  machine: connectionPools,
  inputs: [{ self }],
  events: [
    { type: 'pools.up' },
    { type: 'pools.down', error, fatal: true },
    failed('pools.failed'),
    { type: 'probe' },
    { type: 'reportCondition' },
    { type: 'timeout.retry' },
    { type: 'timeout.check' },
  ],
};

const source = { systemId: '1', timeline: '1', database: 'items', slot: 'slot' };

const replicationClientWalk: WalkedMachine = {
  machine: replicationClient,
  inputs: [{ self }],
  events: [
    { type: 'lock.isHeld' },
    { type: 'lock.lost' },
    failed('lock.failed'),
    { type: 'replication.connected', standing: 'lost', hasSwitched: false, isNoted: false, why: 'gone', source },
    ...[false, true].map((isNoted) => {
      return { type: 'replication.connected', standing: 'continued', hasSwitched: !isNoted, isNoted, why: '', source };
    }),
    { type: 'replication.slotCreated', lsn: '7', source, isMarked: true },
    { type: 'publication.broken', error },
    { type: 'slot.awaited', transactions: ['process 7'], advice: null },
    { type: 'slot.awaited', transactions: [], advice: null },
    { type: 'timeout.slotAwaited' },
    { type: 'replication.refused', error, fatal: true },
    { type: 'replication.streaming' },
    { type: 'replication.ended', error, fatal: false },
    failed('replication.failed'),
    { ...failed('replication.failed'), reason: 'timeout' },
    { type: 'shapes.purged' },
    failed('purge.failed'),
    { type: 'stream.restarted' },
    failed('writer.failed'),
    { type: 'reportCondition' },
    { type: 'timeout.retry' },
    { type: 'timeout.proven' },
  ],
};

const idleWatchWalk: WalkedMachine = {
  machine: idleWatch,
  inputs: [{ self, lookEveryMs: 1_000 }],
  events: [
    { type: 'child.started', id: 'connections', pid: 'connections#1' },
    { type: 'child.refused', id: 'connections', reason: 'running' },
    { type: 'child.refused', id: 'connections', reason: { error } },
    { type: 'child.terminated', id: 'connections' },
    failed('stack.failed'),
    { type: 'service.active' },
    failed('monitor.failed'),
    { ...failed('monitor.failed'), reason: 'timeout' },
    { type: 'wal.seen', lsn: '7' },
    { type: 'wal.unseen' },
    ...[0, 1].map((count) => ({ type: 'standbys.seen', count })),
    { type: 'standbys.unseen' },
    failed('postgres.failed'),
    { type: 'log.hasPassed', through: 10 },
    failed('writer.failed'),
    { type: 'use.isOver' },
    { type: 'use.goesOn' },
    ...[false, true].map((isFollowed) => ({ type: 'use.resumed', closedForMs: 2_000, wakingForMs: 20, isFollowed })),
    { type: 'log.isTaken' },
    { type: 'log.isUntaken' },
    { type: 'awaitAwake', replyTo },
    { type: 'reportCondition' },
    { type: 'timeout.look' },
    { type: 'timeout.taken' },
    { type: 'timeout.retry' },
    { type: 'timeout.well' },
    { type: 'timeout.following' },
  ],
};

const successionWalk: WalkedMachine = {
  machine: succession,
  inputs: [{ lookEveryMs: 2, patienceMs: 10 }],
  events: [
    { type: 'lock.isHeld' },
    failed('lock.failed'),
    { type: 'candidate.seen', host: 'there', pid: 2 },
    { type: 'candidate.unseen' },
    { type: 'room.made' },
    failed('candidates.failed'),
    { type: 'timeout.look' },
  ],
};

const walWatchWalk: WalkedMachine = {
  machine: walWatch,
  inputs: [{ retainedBytesMax: 10 }],
  events: [
    { type: 'timeout.look' },
    ...[4, 20].map((retainedBytes) => {
      return { type: 'slot.seen', slot: 'a', seenMicros: 1, retainedBytes, flushLagBytes: 0, safeBytes: null, isActive: true };
    }),
    { type: 'slot.unseen' },
    failed('slot.failed'),
  ],
};

const checkpointerWalk: WalkedMachine = {
  machine: checkpointer,
  inputs: [{ self, everyMs: 1 }],
  events: [
    { type: 'unsaved.exceeded' },
    { ...failed('waiting.failed'), reason: 'timeout' },
    failed('waiting.failed'),
    { type: 'checkpoint.taken', left: 0 },
    { type: 'checkpoint.taken', left: 1 },
    { type: 'checkpoint.deferred', damaged: [{ handle: '1-1', why: 'damaged' }] },
    failed('checkpoint.failed'),
    { type: 'timeout.retry' },
  ],
};

const standbyWalk: WalkedMachine = {
  machine: standby,
  inputs: [{ self }],
  events: [
    { type: 'storage.held', host: 'there', pid: 1 },
    { type: 'storage.held', host: 'there', pid: 2 },
    { type: 'storage.offered' },
    { type: 'storage.taken' },
    { type: 'storage.refused' },
    { type: 'storage.seen', count: 1 },
    { type: 'storage.unseen', error: { code: 'EIO', message: 'cannot read /checkpoint: EIO' } },
    { type: 'storage.unseen', error: { code: 'ESTALE', message: 'cannot list /: ESTALE' } },
    failed('storage.failed'),
    { type: 'reportCondition' },
    { type: 'timeout.next' },
  ],
};

const diskMonitorWalk: WalkedMachine = {
  machine: diskMonitor,
  inputs: [{ self }],
  events: [
    { type: 'disk.refused', error: { code: 'EIO', meaning: 'EIO: the device fails', message: 'cannot sync /log: EIO' } },
    failed('watch.failed'),
    { type: 'disk.took' },
    failed('trial.failed'),
    { type: 'reportCondition' },
    { type: 'timeout.retry' },
    { type: 'timeout.proven' },
  ],
};

const exits = [true, false].map((fromParent) => ({ type: 'EXIT', process: 'child#1', reason: 'shutdown', fromParent }));
const requests = ['terminateChild', 'restartChild', 'deleteChild', 'getChildSpec', 'whichChild'].map((type) => ({
  type,
  id: 'child',
  replyTo,
}));
const starts = [
  { type: 'startChild', template: 'child', args: { type: 'args' }, replyTo },
  { type: 'STARTED', process: 'child#1' },
  { type: 'IGNORED', process: 'child#1' },
];
const stops = ['brutal_kill', 'infinity', 5_000].flatMap((shutdown) =>
  ['child.toStop', 'child.isStopping'].map((type) => ({ type, id: 'child', process: 'child#1', shutdown })),
);

/** What its table tells a supervisor can be anything here: only the machine is walked. */
const supervisorWalk: WalkedMachine = {
  machine: supervisorMachine,
  inputs: [{ self }],
  events: [
    ...exits,
    ...stops,
    ...starts,
    ...requests,
    { type: 'start.planned', id: 'child' },
    { type: 'stop.planned', id: 'child' },
    { type: 'requests.answered', answers: [] },
    { type: 'child.due', id: 'child' },
    { type: 'children.started' },
    { type: 'start.failed', id: 'child', process: 'child#1', reason: { error } },
    { type: 'child.overdue', process: 'child#1' },
    { type: 'child.stopped' },
    { type: 'children.stopped' },
    { type: 'child.kept', process: 'child#1', reason: 'killed' },
    { type: 'restart.planned', id: 'child' },
    { type: 'restart.retry', id: 'child', process: 'child#1' },
    { type: 'restarts.exhausted' },
    { type: 'significant.ended' },
    { type: 'timeout.shutdown' },
    { type: 'whichChildren', replyTo },
    { type: 'countChildren', replyTo },
    { type: 'hello' },
  ],
};

const dynamicSupervisorWalk: WalkedMachine = {
  machine: dynamicSupervisorMachine,
  inputs: [{ self }],
  events: [
    ...exits,
    ...stops,
    ...starts,
    ...requests,
    { type: 'child.due', id: 'child' },
    { type: 'start.failed', id: 'child', process: 'child#1', reason: { error } },
    { type: 'restart.retry', id: 'child', process: 'child#1' },
    { type: 'restarts.exhausted' },
    { type: 'timeout.terminate.child#1' },
    { type: 'requests.answered', answers: [] },
    { type: 'children.stopped' },
    { type: 'whichChildren', replyTo },
    { type: 'countChildren', replyTo },
    { type: 'hello' },
  ],
};

export const walkedMachines: readonly WalkedMachine[] = [
  consumerWalk,
  materializerWalk,
  snapshotterWalk,
  shapeLogCollectorWalk,
  catchUpCollectorWalk,
  shapeCacheWalk,
  handleLifeWalk,
  publicationManagerWalk,
  expiryWalk,
  statusMonitorWalk,
  connectionLockWalk,
  connectionPoolsWalk,
  replicationClientWalk,
  idleWatchWalk,
  walWatchWalk,
  checkpointerWalk,
  diskMonitorWalk,
  standbyWalk,
  successionWalk,
  supervisorWalk,
  dynamicSupervisorWalk,
];
