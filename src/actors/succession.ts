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

const CANCEL_LOOK = { type: 'cancelTimer', params: { name: 'look' } } as const;
const toResting = '#succession.resting';

export const succession = setup({
  types: { input: {} as Context, context: {} as Context, events: {} as Event },
  actions: effects,
}).createMachine({
  id: 'succession',
  context: ({ input: { lookEveryMs, patienceMs } }) => ({ lookEveryMs, patienceMs }),
  initial: 'lockless',
  states: {
    /** One question for as long as that takes: whoever has no lock for days would find each that was asked meanwhile. */
    lockless: {
      entry: { type: 'call', params: { to: '@connection-lock', request: { type: 'awaitLock' }, as: 'lock' } },
      exit: { type: 'cancel', params: { as: 'lock' } },
      // Where nobody connects, because nobody uses the database or all begins anew, nobody has lost it.
      on: { 'lock.isHeld': toResting, 'lock.failed': toResting },
      initial: 'patient',
      states: {
        /** The lock comes in time, as a rule. */
        patient: {
          entry: { type: 'startTimer', params: ({ context }) => ({ name: 'look', delayMs: context.patienceMs }) },
          exit: CANCEL_LOOK,
          on: { 'timeout.look': 'looking' },
        },
        looking: {
          entry: { type: 'call', params: askCandidates('seeCandidate') },
          exit: { type: 'cancel', params: { as: 'candidates' } },
          on: {
            'candidate.seen': { target: '#succession.leaving', actions: { type: 'send', params: leavingNote } },
            'candidate.unseen': 'waiting',
            'candidates.failed': 'waiting',
          },
        },
        waiting: {
          entry: { type: 'startTimer', params: ({ context }) => ({ name: 'look', delayMs: context.lookEveryMs }) },
          exit: CANCEL_LOOK,
          on: { 'timeout.look': 'looking' },
        },
      },
    },
    resting: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'look', delayMs: context.lookEveryMs }) },
      exit: CANCEL_LOOK,
      on: { 'timeout.look': 'lockless' },
    },
    leaving: {
      entry: { type: 'call', params: askCandidates('makeRoom') },
      on: { 'room.made': 'left', 'candidates.failed': 'lockless' },
    },
    /** The service ends, and stands by behind the other one. */
    left: { type: 'final' },
  },
});

function askCandidates(type: 'seeCandidate' | 'makeRoom') {
  return { to: '@candidates' as const, request: { type }, as: 'candidates' };
}

function leavingNote({ event: { host, pid } }: { event: { host: string; pid: number } }) {
  return note('warn', 'storage.left', { host, pid, why: WHY });
}

const WHY =
  'This instance has had no lock of the database for long. That one reaches it, and stands by on the same storage: it is to take over, ' +
  'and this one stands by behind it.';
