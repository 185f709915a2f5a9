/**
 * Materializer: the link values of one inner shape, kept for outer shapes with a subquery on it.
 *
 * No change may be lost or applied twice. So it monitors the Consumer before its first request (the Consumer's death is
 * an event in every state, never a failed call), and reads its history exactly up to the offset that the subscription
 * gave: what lies behind it is announced. Announcements are offsets, not rows: until it is live they only raise the
 * highest one, so that a long replay costs no memory and holds nobody back. Once live it acknowledges an announcement
 * when its dependants know of the moves: what it caused has reached them before the transaction itself does. It ends with its
 * last dependant, also with one that has yet to subscribe.
 */
import { assign, setup } from 'xstate';
import { invariant } from '../base/invariant.ts';
import { LOG_BEGIN, type EntryPlace } from '../model/log-entry.ts';
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../model/log-offset.ts';
import { LOG_START, maxPosition, type LogPosition } from '../model/log-position.ts';
import type { Handle } from '../model/shape.ts';
import { effects } from '../otp/effects.ts';
import type { Address, CallFailed, Down, ExitReason, Pid, ReplyTo } from '../otp/process.ts';
import { downCause, DRAINED, type DownCause } from './down-cause.ts';
import type { LinkValuesChange, LinkValuesTold } from './link-values.ts';
import { note } from './journal.ts';
import { keep, next } from './request-backlog.ts';
import { consumerOf } from './shape-processes.ts';
import { FILTER_FAILED, filterFault, type SnapshotFault } from './snapshot-fault.ts';
import { TURNED } from './turned-table.ts';

export type MaterializerEvent =
  | { type: 'snapshot.isStarted' }
  | { type: 'snapshot.hasFailed'; error: SnapshotFault }
  | { type: 'consumer.subscribed'; offset: LogOffset }
  | { type: 'takeAppended'; through: LogOffset; position: LogPosition; replyTo: ReplyTo }
  | (Down & { type: 'consumer.down' })
  | { type: 'history.blockRead'; after: EntryPlace; through: EntryPlace }
  | { type: 'history.isGone' }
  | (CallFailed & { type: 'history.failed' })
  | LinkValuesTold
  | { type: 'subscribe'; dependant: Pid; replyTo: ReplyTo }
  | { type: 'currentValues'; replyTo: ReplyTo }
  | { type: 'subscribers.counted'; count: number }
  | (Down & { type: 'dependant.down'; process: Pid })
  | { type: 'moves.done'; failed: readonly Address[] }
  | { type: 'handle.isKept' }
  | { type: 'handle.isGone' }
  | (CallFailed & { type: 'recheck.failed' })
  | { type: 'invalidation.done'; failed: readonly Address[] };

export interface MaterializerInput {
  readonly self: Pid;
  readonly handle: Handle;
  /** The column whose values are kept, or several, as `followedWord` has them; with the handle it names the Materializer. */
  readonly column: string;
  /** Its incarnation, not its name: the values are those that this one announces. */
  readonly consumer: Address;
  /** The first one, for whom it is made. It may end before it has subscribed, and then nobody else would end this one. */
  readonly dependant: Address;
}

interface Context extends MaterializerInput {
  /** History lies up to here; announcements begin behind it. */
  readonly subscribedOffset: LogOffset;
  /** The highest offset that the Consumer said can be read. */
  readonly announcedOffset: LogOffset;
  /** Where the inner shape stood in the transaction log when it said so. */
  readonly announcedPosition: LogPosition;
  /** Only ever grows; what lies up to here is in the values table. It is within a chunk while the snapshot is read. */
  readonly applied: EntryPlace;
  /** The last one of the values; before everything until there is one. */
  readonly version: LogOffset;
  /** The announcement that is being followed; null while there is none. */
  readonly announcedBy: ReplyTo | null;
  /** Whether a transaction of that announcement moved anything. */
  readonly hasMoved: boolean;
  readonly dependantCount: number;
  readonly reason: ExitReason;
}

interface Overdue {
  readonly overdue?: readonly Handle[];
}

const ADVICE =
  'They did not take what moved in the values that they look up, so that more was kept for them than may be. They are made anew when ' +
  'they are asked for.';
/** Of those that a note names. */
const HANDLES_TOLD_MAX = 10;

/** What is kept for one that does not follow would grow without end, and is kept for nobody else. */
const endOverdue = [
  {
    type: 'sendToEach',
    params: ({ event: { overdue = [] } }: { event: Overdue }) => ({
      to: overdue.map(consumerOf),
      event: { type: 'stop', cause: { delete: 'movesNotTaken' } },
    }),
  },
  {
    type: 'send',
    params: ({ context: { handle, column }, event: { overdue = [] } }: { context: Context; event: Overdue }) =>
      note('warn', 'dependants.overdue', {
        handle, column, count: overdue.length, handles: overdue.slice(0, HANDLES_TOLD_MAX), advice: ADVICE,
      }),
  },
] as const;

