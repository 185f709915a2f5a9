/** ConsumerSetup: what a Consumer hears and remembers, and the guards and actions that the regions of its chart name. */
import { assign, setup } from 'xstate';
import { invariant } from '../../base/invariant.ts';
import { compareOffsets, laterOffset, type LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import { effects } from '../../otp/effects.ts';
import type { Address, CallFailed, Down, ErrorReport, ExitReason, Pid, ReplyTo } from '../../otp/process.ts';
import type { DeliveryId } from '../../shapes/delivery.ts';
import { downCause, leavingReason, snapshotFailure, type StopCause } from '../down-cause.ts';
import type { ChunkSums } from '../../storage/shapes/piece.ts';
import { FILTER_FAILED, NO_CONNECTION, STORAGE_REFUSED_CODE, type SnapshotFault } from '../snapshot-fault.ts';
import type { ConsumerLogTold } from './consumer-log.ts';
import type { SpliceDraft, SpliceTold } from './splice-lines.ts';

export type ConsumerEvent =
  | { type: 'shape.registered'; position: LogPosition }
  | (CallFailed & { type: 'registration.failed' })
  | { type: 'child.started'; id: string; pid: Pid }
  | { type: 'child.refused'; id?: string; reason: unknown; pid?: Pid }
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
  /** Nothing is brought to us any more: nothing has touched the shape for a while. Whatever does gets it the next Consumer. */
  | { type: 'sleep' }
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
  | (CallFailed & { type: 'dependency.failed' })
  | (Down & { type: 'dependency.down'; process: Pid })
  | { type: 'values.areCurrent'; offset: LogOffset }
  | { type: 'values.areInvalid' }
  | { type: 'takeMoves'; handle: Handle; column: string; through: LogOffset; position: LogPosition; replyTo: ReplyTo }
  | { type: 'invalidate'; reason: ExitReason; replyTo: ReplyTo }
  | { type: 'moves.queried'; pgSnapshot: PgSnapshot; rows: ChunkSums | null }
  | { type: 'moves.failed'; error: SnapshotFault }
  | { type: 'moves.crashed'; error: ErrorReport }
  | (CallFailed & { type: 'moveQuery.failed' })
  | { type: 'log.hasPassed'; through: LogPosition }
  | (CallFailed & { type: 'coverage.failed' })
  | { type: 'splice.isDurable' }
  | { type: 'moved.read'; through: number }
  | { type: 'moved.refused'; why: string }
  | (CallFailed & { type: 'splice.failed' })
  | { type: 'timeout.askAgain' }
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
  /** Of a shape that depends on others: before here it makes again what readers may have seen. */
  readonly shownThrough?: LogPosition;
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
  /** Of each dependency, in order: its Materializer, and up to where that has told of moves. */
  readonly materializers: readonly Pid[];
  readonly told: readonly LogOffset[];
  /** By which the lines behind `end` are chosen. */
  readonly views: readonly LogOffset[];
  /** Those behind the last splice that was recorded when we began. */
  readonly recordedViews: readonly LogOffset[];
  /** The next one that is recorded. */
  readonly splice: SpliceTold | null;
  /** Whether a power cut would leave the record of the one that is being made. */
  readonly isSpliceDurable: boolean;
  /** What is gathered for one that is not recorded yet. */
  readonly draft: SpliceDraft | null;
  /** How far the log, and then the rows, of a splice have been taken. */
  readonly seen: LogPosition;
  readonly rowsTaken: number;
  /** The shape reads on to here before it makes another splice. */
  readonly reach: LogPosition;
  /** Queries in a row that failed, and starts of a Materializer that ended before we were with it. */
  readonly failures: number;
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
    /** A child that could not even be named is the one that was asked for last. */
    isSnapshotter: ({ context }, { id }: { id?: string }) => id?.startsWith('snapshotter/') ?? !isDepending(context),
    isAlreadyStarted: (_, { pid }: { pid?: Pid }) => pid !== undefined,
    hasMoreToDependOn: ({ context }) => isDepending(context),
    dependsOnOthers: ({ context }) => context.dependencies !== undefined,
    /** What tells of values that are no good: all else lets the shape go on, once its dependency is back. */
    isInvalid: (_, { reason }: { reason: ExitReason }) => isInvalid(reason),
    mayTryAgain: ({ context }) => context.failures < FAILURES_MAX,
    /** The one that we are asking ended before it had answered. */
    isLateMaterializer: ({ context }, { process }: { process: Pid }) =>
      process === lastMaterializer(context) && context.failures < FAILURES_MAX,
    isOutdated: (_, { error }: { error: SnapshotFault }) => error.status === 409,
    isOfFilter: (_, { error }: { error: SnapshotFault }) => error.status === 400,
    isAway: (_, { error }: { error: SnapshotFault }) => error.code === NO_CONNECTION.code || error.code === STORAGE_REFUSED_CODE,
    hasValues: ({ context }) => !isBefore(context.told, context.recordedViews),
    /** What is recorded already has its own place, and takes its own moves. */
    hasMoves: ({ context }) => context.splice === null && isBefore(context.views, context.told) && context.cursor === context.position,
    isHeld: ({ context }) => context.cursor < context.reach,
    standsAtSplice: ({ context }) => context.splice !== null && context.cursor >= context.splice.place,
    needsQuery: (_, { needsQuery }: { needsQuery: boolean }) => needsQuery,
    isDurable: ({ context }) => context.isSpliceDurable,
    hasMoreToSee: ({ context }) => context.seen < (context.splice?.through ?? context.seen),
    hasMoreRows: ({ context }) => context.rowsTaken < (context.splice?.rowBytes ?? 0),
    isBehind: ({ context: { cursor, offered, splice } }) => cursor < (splice?.place ?? offered),
    /** Stored, and by itself: what depends on others makes its own way through the log. */
    lagsWithOthers: ({ context: { mode, dependencies, cursor, position, offered } }) =>
      mode === 'restore' && dependencies === undefined && cursor === position && cursor < offered,
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
    noteMaterializer: assign(({ context }, { pid }: { pid?: Pid }) => {
      invariant(pid !== undefined, 'a child that runs has a pid');
      return { materializers: context.materializers.concat(pid) }; // No longer than it is: what is spread keeps room for more.
    }),
    dropMaterializer: assign(({ context }) => ({ materializers: context.materializers.slice(0, -1), failures: context.failures + 1 })),
    noteDependency: assign(({ context }, { offset }: { offset: LogOffset }) => ({ told: context.told.concat(offset), failures: 0 })),
    noteViews: assign((_, { views, recorded: recordedViews, splice }: ViewsKnown) => ({ views, recordedViews, splice })),
    noteTold: assign(({ context }, { handle, column, through, position }: TakeMoves) => {
      const { dependencies = [] } = context;
      const isOurs = dependencies.map((inner) => inner.handle === handle && inner.column === column);
      invariant(isOurs.includes(true), 'moves are told of values that the shape looks up');
      return {
        told: context.told.map((offset, number) => (isOurs[number] === true ? laterOffset(offset, through) : offset)),
        offered: later(context.offered, position),
      };
    }),
    notePlan: assign(({ context: { position } }, { views }: { views: readonly LogOffset[] }) => ({
      draft: { place: position, through: position, views, pgSnapshot: null, rows: null },
    })),
    noteQueried: assign(({ context }, { pgSnapshot, rows }: { pgSnapshot: PgSnapshot; rows: ChunkSums | null }) => ({
      draft: { ...drafted(context), pgSnapshot, rows },
      failures: 0,
    })),
    noteCovered: assign(({ context }, { through }: { through: LogPosition }) => ({
      draft: { ...drafted(context), through: later(context.position, through) },
    })),
    noteRecorded: assign((_, { splice }: { splice: SpliceTold | null }) => ({ splice, draft: null })),
    noteSpliceBegun: assign(({ context }) => ({ seen: recorded(context).place, rowsTaken: 0, isSpliceDurable: false })),
    noteDurable: assign({ isSpliceDurable: true }),
    noteSeen: assign((_, { through }: { through: LogPosition }) => ({ seen: through })),
    noteRowsTaken: assign((_, { through }: { through: number }) => ({ rowsTaken: through })),
    noteSpliced: assign(({ context }, { views, splice, end }: Omit<SpliceTaken, 'type'>) => {
      return { views, splice, end, reach: later(context.reach, recorded(context).through) };
    }),
    noteFailure: assign(({ context }) => ({ failures: context.failures + 1, draft: null })),
    /** Postgres is away, or the disk full: no failure of this shape, however long that lasts. It is only asked less often. */
    noteAbsence: assign(({ context: { failures } }) => ({
      failures: Math.max(failures, Math.min(failures + 1, ABSENCES_MAX)),
      draft: null,
    })),
    noteReason: assign((_, { reason }: { reason: ExitReason }) => ({ reason })),
  },
});

