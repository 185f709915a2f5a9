/** ConsumerSetup: what a Consumer hears and remembers, and the guards and actions that the regions of its chart name. */
import { assign, setup } from 'xstate';
import { invariant } from '../../base/invariant.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import { effects } from '../../otp/effects.ts';
import type { Address, CallFailed, Down, ExitReason, Pid, ReplyTo } from '../../otp/process.ts';
import type { DeliveryId } from '../../shapes/delivery.ts';
import { leavingReason, type StopCause } from '../down-cause.ts';
import type { SnapshotFault } from '../snapshot-fault.ts';
import type { ConsumerLogTold } from './consumer-log.ts';

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
  /** A large transaction is to be taken, and whoever goes along must not wait for it. */
  | { type: 'logOffered'; through: LogPosition; replyTo: ReplyTo }
  /** Nothing is brought to us any more: we were silent for too long. */
  | { type: 'leftBehind' }
  | { type: 'catchUp.joined' }
  | { type: 'catchUp.passed' }
  | (CallFailed & { type: 'catchUp.failed' })
  /** A block of the log, or a part of a large transaction, for those who catch up together. */
  | { type: 'fragment'; delivery: DeliveryId; through: LogPosition; replyTo: ReplyTo }
  /** We have come as far as the others: nothing more is brought to us apart from them. */
  | { type: 'dismissed'; through: LogPosition; replyTo: ReplyTo }
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

/** A shape on which another one depends, and its Consumer at the time when that of the other was started. */
export interface InnerShape {
  readonly handle: Handle;
  /** The one whose values are looked up. */
  readonly column: string;
  readonly consumer: Pid;
}

export interface ConsumerInput {
  readonly self: Pid;
  readonly handle: Handle;
  /** A restored shape has its whole snapshot. */
  readonly mode: 'create' | 'restore';
  /** How far the shape's log has taken the transaction log. */
  readonly position: LogPosition;
  /** The last offset that can be read; `0_inf` for a new shape. */
  readonly end: LogOffset;
  /** In the order of the definition's dependencies. Left out where there are none. */
  readonly dependencies?: readonly InnerShape[];
}

export interface ConsumerContext extends ConsumerInput {
  /** Where the shape reads on: behind `position` only inside a large transaction. */
  readonly cursor: LogPosition;
  /** The collector has offered the transaction log up to here and does not offer it again: we take all of it from the log. */
  readonly offered: LogPosition;
  readonly materializerCount: number;
  /** Who waits until the batch or the fragment in hand is taken; null when there is none in hand. */
  readonly batchReplyTo: ReplyTo | null;
  /** We catch up together with others: fragments are brought to us. */
  readonly isFollowing: boolean;
  /** Nothing is brought to us any more, and we have not registered since. */
  readonly isLeftBehind: boolean;
  readonly snapshotError: SnapshotFault | null;
  readonly reason: ExitReason;
}

export const consumerSetup = setup({
  types: {
    input: {} as ConsumerInput,
    context: {} as ConsumerContext,
    events: {} as ConsumerEvent,
    output: {} as { reason: ExitReason },
  },
  guards: {
    isRestored: ({ context }) => context.mode === 'restore',
    isBehind: ({ context }) => context.cursor < context.offered,
    isLeftBehind: ({ context }) => context.isLeftBehind,
    holdsFragment: ({ context }) => context.batchReplyTo !== null && context.isFollowing,
    isMuch: (_, { isMuch }: { isMuch: boolean }) => isMuch,
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
    noteOffered: assign(({ context }, { through }: { through: LogPosition }) => ({ offered: later(context.offered, through) })),
    /** What lies before `position` is taken, or was none of ours. Inside a large transaction we stand further. */
    noteStanding: assign(({ context }, { position }: { position: LogPosition }) => ({
      position,
      cursor: later(context.cursor, position),
    })),
    noteFollowing: assign({ isFollowing: true }),
    noteAlone: assign({ isFollowing: false }),
    noteLeftBehind: assign({ isLeftBehind: true }),
    noteReturning: assign({ isLeftBehind: false, isFollowing: false }),
    notePartTaken: assign((_, { through }: { through: LogPosition }) => ({ cursor: through })),
    noteTaken: assign((_, { through, end }: { through: LogPosition; end: LogOffset }) => ({ position: through, cursor: through, end })),
    holdBatch: assign(({ context }, { replyTo, through }: { replyTo: ReplyTo; through: LogPosition }) => ({
      batchReplyTo: replyTo,
      offered: later(context.offered, through),
    })),
    holdFragment: assign((_, { replyTo }: { replyTo: ReplyTo }) => ({ batchReplyTo: replyTo })),
    dropBatch: assign({ batchReplyTo: null }),
    noteMaterializerCount: assign((_, { count }: { count: number }) => ({ materializerCount: count })),
    noteSnapshotError: assign((_, { error }: { error: SnapshotFault }) => ({ snapshotError: error })),
    noteReason: assign((_, { reason }: { reason: ExitReason }) => ({ reason })),
  },
});

export interface Offer {
  readonly through: LogPosition;
  readonly replyTo: ReplyTo;
}

/** The answer to whoever brings or offers something: it is taken, or we come to it by ourselves. */
export function taken({ handle }: ConsumerContext, replyTo: ReplyTo) {
  return { to: replyTo, event: { type: 'batch.taken', handle } };
}

export function batchTaken(context: ConsumerContext) {
  invariant(context.batchReplyTo !== null, 'a batch that is answered is in hand');
  return taken(context, context.batchReplyTo);
}

function isDrain(reason: ExitReason): boolean {
  const leaving = leavingReason(reason);
  return typeof leaving === 'object' && 'shutdown' in leaving && leaving.shutdown === 'drain';
}

function later(left: LogPosition, right: LogPosition): LogPosition {
  return left > right ? left : right;
}
