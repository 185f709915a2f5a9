/** For each machine: how it can begin, and the events that can reach it, with the few values that make a difference. */
import { consumer } from '../../src/actors/consumer.ts';
import { materializer } from '../../src/actors/materializer.ts';
import { snapshotter } from '../../src/actors/snapshotter.ts';
import type { Scenario } from './transition-coverage.ts';

const error = { name: 'Error', message: 'no' };
const down = (type: string, reason: unknown) => ({ type, process: 'peer#1', reason });
const failed = (type: string) => ({ type, to: '@peer', request: 'any', reason: 'noproc' });
const replyTo = 'call#1';
const everyEnd = ['shutdown', { shutdown: { delete: 'truncate' } }, { error }, 'killed', 'noproc'];

export const consumerScenario: Scenario = {
  machine: consumer,
  inputs: ['create', 'restore'].map((mode) => ({ self: 'consumer#1', handle: '1-1', mode, position: 10, end: '0_inf' })),
  events: [
    { type: 'shape.registered', position: 10 },
    { type: 'shape.registered', position: 20 },
    failed('registration.failed'),
    { type: 'child.started', id: 'snapshotter', pid: 'snapshotter#1' },
    { type: 'child.refused', id: 'snapshotter', reason: error },
    failed('snapshotter.failed'),
    down('snapshotter.down', 'normal'),
    { type: 'snapshot.known', pgSnapshot: { xmin: '1', xmax: '1', xip: [] } },
    { type: 'snapshot.started' },
    { type: 'snapshot.completed' },
    { type: 'snapshot.failed', error },
    { type: 'batch', after: 10, through: 20, replyTo },
    { type: 'block.loaded', after: 10, through: 20 },
    failed('reader.failed'),
    { type: 'log.taken', through: 20, end: '7_0', changed: true },
    { type: 'log.taken', through: 20, end: '0_inf', changed: false },
    { type: 'log.truncated' },
    { type: 'log.schemaChanged' },
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
};

export const materializerScenario: Scenario = {
  machine: materializer,
  inputs: [{ self: 'materializer#1', handle: '1-1', column: 'value', consumer: 'consumer#1' }],
  events: [
    { type: 'snapshot.isStarted' },
    { type: 'snapshot.hasFailed', error },
    { type: 'consumer.subscribed', offset: '0_inf' },
    { type: 'consumer.subscribed', offset: '-1' },
    { type: 'takeAppended', through: '7_0', replyTo },
    { type: 'takeAppended', through: '8_0', replyTo },
    ...everyEnd.map((reason) => down('consumer.down', reason)),
    { type: 'history.blockRead', after: '-1', through: '0_inf' },
    { type: 'history.isGone' },
    failed('history.failed'),
    { type: 'values.applied', offset: '0_0' },
    { type: 'values.applied', offset: '0_inf' },
    { type: 'values.applied', offset: '7_0' },
    { type: 'values.applied', offset: '8_0' },
    { type: 'subscribe', dependant: 'consumer#2', replyTo },
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
};

export const snapshotterScenario: Scenario = {
  machine: snapshotter,
  inputs: [{ self: 'snapshotter#1', handle: '1-1', relation: { oid: 1, schema: 'public', name: 'items' } }],
  events: [
    { type: 'table.published' },
    { type: 'table.refused', error },
    failed('publication.failed'),
    { type: 'snapshot.known', pgSnapshot: { xmin: '1', xmax: '1', xip: [] } },
    { type: 'snapshot.started' },
    { type: 'snapshot.completed' },
    { type: 'snapshot.failed', error },
    failed('query.failed'),
    down('consumer.down', 'shutdown'),
  ],
};
