/**
 * Connection lock: of all instances on one database, the one that holds the advisory lock streams. The others wait, and
 * may serve what they have stored. A lock lives as long as its connection: when that breaks, another instance may have
 * it.
 */
import { assign, setup } from 'xstate';
import { effects } from '../../otp/effects.ts';
import type { CallFailed, Pid, ReplyTo } from '../../otp/process.ts';
import { delayMsAfter, FIRST_DELAY_MS, nextDelayMs, PROVEN_AFTER_MS } from './back-off.ts';
import { note, refusalNote } from '../journal.ts';

type Event =
  | { type: 'lock.acquired' }
  | { type: 'lock.refused'; error: { code: string; message: string }; fatal: boolean }
  | { type: 'lock.lost' }
  | (CallFailed & { type: 'lock.failed' })
  | { type: 'awaitLock'; replyTo: ReplyTo }
  | { type: 'lock.holderSeen'; holder: SeenHolder | null }
  | (CallFailed & { type: 'holder.failed' })
  | { type: 'reportCondition' }
  | { type: 'timeout.awaited' }
  | { type: 'timeout.retry' }
  | { type: 'timeout.proven' };

/** The session that has the lock, as far as Postgres tells: plain JSON. */
interface SeenHolder {
  readonly pid: number;
  readonly application?: string;
  readonly address?: string;
  readonly since?: string;
}

/** Nobody waits so long for a lock that is free. */
const AWAITED_MS = 3_000;
/** Who still waits says so again. */
const AWAITED_AGAIN_MS = 60_000;

const AGAIN = { name: 'awaited', delayMs: AWAITED_AGAIN_MS };
const NOTE_AWAITED = [
  { type: 'send', params: awaitedNote },
  { type: 'startTimer', params: AGAIN },
] as const;

export const connectionLock = setup({
  types: { input: {} as { self: Pid }, context: {} as { self: Pid; delayMs: number }, events: {} as Event },
  guards: { isSomebody: (_, { holder }: { holder: SeenHolder | null }) => holder !== null },
  actions: {
    ...effects,
    slowDown: assign(({ context }) => ({ delayMs: nextDelayMs(context.delayMs) })),
    slowDownIfFatal: assign(({ context }, { fatal }: { fatal: boolean }) => ({ delayMs: delayMsAfter(context.delayMs, fatal) })),
    forgetFailures: assign({ delayMs: FIRST_DELAY_MS }),
  },
}).createMachine({
  id: 'connection-lock',
  context: ({ input }) => ({ self: input.self, delayMs: FIRST_DELAY_MS }),
  initial: 'acquiring',
  on: { awaitLock: { actions: 'postpone' }, reportCondition: {}, 'lock.lost': {}, 'lock.holderSeen': {}, 'holder.failed': {} },
  states: {
    acquiring: {
      entry: [
        { type: 'call', params: { to: '@lock', request: { type: 'acquire' }, as: 'lock' } },
        { type: 'startTimer', params: { name: 'awaited', delayMs: AWAITED_MS } },
      ],
      exit: { type: 'cancelTimer', params: { name: 'awaited' } },
      on: {
        // Whoever waits for another instance, or forgot one, is told which.
        'timeout.awaited': { actions: { type: 'call', params: { to: '@lock', request: { type: 'seeHolder' }, as: 'holder' } } },
        'lock.holderSeen': [
          {
            guard: { type: 'isSomebody', params: ({ event }) => event },
            actions: [...NOTE_AWAITED, { type: 'send', params: { to: '@status-monitor', event: { type: 'lock.awaited' } } }],
          },
          // Postgres is away from who looks, or this one has it in a moment.
          { actions: { type: 'startTimer', params: { name: 'awaited', delayMs: AWAITED_MS } } },
        ],
        'holder.failed': { actions: { type: 'startTimer', params: AGAIN } },
        'lock.acquired': { target: 'held', actions: { type: 'send', params: note('info', 'lock.acquired') } },
        'lock.refused': {
          target: 'backingOff',
          actions: [
            { type: 'slowDownIfFatal', params: ({ event }) => event },
            { type: 'send', params: refusalNote },
            { type: 'send', params: ({ context }) => ({ to: '@status-monitor', event: { type: 'lock.refused', process: context.self } }) },
          ],
        },
        'lock.failed': 'backingOff',
      },
    },
    held: {
      entry: [
        { type: 'startTimer', params: { name: 'proven', delayMs: PROVEN_AFTER_MS } },
        {
          type: 'send',
          params: ({ context }) => ({ to: '@status-monitor', event: { type: 'condition.met', condition: 'lock', process: context.self } }),
        },
      ],
      exit: { type: 'cancelTimer', params: { name: 'proven' } },
      on: {
        'timeout.proven': { actions: 'forgetFailures' },
        awaitLock: { actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'lock.isHeld' } }) } },
        reportCondition: { target: 'held', reenter: true },
        'lock.lost': { target: 'lost', actions: { type: 'send', params: note('warn', 'lock.lost') } },
      },
    },
    /** Whoever streams under the lock must stop: another instance may have begun. */
    lost: {
      entry: [
        { type: 'send', params: { to: '@replication-client', event: { type: 'lock.lost' } } },
        // Is it only the lock, or has Postgres gone?
        { type: 'send', params: { to: '@connection-pools', event: { type: 'probe' } } },
        { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.lost', condition: 'lock' } } },
        // Not known to be another's before somebody is seen to have it.
        { type: 'send', params: ({ context }) => ({ to: '@status-monitor', event: { type: 'lock.refused', process: context.self } }) },
      ],
      always: 'backingOff',
    },
    backingOff: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'retry', delayMs: context.delayMs }) },
      exit: ['slowDown', { type: 'cancelTimer', params: { name: 'retry' } }],
      on: { 'timeout.retry': 'acquiring' },
    },
  },
});

function awaitedNote({ event: { holder } }: { event: { holder: SeenHolder | null } }) {
  return note('info', 'lock.awaited', { holder });
}
