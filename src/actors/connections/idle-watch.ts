/**
 * Idle watch: closes all connections to Postgres when nobody has used the database for long, and opens them for the next request.
 *
 * The connections are the children of one supervisor. To sleep is to have that stopped, and to wake is to have it started again: so a
 * service wakes as it starts, and finds out by itself what has become of the lock, the slot and Postgres meanwhile. It may be another
 * instance's turn by then.
 *
 * Nobody may be told that there is nothing new before the service has followed what happened meanwhile. So it counts as awake when the
 * shapes have taken what Postgres had logged by the time that it could be asked. Where it does not become active for long, or does not
 * stay so, or Postgres does not say twice in a row, it counts as awake as well: then it is a service without Postgres, as any other.
 */
import { assertEvent, assign, setup } from 'xstate';
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import { effects } from '../../otp/effects.ts';
import type { CallFailed, Pid, ReplyTo } from '../../otp/process.ts';
import { note } from '../journal.ts';
import type { DatabaseUseChange, DatabaseUseTold } from './database-use.ts';

type Event =
  | DatabaseUseTold
  | { type: 'child.started' }
  | { type: 'child.refused'; reason: unknown }
  | { type: 'child.terminated' }
  | (CallFailed & { type: 'stack.failed' })
  | { type: 'service.active' }
  | (CallFailed & { type: 'monitor.failed' })
  | { type: 'wal.seen'; lsn: Lsn }
  | { type: 'wal.unseen' }
  | { type: 'standbys.seen'; count: number }
  | { type: 'standbys.unseen' }
  | (CallFailed & { type: 'postgres.failed' })
  | { type: 'log.hasPassed'; through: LogPosition }
  | (CallFailed & { type: 'writer.failed' })
  /** Somebody asks for what the database has, and waits. */
  | { type: 'awaitAwake'; replyTo: ReplyTo }
  | { type: 'reportCondition' }
  | { type: 'timeout.look' }
  | { type: 'timeout.taken' }
  | { type: 'timeout.retry' }
  | { type: 'timeout.well' }
  | { type: 'timeout.following' };

interface Context {
  self: Pid;
  lookEveryMs: number;
  through: LogPosition; // Of the log, where all lies before that was missed.
  unseen: number; // So often in a row Postgres did not say where it stands.
}

/** For no longer the service may be ill: so long a request waits for it, too. */
const ILL_MS_MAX = 5_000;
const TAKEN_AGAIN_MS = 10;
const RETRY_MS = 200;
const WELL = { name: 'well', delayMs: ILL_MS_MAX };
/** Behind that it is told that there is much to follow: by then requests have been refused. */
const FOLLOWING = { name: 'following', delayMs: 5_000 };
const ASK_MONITOR = { to: '@status-monitor', request: { type: 'awaitActive' }, as: 'monitor', timeoutMs: ILL_MS_MAX } as const;
const UNSEEN_MAX = 2;
/** A connection that broke in that moment is there again by then. */
const UNSEEN_RETRY_MS = 2_000;
const GIVE_UP = { type: 'apply', params: change('giveUp') } as const;
/** A role may have lost the right to ask, or a proxy let through everything but that: who waits must not do so for ever. */
const UNSEEN = [
  { guard: 'isUnseenStill', target: '#idle-watch.awake', actions: GIVE_UP },
  { target: '#idle-watch.backingOff', actions: 'noteUnseen' },
] as const;
const WHY = 'nobody has used the database for long; the next request for a shape opens them';

const tellMonitor = {
  type: 'send',
  params: ({ context }: { context: Context }) => {
    return { to: '@status-monitor' as const, event: { type: 'connections.closing', process: context.self } };
  },
} as const;

