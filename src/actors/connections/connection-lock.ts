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
  | { type: 'reportCondition' }
  | { type: 'timeout.retry' }
  | { type: 'timeout.proven' };

export const connectionLock = setup({
  types: { input: {} as { self: Pid }, context: {} as { self: Pid; delayMs: number }, events: {} as Event },
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
  on: { awaitLock: { actions: 'postpone' }, reportCondition: {}, 'lock.lost': {} },
  states: {
    acquiring: {
      entry: { type: 'call', params: { to: '@lock', request: { type: 'acquire' }, as: 'lock' } },
      on: {
        'lock.acquired': { target: 'held', actions: { type: 'send', params: note('info', 'lock.acquired') } },
        'lock.refused': {
          target: 'backingOff',
          actions: [{ type: 'slowDownIfFatal', params: ({ event }) => event }, { type: 'send', params: refusalNote }],
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
