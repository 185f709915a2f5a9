/**
 * Consumer: writes one shape's log, and says to everybody who follows the shape how far it can be read.
 *
 * No transaction may be missing from the log or stand in it twice. So it registers with the collector before its
 * snapshot is taken; what comes before the snapshot is known is kept as a position in the transaction log, never as a
 * copy, and a snapshot that does not see what is in the log already sends it further back; and each transaction is held
 * against the snapshot's visibility before it is taken. Whoever subscribes gets the
 * last offset that can be read, at the end of a transaction: history lies up to it, announcements begin behind it.
 *
 * A transaction that is larger than a block is taken part by part, by each shape from the log and without the others. What
 * a part gives is written to the shape's files and seen by nobody; the last part shows all of it at once.
 *
 * `stop` is not beside the other regions but around them: a Consumer that is closed takes nothing in.
 */
import { assign, setup } from 'xstate';
import { invariant } from '../../base/invariant.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import { effects } from '../../otp/effects.ts';
import type { Address, CallFailed, Down, ExitReason, Pid, ReplyTo } from '../../otp/process.ts';
import type { DeliveryId } from '../../shapes/delivery.ts';
import type { ConsumerLogChange, ConsumerLogTold } from './consumer-log.ts';
import { leavingReason, type StopCause } from '../down-cause.ts';
import { keep, next } from '../request-backlog.ts';
import { SNAPSHOT_GIVEN_UP, type SnapshotFault } from '../snapshot-fault.ts';

export type ConsumerEvent =
  | { type: 'shape.registered'; position: LogPosition }
  | (CallFailed & { type: 'registration.failed' })
  | { type: 'child.started'; id: string; pid: Pid }
  | { type: 'child.refused'; id: string; reason: unknown }
  | (CallFailed & { type: 'snapshotter.failed' })
  | (Down & { type: 'snapshotter.down' })
  | { type: 'snapshot.known'; pgSnapshot: PgSnapshot }
  | { type: 'snapshot.started' }
  | { type: 'snapshot.completed' }
  | { type: 'snapshot.failed'; error: SnapshotFault }
  | { type: 'batch'; delivery: DeliveryId; through: LogPosition; replyTo: ReplyTo }
  /** There is more to take, by the Consumer itself: nobody brings it. */
  | { type: 'logOffered'; through: LogPosition; replyTo: ReplyTo }
  | { type: 'lines.spilled' }
  | { type: 'lines.refused'; why: string }
  | (CallFailed & { type: 'spill.failed' })
  | { type: 'block.loaded'; after: LogPosition; through: LogPosition }
  /** What the shape has yet to take is damaged. */
  | { type: 'block.corrupt'; why: string }
  | (CallFailed & { type: 'reader.failed' })
  | ConsumerLogTold
  | { type: 'appended.done'; failed: readonly Address[] }
  | { type: 'awaitSnapshotStart'; replyTo: ReplyTo }
  | { type: 'subscribeMaterializer'; materializer: Pid; replyTo: ReplyTo }
  | (Down & { type: 'materializer.down'; process: Pid })
  | { type: 'subscribers.counted'; count: number }
  | { type: 'waiters.answered' }
  | { type: 'stop'; cause: StopCause }
  | { type: 'EXIT'; process: Address; reason: ExitReason; fromParent: boolean };

export interface ConsumerInput {
  readonly self: Pid;
  readonly handle: Handle;
  /** A restored shape has its whole snapshot. */
  readonly mode: 'create' | 'restore';
  /** How far the shape's log has taken the transaction log. */
  readonly position: LogPosition;
  /** The last offset that can be read; `0_inf` for a new shape. */
  readonly end: LogOffset;
}

interface Context extends ConsumerInput {
  /** Where the shape reads on: behind `position` only inside a large transaction. */
  readonly cursor: LogPosition;
  /** The collector has offered the transaction log up to here and does not offer it again: we take all of it from the log. */
  readonly offered: LogPosition;
  readonly materializerCount: number;
  /** Who waits until the batch in hand is taken; null when there is none in hand. */
  readonly batchReplyTo: ReplyTo | null;
  readonly snapshotError: SnapshotFault | null;
  readonly reason: ExitReason;
}

