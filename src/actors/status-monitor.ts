/**
 * Status monitor: is the service ready? Six conditions, each told by the process that knows it and withdrawn when
 * that process dies; the state follows from them, and nobody keeps a flag of his own.
 */
import { assign, setup } from 'xstate';
import { effects } from '../otp/effects.ts';
import type { Down, Pid, ReplyTo } from '../otp/process.ts';
import { note } from './journal.ts';
import { keep, next, RequestBacklog } from './request-backlog.ts';
import { NO_CONNECTION, STORAGE_REFUSED_CODE } from './snapshot-fault.ts';

/** In the order in which their absence is reported. */
export const CONDITIONS = ['storage', 'lock', 'replication', 'pools', 'shapes', 'consumers'] as const;
export type ServiceCondition = (typeof CONDITIONS)[number];

/** Who can say, again, how it stands: asked when a status monitor starts anew, those of them that there are. */
const REPORTERS = [
  '@disk-monitor', '@connection-lock', '@replication-client', '@connection-pools', '@shape-cache', '@standby', '@idle-watch',
] as const;

type Event =
  | { type: 'condition.met'; condition: ServiceCondition; process: Pid }
  | { type: 'condition.lost'; condition: ServiceCondition }
  | { type: 'lock.refused'; process: Pid }
  | { type: 'lock.awaited' }
  /** The connections are closed on purpose, and whoever asks for something has them opened. */
  | { type: 'connections.closing'; process: Pid }
  | { type: 'connections.opening' }
  | (Down & { type: 'reporter.down'; process: Pid })
  | { type: 'awaitActive'; replyTo: ReplyTo }
  | { type: 'awaitReadable'; replyTo: ReplyTo }
  | { type: 'awaitConnected'; replyTo: ReplyTo };

/** By condition: the process that vouches for it. */
export type ServiceConditions = Readonly<Record<ServiceCondition, Pid | null>>;

type Context = ServiceConditions & {
  /** Who was told by Postgres that it does not even get to wait for the lock: then it is no other instance that it waits for. */
  readonly lockRefusedTo: Pid | null;
  /** Who has closed the connections on purpose. */
  readonly closedBy: Pid | null;
};

const NOTHING_MET = { storage: null, lock: null, replication: null, pools: null, shapes: null, consumers: null } as const;

type Told = { readonly event: { readonly process: Pid } };
type Met = { readonly event: Extract<Event, { type: 'condition.met' }> };

const WATCH = [
  { type: 'demonitor', params: ({ event }: Told) => ({ process: event.process }) },
  { type: 'monitor', params: ({ event }: Told) => ({ process: event.process, as: 'reporter' }) },
] as const;
const NOTE_MET = [...WATCH, { type: 'noteMet', params: ({ event }: Met) => event }] as const;

const base = setup({ types: { context: {} as Context, events: {} as Event }, actions: { ...effects } });

/** Of those who wait, each in its own. */
export function statusMonitorTables() {
  return { awaitingActive: new RequestBacklog(), awaitingPools: new RequestBacklog() };
}

