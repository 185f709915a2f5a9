/**
 * IngestRegion: how the transaction log comes in. First by position alone, then read by the shape itself until nothing is
 * left, then batch by batch with the others. Whoever brings a block, it is taken, published and passed on in the same
 * three steps.
 *
 * Of a large transaction the shape hears only where it ends. It leaves the others' pace and follows the collector of those
 * who catch up, which brings it the fragments that touch it. So does a stored shape that gets its Consumer when something was
 * missed already. A shape that a collector has left behind, because it was silent for too long, registers anew and takes what it
 * missed. One that nothing touches is told so, and ends: the next one is started by what does.
 */
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { DeliveryId } from '../../shapes/delivery.ts';
import { leavingReason, SLEPT } from '../down-cause.ts';
import { note } from '../journal.ts';
import type { ConsumerLogChange } from './consumer-log.ts';
import { batchTaken, consumerSetup, taken, type ConsumerContext, type Offer } from './consumer-setup.ts';
import { dependStates } from './depend-states.ts';
import { spliceStates } from './splice-states.ts';

const ADVICE = 'It did not take in time what it, or its predecessor, was brought: the others went on. It takes that from the log now.';

const readLater = {
  actions: [{ type: 'noteOffered', params: offerOf }, { type: 'reply', params: leftInLog }],
} as const;

const answerBatch = [{ type: 'reply', params: ({ context }: { context: ConsumerContext }) => batchTaken(context) }, 'dropBatch'] as const;

const register = {
  type: 'call',
  params: ({ context }: { context: ConsumerContext }) => ({
    to: '@shape-log-collector' as const,
    request: { type: 'registerShape', handle: context.handle, consumer: context.self },
    as: 'registration',
  }),
} as const;