const parts = setup({
  types: {
    input: {} as ConsumerInput,
    context: {} as Context,
    events: {} as ConsumerEvent,
    output: {} as { reason: ExitReason },
  },
  guards: {
    isRestored: ({ context }) => context.mode === 'restore',
    isBehind: ({ context }) => context.cursor < context.offered,
    holdsBatch: ({ context }) => context.batchReplyTo !== null,
    hasNewsToTell: ({ context }, { changed }: { changed: boolean }) => changed && context.materializerCount > 0,
    drainsWithBatch: ({ context }, { reason }: { reason: ExitReason }) => context.batchReplyTo !== null && isDrain(reason),
  },
  actions: {
    ...effects,
    noteRegistered: assign(({ context }, { position }: { position: LogPosition }) => {
      // A new shape learns from its snapshot where to begin; a stored one reads on from where it was.
      const begin = context.mode === 'create' ? position : context.position;
      return { position: begin, cursor: begin, offered: position };
    }),
    noteLocated: assign((_, { position }: { position: LogPosition }) => ({ position, cursor: position })),
    noteOffered: assign((_, { through }: { through: LogPosition }) => ({ offered: through })),
    notePartTaken: assign((_, { through }: { through: LogPosition }) => ({ cursor: through })),
    noteTaken: assign((_, { through, end }: { through: LogPosition; end: LogOffset }) => ({ position: through, cursor: through, end })),
    holdBatch: assign((_, { replyTo, through }: { replyTo: ReplyTo; through: LogPosition }) => ({
      batchReplyTo: replyTo,
      offered: through,
    })),
    dropBatch: assign({ batchReplyTo: null }),
    noteMaterializerCount: assign((_, { count }: { count: number }) => ({ materializerCount: count })),
    noteSnapshotError: assign((_, { error }: { error: SnapshotFault }) => ({ snapshotError: error })),
    noteReason: assign((_, { reason }: { reason: ExitReason }) => ({ reason })),
  },
});

const snapshotGivenUp = {
  target: '#consumer.refusing',
  actions: { type: 'noteSnapshotError', params: { error: SNAPSHOT_GIVEN_UP } },
} as const;
/** Whoever waited is answered one after the other, each by the request that comes back out of the backlog. */
const answerStarted = {
  actions: [{ type: 'reply', params: isStarted }, { type: 'apply', params: next('awaitingStart') }],
} as const;

const readLater = {
  actions: [{ type: 'noteOffered', params: offerOf }, { type: 'reply', params: leftInLog }],
} as const;

