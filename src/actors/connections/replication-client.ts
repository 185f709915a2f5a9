/**
 * Replication client: the stream of Postgres's changes, from the lock to the last transaction.
 *
 * It comes back by itself, with back-off, and takes nobody down: while it is away the stored shapes stay readable and
 * live clients wait. Every attempt begins with the lock, because the connection that held it may be gone as well.
 *
 * A new slot knows nothing of what happened before it: then no stored shape can be carried on, and all are purged. Nor
 * may a crash make us forget that. So before the slot is made the log is told whose stream comes and that it holds
 * nothing of it (`disowning`), and where the stream begins when the shapes are gone (`owning`): whoever finds a log that
 * holds nothing makes the slot once more.
 */
import { assertEvent, assign, setup } from 'xstate';
import { LSN_ZERO, type Lsn } from '../../model/lsn.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import { effects } from '../../otp/effects.ts';
import type { CallFailed, Pid } from '../../otp/process.ts';
import { delayMsAfter, FIRST_DELAY_MS, nextDelayMs, PROVEN_AFTER_MS } from './back-off.ts';
import { note, refusalNote } from '../journal.ts';

/** `why` the stored shapes cannot be carried on: a sentence for an operator. */
interface Connected {
  type: 'replication.connected';
  standing: 'continued' | 'new' | 'lost';
  /** It is continued on another timeline. */
  hasSwitched: boolean;
  /** The log says the same of `source`; not so where it is another timeline, or where nobody noted its publication. */
  isNoted: boolean;
  why: string;
  source: StreamSource;
}

interface Refused {
  type: 'replication.refused' | 'replication.ended';
  error: { code: string; message: string };
  fatal: boolean;
}

/** `transactions` that the making of the slot waits for, in words; `advice` what the role should be allowed. */
interface SlotAwaited {
  type: 'slot.awaited';
  transactions: readonly string[];
  advice: string | null;
}

type Event =
  | { type: 'lock.isHeld' }
  | { type: 'lock.lost' }
  | (CallFailed & { type: 'lock.failed' })
  | Connected
  | { type: 'replication.slotCreated'; lsn: Lsn; source: StreamSource; isMarked: boolean }
  | Refused
  | { type: 'replication.streaming' }
  | (CallFailed & { type: 'replication.failed' })
  | { type: 'stream.restarted' }
  | (CallFailed & { type: 'writer.failed' })
  | { type: 'shapes.purged' }
  | (CallFailed & { type: 'purge.failed' })
  /** The stream may leave out changes, whatever it goes on to tell. */
  | { type: 'publication.broken'; error: { code: string; message: string } }
  | SlotAwaited
  | { type: 'reportCondition' }
  | { type: 'timeout.retry' }
  | { type: 'timeout.slotAwaited' }
  | { type: 'timeout.proven' };

interface Context {
  self: Pid;
  source: StreamSource | null; // Of the slot that is being made anew, or of which the log has something else.
  why: string; // Why it is, and why all shapes end.
  slotLsn: Lsn | null; // Where its stream begins; null for one that goes on.
  awaited: readonly string[]; // The transactions that its making waits for, as Postgres said lately.
  advice: string | null; // Likewise.
  delayMs: number;
}

/** Nothing that is asked then takes long: who takes longer has fallen silent. */
const CONNECT_MS_MAX = 60_000;
/** A slot that takes longer is asked after, and Postgres to make it. */
const SLOT_MS = 5_000;
const NOBODY_AWAITED = { transactions: [], advice: null };
const awaitSlot = { type: 'startTimer', params: { name: 'slotAwaited', delayMs: SLOT_MS } } as const;

