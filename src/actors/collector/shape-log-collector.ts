/**
 * Shape log collector: takes the transaction log, block by block, to the Consumers that a block touches.
 *
 * A block goes to all of them before the next one is loaded, layer by layer, and each Consumer hears of it once, whatever
 * the number of its rows. What is durable but not yet taken is only a pair of positions, so nothing grows while a Consumer is
 * slow; and a Consumer that dies in the middle, or is silent for too long, is counted and not waited for.
 *
 * A large transaction would hold up every other table. The Consumers that it may concern are told only where it ends: they
 * leave the common pace, go through it with the catch-up collector, and join again.
 *
 * A shape that nothing touches for a while needs no Consumer (`idle-shapes.ts`). What touches it later is left in the log before it, as for
 * one that did not take it, and the shape cache hears of it.
 */
import { assign, setup } from 'xstate';
import type { Handle } from '../../model/shape.ts';
import type { LogPosition } from '../../model/log-position.ts';
import { maxLsn, type Lsn } from '../../model/lsn.ts';
import { effects } from '../../otp/effects.ts';
import type { Address, CallFailed, Pid, ReplyTo } from '../../otp/process.ts';
import type { DeliveryId } from '../../shapes/delivery.ts';
import { note } from '../journal.ts';
import { consumerOf } from '../shape-processes.ts';
import {
  awaitRetry, deliverLayer, isTakenByAll, leaveBehind, nextLayer, noteUnanswered, routeOn, tellRecipients, type NotTaken,
} from './delivery-chart.ts';
import type { IdleShapes } from './idle-shapes.ts';
import type { RouterTold } from './router-table.ts';

type Event =
  | { type: 'registerShape'; handle: Handle; consumer?: Pid; replyTo: ReplyTo }
  | { type: 'unregisterShape'; handle: Handle }
  | { type: 'reportPosition'; replyTo: ReplyTo }
  /** They were silent while they caught up with others. */
  | { type: 'leaveBehind'; handles: readonly Handle[] }
  | { type: 'return.awaited' }
  | { type: 'shapes.overdue'; handles: readonly Handle[] }
  | { type: 'timeout.return' }
  | { type: 'shapesRestored' }
  /** Stored shapes without a Consumer: what touches them is to be told. */
  | { type: 'shapes.rested'; handles: readonly Handle[] }
  | { type: 'timeout.idle' }
  /** Of those that were proposed. */
  | (IdleShapes & { type: 'shapes.mayRest' })
  | RouterTold
  | { type: 'log.extended'; through: LogPosition; lsn: Lsn }
  | { type: 'log.end'; through: LogPosition; lsn: Lsn }
  | { type: 'block.loaded'; after: LogPosition; through: LogPosition }
  | { type: 'transaction.isLarge'; through: LogPosition; layouts: readonly number[] }
  | { type: 'offer.done'; failed: readonly Address[] }
  | { type: 'block.partlyRouted' }
  | { type: 'layer.ready'; delivery: DeliveryId }
  | { type: 'block.delivered' }
  | { type: 'batch.done'; failed: readonly Address[] }
  | { type: 'block.notTaken'; handles: readonly Handle[] }
  | (CallFailed & { type: 'reader.failed' })
  | { type: 'timeout.retry' };

interface Context {
  self: Pid;
  position: LogPosition; // Every registered shape has been offered the log up to here.
  routedThrough: LogPosition; // Ahead of `position` only while a block is being delivered, or a large transaction offered.
  durableEnd: LogPosition; // There is a log to take up to here.
  restAfterMs: number; // For so long nothing has touched a shape before it may sleep; 0 where none may.
  durableLsn: Lsn; // What Postgres had said when the log ended at `durableEnd`.
}

/** How often those who were left behind are looked after: one that has not come back by the second time ends. */
const RETURN_CHECK_MS = 30_000;
const ADVICE = 'They did not take what they were brought, and did not come back. They are made anew when they are asked for.';
/** Of those that a note names. */
const HANDLES_TOLD_MAX = 10;

/** Between two lots of Consumers that may end. */
const NEXT_LOT_MS = 1_000;

const awaitReturn = { type: 'startTimer', params: { name: 'return', delayMs: RETURN_CHECK_MS } } as const;

/** Before the position passes what they did not take. */
const noteNotTaken = {
  type: 'apply',
  params: ({ event: { handles } }: NotTaken) => ({ table: 'progress', change: { notTaken: handles } }),
} as const;

/** They have no Consumer: the log is kept for them from here on, and each is to get one. */
const rouse = [
  noteNotTaken,
  {
    type: 'send',
    params: ({ event: { handles } }: NotTaken) => ({ to: '@shape-cache' as const, event: { type: 'shapes.touched', handles } }),
  },
] as const;