/** Why a shape ends with another. */
export const DEPENDENCY_GONE = 'a shape that it depends on is gone';
/** Queries in a row. The last ones are minutes apart from the first. */
const FAILURES_MAX = 8;
/** So many lengthen the pause: to eight seconds. */
const ABSENCES_MAX = 5;

type ViewsKnown = Omit<Extract<ConsumerLogTold, { type: 'views.known' }>, 'type'>;
type SpliceTaken = Extract<ConsumerLogTold, { type: 'splice.taken' }>;

export interface TakeMoves {
  readonly handle: Handle;
  readonly column: string;
  readonly through: LogOffset;
  readonly position: LogPosition;
}

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

/** What the moves told so far are to become. */
export function drafted({ draft }: ConsumerContext): SpliceDraft {
  invariant(draft !== null, 'a splice is planned before it is recorded');
  return draft;
}

export function recorded({ splice }: ConsumerContext): SpliceTold {
  invariant(splice !== null, 'a splice is recorded before it is made');
  return splice;
}

/** There are Materializers still to be found. */
function isDepending({ dependencies = [], materializers }: ConsumerContext): boolean {
  return materializers.length < dependencies.length;
}

/** The next one that a Materializer is to be found for. */
export function nextDependency({ dependencies = [], materializers }: ConsumerContext): InnerShape {
  const next = dependencies[materializers.length];
  invariant(next !== undefined, 'a dependency is left');
  return next;
}

