/**
 * Consumer: writes one shape's log, and says to everybody who follows the shape how far it can be read.
 *
 * No transaction may be missing from the log or stand in it twice. So it registers with the collector before its
 * snapshot is taken; what comes before the snapshot is known is kept as a position in the transaction log, never as a
 * copy, and a snapshot that does not see what is in the log already sends it further back; and each transaction is held
 * against the snapshot's visibility before it is taken. Whoever subscribes gets the last offset that can be read, at the end
 * of a transaction: history lies up to it, announcements begin behind it.
 *
 * A large transaction is taken part by part, without the shapes that it does not concern. What a part gives is seen by
 * nobody, and leaves the memory where it is much; the last part shows all of it at once.
 *
 * `stop` is not beside the other regions but around them: a Consumer that is closed takes nothing in.
 */
import type { ExitReason } from '../../otp/process.ts';
import { DRAINED, leavingReason } from '../down-cause.ts';
import { next } from '../request-backlog.ts';
import { batchTaken, consumerSetup, dependencyEnd, failedEnd } from './consumer-setup.ts';
import { ingestRegion } from './ingest-region.ts';
import { snapshotRegion } from './snapshot-region.ts';

export const consumer = consumerSetup.createMachine({
  id: 'consumer',
  context: ({ input: { self, handle, mode, position, end, dependencies, shownThrough } }) => ({
    // Each field by itself: there are very many Consumers, and an object that grew field by field takes more.
    self,
    handle,
    mode,
    position,
    end,
    cursor: position,
    offered: position,
    materializerCount: 0,
    batchReplyTo: null,
    isFollowing: false,
    isLeftBehind: false,
    materializers: [],
    told: [],
    views: [],
    recordedViews: [],
    splice: null,
    draft: null,
    seen: position,
    rowsTaken: 0,
    isSpliceDurable: false,
    reach: shownThrough ?? position,
    failures: 0,
    snapshotError: null,
    reason: DRAINED,
    ...(dependencies === undefined ? {} : { dependencies }),
    ...(shownThrough === undefined ? {} : { shownThrough }),
  }),
  output: ({ context }) => ({ reason: context.reason }),
  initial: 'running',
  states: {
    running: {
      type: 'parallel',
      on: {
        stop: { target: 'closed', actions: { type: 'noteReason', params: ({ event }) => ({ reason: { shutdown: event.cause } }) } },
        /** No line could say what a transaction did: the shape begins anew, under another handle. */
        'log.ended': { target: 'closed', actions: { type: 'noteReason', params: ({ event }) => ({ reason: { shutdown: event.cause } }) } },
        EXIT: { target: 'closed', actions: { type: 'noteReason', params: ({ event }) => ({ reason: leavingReason(event.reason) }) } },
        /** Where its files or the log do not hold, the shape begins anew as well. */
        'lines.refused': { target: 'closed', actions: { type: 'noteReason', params: damaged } },
        'block.corrupt': { target: 'closed', actions: { type: 'noteReason', params: damaged } },
        // What is stored stays good: the shape cache starts a Consumer anew, which reads on from there.
        'registration.failed': 'closed',
        'reader.failed': 'closed',
        'catchUp.failed': 'closed',
        'spill.failed': 'closed',
        /** Who keeps the values has ended in good order: so do we, and both begin again, the inner one first. */
        'dependency.down': [
          {
            guard: { type: 'isInvalid', params: ({ event }) => event },
            target: 'closed',
            actions: { type: 'noteReason', params: ({ event }) => ({ reason: dependencyEnd(event.reason) }) },
          },
          { target: 'closed' },
        ],
        'dependency.failed': {}, // Its DOWN is on its way.
        'values.areGone': 'closed',
        'collector.isGone': 'closed',
        invalidate: {
          target: 'closed',
          actions: [
            { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'invalidation.noted' } }) },
            { type: 'noteReason', params: ({ event }) => ({ reason: dependencyEnd(event.reason) }) },
          ],
        },
        'materializer.down': {
          actions: { type: 'apply', params: ({ event }) => ({ table: 'materializers', change: { remove: event.process } }) },
        },
        'subscribers.counted': { actions: { type: 'noteMaterializerCount', params: ({ event }) => event } },
      },
      states: { snapshot: snapshotRegion, ingest: ingestRegion },
    },
    /** There will be no snapshot: those who wait for its start are told why, before their DOWN tells them less. */
    refusing: {
      entry: [
        { type: 'noteReason', params: ({ context }) => ({ reason: failedEnd(context.snapshotError) }) },
        { type: 'apply', params: next('awaitingStart') },
        // They are answered before this comes.
        { type: 'send', params: ({ context }) => ({ to: context.self, event: { type: 'waiters.answered' } }) },
      ],
      on: {
        awaitSnapshotStart: {
          actions: [
            {
              type: 'reply',
              params: ({ context, event }) => ({ to: event.replyTo, event: { type: 'snapshot.hasFailed', error: context.snapshotError } }),
            },
            { type: 'apply', params: next('awaitingStart') },
          ],
        },
        'waiters.answered': 'closed',
        '*': {}, // Whoever asks for something else learns by our DOWN.
      },
    },
    /** The batch in hand is written; it is taken when our Materializers have it too. */
    draining: {
      on: {
        'appended.done': { target: 'closed', actions: { type: 'reply', params: ({ context }) => batchTaken(context) } },
        '*': {}, // Whoever asks for something learns by our DOWN.
      },
    },
    closed: { type: 'final' },
  },
});

function damaged({ event: { why } }: { event: { why: string } }): { reason: ExitReason } {
  return { reason: { shutdown: { delete: why, isDamaged: true } } };
}
