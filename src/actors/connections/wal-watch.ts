/**
 * WAL watch: how much WAL Postgres keeps for our slot. That is somebody else's disk, and nothing else would tell before it is full: so it
 * is told beyond a bound, again each time it has doubled since, and when it is over: when half of the bound is left, for around the bound
 * itself it comes and goes with each checkpoint.
 *
 * Who reads the line may have been woken by it, and know nothing of replication: so it says in sentences how much that is, since when, what
 * comes of it and what to do.
 */
import { assign, setup } from 'xstate';
import { effects } from '../../otp/effects.ts';
import type { CallFailed } from '../../otp/process.ts';
import { note } from '../journal.ts';

interface Seen {
  type: 'slot.seen';
  slot: string;
  /** Microseconds since 1970-01-01 UTC. */
  seenMicros: number;
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
  sinceMicros: number; // When it was first told, while that lasts.
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
    noteTold: assign(({ context }, { retainedBytes, seenMicros }: Pick<Seen, 'retainedBytes' | 'seenMicros'>) => {
      return { toldBytes: retainedBytes, sinceMicros: context.toldBytes > 0 ? context.sinceMicros : seenMicros };
    }),
  },
}).createMachine({
  id: 'wal-watch',
  context: ({ input }) => ({ retainedBytesMax: input.retainedBytesMax, toldBytes: 0, sinceMicros: 0 }),
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
              { type: 'noteTold', params: { retainedBytes: 0, seenMicros: 0 } },
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

function retainedNote({ context: { retainedBytesMax, sinceMicros }, event }: { context: Context; event: Seen }) {
  const { slot, retainedBytes, flushLagBytes, safeBytes } = event;
  return note('warn', 'wal.retained', {
    slot,
    retainedBytes,
    retainedBytesMax,
    untakenBytes: flushLagBytes,
    ...(safeBytes === null ? {} : { safeBytes }),
    since: new Date(sinceMicros / 1000).toISOString(),
    meaning: meaningOf(event),
    advice: adviceFor(event),
  });
}

function meaningOf({ slot, retainedBytes, safeBytes }: Seen): string {
  const kept = `Postgres keeps ${sizeText(retainedBytes)} of WAL on its disk for the replication slot ${slot}`;
  if (safeBytes === null) return `${kept}, and keeps all that is written until its disk is full: max_slot_wal_keep_size sets no limit.`;
  if (safeBytes <= 0) return `${kept}. That is its limit (max_slot_wal_keep_size): it gives the slot up, and all shapes start over.`;
  const left = `When ${sizeText(safeBytes)} more are written it gives the slot up (max_slot_wal_keep_size), and all shapes start over.`;
  return `${kept}. ${left}`;
}

function adviceFor({ slot, retainedBytes, flushLagBytes, isActive }: Seen): string {
  if (!isActive) {
    return `Nobody streams from the slot, so this grows with each write: /v1/health says why. ${lastResort(slot)}`;
  }
  if (2 * flushLagBytes >= retainedBytes) {
    return `The service has yet to take it: /v1/health says whether its disk is in its way; else it catches up. ${lastResort(slot)}`;
  }
  return (
    'The service has taken it; a transaction that has been open for long keeps it. To find that: SELECT pid, xact_start, query FROM ' +
    'pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY xact_start, and pg_prepared_xacts; SELECT pg_terminate_backend(PID) ends it.'
  );
}

function lastResort(slot: string): string {
  return `Before the disk is full: stop the service, and SELECT pg_drop_replication_slot('${slot}'); then all shapes start over.`;
}

const SIZES = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

function sizeText(bytes: number): string {
  const power = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${SIZES[power]}`;
}