/** A dependant that is monitored. */
const takeIn = [
  { type: 'apply', params: ({ event }: { event: { dependant: Pid } }) => ({ table: 'dependants', change: { add: event.dependant } }) },
  { type: 'reply', params: current },
  { type: 'apply', params: next('awaitingValues') },
] as const;

/** Until it is live, an announcement only raises the highest offset, and is answered at once. */
const readLater = { actions: [{ type: 'noteAnnounced', params: eventOf }, { type: 'reply', params: received }] } as const;

export const materializer = setup({
  types: {
    input: {} as MaterializerInput,
    context: {} as Context,
    events: {} as MaterializerEvent,
    output: {} as { reason: ExitReason },
  },
  guards: {
    isBehind: ({ context }, { through }: { through: LogOffset }) => compareOffsets(context.applied.offset, through) < 0,
    hasNewsToTell: ({ context }) => context.hasMoved && context.dependantCount > 0,
    isAwaited: ({ context }, { dependant }: { dependant: Pid }) => dependant === context.dependant,
    hasOverdue: (_, { overdue = [] }: Overdue) => overdue.length > 0,
    hasNone: (_, { count }: { count: number }) => count === 0,
    isDrained: (_, { reason }: { reason: ExitReason }) => downCause(reason).type === 'drain',
    isGone: (_, { reason }: { reason: ExitReason }) => downCause(reason).type === 'gone',
  },
  actions: {
    ...effects,
    noteSubscribed: assign((_, { offset }: { offset: LogOffset }) => ({ subscribedOffset: offset, announcedOffset: offset })),
    noteAnnounced: assign(({ context }, { through, position }: { through: LogOffset; position: LogPosition }) => {
      invariant(compareOffsets(through, context.announcedOffset) > 0, 'the Consumer announces each offset once');
      invariant(compareOffsets(through, context.applied.offset) > 0, 'an offset is announced before it is applied');
      return { announcedOffset: through, announcedPosition: maxPosition(context.announcedPosition, position) };
    }),
    noteAnnouncer: assign((_, { replyTo }: { replyTo: ReplyTo }) => ({ announcedBy: replyTo, hasMoved: false })),
    dropAnnouncer: assign({ announcedBy: null }),
    noteApplied: assign(({ context }, { place, version, moved }: { place: EntryPlace; version: LogOffset; moved: boolean }) => ({
      applied: place,
      version,
      hasMoved: context.hasMoved || moved,
    })),
    noteDependantCount: assign((_, { count }: { count: number }) => ({ dependantCount: count })),
    noteReason: assign((_, { reason }: { reason: ExitReason }) => ({ reason })),
    crash: (_, { claim }: { claim: string }) => invariant(false, claim),
  },
}).createMachine({
  id: 'materializer',
  context: ({ input }) => ({
    ...input,
    subscribedOffset: BEFORE_ALL,
    announcedOffset: BEFORE_ALL,
    announcedPosition: LOG_START,
    applied: LOG_BEGIN,
    version: BEFORE_ALL,
    announcedBy: null,
    hasMoved: false,
    dependantCount: 0,
    reason: DRAINED,
  }),
  output: ({ context }) => ({ reason: context.reason }),
  on: {
    'consumer.down': [
      { guard: { type: 'isDrained', params: eventOf }, target: '.stopped' },
      { guard: { type: 'isGone', params: eventOf }, target: '.rechecking' },
      { target: '.invalidating', actions: { type: 'noteReason', params: ({ event }) => ({ reason: invalidReason(event.reason) }) } },
    ],
    // The log is deleted only when its Consumer has ended, and of that end we are told.
    'history.isGone': {},
    'history.failed': { actions: { type: 'crash', params: { claim: 'the shape reader outlives the shapes' } } },
    subscribe: { actions: { type: 'apply', params: keep('awaitingValues') } },
    currentValues: { actions: { type: 'apply', params: keep('awaitingValues') } },
    'dependant.down': {
      actions: { type: 'apply', params: ({ event }) => ({ table: 'dependants', change: { remove: event.process } }) },
    },
    // Who came first has gone last: nobody needs the values. Who asks too late finds nobody, and asks for a new one.
    'subscribers.counted': [
      { guard: { type: 'hasNone', params: eventOf }, target: '.stopped' },
      { actions: { type: 'noteDependantCount', params: eventOf } },
    ],
    'values.areTooMany': {
      target: '.invalidating',
      actions: { type: 'noteReason', params: ({ event }) => ({ reason: tooMany(event) }) },
    },
    // An error of the filters that ask for these values, as Postgres has it; the shape itself has none.
    'values.haveFailed': {
      target: '.invalidating',
      actions: { type: 'noteReason', params: ({ event }) => ({ reason: failed(event) }) },
    },
    'values.haveTurned': '.condemning',
  },
  initial: 'awaitingSnapshot',
  states: {
    awaitingSnapshot: {
      // That the Consumer is monitored before it is asked is the cure of a race: see docs/races.md.
      entry: [
        { type: 'monitor', params: ({ context }) => ({ process: context.consumer, as: 'consumer' }) },
        { type: 'monitor', params: ({ context }) => ({ process: context.dependant, as: 'dependant' }) },
        {
          type: 'call',
          params: ({ context }) => ({ to: context.consumer, request: { type: 'awaitSnapshotStart' }, as: 'snapshotStart' }),
        },
      ],
      on: {
        'snapshot.isStarted': 'subscribing',
        'snapshot.hasFailed': {
          target: 'invalidating',
          actions: { type: 'noteReason', params: { reason: { shutdown: { delete: 'snapshotFailed' } } } },
        },
      },
    },
    /** Answered when the whole snapshot can be read, with an offset at the end of a transaction. */
    subscribing: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: context.consumer,
          request: { type: 'subscribeMaterializer', materializer: context.self },
          as: 'subscription',
        }),
      },
      on: {
        'consumer.subscribed': { target: 'replaying', actions: { type: 'noteSubscribed', params: eventOf } },
      },
    },
    /** Reads history, up to the subscription's offset and no further. */
    replaying: {
      ...readingUpTo('subscribedOffset', [{ target: '#materializer.catchingUp' }]),
      on: { takeAppended: readLater },
    },
    /** Reads what was announced meanwhile, until nothing is left. */
    catchingUp: {
      ...readingUpTo('announcedOffset', [{ target: '#materializer.live' }]),
      on: { takeAppended: readLater },
    },
    live: {
      initial: 'waiting',
      tags: 'ready',
      entry: { type: 'apply', params: { table: 'values', change: 'list' } },
      states: {
        waiting: {
          entry: { type: 'apply', params: next('awaitingValues') },
          on: {
            takeAppended: {
              target: 'following',
              actions: [{ type: 'noteAnnounced', params: eventOf }, { type: 'noteAnnouncer', params: eventOf }],
            },
            subscribe: [
              { guard: { type: 'isAwaited', params: eventOf }, actions: takeIn },
              {
                actions: [{ type: 'monitor', params: ({ event }) => ({ process: event.dependant, as: 'dependant' }) }, ...takeIn],
              },
            ],
            currentValues: { actions: [{ type: 'reply', params: current }, { type: 'apply', params: next('awaitingValues') }] },
          },
        },
        /** Reads what was announced. The Consumer announces nothing more until it has its answer. */
        following: readingUpTo('announcedOffset', [
          { guard: 'hasNewsToTell', target: '#materializer.live.telling' },
          { target: '#materializer.live.waiting', actions: [{ type: 'reply', params: followed }, 'dropAnnouncer'] },
        ]),
        /** The moves are kept in the values table; each dependant says when it knows of them. */
        telling: {
          entry: {
            type: 'multicall',
            params: ({ context }) => ({
              table: 'dependants',
              request: {
                type: 'takeMoves',
                handle: context.handle,
                column: context.column,
                through: context.version,
                position: context.announcedPosition,
              },
              as: 'moves',
            }),
          },
          on: {
            'moves.done': {
              target: 'waiting',
              actions: [{ type: 'reply', params: followed }, 'dropAnnouncer'],
            },
          },
        },
      },
    },
    /** The Consumer ended before we looked. Only the directory can know that it had drained; in doubt the values are invalid. */
    rechecking: {
      entry: {
        type: 'call',
        params: ({ context }) => ({ to: '@shape-cache', request: { type: 'confirmHandle', handle: context.handle }, as: 'recheck' }),
      },
      on: {
        'handle.isKept': 'stopped',
        'handle.isGone': {
          target: 'invalidating',
          actions: { type: 'noteReason', params: { reason: { shutdown: { delete: 'consumerGone' } } } },
        },
        // No directory: all that serves shapes is being stopped or made anew, and draining deletes nothing.
        'recheck.failed': 'stopped',
      },
    },
    /** The inner shape itself has other rows than it should. What would be made on it anew would read the same log, so it goes first. */
    condemning: {
      entry: {
        type: 'send',
        params: ({ context }) => ({ to: context.consumer, event: { type: 'stop', cause: { delete: TURNED } } }),
      },
      on: { takeAppended: {} }, // Nobody waits for the answer any more: its end comes next.
    },
    /** Each dependant is told exactly once: those that subscribed by a request, those that still wait by a refusal. */
    invalidating: {
      entry: [
        // This comes first: where nobody has subscribed, the multicall is over at once.
        { type: 'apply', params: next('awaitingValues') },
        {
          type: 'multicall',
          params: ({ context }) => ({
            table: 'dependants',
            request: { type: 'invalidate', handle: context.handle, column: context.column, reason: context.reason },
            as: 'invalidation',
          }),
        },
      ],
      on: {
        'invalidation.done': 'invalidated',
        subscribe: { actions: [{ type: 'reply', params: invalid }, { type: 'apply', params: next('awaitingValues') }] },
        currentValues: { actions: [{ type: 'reply', params: invalid }, { type: 'apply', params: next('awaitingValues') }] },
        '*': {}, // Whatever was asked for before came too late to matter.
      },
    },
    stopped: { type: 'final' }, // The Consumer left in good order, or the last dependant did.
    invalidated: { type: 'final' }, // The Consumer failed or was deleted: the outer shapes must be dropped.
  },
});