export function lastMaterializer({ materializers }: ConsumerContext): Pid {
  const last = materializers.at(-1);
  invariant(last !== undefined, 'a Materializer was found');
  return last;
}

/** True when some of `left` lies before its counterpart. */
function isBefore(left: readonly LogOffset[], right: readonly LogOffset[]): boolean {
  return left.some((offset, number) => compareOffsets(offset, right[number] ?? offset) < 0);
}

/** Of a shape whose first rows cannot be had, or those that moved. */
export function failedEnd(error: SnapshotFault | null): ExitReason {
  return { shutdown: { delete: error?.status === 400 ? FILTER_FAILED : 'snapshotFailed', error } };
}

/** With what a request for the shape is told, where the one that it depends on says so. */
export function dependencyEnd(reason: ExitReason): ExitReason {
  const error = snapshotFailure(reason);
  return { shutdown: { delete: DEPENDENCY_GONE, ...(error === undefined ? {} : { error }) } };
}

function isInvalid(reason: ExitReason): boolean {
  const { type } = downCause(reason);
  return type === 'delete' || type === 'crash';
}

function isDrain(reason: ExitReason): boolean {
  const leaving = leavingReason(reason);
  return typeof leaving === 'object' && 'shutdown' in leaving && leaving.shutdown === 'drain';
}

function later(left: LogPosition, right: LogPosition): LogPosition {
  return left > right ? left : right;
}
