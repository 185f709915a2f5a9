/**
 * WAL watch: how much WAL Postgres keeps for our slot. That is somebody else's disk, and nothing else would tell before it is full: so it
 * is told beyond a bound, again each time it has doubled since, and when it is over: when half of the bound is left, for around the bound
 * itself it comes and goes with each checkpoint.
 */
import { assign, setup } from 'xstate';
import { effects } from '../../otp/effects.ts';
import type { CallFailed } from '../../otp/process.ts';
import { note } from '../journal.ts';

interface Seen {
  type: 'slot.seen';
  retainedBytes: number;
  /** Of these, what the service has yet to take. */
  flushLagBytes: number;
  /** What may yet be written before Postgres gives the slot up; null where there is no limit. */
  safeBytes: number | null;
  isActive: boolean;
}

type Event = Seen | { type: 'slot.unseen' } | (CallFailed & { type: 'slot.failed' }) | { type: 'timeout.look' };

interface Context {
  retainedBytesMax: number;
  toldBytes: number; // What was told last; 0 when it is over.
}

const LOOK_EVERY_MS = 5_000;

export const walWatch = setup({
  types: { input: {} as { retainedBytesMax: number }, context: {} as Context, events: {} as Event },
  guards: {
    isNews: ({ context }, { retainedBytes }: Seen) => retainedBytes >= Math.max(context.retainedBytesMax, 2 * context.toldBytes),
    isOver: ({ context }, { retainedBytes }: Seen) => context.toldBytes > 0 && 2 * retainedBytes < context.retainedBytesMax,
  },
  actions: {
    ...effects,
    noteTold: assign((_, { retainedBytes }: Pick<Seen, 'retainedBytes'>) => ({ toldBytes: retainedBytes })),
  },
}).createMachine({
  id: 'wal-watch',
  context: ({ input }) => ({ retainedBytesMax: input.retainedBytesMax, toldBytes: 0 }),
  initial: 'resting',
  states: {
    resting: {
      entry: { type: 'startTimer', params: { name: 'look', delayMs: LOOK_EVERY_MS } },
      on: { 'timeout.look': 'looking' },
    },
    looking: {
      entry: { type: 'call', params: { to: '@slot', request: { type: 'lookAtSlot' }, as: 'slot' } },
      on: {
        'slot.seen': [
          {
            guard: { type: 'isNews', params: ({ event }) => event },
            target: 'resting',
            actions: [{ type: 'noteTold', params: ({ event }) => event }, { type: 'send', params: retainedNote }],
          },
          {
            guard: { type: 'isOver', params: ({ event }) => event },
            target: 'resting',
            actions: [
              { type: 'noteTold', params: { retainedBytes: 0 } },
              { type: 'send', params: ({ event: { retainedBytes } }) => note('info', 'wal.released', { retainedBytes }) },
            ],
          },
          { target: 'resting' },
        ],
        'slot.unseen': 'resting',
        'slot.failed': 'resting',
      },
    },
  },
});

function retainedNote({ context: { retainedBytesMax }, event }: { context: Context; event: Seen }) {
  const { retainedBytes, flushLagBytes, safeBytes } = event;
  const limit = safeBytes === null ? {} : { safeBytes };
  return note('warn', 'wal.retained', { retainedBytes, retainedBytesMax, untakenBytes: flushLagBytes, ...limit, advice: adviceFor(event) });
}

function adviceFor({ retainedBytes, flushLagBytes, isActive }: Seen): string {
  if (!isActive) return 'Nobody streams from the slot: /v1/health says why.';
  if (2 * flushLagBytes >= retainedBytes) return 'The service has yet to take it: /v1/health says whether the disk is in its way.';
  return 'A transaction that is open for long keeps it: look for the oldest in pg_stat_activity, and in pg_prepared_xacts, and end it.';
}