/**
 * Two states that read the log, block by block, up to `offset` and no further. They ask for a block only when the one
 * before it has been applied, so the values take each change once and in order.
 *
 * @param whenThere the transitions that are taken when nothing is left to read. `offset` may rise while a block is read.
 */
function readingUpTo<const Transitions extends readonly object[]>(offset: 'subscribedOffset' | 'announcedOffset', whenThere: Transitions) {
  const boundOf = ({ context }: { context: Context }) => ({ through: context[offset] });
  return {
    initial: 'measuring',
    states: {
      measuring: { always: [{ guard: { type: 'isBehind', params: boundOf }, target: 'reading' }, ...whenThere] },
      reading: {
        entry: { type: 'call', params: ({ context }: { context: Context }) => readBlock(context, context[offset]) },
        on: {
          'history.blockRead': { actions: { type: 'apply', params: applyBlock } },
          'values.applied': [
            {
              guard: { type: 'hasOverdue', params: eventOf },
              target: 'measuring',
              actions: [{ type: 'noteApplied', params: eventOf }, ...endOverdue],
            },
            { target: 'measuring', actions: { type: 'noteApplied', params: eventOf } },
          ],
        },
      },
    },
  } as const;
}

function eventOf<Event>({ event }: { event: Event }): Event {
  return event;
}

