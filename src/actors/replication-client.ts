/**
 * Replication client: the stream of Postgres's changes, from the lock to the last transaction.
 *
 * It comes back by itself, with back-off, and takes nobody down: while it is away the stored shapes stay readable and
 * live clients wait. Every attempt begins with the lock, because the connection that held it may be gone as well.
 * A slot that had to be created knows nothing of what happened before it: then no stored shape can be carried on.
 */
import { assign, setup } from 'xstate';
import { effects } from '../otp/effects.ts';
import type { CallFailed, Pid } from '../otp/process.ts';
import { FIRST_DELAY_MS, nextDelayMs, PROVEN_AFTER_MS } from './back-off.ts';
import { note, refusalNote } from './journal.ts';

type Event =
  | { type: 'lock.isHeld' }
  | { type: 'lock.lost' }
  | (CallFailed & { type: 'lock.failed' })
  | { type: 'replication.connected'; slotCreated: boolean }
  | { type: 'replication.refused'; error: { code: string; message: string } }
  | { type: 'replication.streaming' }
  | { type: 'replication.ended'; error: { code: string; message: string } }
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
  mustPurge: boolean; // A slot was created, and the shapes of the old one are not gone yet: kept over failed attempts.
  delayMs: number;
}

export const replicationClient = setup({
  types: { input: {} as { self: Pid }, context: {} as Context, events: {} as Event },
  guards: { mustPurge: ({ context }) => context.mustPurge },
  actions: {
    ...effects,
    slowDown: assign(({ context }) => ({ delayMs: nextDelayMs(context.delayMs) })),
    forgetFailures: assign({ delayMs: FIRST_DELAY_MS }),
    noteSlot: assign(({ context }, { slotCreated }: { slotCreated: boolean }) => ({ mustPurge: context.mustPurge || slotCreated })),
    beginAnew: assign({ mustPurge: false }),
  },
}).createMachine({
  id: 'replication-client',
  context: ({ input }) => ({ self: input.self, delayMs: FIRST_DELAY_MS, mustPurge: false }),
  initial: 'awaitingLock',
  on: {
    'lock.lost': { target: '.backingOff' },
    reportCondition: {},
    // What answers an attempt that was given up comes too late to matter; but a slot that it created is new all the same.
    'lock.isHeld': {},
    'lock.failed': {},
    'replication.connected': { actions: { type: 'noteSlot', params: ({ event }) => event } },
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
        'replication.connected': {
          target: 'deciding',
          actions: [
            { type: 'noteSlot', params: ({ event }) => event },
            { type: 'send', params: ({ event }) => note('info', event.type, { slotCreated: event.slotCreated }) },
          ],
        },
        'replication.refused': { target: 'backingOff', actions: { type: 'send', params: refusalNote } },
        'replication.failed': 'backingOff',
        'replication.ended': { target: 'backingOff', actions: { type: 'send', params: refusalNote } },
      },
    },
    deciding: { always: [{ guard: 'mustPurge', target: 'purging' }, { target: 'starting' }] },
    purging: {
      entry: {
        type: 'call',
        params: { to: '@shape-cache', request: { type: 'purge', why: 'the replication slot is new' }, as: 'purge' },
      },
      on: {
        'shapes.purged': 'restarting',
        'purge.failed': 'backingOff',
        'replication.ended': { target: 'backingOff', actions: { type: 'send', params: refusalNote } },
      },
    },
    /** A slot may even be another cluster's, where LSNs are lower than ours. */
    restarting: {
      entry: { type: 'call', params: { to: '@log-writer', request: { type: 'restartStream' }, as: 'writer' } },
      on: {
        'stream.restarted': { target: 'starting', actions: 'beginAnew' },
        'writer.failed': 'backingOff',
        'replication.ended': { target: 'backingOff', actions: { type: 'send', params: refusalNote } },
      },
    },
    starting: {
      entry: { type: 'call', params: { to: '@replication', request: { type: 'startStreaming' }, as: 'replication' } },
      on: {
        'replication.streaming': { target: 'streaming', actions: { type: 'send', params: note('info', 'replication.streaming') } },
        'replication.refused': { target: 'backingOff', actions: { type: 'send', params: refusalNote } },
        'replication.failed': 'backingOff',
        'replication.ended': { target: 'backingOff', actions: { type: 'send', params: refusalNote } },
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
        'replication.ended': { target: 'backingOff', actions: { type: 'send', params: refusalNote } },
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