export const ingestRegion = consumerSetup.createStateConfig({
  initial: 'deciding',
  on: {
    /** What is offered stays in the transaction log, and the shape comes to it by itself: the collector need not wait. */
    batch: readLater,
    logOffered: readLater,
    // We follow nobody any more, or not yet: what they bring lies in the log too.
    fragment: { actions: { type: 'reply', params: leftInLog } },
    dismissed: { actions: { type: 'reply', params: leftInLog } },
    leftBehind: { actions: 'noteLeftBehind' },
    /** To take a move is to queue it, in every state: its transaction must not wait for a splice, which may wait for the transaction. */
    takeMoves: {
      actions: [
        { type: 'noteTold', params: ({ event }) => event },
        { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'moves.taken' } }) },
      ],
    },
  },
  states: {
    deciding: { always: [{ guard: 'dependsOnOthers', target: 'depending' }, { target: 'registering' }] },
    depending: dependStates,
    registering: {
      entry: register,
      on: {
        'shape.registered': [
          { guard: 'isRestored', target: 'measuring', actions: { type: 'noteRegistered', params: ({ event }) => event } },
          { target: 'buffering', actions: { type: 'noteRegistered', params: ({ event }) => event } },
        ],
        // The collector still routes to the Consumer whose place we take; what it offers us we must not lose.
        batch: { actions: 'postpone' },
        logOffered: { actions: 'postpone' },
        leftBehind: {}, // Sent before the collector had our request.
      },
    },
    /** Its snapshot is on the way. What is offered meanwhile is kept as a position. */
    buffering: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@consumers',
          request: { type: 'startChild', template: 'snapshotter', args: { handle: context.handle, consumer: context.self } },
          as: 'snapshotter',
        }),
      },
      on: { 'snapshot.known': 'locating' },
    },
    /** Postgres streams a commit before its snapshots see it: our snapshot may lack what was routed before we registered. */
    locating: {
      entry: { type: 'apply', params: { table: 'log', change: 'locate' } },
      on: { 'log.located': { target: 'measuring', actions: { type: 'noteLocated', params: ({ event }) => event } } },
    },
    measuring: {
      always: [
        { guard: 'isLeftBehind', target: 'returning' },
        { guard: 'standsAtSplice', target: 'splicing' },
        { guard: 'isHeld', target: 'loading' },
        { guard: 'hasMoves', target: 'splicing' },
        { guard: 'lagsWithOthers', target: 'joiningBehind' },
        { guard: 'isBehind', target: 'loading' },
        { target: 'live', actions: { type: 'apply', params: { table: 'log', change: 'goAlong' } } },
      ],
    },
    splicing: { tags: 'splicing', ...spliceStates },
    /** The shape must stand before the transaction that moved something, when that goes on to us. */
    steppingAside: {
      entry: { type: 'apply', params: { table: 'log', change: 'leavePace' } },
      on: { 'log.located': { target: 'measuring', actions: { type: 'noteStanding', params: ({ event }) => event } } },
    },
    /** Nothing that comes now is brought to us: we are brought it again from where the collector then stands. */
    returning: {
      entry: [
        'noteReturning',
        { type: 'send', params: ({ context }) => note('warn', 'shape.leftBehind', { handle: context.handle, advice: ADVICE }) },
        { type: 'apply', params: { table: 'log', change: 'leavePace' } },
        register,
      ],
      on: {
        'log.located': { actions: { type: 'noteStanding', params: ({ event }) => event } },
        'shape.registered': { target: 'measuring', actions: { type: 'noteOffered', params: ({ event }) => ({ through: event.position }) } },
        leftBehind: {}, // Sent before the collector had our request.
      },
    },
    loading: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@log-reader',
          request: { type: 'loadBlock', owner: context.self, after: context.cursor, through: readableThrough(context) },
          as: 'reader',
        }),
      },
      on: { 'block.loaded': { target: 'taking', actions: { type: 'apply', params: ({ event }) => takeUnrouted(event) } } },
    },
    /** Nothing is left to take, and the collector waits for us from now on. */
    live: {
      tags: 'ready',
      always: [{ guard: 'isLeftBehind', target: 'returning' }, { guard: 'hasMoves', target: 'steppingAside' }],
      on: {
        batch: {
          target: 'taking',
          actions: [
            { type: 'holdBatch', params: ({ event }) => event },
            { type: 'apply', params: ({ event }) => take(event) },
          ],
        },
        logOffered: { target: 'leaving', actions: { type: 'holdBatch', params: ({ event }) => event } },
        /** All that we were brought is taken, and seen. */
        sleep: { target: '#consumer.closed', actions: { type: 'noteReason', params: { reason: SLEPT } } },
      },
    },
    /** The others must not wait for what is coming: the shape leaves their pace before it answers. */
    leaving: {
      entry: { type: 'apply', params: { table: 'log', change: 'leavePace' } },
      on: { 'log.located': { target: 'joining', actions: { type: 'noteStanding', params: ({ event }) => event } } },
    },
    joining: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@catch-up-collector',
          request: { type: 'join', handle: context.handle, after: context.position },
          as: 'catchUp',
        }),
      },
      on: {
        'catchUp.joined': { target: 'following', actions: ['noteFollowing', ...answerBatch] },
        'catchUp.passed': { target: 'measuring', actions: [...answerBatch] },
      },
    },
    /** What the shape was not there for it takes with all others of its kind, so that the log is read and routed once for all of them. */
    joiningBehind: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@catch-up-collector',
          request: { type: 'joinBehind', handle: context.handle, after: context.position },
          as: 'catchUp',
        }),
      },
      on: {
        'catchUp.joined': { target: 'following', actions: 'noteFollowing' },
        'catchUp.passed': 'loading', // They have much to take that is none of ours.
      },
    },
    /** With others that catch up. What the collector offers meanwhile is part of what they go through. */
    following: {
      always: {
        guard: 'isLeftBehind',
        target: 'returning',
        actions: {
          type: 'send',
          params: ({ context }) => ({ to: '@catch-up-collector', event: { type: 'leave', handle: context.handle } }),
        },
      },
      on: {
        fragment: {
          target: 'taking',
          actions: [
            { type: 'holdFragment', params: ({ event }) => event },
            { type: 'apply', params: ({ event }) => take(event) },
          ],
        },
        dismissed: {
          target: 'measuring',
          actions: [
            'noteAlone',
            { type: 'noteStanding', params: ({ event }) => ({ position: event.through }) },
            { type: 'apply', params: ({ event }) => publish(event) },
            { type: 'reply', params: leftInLog },
          ],
        },
      },
    },
    taking: {
      on: {
        'log.taken': [
          {
            guard: { type: 'hasNewsToTell', params: ({ event }) => event },
            target: 'passingOn',
            actions: [
              { type: 'apply', params: ({ event }) => publish(event) },
              { type: 'noteTaken', params: ({ event }) => event },
            ],
          },
          {
            target: 'settled',
            actions: [
              { type: 'apply', params: ({ event }) => publish(event) },
              { type: 'noteTaken', params: ({ event }) => event },
            ],
          },
        ],
        'part.taken': [
          {
            guard: { type: 'isMuch', params: ({ event }) => event },
            target: 'spilling',
            actions: { type: 'notePartTaken', params: ({ event }) => event },
          },
          { target: 'settled', actions: { type: 'notePartTaken', params: ({ event }) => event } },
        ],
        'log.withdrawn': 'settled',
      },
    },
    /** Much of a transaction leaves the memory before more of it comes. */
    spilling: {
      entry: {
        type: 'call',
        params: ({ context }) => ({ to: '@checkpoints', request: { type: 'spillLines', handle: context.handle }, as: 'spill' }),
      },
      on: { 'lines.spilled': 'settled' },
    },
    /** The collector hears of a batch only when our Materializers have it: what depends on them comes after. */
    passingOn: {
      entry: { type: 'multicall', params: ({ context }) => announcement(context) },
      on: {
        /** Nobody may be told meanwhile that the shape is up to date: one that others depend on may itself depend on others. */
        takeMoves: {
          actions: [
            { type: 'noteTold', params: ({ event }) => event },
            { type: 'apply', params: { table: 'log', change: 'leavePace' } },
            { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'moves.taken' } }) },
          ],
        },
        'log.located': { actions: { type: 'noteStanding', params: ({ event }) => event } },
        'appended.done': 'settled',
        stop: [
          {
            guard: { type: 'drainsWithBatch', params: ({ event }) => ({ reason: { shutdown: event.cause } }) },
            target: '#consumer.draining',
          },
          { target: '#consumer.closed', actions: { type: 'noteReason', params: ({ event }) => ({ reason: { shutdown: event.cause } }) } },
        ],
        EXIT: [
          { guard: { type: 'drainsWithBatch', params: ({ event }) => event }, target: '#consumer.draining' },
          { target: '#consumer.closed', actions: { type: 'noteReason', params: ({ event }) => ({ reason: leavingReason(event.reason) }) } },
        ],
      },
    },
    settled: {
      always: [
        { guard: 'holdsFragment', target: 'following', actions: [...answerBatch] },
        { guard: 'holdsBatch', target: 'live', actions: [...answerBatch] },
        { target: 'measuring' },
      ],
    },
  },
});

/** A splice that is recorded already begins at its own place. */
function readableThrough({ offered, reach, splice }: ConsumerContext): LogPosition {
  if (splice !== null) return splice.place;
  return offered > reach ? offered : reach;
}

function offerOf({ event }: { event: Offer }): Offer {
  return event;
}

function leftInLog({ context, event }: { context: ConsumerContext; event: Offer }) {
  return taken(context, event.replyTo);
}

function take({ delivery }: { delivery: DeliveryId }): { table: string; change: ConsumerLogChange } {
  return { table: 'log', change: { take: delivery } };
}

function takeUnrouted({ after, through }: LogRange): { table: string; change: ConsumerLogChange } {
  return { table: 'log', change: { takeUnrouted: { after, through } } };
}

function publish({ through }: { through: LogPosition }): { table: string; change: ConsumerLogChange } {
  return { table: 'log', change: { publish: through } };
}

function announcement({ end, position }: { end: LogOffset; position: LogPosition }) {
  return { table: 'materializers', request: { type: 'takeAppended', through: end, position }, as: 'appended' };
}