/** How far the shape's first rows have come, and who may therefore be answered. */
const snapshotRegion = parts.createStateConfig({
  initial: 'deciding',
  on: {
    'child.started': { actions: { type: 'monitor', params: ({ event }) => ({ process: event.pid, as: 'snapshotter' }) } },
    'snapshot.failed': { target: '#consumer.refusing', actions: { type: 'noteSnapshotError', params: ({ event }) => event } },
    'child.refused': snapshotGivenUp,
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

/**
 * How the transaction log comes in: first by position alone, then read by the shape itself until nothing is left, then
 * batch by batch with the others. Whoever brings a block, it is taken, published and passed on in the same three steps.
 */
const ingestRegion = parts.createStateConfig({
  initial: 'registering',
  on: {
    /** What is offered stays in the transaction log, and the shape comes to it by itself: the collector need not wait. */
    batch: readLater,
    logOffered: readLater,
  },
  states: {
    registering: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@shape-log-collector',
          request: { type: 'registerShape', handle: context.handle },
          as: 'registration',
        }),
      },
      on: {
        'shape.registered': [
          { guard: 'isRestored', target: 'measuring', actions: { type: 'noteRegistered', params: ({ event }) => event } },
          { target: 'buffering', actions: { type: 'noteRegistered', params: ({ event }) => event } },
        ],
        // The collector still routes to the Consumer whose place we take; what it offers us we must not lose.
        batch: { actions: 'postpone' },
        logOffered: { actions: 'postpone' },
      },
    },
    /** Its snapshot is on the way. What is offered meanwhile is kept as a position. */
    buffering: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@consumers',
          request: { type: 'startChild', template: 'snapshotter', args: { handle: context.handle } },
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
        { guard: 'isBehind', target: 'loading' },
        { target: 'live', actions: { type: 'apply', params: { table: 'log', change: 'caughtUp' } } },
      ],
    },
    loading: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@log-reader',
          request: { type: 'loadBlock', owner: context.self, after: context.cursor, through: context.offered },
          as: 'reader',
        }),
      },
      on: { 'block.loaded': { target: 'taking', actions: { type: 'apply', params: ({ event }) => takeUnrouted(event) } } },
    },
    /** Nothing is left to take, and the collector waits for us from now on. */
    live: {
      tags: 'ready',
      on: {
        batch: {
          target: 'taking',
          actions: [
            { type: 'holdBatch', params: ({ event }) => event },
            { type: 'apply', params: ({ event }) => take(event) },
          ],
        },
        /** The others must not wait for what is coming: the shape leaves their pace before it answers. */
        logOffered: {
          target: 'measuring',
          actions: [
            { type: 'noteOffered', params: ({ event }) => event },
            { type: 'apply', params: { table: 'log', change: 'leavePace' } },
            { type: 'reply', params: ({ context, event }) => taken(context, event.replyTo) },
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
        'part.taken': { target: 'spilling', actions: { type: 'notePartTaken', params: ({ event }) => event } },
        'log.withdrawn': 'settled',
      },
    },
    /** A part of a transaction leaves the memory before the next one comes. */
    spilling: {
      entry: {
        type: 'call',
        params: ({ context }) => ({ to: '@checkpoints', request: { type: 'spillLines', handle: context.handle }, as: 'spill' }),
      },
      on: { 'lines.spilled': 'loading' },
    },
    /** The collector hears of a batch only when our Materializers have it: what depends on them comes after. */
    passingOn: {
      entry: { type: 'multicall', params: ({ context }) => announcement(context) },
      on: {
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
        { guard: 'holdsBatch', target: 'live', actions: [{ type: 'reply', params: ({ context }) => batchTaken(context) }, 'dropBatch'] },
        { target: 'measuring' },
      ],
    },
  },
});

export const consumer = parts.createMachine({
  id: 'consumer',
  context: ({ input }) => ({
    ...input,
    cursor: input.position,
    offered: input.position,
    materializerCount: 0,
    batchReplyTo: null,
    snapshotError: null,
    reason: { shutdown: 'drain' },
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
        'spill.failed': 'closed',
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
        {
          type: 'noteReason',
          params: ({ context }) => ({ reason: { shutdown: { delete: 'snapshotFailed', error: context.snapshotError } } }),
        },
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
  return { reason: { shutdown: { delete: why } } };
}

function isDrain(reason: ExitReason): boolean {
  const leaving = leavingReason(reason);
  return typeof leaving === 'object' && 'shutdown' in leaving && leaving.shutdown === 'drain';
}

function isStarted({ event }: { event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo, event: { type: 'snapshot.isStarted' } };
}

interface Offer {
  readonly through: LogPosition;
  readonly replyTo: ReplyTo;
}

function offerOf({ event }: { event: Offer }): Offer {
  return event;
}

function leftInLog({ context, event }: { context: Context; event: Offer }) {
  return taken(context, event.replyTo);
}

function taken({ handle }: Context, replyTo: ReplyTo) {
  return { to: replyTo, event: { type: 'batch.taken', handle } };
}

function batchTaken(context: Context) {
  invariant(context.batchReplyTo !== null, 'a batch that is answered is in hand');
  return taken(context, context.batchReplyTo);
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

function announcement({ end }: { end: LogOffset }) {
  return { table: 'materializers', request: { type: 'takeAppended', through: end }, as: 'appended' };
}
