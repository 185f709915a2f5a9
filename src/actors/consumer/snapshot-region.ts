/** SnapshotRegion: how far the shape's first rows have come, and who may therefore be answered. */
import type { ReplyTo } from '../../otp/process.ts';
import { keep, next } from '../request-backlog.ts';
import { SNAPSHOT_GIVEN_UP } from '../snapshot-fault.ts';
import { consumerSetup } from './consumer-setup.ts';

const snapshotGivenUp = {
  target: '#consumer.refusing',
  actions: { type: 'noteSnapshotError', params: { error: SNAPSHOT_GIVEN_UP } },
} as const;

/** Whoever waited is answered one after the other, each by the request that comes back out of the backlog. */
const answerStarted = {
  actions: [{ type: 'reply', params: isStarted }, { type: 'apply', params: next('awaitingStart') }],
} as const;

export const snapshotRegion = consumerSetup.createStateConfig({
  initial: 'deciding',
  on: {
    'child.started': {
      guard: { type: 'isSnapshotter', params: ({ event }) => event },
      actions: { type: 'monitor', params: ({ event }) => ({ process: event.pid, as: 'snapshotter' }) },
    },
    'snapshot.failed': { target: '#consumer.refusing', actions: { type: 'noteSnapshotError', params: ({ event }) => event } },
    'child.refused': { guard: { type: 'isSnapshotter', params: ({ event }) => event }, ...snapshotGivenUp },
    'snapshotter.failed': snapshotGivenUp,
    'snapshotter.down': snapshotGivenUp,
    awaitSnapshotStart: { actions: { type: 'apply', params: keep('awaitingStart') } },
    // At most one for each column. Until the end can be read, a Materializer could not tell history from what is announced.
    subscribeMaterializer: { actions: 'postpone' },
  },
  states: {
    deciding: { always: [{ guard: 'isRestored', target: 'complete' }, { target: 'unknown' }] },
    /** Not even its visibility is known: no transaction can be judged. */
    unknown: { on: { 'snapshot.known': 'known' } },
    /** Transactions are judged by it, its rows do not flow yet. */
    known: { on: { 'snapshot.started': 'started' } },
    /** Requests may read it as it grows. */
    started: {
      entry: { type: 'apply', params: next('awaitingStart') },
      on: { 'snapshot.completed': 'complete', awaitSnapshotStart: answerStarted },
    },
    complete: {
      on: {
        'snapshotter.down': {}, // It has done its work.
        awaitSnapshotStart: answerStarted,
        subscribeMaterializer: {
          actions: [
            { type: 'monitor', params: ({ event }) => ({ process: event.materializer, as: 'materializer' }) },
            { type: 'apply', params: ({ event }) => ({ table: 'materializers', change: { add: event.materializer } }) },
            {
              type: 'reply',
              params: ({ context, event }) => ({ to: event.replyTo, event: { type: 'consumer.subscribed', offset: context.end } }),
            },
          ],
        },
      },
    },
  },
});

function isStarted({ event }: { event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo, event: { type: 'snapshot.isStarted' } };
}