export const statusMonitor = base
  .extend({
    guards: {
      isAsleep: ({ context: { closedBy, storage, shapes, consumers } }) => {
        return closedBy !== null && storage !== null && shapes !== null && consumers !== null;
      },
      isClosed: ({ context }) => context.closedBy !== null,
      isActive: ({ context }) => CONDITIONS.every((condition) => context[condition] !== null),
      isReadable: ({ context }) => context.shapes !== null,
      isConnected: ({ context }) => context.pools !== null,
      isOfPools: (_, { condition }: { condition: ServiceCondition }) => condition === 'pools',
      isWaiting: ({ context: { lock, lockRefusedTo, pools, shapes } }) => {
        return lock === null && lockRefusedTo === null && pools !== null && shapes !== null;
      },
    },
    actions: {
      noteMet: assign((_, { condition, process }: { condition: ServiceCondition; process: Pid }) => ({ [condition]: process })),
      noteLost: assign((_, { condition }: { condition: ServiceCondition }) => ({ [condition]: null })),
      noteDown: assign(({ context }, { process }: { process: Pid }) =>
        Object.fromEntries(Object.entries(context).map(([condition, by]) => [condition, by === process ? null : by])),
      ),
      noteLockRefused: assign((_, { process }: { process: Pid }) => ({ lockRefusedTo: process })),
      noteLockAwaited: assign({ lockRefusedTo: null }),
      noteClosed: assign((_, { process }: { process: Pid }) => ({ closedBy: process })),
      noteOpened: assign({ closedBy: null }),
      askReporters: base.enqueueActions(({ enqueue }) => {
        for (const to of REPORTERS) enqueue({ type: 'send', params: { to, event: { type: 'reportCondition' } } });
      }),
    },
  })
  .createMachine({
    id: 'status-monitor',
    context: { ...NOTHING_MET, lockRefusedTo: null, closedBy: null },
    entry: 'askReporters',
    initial: 'starting',
    on: {
      'condition.met': [
        {
          guard: { type: 'isOfPools', params: ({ event }) => event },
          target: '.deciding',
          actions: [...NOTE_MET, { type: 'apply', params: next('awaitingPools') }],
        },
        { target: '.deciding', actions: NOTE_MET },
      ],
      'condition.lost': { target: '.deciding', actions: { type: 'noteLost', params: ({ event }) => event } },
      'lock.refused': { target: '.deciding', actions: [...WATCH, { type: 'noteLockRefused', params: ({ event }) => event }] },
      /** Another session has it, and ours stands in the queue. */
      'lock.awaited': { target: '.deciding', actions: 'noteLockAwaited' },
      'connections.closing': { target: '.deciding', actions: [...WATCH, { type: 'noteClosed', params: ({ event }) => event }] },
      'connections.opening': [{ guard: 'isClosed', target: '.deciding', actions: 'noteOpened' }, {}],
      'reporter.down': { target: '.deciding', actions: { type: 'noteDown', params: ({ event }) => event } },
      awaitActive: { actions: { type: 'apply', params: keep('awaitingActive') } },
      // Postponing is enough here: the first state that follows `starting` answers all who wait.
      awaitReadable: [{ guard: 'isReadable', actions: { type: 'reply', params: readable } }, { actions: 'postpone' }],
      /** Whatever else is missing. No state tells when that comes, so it is asked for again when the pools are told of. */
      awaitConnected: [
        { guard: 'isConnected', actions: [{ type: 'reply', params: connected }, { type: 'apply', params: next('awaitingPools') }] },
        { actions: { type: 'apply', params: keep('awaitingPools') } },
      ],
    },
    states: {
      deciding: {
        always: [
          { guard: 'isAsleep', target: 'asleep' },
          { guard: 'isActive', target: 'active' },
          { guard: 'isWaiting', target: 'waiting' },
          { guard: 'isReadable', target: 'connecting' },
          { target: 'starting' },
        ],
      },
      starting: {},
      /** What is stored can be read; not all of it is followed yet, Postgres is not there, or no longer, or the disk takes nothing. */
      connecting: {},
      /** The lock is asked for, as far as is known in vain because another instance holds it; what is stored can be read. */
      waiting: {},
      /** Nobody has used the database for long. Whoever asks for something is served: it wakes first. */
      asleep: {},
      active: {
        entry: [
          { type: 'send', params: note('info', 'service.active') },
          { type: 'apply', params: next('awaitingActive') },
        ],
        on: {
          awaitActive: {
            actions: [
              { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'service.active' } }) },
              { type: 'apply', params: next('awaitingActive') },
            ],
          },
        },
      },
    },
  });

function connected({ event }: { event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo, event: { type: 'service.connected' } };
}

function readable({ event }: { event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo, event: { type: 'service.readable' } };
}

export interface Unreadiness {
  readonly message: string;
  /** Where it has a stable one. */
  readonly code?: string;
}

/**
 * The first thing that is missing, in the words that a client gets; undefined when nothing is. Where nobody can ask Postgres, that is
 * told, for then it is not another instance that the lock is waited for.
 */
export function whyNotActive(conditions: ServiceConditions): Unreadiness | undefined {
  const missing = CONDITIONS.find((condition) => conditions[condition] === null);
  if (missing === 'storage') return STORAGE_REFUSED;
  if (missing === 'lock' && conditions.pools === null) return { message: NO_CONNECTION.message };
  return missing === undefined ? undefined : { message: READINESS_TEXTS[missing] };
}

export const STORAGE_REFUSED = {
  code: STORAGE_REFUSED_CODE,
  message: 'The storage takes nothing at present, so nothing new can be served. What is stored can be read. Please try again later.',
} as const satisfies Unreadiness;

/** Another instance follows the database, or works in the storage: told to who asks for more than what is stored. */
export const STANDING_BY = { message: 'Timeout waiting for Postgres lock acquisition' } as const satisfies Unreadiness;

const READINESS_TEXTS: Readonly<Record<Exclude<ServiceCondition, 'storage'>, string>> = {
  lock: STANDING_BY.message,
  replication:
    "Timeout waiting for replication client to be ready. Check that you don't have pending transactions in the database. " +
    'Electric has to wait for all pending transactions to commit or rollback before it can create the replication slot.',
  pools: 'Timeout waiting for database connection pool (snapshot) to be ready',
  shapes: 'Timeout waiting for shape metadata to be loaded',
  consumers: 'Timeout waiting for shape metadata to be loaded',
};

/** What health says of a state of this machine. */
export function serviceLevel(state: unknown): 'starting' | 'waiting' | 'active' {
  if (state === 'asleep') return 'active';
  return state === 'active' || state === 'waiting' ? state : 'starting';
}
