/**
 * Replication client: the stream of Postgres's changes, from the lock to the last transaction.
 *
 * It comes back by itself, with back-off, and takes nobody down: while it is away the stored shapes stay readable and
 * live clients wait. Every attempt begins with the lock, because the connection that held it may be gone as well.
 *
 * A new slot knows nothing of what happened before it: then no stored shape can be carried on. Nor may a crash make us
 * forget that. So the log says whose stream it has, `disowning` withdraws that before the slot is made, and `owning`
 * says it again when the shapes are gone: whoever finds the log without an owner makes the slot once more.
 */
import { assign, setup } from 'xstate';
import { effects } from '../../otp/effects.ts';
import type { CallFailed, Pid } from '../../otp/process.ts';
import { DELAY_MS_MAX, FIRST_DELAY_MS, nextDelayMs, PROVEN_AFTER_MS } from './back-off.ts';
import { note, refusalNote } from '../journal.ts';

type Event =
  | { type: 'lock.isHeld' }
  | { type: 'lock.lost' }
  | (CallFailed & { type: 'lock.failed' })
  | { type: 'replication.connected'; slotMissing: boolean; systemId: string }
  | { type: 'replication.slotCreated' }
  | { type: 'replication.refused'; error: { code: string; message: string }; fatal: boolean }
  | { type: 'replication.streaming' }
  | { type: 'replication.ended'; error: { code: string; message: string }; fatal: boolean }
  | (CallFailed & { type: 'replication.failed' })
  | { type: 'stream.restarted' }
  | (CallFailed & { type: 'writer.failed' })
  | { type: 'shapes.purged' }
  | (CallFailed & { type: 'purge.failed' })
  | { type: 'reportCondition' }
  | { type: 'timeout.retry' }
  | { type: 'timeout.proven' };

interface Context {
  self: Pid;
  systemId: string; // Of the Postgres to which we connected last.
  delayMs: number;
}

export const replicationClient = setup({
  types: { input: {} as { self: Pid }, context: {} as Context, events: {} as Event },
  guards: { isSlotMissing: (_, { slotMissing }: { slotMissing: boolean }) => slotMissing },
  actions: {
    ...effects,
    slowDown: assign(({ context }) => ({ delayMs: nextDelayMs(context.delayMs) })),
    forgetFailures: assign({ delayMs: FIRST_DELAY_MS }),
    /** What asking again does not mend need not be asked often; but somebody may mend it. */
    heed: assign(({ context }, { fatal }: { fatal: boolean }) => ({ delayMs: fatal ? DELAY_MS_MAX : context.delayMs })),
    noteSystem: assign((_, { systemId }: { systemId: string }) => ({ systemId })),
  },
}).createMachine({
  id: 'replication-client',
  context: ({ input }) => ({ self: input.self, delayMs: FIRST_DELAY_MS, systemId: '' }),
  initial: 'awaitingLock',
  on: {
    'lock.lost': { target: '.backingOff' },
    reportCondition: {},
    // What answers an attempt that was given up comes too late to matter.
    'lock.isHeld': {},
    'lock.failed': {},
    'replication.connected': {},
    'replication.slotCreated': {},
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
      entry: { type: 'call', params: { to: '@replication', request: { type: 'connect' }, as: 'replication' } },
      on: {
        'replication.connected': [
          {
            guard: { type: 'isSlotMissing', params: ({ event }) => event },
            target: 'disowning',
            actions: [{ type: 'noteSystem', params: ({ event }) => event }, { type: 'send', params: connectedNote }],
          },
          { target: 'starting', actions: { type: 'send', params: connectedNote } },
        ],
        'replication.refused': { target: 'backingOff', actions: [{ type: 'heed', params: ({ event }) => event }, { type: 'send', params: refusalNote }] },
        'replication.failed': 'backingOff',
      },
    },
    disowning: {
      entry: { type: 'call', params: { to: '@log-writer', request: { type: 'restartStream', source: '' }, as: 'writer' } },
      on: { 'stream.restarted': 'creatingSlot', 'writer.failed': 'backingOff' },
    },
    /** Before the purge: what begins between the two is snapshot behind the slot, or purged. */
    creatingSlot: {
      entry: { type: 'call', params: { to: '@replication', request: { type: 'createSlot' }, as: 'replication' } },
      on: {
        'replication.slotCreated': { target: 'purging', actions: { type: 'send', params: note('info', 'replication.slotCreated') } },
        'replication.refused': { target: 'backingOff', actions: [{ type: 'heed', params: ({ event }) => event }, { type: 'send', params: refusalNote }] },
        'replication.failed': 'backingOff',
      },
    },
    /** The answer is waited for, lock or no lock: in a later attempt it would vouch for shapes that began before a later slot. */
    purging: {
      entry: {
        type: 'call',
        params: { to: '@shape-cache', request: { type: 'purge', why: 'the replication slot is new' }, as: 'purge' },
      },
      on: { 'shapes.purged': 'owning', 'purge.failed': 'backingOff', 'lock.lost': { actions: 'postpone' } },
    },
    /** Here too: a later attempt would take the answer for that of its own `disowning`. */
    owning: {
      entry: {
        type: 'call',
        params: ({ context }) => ({ to: '@log-writer', request: { type: 'restartStream', source: context.systemId }, as: 'writer' }),
      },
      on: { 'stream.restarted': 'starting', 'writer.failed': 'backingOff', 'lock.lost': { actions: 'postpone' } },
    },
    starting: {
      entry: { type: 'call', params: { to: '@replication', request: { type: 'startStreaming' }, as: 'replication' } },
      on: {
        'replication.streaming': { target: 'streaming', actions: { type: 'send', params: note('info', 'replication.streaming') } },
        'replication.refused': { target: 'backingOff', actions: [{ type: 'heed', params: ({ event }) => event }, { type: 'send', params: refusalNote }] },
        'replication.failed': 'backingOff',
        'replication.ended': { target: 'backingOff', actions: [{ type: 'heed', params: ({ event }) => event }, { type: 'send', params: refusalNote }] },
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
        'replication.ended': { target: 'backingOff', actions: [{ type: 'heed', params: ({ event }) => event }, { type: 'send', params: refusalNote }] },
        'timeout.proven': { actions: 'forgetFailures' },
        reportCondition: { target: 'streaming', reenter: true },
      },
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

function connectedNote({ event: { type, slotMissing } }: { event: { type: string; slotMissing: boolean } }) {
  return note('info', type, { slotMissing });
}