const awaitIdle = {
  type: 'startTimer',
  params: ({ context }: { context: Context }) => ({ name: 'idle', delayMs: context.restAfterMs }),
} as const;

const proposeIdle = {
  type: 'send',
  params: ({ event: { type, handles, consumers } }: { event: IdleShapes & { type: string } }) => ({
    to: '@shape-cache' as const,
    event: { type, handles, consumers },
  }),
} as const;

/** From now on nothing is brought to them: so they may end. */
const putToSleep = {
  type: 'sendToEach',
  params: ({ event: { asleep } }: { event: { asleep: readonly Pid[] } }) => ({ to: asleep, event: { type: 'sleep' } }),
} as const;

/** The log cannot be kept for a shape for ever. Its clients get a fresh one. */
const endOverdue = [
  { type: 'exitEach', params: ({ event: { handles } }: NotTaken) => ({ processes: handles.map(consumerOf), reason: 'kill' as const }) },
  {
    type: 'send',
    params: ({ event: { handles } }: NotTaken) =>
      note('warn', 'shapes.overdue', { count: handles.length, handles: handles.slice(0, HANDLES_TOLD_MAX), advice: ADVICE }),
  },
] as const;

export const shapeLogCollector = setup({
  types: {
    input: {} as { self: Pid; position: LogPosition; restAfterMs?: number },
    context: {} as Context,
    events: {} as Event,
  },
  guards: {
    isBehind: ({ context }) => context.position < context.durableEnd,
    isBeyond: ({ context }, { through }: { through: LogPosition }) => context.position < through,
    isTakenByAll,
    mayRest: ({ context }) => context.restAfterMs > 0,
    areAny: (_, { handles }: Pick<IdleShapes, 'handles'>) => handles.length > 0,
    areMore: (_, { areMore }: { areMore: boolean }) => areMore,
  },
  actions: {
    ...effects,
    noteEnd: assign((_, { through, lsn, context }: { through: LogPosition; lsn: Lsn; context: Context }) => ({
      durableEnd: Math.max(through, context.durableEnd) as LogPosition,
      durableLsn: maxLsn(lsn, context.durableLsn),
    })),
    noteRouted: assign((_, { through }: { through: LogPosition }) => ({ routedThrough: through })),
    advance: assign(({ context }) => ({ position: context.routedThrough })),
  },
}).createMachine({
  id: 'shape-log-collector',
  context: ({ input }) => ({
    self: input.self,
    position: input.position,
    routedThrough: input.position,
    durableEnd: input.position,
    restAfterMs: input.restAfterMs ?? 0,
    durableLsn: '0' as Lsn,
  }),
  initial: 'restoring',
  on: {
    'log.extended': { actions: { type: 'noteEnd', params: ({ event, context }) => ({ ...event, context }) } },
    registerShape: {
      actions: [
        {
          type: 'apply',
          params: ({ event: { handle, consumer }, context: { restAfterMs } }) => ({
            table: 'router',
            change: { add: handle, ...(consumer === undefined || restAfterMs === 0 ? {} : { consumer }) },
          }),
        },
        { type: 'apply', params: ({ event }) => ({ table: 'progress', change: { registered: event.handle } }) },
        {
          type: 'reply',
          params: ({ event, context }) => ({
            to: event.replyTo,
            event: { type: 'shape.registered', position: context.routedThrough },
          }),
        },
      ],
    },
    reportPosition: {
      actions: {
        type: 'reply',
        params: ({ event, context }) => ({ to: event.replyTo, event: { type: 'collector.position', position: context.routedThrough } }),
      },
    },
    leaveBehind: { actions: [noteNotTaken, ...leaveBehind] },
    'return.awaited': { actions: awaitReturn },
    'timeout.return': { actions: { type: 'apply', params: { table: 'progress', change: 'checkReturns' } } },
    'shapes.overdue': { actions: [...endOverdue, awaitReturn] },
    'shapes.rested': { actions: { type: 'apply', params: ({ event }) => ({ table: 'router', change: { rested: event.handles } }) } },
    'timeout.idle': {
      actions: { type: 'apply', params: ({ context }) => ({ table: 'router', change: { idleAt: context.position } }) },
    },
    'shapes.idle': [
      {
        guard: { type: 'areMore', params: ({ event }) => event },
        actions: [proposeIdle, { type: 'startTimer', params: { name: 'idle', delayMs: NEXT_LOT_MS } }],
      },
      { guard: { type: 'areAny', params: ({ event }) => event }, actions: [proposeIdle, awaitIdle] },
      { actions: awaitIdle },
    ],
    'shapes.mayRest': {
      actions: {
        type: 'apply',
        params: ({ event: { handles, consumers } }) => ({ table: 'router', change: { rest: { handles, consumers } } }),
      },
    },
    'shapes.areAtRest': [
      {
        guard: { type: 'areAny', params: ({ event }) => event.stayed },
        actions: [
          putToSleep,
          { type: 'send', params: ({ event: { stayed } }) => ({ to: '@shape-cache', event: { type: 'shapes.stayed', ...stayed } }) },
        ],
      },
      { actions: putToSleep },
    ],
    'dormant.touched': { actions: rouse },
    unregisterShape: {
      actions: { type: 'apply', params: ({ event }) => ({ table: 'router', change: { remove: event.handle } }) },
    },
  },
  states: {
    /**
     * None of the stored shapes may miss a block, so nothing moves before each has its Consumer, which holds it where it is. One that
     * depends on others registers later: they need blocks to come as far as it was.
     */
    restoring: {
      on: { shapesRestored: [{ guard: 'mayRest', target: 'measuring', actions: awaitIdle }, { target: 'measuring' }] },
    },
    /** What was appended while no collector was there to be told? */
    measuring: {
      entry: { type: 'call', params: { to: '@log-reader', request: { type: 'logEnd' }, as: 'reader' } },
      on: {
        'log.end': {
          target: 'idle',
          actions: { type: 'noteEnd', params: ({ event, context }) => ({ ...event, context }) },
        },
        'reader.failed': 'retrying',
      },
    },
    idle: {
      tags: 'ready',
      entry: {
        type: 'apply',
        params: ({ context }) => ({
          table: 'progress',
          change: { position: context.position, lsn: context.durableLsn, isCaughtUp: context.position >= context.durableEnd },
        }),
      },
      always: { guard: 'isBehind', target: 'loading' },
      on: {
        'log.extended': [
          {
            guard: { type: 'isBeyond', params: ({ event }) => event },
            target: 'loading',
            actions: { type: 'noteEnd', params: ({ event, context }) => ({ ...event, context }) },
          },
          {
            target: 'idle',
            reenter: true,
            actions: { type: 'noteEnd', params: ({ event, context }) => ({ ...event, context }) },
          },
        ],
      },
    },
    loading: {
      tags: 'ready',
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@log-reader',
          request: { type: 'nextBlock', owner: context.self, after: context.position, through: context.durableEnd },
          as: 'reader',
        }),
      },
      on: {
        'block.loaded': {
          target: 'delivering',
          actions: { type: 'noteRouted', params: ({ event }) => ({ through: event.through }) },
        },
        'transaction.isLarge': {
          target: 'offering',
          actions: [
            { type: 'noteRouted', params: ({ event }) => ({ through: event.through }) },
            { type: 'apply', params: ({ event }) => ({ table: 'router', change: { concerned: event.layouts } }) },
          ],
        },
        'reader.failed': 'retrying',
      },
    },
    /** Whom a large transaction may concern is told where it ends, and goes through it without the others. */
    offering: {
      tags: 'ready',
      entry: {
        type: 'multicall',
        params: ({ context }) => tellRecipients({ type: 'logOffered', through: context.routedThrough }, 'offer'),
      },
      exit: {
        type: 'send',
        params: ({ context }) => ({ to: '@catch-up-collector', event: { type: 'log.passed', through: context.routedThrough } }),
      },
      on: {
        'offer.done': [
          { guard: { type: 'isTakenByAll', params: ({ event }) => event }, target: 'idle', actions: 'advance' },
          { actions: noteUnanswered },
        ],
        'block.notTaken': { target: 'idle', actions: [noteNotTaken, ...leaveBehind, 'advance'] },
        'shapes.mayRest': { actions: 'postpone' },
      },
    },
    delivering: {
      tags: 'ready',
      entry: {
        type: 'apply',
        params: ({ context }) => ({
          table: 'router',
          change: { route: { after: context.position, through: context.routedThrough } },
        }),
      },
      on: {
        'block.partlyRouted': { actions: routeOn },
        'layer.ready': { actions: deliverLayer('batch') },
        'batch.done': [
          { guard: { type: 'isTakenByAll', params: ({ event }) => event }, actions: nextLayer },
          { actions: noteUnanswered },
        ],
        'block.notTaken': { actions: [noteNotTaken, ...leaveBehind, nextLayer] },
        'block.touches': { actions: [...rouse, nextLayer] },
        'shapes.mayRest': { actions: 'postpone' },
        'block.delivered': { target: 'idle', actions: 'advance' },
      },
    },
    retrying: {
      entry: awaitRetry,
      on: { 'timeout.retry': 'measuring' },
    },
  },
});