function invalidReason(reason: ExitReason): ExitReason {
  return { shutdown: { delete: whyInvalid(downCause(reason)) } };
}

function whyInvalid(cause: DownCause): string {
  return cause.type === 'delete' ? cause.why : 'consumerCrashed';
}

/** The error is for whoever asks for the outer shape: a new one would end likewise. */
function tooMany({ what, max }: { what: 'values' | 'rows' | 'bytes'; max: number }): ExitReason {
  const error: SnapshotFault = {
    code: `too_many_${what}`,
    message: `A subquery of this shape selects more than ${max} ${what}, which is more than can be followed`,
    status: 503,
  };
  return { shutdown: { delete: `its subquery selects more than ${max} ${what}`, error } };
}

/** Likewise: a new one would meet the same row. */
function failed(error: { code: string; message: string }): ExitReason {
  return { shutdown: { delete: FILTER_FAILED, error: filterFault(error) } };
}

function applyBlock({ event }: { event: { after: EntryPlace; through: EntryPlace } }): { table: string; change: LinkValuesChange } {
  const { after, through } = event;
  return { table: 'values', change: { block: { after, through } } };
}

function readBlock({ self, handle, column, applied }: Context, through: LogOffset) {
  return {
    to: '@shape-reader' as const,
    request: { type: 'readBlock', owner: self, handle, column, after: applied, through },
    as: 'history',
  };
}

function received({ event }: { event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo, event: { type: 'appended.taken' } };
}

function followed({ context }: { context: Context }) {
  invariant(context.announcedBy !== null, 'what is followed was announced by somebody');
  return { to: context.announcedBy, event: { type: 'appended.taken' } };
}

function invalid({ event }: { event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo, event: { type: 'values.areInvalid' } };
}

/** The values themselves lie in the table. */
function current({ context, event }: { context: Context; event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo, event: { type: 'values.areCurrent', offset: context.version } };
}
