/**
 * Standby: another instance works in the storage. What that has stored is served meanwhile, as its checkpoints show it, and when it has
 * gone the storage is taken over: then this process ends, and the whole service begins in its place.
 *
 * While it opens the directory it serves what it saw last, and looks no more: one question is out at a time. A disk that says no is asked
 * again, with back-off: it may be the network in between, or a volume that comes back.
 */
import { assign, setup } from 'xstate';
import { effects } from '../otp/effects.ts';
import type { CallFailed, Pid } from '../otp/process.ts';
import { note } from './journal.ts';

type Event =
  | { type: 'storage.held'; host: string; pid: number }
  | { type: 'storage.offered' }
  | { type: 'storage.taken' }
  | { type: 'storage.refused' }
  | { type: 'storage.seen'; count: number }
  | { type: 'storage.unseen'; error: { code: string; message: string } }
  | (CallFailed & { type: 'storage.failed' })
  | { type: 'reportCondition' }
  | { type: 'timeout.next' };

interface Holder {
  host: string;
  pid: number;
}

interface Context {
  self: Pid;
  holder: Holder | null; // The process that was told of last.
  isSeen: boolean; // Stored shapes can be read.
  trouble: string | null; // The code that was told of last, since something was seen.
  delayMs: number; // Until it asks again.
}

/** How late it is noticed, at the most, that the other one has gone, or that there is a newer checkpoint. */
const NEXT_MS = 100;
/** The same, of a directory that could not be looked at for long. */
const NEXT_MS_MAX = 3_200;

export const standby = setup({
  types: { input: {} as { self: Pid }, context: {} as Context, events: {} as Event },
  guards: {
    isNew: ({ context: { holder } }, { host, pid }: Holder) => holder?.pid !== pid || holder.host !== host,
    isNewTrouble: ({ context }, { error }: { error: { code: string } }) => context.trouble !== error.code,
    isSeen: ({ context }) => context.isSeen,
  },
  actions: {
    ...effects,
    noteHolder: assign((_, { host, pid }: Holder) => ({ holder: { host, pid } })),
    noteSeen: assign({ isSeen: true }),
    noteTrouble: assign((_, { error }: { error: { code: string } }) => ({ trouble: error.code })),
    slowDown: assign(({ context }) => ({ delayMs: Math.min(2 * context.delayMs, NEXT_MS_MAX) })),
    forgetTrouble: assign({ trouble: null, delayMs: NEXT_MS }),
  },
}).createMachine({
  id: 'standby',
  context: ({ input }) => ({ self: input.self, holder: null, isSeen: false, trouble: null, delayMs: NEXT_MS }),
  initial: 'taking',
  on: {
    reportCondition: [
      { guard: 'isSeen', actions: [{ type: 'send', params: met('storage') }, { type: 'send', params: met('shapes') }] },
      {},
    ],
    // To whichever question. What was seen before is still served; the other process finds out by itself what is wrong with its disk.
    'storage.unseen': [
      {
        guard: { type: 'isNewTrouble', params: ({ event }) => event },
        target: '.resting',
        actions: [{ type: 'noteTrouble', params: ({ event }) => event }, 'slowDown', { type: 'send', params: unseenNote }],
      },
      { target: '.resting', actions: 'slowDown' },
    ],
  },
  states: {
    taking: {
      entry: { type: 'call', params: { to: '@standby-storage', request: { type: 'take' }, as: 'storage' } },
      on: {
        'storage.held': [
          {
            guard: { type: 'isNew', params: ({ event }) => event },
            target: 'looking',
            actions: [{ type: 'noteHolder', params: ({ event }) => event }, { type: 'send', params: heldNote }],
          },
          { target: 'looking' },
        ],
        'storage.offered': 'looking',
        'storage.taken': { target: 'takenOver', actions: { type: 'send', params: note('info', 'storage.taken') } },
        'storage.refused': 'refused',
        'storage.failed': 'resting',
      },
    },
    looking: {
      entry: { type: 'call', params: { to: '@standby-storage', request: { type: 'look' }, as: 'storage' } },
      on: {
        'storage.seen': [
          { guard: 'isSeen', target: 'resting', actions: 'forgetTrouble' },
          {
            target: 'resting',
            actions: ['forgetTrouble', 'noteSeen', { type: 'send', params: met('storage') }, { type: 'send', params: met('shapes') }],
          },
        ],
        'storage.failed': 'resting',
      },
    },
    resting: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'next', delayMs: context.delayMs }) },
      exit: { type: 'cancelTimer', params: { name: 'next' } },
      on: { 'timeout.next': 'taking' },
    },
    /** The service goes on with what was opened. */
    takenOver: { type: 'final' },
    /** The directory cannot be opened, and nobody else works in it: the service ends, and says why. */
    refused: { type: 'final' },
  },
});

function heldNote({ event: { host, pid } }: { event: { host: string; pid: number } }) {
  return note('warn', 'storage.held', { host, pid, advice: HELD_ADVICE });
}

function unseenNote({ event: { error } }: { event: { error: unknown } }) {
  return note('warn', 'storage.unseen', { error });
}

function met(condition: 'storage' | 'shapes') {
  return ({ context }: { context: Context }) => ({
    to: '@status-monitor' as const,
    event: { type: 'condition.met', condition, process: context.self },
  });
}

const HELD_ADVICE =
  'Another instance works in the storage directory. This one waits for it to end, and then takes over; what is stored is served ' +
  'meanwhile. If no two were meant to run, stop one, or give it a directory of its own.';