export const replicationClient = setup({
  types: { input: {} as { self: Pid }, context: {} as Context, events: {} as Event },
  guards: {
    isContinued: (_, { standing }: Connected) => standing === 'continued',
    isRenamed: (_, { standing, isNoted }: Connected) => standing === 'continued' && !isNoted,
    isLate: (_, { reason }: { reason: unknown }) => reason === 'timeout',
    /** The same is told once, and nothing is no news. */
    isNews: ({ context }, { transactions, advice }: SlotAwaited) => {
      const isSame = transactions.join() === context.awaited.join() && advice === context.advice;
      return !isSame && (transactions.length > 0 || advice !== null);
    },
  },
  actions: {
    ...effects,
    slowDown: assign(({ context }) => ({ delayMs: nextDelayMs(context.delayMs) })),
    forgetFailures: assign({ delayMs: FIRST_DELAY_MS }),
    slowDownIfFatal: assign(({ context }, { fatal }: { fatal: boolean }) => ({ delayMs: delayMsAfter(context.delayMs, fatal) })),
    noteConnected: assign((_, { source, why }: Connected) => ({ source, why, slotLsn: null })),
    noteAwaited: assign((_, { transactions, advice }: Omit<SlotAwaited, 'type'>) => ({ awaited: transactions, advice })),
    noteSlot: assign((_, { lsn, source }: { lsn: Lsn; source: StreamSource }) => ({ slotLsn: lsn, source })),
  },
}).createMachine({
  id: 'replication-client',
  context: ({ input }) => ({ self: input.self, source: null, why: '', slotLsn: null, awaited: [], advice: null, delayMs: FIRST_DELAY_MS }),
  initial: 'awaitingLock',
  on: {
    'lock.lost': { target: '.backingOff' },
    reportCondition: {},
    'publication.broken': {}, // An attempt that is under way looks at the publication itself, or it is found out again.
    // An attempt can be given up while its call is open. The answer still comes, in whatever state the machine is by
    // then, and means nothing any more: the connection that it was about has been ended.
    'lock.isHeld': {},
    'lock.failed': {},
    'replication.connected': {},
    'replication.slotCreated': {},
    'slot.awaited': {},
    'replication.refused': {},
    'replication.streaming': {},
    'replication.ended': {},
    'replication.failed': {},
    'shapes.purged': {},
    'purge.failed': {},
    'stream.restarted': {},
    'writer.failed': {},
  },
  states: {
    awaitingLock: {
      entry: { type: 'call', params: { to: '@connection-lock', request: { type: 'awaitLock' }, as: 'lock' } },
      on: { 'lock.isHeld': 'connecting', 'lock.failed': 'backingOff' },
    },
    connecting: {
      entry: {
        type: 'call',
        params: { to: '@replication', request: { type: 'connect' }, as: 'replication', timeoutMs: CONNECT_MS_MAX },
      },
      on: {
        'replication.connected': [
          {
            guard: { type: 'isRenamed', params: ({ event }) => event },
            target: 'owning',
            actions: [{ type: 'noteConnected', params: ({ event }) => event }, { type: 'send', params: connectedNote }],
          },
          {
            guard: { type: 'isContinued', params: ({ event }) => event },
            target: 'starting',
            actions: { type: 'send', params: connectedNote },
          },
          {
            target: 'disowning',
            actions: [{ type: 'noteConnected', params: ({ event }) => event }, { type: 'send', params: connectedNote }],
          },
        ],
        'replication.refused': 'refused',
        'replication.failed': [
          {
            guard: { type: 'isLate', params: ({ event }) => event },
            target: 'backingOff',
            actions: { type: 'send', params: note('warn', 'replication.overdue', { afterMs: CONNECT_MS_MAX }) },
          },
          { target: 'backingOff' },
        ],
      },
    },
    disowning: {
      entry: { type: 'call', params: ({ context: { source } }) => restartStream(source, LSN_ZERO) },
      on: { 'stream.restarted': 'creatingSlot', 'writer.failed': 'backingOff' },
    },
    /** The slot is made before the purge: a shape that begins between the two has its snapshot behind the slot's begin, or is purged. */
    creatingSlot: {
      entry: [{ type: 'call', params: { to: '@replication', request: { type: 'createSlot' }, as: 'replication' } }, awaitSlot],
      exit: [{ type: 'cancelTimer', params: { name: 'slotAwaited' } }, { type: 'noteAwaited', params: NOBODY_AWAITED }],
      on: {
        'timeout.slotAwaited': {
          actions: [{ type: 'send', params: { to: '@replication', event: { type: 'hastenSlot' } } }, awaitSlot],
        },
        'slot.awaited': [
          {
            guard: { type: 'isNews', params: ({ event }) => event },
            actions: [{ type: 'noteAwaited', params: ({ event }) => event }, { type: 'send', params: awaitedNote }],
          },
          { actions: { type: 'noteAwaited', params: ({ event }) => event } },
        ],
        'replication.slotCreated': {
          target: 'purging',
          actions: [
            { type: 'noteSlot', params: ({ event }) => event },
            { type: 'send', params: slotNote },
            { type: 'send', params: { to: '@publication-manager', event: { type: 'slot.renewed' } } }, // And the publication perhaps.
          ],
        },
        'replication.refused': 'refused',
        'replication.failed': 'backingOff',
      },
    },
    /**
     * It waits for the answer also when the lock is lost. A later attempt would take it for its own, and keep shapes
     * that began before its slot.
     */
    purging: {
      entry: {
        type: 'call',
        params: ({ context: { why } }) => ({ to: '@shape-cache', request: { type: 'purge', why }, as: 'purge' }),
      },
      on: { 'shapes.purged': 'owning', 'purge.failed': 'backingOff', 'lock.lost': { actions: 'postpone' } },
    },
    /**
     * The log is told a new timeline before anything of it comes, while it can be seen where the old one was left; and the publication,
     * which who began the stream may not have noted, for then nobody saw that it is another one. It waits for this answer too: a later
     * attempt would take it for that of its own `disowning`.
     */
    owning: {
      entry: { type: 'call', params: ({ context: { source, slotLsn } }) => restartStream(source, slotLsn) },
      on: { 'stream.restarted': 'starting', 'writer.failed': 'backingOff', 'lock.lost': { actions: 'postpone' } },
    },
    starting: {
      entry: { type: 'call', params: { to: '@replication', request: { type: 'startStreaming' }, as: 'replication' } },
      on: {
        'replication.streaming': { target: 'streaming', actions: { type: 'send', params: note('info', 'replication.streaming') } },
        'replication.refused': 'refused',
        'replication.failed': 'backingOff',
        'replication.ended': 'refused',
      },
    },
    streaming: {
      entry: [
        { type: 'startTimer', params: { name: 'proven', delayMs: PROVEN_AFTER_MS } },
        {
          type: 'send',
          params: ({ context }) => ({
            to: '@status-monitor',
            event: { type: 'condition.met', condition: 'replication', process: context.self },
          }),
        },
      ],
      exit: [
        { type: 'cancelTimer', params: { name: 'proven' } },
        { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.lost', condition: 'replication' } } },
      ],
      on: {
        'replication.ended': 'refused',
        /** The next attempt finds out what has become of it, and makes good for that. */
        'publication.broken': { target: 'backingOff', actions: { type: 'send', params: refusalNote } },
        'timeout.proven': { actions: 'forgetFailures' },
        reportCondition: { target: 'streaming', reenter: true },
      },
    },
    /** Tells why Postgres refused the attempt or ended the stream, and slows down when that is fatal. */
    refused: {
      entry: [
        { type: 'slowDownIfFatal', params: refusalOf },
        { type: 'send', params: ({ context, event }) => refusalNote({ context, event: refusalOf({ event }) }) },
      ],
      always: 'backingOff',
    },
    backingOff: {
      entry: [
        { type: 'send', params: { to: '@replication', event: { type: 'disconnect' } } },
        { type: 'startTimer', params: ({ context }) => ({ name: 'retry', delayMs: context.delayMs }) },
      ],
      exit: ['slowDown', { type: 'cancelTimer', params: { name: 'retry' } }],
      on: { 'timeout.retry': 'awaitingLock' },
    },
  },
});

function restartStream(source: StreamSource | null, lsn: Lsn | null) {
  return { to: '@log-writer' as const, request: { type: 'restartStream', source, lsn }, as: 'writer' };
}

function refusalOf({ event }: { event: Event }): Refused {
  assertEvent(event, ['replication.refused', 'replication.ended']);
  return event;
}

function connectedNote({ event: { type, standing, hasSwitched, source, why } }: { event: Connected }) {
  if (hasSwitched) return note('warn', type, { standing, why: `another timeline, ${source.timeline}, goes on behind all that is stored` });
  return note(standing === 'lost' ? 'warn' : 'info', type, standing === 'continued' ? { standing } : { standing, why });
}

/** The next instance without this storage will refuse a slot that has no mark: the operator hears of that before it happens. */
function slotNote({ event: { type, isMarked } }: { event: { type: string; isMarked: boolean } }) {
  return isMarked ? note('info', type) : note('warn', type, { but: UNMARKED });
}

function awaitedNote({ event: { transactions, advice } }: { event: SlotAwaited }) {
  return note('warn', 'replication.slotAwaited', { transactions, ...(advice === null ? {} : { advice }) });
}

const UNMARKED =
  'the publication belongs to another role, so the slot has no mark of Armature: ' +
  'an instance with another storage will refuse it unless it is told to take it over';
