/**
 * Succession: an instance that has lost the database for long makes room for one that stands by on the same storage, and reaches it.
 *
 * Two can work on one database only one behind the other, and on one storage likewise. Who is cut off has lost the lock of the database,
 * and would keep the directory for as long as it lives: so nobody could follow. Whether another one does better is for that one to say.
 * Where none does, because Postgres is away from everybody, the stored shapes are served on.
 */
import { setup } from 'xstate';
import { effects } from '../otp/effects.ts';
import type { CallFailed } from '../otp/process.ts';
import { note } from './journal.ts';

type Event =
  | { type: 'lock.isHeld' }
  | (CallFailed & { type: 'lock.failed' })
  | { type: 'candidate.seen'; host: string; pid: number }
  | { type: 'candidate.unseen' }
  | { type: 'room.made' }
  | (CallFailed & { type: 'candidates.failed' })
  | { type: 'timeout.look' };

interface Context {
  lookEveryMs: number;
  patienceMs: number; // For so long without the lock it does not look for another one.
}

const LOCK_ANSWERS = {
  'lock.isHeld': 'resting',
  'lock.failed': [{ guard: 'isLate', target: 'alone' }, { target: 'resting' }],
} as const;

export const succession = setup({
  types: { input: {} as Context, context: {} as Context, events: {} as Event },
  guards: { isLate: ({ event }) => event.type === 'lock.failed' && event.reason === 'timeout' },
  actions: effects,
}).createMachine({
  id: 'succession',
  context: ({ input: { lookEveryMs, patienceMs } }) => ({ lookEveryMs, patienceMs }),
  initial: 'following',
  states: {
    /** The lock is there, or comes in time. */
    following: {
      entry: { type: 'call', params: ({ context }) => awaitLock(context.patienceMs) },
      on: LOCK_ANSWERS,
    },
    /** Also while the connections are closed, because nobody uses the database. */
    resting: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'look', delayMs: context.lookEveryMs }) },
      exit: { type: 'cancelTimer', params: { name: 'look' } },
      on: { 'timeout.look': 'following' },
    },
    alone: {
      entry: { type: 'call', params: askCandidates('seeCandidate') },
      on: {
        'candidate.seen': { target: 'leaving', actions: { type: 'send', params: leavingNote } },
        'candidate.unseen': 'waiting',
        'candidates.failed': 'waiting',
      },
    },
    /** Between two looks the lock may come. */
    waiting: {
      entry: { type: 'call', params: ({ context }) => awaitLock(context.lookEveryMs) },
      on: LOCK_ANSWERS,
    },
    leaving: {
      entry: { type: 'call', params: askCandidates('makeRoom') },
      on: { 'room.made': 'left', 'candidates.failed': 'waiting' },
    },
    /** The service ends, and stands by behind the other one. */
    left: { type: 'final' },
  },
});

function awaitLock(timeoutMs: number) {
  return { to: '@connection-lock' as const, request: { type: 'awaitLock' }, as: 'lock', timeoutMs };
}

function askCandidates(type: 'seeCandidate' | 'makeRoom') {
  return { to: '@candidates' as const, request: { type }, as: 'candidates' };
}

function leavingNote({ event: { host, pid } }: { event: { host: string; pid: number } }) {
  return note('warn', 'storage.left', { host, pid, why: WHY });
}

const WHY =
  'This instance has had no lock of the database for long. That one reaches it, and stands by on the same storage: it is to take over, ' +
  'and this one stands by behind it.';