export const idleWatch = setup({
  types: { input: {} as { self: Pid; lookEveryMs: number }, context: {} as Context, events: {} as Event },
  guards: {
    isThere: (_, { reason }: { reason: unknown }) => reason === 'running' || reason === 'restarting',
    isLate: (_, { reason }: { reason: unknown }) => reason === 'timeout',
    isUnseenStill: ({ context }) => context.unseen + 1 >= UNSEEN_MAX,
    isNobody: (_, { count }: { count: number }) => count === 0,
  },
  actions: {
    ...effects,
    noteThrough: assign((_, { through }: { through: LogPosition }) => ({ through })),
    noteSeen: assign({ unseen: 0 }),
    noteUnseen: assign(({ context }) => ({ unseen: context.unseen + 1 })),
  },
}).createMachine({
  id: 'idle-watch',
  context: ({ input: { self, lookEveryMs } }) => ({ self, lookEveryMs, through: LOG_START, unseen: 0 }),
  initial: 'opening',
  on: {
    awaitAwake: { actions: 'postpone' },
    reportCondition: {},
  },
  states: {
    /** Also at the start, and after a crash: then they are there, as a rule. */
    opening: {
      entry: [
        { type: 'send', params: { to: '@status-monitor', event: { type: 'connections.opening' } } },
        { type: 'call', params: askStack('restartChild') },
      ],
      on: {
        'child.started': 'connecting',
        'child.refused': [{ guard: { type: 'isThere', params: ({ event }) => event }, target: 'connecting' }, { target: 'backingOff' }],
        'stack.failed': 'backingOff',
      },
    },
    connecting: {
      entry: { type: 'call', params: ASK_MONITOR },
      on: {
        'service.active': 'catchingUp',
        'monitor.failed': [
          { guard: { type: 'isLate', params: ({ event }) => event }, target: 'awake', actions: GIVE_UP },
          { target: 'backingOff' },
        ],
      },
    },
    /**
     * However long that takes, as long as the service is well: what is missed may be much. One that is ill meanwhile does not come to an
     * end of it, and its stored shapes must be served as those of any other.
     */
    catchingUp: {
      entry: [{ type: 'startTimer', params: WELL }, { type: 'startTimer', params: FOLLOWING }],
      exit: [
        { type: 'cancelTimer', params: { name: 'well' } },
        { type: 'cancelTimer', params: { name: 'following' } },
        { type: 'cancel', params: { as: 'monitor' } },
        { type: 'cancel', params: { as: 'postgres' } },
        { type: 'cancel', params: { as: 'writer' } },
      ],
      on: {
        'timeout.well': { actions: { type: 'call', params: ASK_MONITOR } },
        'timeout.following': { actions: { type: 'send', params: note('info', 'connections.following') } },
        'service.active': { actions: { type: 'startTimer', params: WELL } },
        'monitor.failed': [
          { guard: { type: 'isLate', params: ({ event }) => event }, target: 'awake', actions: GIVE_UP },
          { actions: { type: 'startTimer', params: WELL } },
        ],
      },
      initial: 'locating',
      states: {
        /** What happened meanwhile lies before where Postgres stands now. */
        locating: {
          entry: { type: 'call', params: askPostgres('seeWal') },
          on: { 'wal.seen': { target: 'following', actions: 'noteSeen' }, 'wal.unseen': UNSEEN, 'postgres.failed': UNSEEN },
        },
        following: {
          entry: { type: 'call', params: ({ event }) => askWriter(event) },
          on: {
            'log.hasPassed': { target: 'taking', actions: { type: 'noteThrough', params: ({ event }) => event } },
            'writer.failed': '#idle-watch.backingOff',
          },
        },
        taking: {
          entry: { type: 'apply', params: ({ context }) => change({ taken: context.through }) },
          exit: { type: 'cancelTimer', params: { name: 'taken' } },
          on: {
            'log.isTaken': { target: '#idle-watch.awake', actions: { type: 'apply', params: change('open') } },
            'log.isUntaken': { actions: { type: 'startTimer', params: { name: 'taken', delayMs: TAKEN_AGAIN_MS } } },
            'timeout.taken': { target: 'taking', reenter: true },
          },
        },
      },
    },
    awake: {
      entry: 'noteSeen',
      tags: 'ready',
      on: {
        'use.resumed': { actions: { type: 'send', params: openedNote } },
        awaitAwake: { actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'connections.areOpen' } }) } },
      },
      initial: 'resting',
      states: {
        resting: {
          entry: { type: 'startTimer', params: ({ context }) => ({ name: 'look', delayMs: context.lookEveryMs }) },
          on: { 'timeout.look': 'looking' },
        },
        /** The table answers at once: nothing else comes in between. */
        looking: {
          entry: { type: 'apply', params: change('look') },
          on: { 'use.isOver': 'asking', 'use.goesOn': 'resting' },
        },
        /** Whoever waits for our end would have the lock by it, or could not tell us of a request. */
        asking: {
          entry: { type: 'call', params: askPostgres('seeStandbys') },
          on: {
            'standbys.seen': [
              { guard: { type: 'isNobody', params: ({ event }) => event }, target: 'deciding' },
              { target: 'resting' },
            ],
            'standbys.unseen': 'resting',
            'postgres.failed': 'resting',
          },
        },
        /** Somebody may have come while Postgres was asked. */
        deciding: {
          entry: { type: 'apply', params: change('close') },
          on: { 'use.isOver': '#idle-watch.closing', 'use.goesOn': 'resting' },
        },
      },
    },
    /** The status monitor is told before the connections go: nobody is to think that they were lost. */
    closing: {
      entry: [tellMonitor, { type: 'call', params: askStack('terminateChild') }],
      on: {
        'child.terminated': { target: 'asleep', actions: { type: 'send', params: note('info', 'connections.closed', { why: WHY }) } },
        'child.refused': 'backingOff',
        'stack.failed': 'backingOff',
        reportCondition: { actions: tellMonitor },
      },
    },
    asleep: {
      tags: 'ready',
      on: { awaitAwake: { target: 'opening', actions: 'postpone' }, reportCondition: { actions: tellMonitor } },
    },
    backingOff: {
      entry: {
        type: 'startTimer',
        params: ({ context }) => ({ name: 'retry', delayMs: context.unseen > 0 ? UNSEEN_RETRY_MS : RETRY_MS }),
      },
      on: { 'timeout.retry': 'opening' },
    },
  },
});

function change(of: DatabaseUseChange) {
  return { table: 'use', change: of };
}

function askStack(type: 'restartChild' | 'terminateChild') {
  return { to: '@stack' as const, request: { type, id: 'connections' }, as: 'stack' };
}

function askPostgres(type: 'seeWal' | 'seeStandbys') {
  return { to: '@sleep' as const, request: { type }, as: 'postgres' };
}

function askWriter(event: Event) {
  assertEvent(event, 'wal.seen');
  return { to: '@log-writer' as const, request: { type: 'awaitPassed', lsn: event.lsn }, as: 'writer' };
}

function openedNote({ event: { closedForMs, wakingForMs, isFollowed } }: { event: Extract<Event, { type: 'use.resumed' }> }) {
  return isFollowed
    ? note('info', 'connections.opened', { closedForMs, wakingForMs })
    : note('warn', 'connections.overdue', { closedForMs, wakingForMs });
}
