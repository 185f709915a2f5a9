/**
 * Catch-up collector: takes shapes that lag through the log together, until they have come as far as the others.
 *
 * A large transaction goes to those whom it may concern in fragments, each routed once, however many they are; who is not
 * touched by a fragment hears nothing of it. The shapes join before the collector of all others passes the transaction, so
 * that they stand before it together. What that one has brought to others meanwhile is gone through too; then everybody is
 * told how far they are, and goes along again.
 *
 * A stored shape that gets its Consumer only now lags, too, and there may be ten thousand of them: touched by one transaction, or by what
 * was missed while no service was there. Each of them would read all of it for the little that is its own. They join behind: those who
 * come too late for the ones who are on their way wait, and go together when those are done. But not one that has missed only what lies
 * behind all that these have to take, and that is much: it would wait for a large transaction of other tables, and reads by itself.
 *
 * It may be behind by much and for long. Nobody waits for it but those who have something of that to take.
 */
import { assign, setup } from 'xstate';
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import { effects } from '../../otp/effects.ts';
import type { Address, CallFailed, Pid, ReplyTo } from '../../otp/process.ts';
import type { DeliveryId } from '../../shapes/delivery.ts';
import {
  awaitRetry, deliverLayer, isTakenByAll, nextLayer, noteUnanswered, removeNotTaken, routeOn, routerChange, tellRecipients,
  type NotTaken,
} from './delivery-chart.ts';

const takeIn = [
  { type: 'apply', params: ({ event }: { event: Join }) => routerChange({ add: event.handle }) },
  { type: 'reply', params: ({ event }: { event: Join }) => ({ to: event.replyTo, event: { type: 'catchUp.joined' } }) },
] as const;

/** What we have passed nobody brings it any more: it reads that by itself. */
const refuse = {
  type: 'reply',
  params: ({ event }: { event: Join }) => ({ to: event.replyTo, event: { type: 'catchUp.passed' } }),
} as const;

/** Brought nothing yet: the log is kept for it where it stands. */
const letWait = [
  { type: 'apply', params: ({ event }: { event: Join }) => routerChange({ wait: event.handle }) },
  'noteWaiting',
  { type: 'reply', params: ({ event }: { event: Join }) => ({ to: event.replyTo, event: { type: 'catchUp.joined' } }) },
] as const;

const remove = { type: 'apply', params: ({ event }: { event: { handle: Handle } }) => routerChange({ remove: event.handle }) } as const;

const removeAddressed = { type: 'apply', params: routerChange('removeAddressed') } as const;

/** One collector leaves shapes behind, so that one of them knows who they are. */
const tellNotTaken = {
  type: 'send',
  params: ({ event: { handles } }: NotTaken) => ({ to: '@shape-log-collector' as const, event: { type: 'leaveBehind', handles } }),
} as const;

const countFollowers = {
  type: 'apply',
  params: ({ context }: { context: { position: LogPosition } }) => routerChange({ standing: context.position }),
} as const;

/** Of the log: as large as a transaction that none but those whom it may concern wait for. */
const MUCH_BYTES = 2 * 1024 * 1024;

interface Join {
  readonly handle: Handle;
  readonly after: LogPosition;
  readonly replyTo: ReplyTo;
}

type Event =
  | (Join & { type: 'join' })
  /** Of who was brought nothing of it, wherever the others are. */
  | (Join & { type: 'joinBehind' })
  | { type: 'leave'; handle: Handle }
  /** The collector of all others has passed a large transaction. */
  | { type: 'log.passed'; through: LogPosition }
  | { type: 'collector.position'; position: LogPosition }
  | { type: 'followers.none' }
  | { type: 'followers.stand'; at: LogPosition }
  | { type: 'block.loaded'; after: LogPosition; through: LogPosition }
  | { type: 'block.corrupt'; why: string }
  | { type: 'block.partlyRouted' }
  | { type: 'layer.ready'; delivery: DeliveryId }
  | { type: 'block.delivered' }
  | { type: 'batch.done'; failed: readonly Address[] }
  | { type: 'block.notTaken'; handles: readonly Handle[] }
  | { type: 'dismissal.done'; failed: readonly Address[] }
  | (CallFailed & { type: 'reader.failed' })
  | { type: 'timeout.retry' };

interface Context {
  self: Pid;
  position: LogPosition; // Everybody who follows has been brought the log up to here.
  routedThrough: LogPosition; // Ahead of `position` only while a block is being delivered.
  limit: LogPosition; // The collector of all others has passed this, or is passing it.
  areWaiting: boolean; // Some who have joined are taken along when those who follow are let go.
  damage: string; // What does not hold of the log, once that was found.
}

export const catchUpCollector = setup({
  types: { input: {} as { self: Pid }, context: {} as Context, events: {} as Event },
  guards: {
    isTakenByAll,
    isBehind: ({ context }) => context.position < context.limit,
    /** Where some wait, those before them need not come as far as a log that grows and grows: who was offered more joins again. */
    isAhead: ({ context }, { position }: { position: LogPosition }) => position > context.position && !context.areWaiting,
    areWaiting: ({ context }) => context.areWaiting,
    isNotPassed: ({ context }, { after }: Join) => after >= context.limit,
    isInTime: ({ context }, { after }: Join) => after >= context.routedThrough,
    isFarAhead: ({ context: { limit, position } }, { after }: Join) => after >= limit && limit - position > MUCH_BYTES,
  },
  actions: {
    ...effects,
    begin: assign((_, { after }: Join) => ({ position: after, routedThrough: after })),
    noteLimit: assign((_, { through }: { through: LogPosition }) => ({ limit: through })),
    noteDamage: assign((_, { why }: { why: string }) => ({ damage: why })),
    noteRouted: assign((_, { through }: { through: LogPosition }) => ({ routedThrough: through })),
    noteWaiting: assign({ areWaiting: true }),
    noteAdmitted: assign({ areWaiting: false }),
    noteStanding: assign((_, { at }: { at: LogPosition }) => ({ position: at, routedThrough: at })),
    advance: assign(({ context }) => ({ position: context.routedThrough })),
  },
}).createMachine({
  id: 'catch-up-collector',
  context: ({ input: { self } }) => {
    return { self, position: LOG_START, routedThrough: LOG_START, limit: LOG_START, areWaiting: false, damage: '' };
  },
  initial: 'idle',
  on: {
    join: [{ guard: { type: 'isInTime', params: eventOf }, actions: takeIn }, { actions: refuse }],
    joinBehind: [
      { guard: { type: 'isFarAhead', params: eventOf }, actions: refuse },
      { guard: { type: 'isInTime', params: eventOf }, actions: takeIn },
      { actions: letWait },
    ],
    leave: { actions: remove },
    'log.passed': { actions: { type: 'noteLimit', params: eventOf } },
  },
  states: {
    idle: {
      on: {
        join: [
          {
            guard: { type: 'isNotPassed', params: eventOf },
            target: 'gathering',
            actions: [{ type: 'begin', params: eventOf }, ...takeIn],
          },
          { actions: refuse },
        ],
        joinBehind: { target: 'admitting', actions: letWait },
      },
    },
    /** Those who have waited begin where the one stands who is furthest back. */
    admitting: {
      entry: ['noteAdmitted', { type: 'apply', params: routerChange('admit') }],
      on: {
        'followers.none': 'idle',
        'followers.stand': { target: 'measuring', actions: { type: 'noteStanding', params: eventOf } },
      },
    },
    /** Nobody follows any more, or those alone who go with the ones that wait. */
    resting: { always: [{ guard: 'areWaiting', target: 'admitting' }, { target: 'idle' }] },
    /** Others that the same transaction may concern are still to come. */
    gathering: {
      on: {
        'log.passed': { target: 'counting', actions: { type: 'noteLimit', params: eventOf } },
        leave: { target: 'recounting', actions: remove },
      },
    },
    recounting: {
      entry: countFollowers,
      on: { 'followers.none': 'resting', 'followers.stand': 'gathering' },
    },
    /** Those who stood furthest back may have left: the log before all others is kept for nobody any more. */
    counting: {
      entry: countFollowers,
      on: {
        'followers.none': 'resting',
        'followers.stand': { target: 'measuring', actions: { type: 'noteStanding', params: eventOf } },
      },
    },
    measuring: { always: [{ guard: 'isBehind', target: 'loading' }, { target: 'asking' }] },
    /** How far have the others come meanwhile? */
    asking: {
      entry: { type: 'call', params: { to: '@shape-log-collector', request: { type: 'reportPosition' }, as: 'reader' } },
      on: {
        'collector.position': [
          {
            guard: { type: 'isAhead', params: eventOf },
            target: 'loading',
            actions: { type: 'noteLimit', params: ({ event }) => ({ through: event.position }) },
          },
          { target: 'dismissing' },
        ],
        'reader.failed': 'retrying',
      },
    },
    loading: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@log-reader',
          request: { type: 'nextPart', owner: context.self, after: context.position, through: context.limit },
          as: 'reader',
        }),
      },
      on: {
        'block.loaded': { target: 'delivering', actions: { type: 'noteRouted', params: eventOf } },
        'block.corrupt': { target: 'condemning', actions: { type: 'noteDamage', params: eventOf } },
        'reader.failed': 'retrying',
      },
    },
    delivering: {
      entry: {
        type: 'apply',
        params: ({ context }) => routerChange({ route: { after: context.position, through: context.routedThrough } }),
      },
      on: {
        'block.partlyRouted': { actions: routeOn },
        'layer.ready': { actions: deliverLayer('fragment') },
        'batch.done': [{ guard: { type: 'isTakenByAll', params: eventOf }, actions: nextLayer }, { actions: noteUnanswered }],
        'block.notTaken': { actions: [removeNotTaken, tellNotTaken, nextLayer] },
        'block.delivered': { target: 'counting', actions: 'advance' },
      },
    },
    /**
     * They have come as far as the others: each goes along by itself from here on. Where some wait, they need not have; then whoever stands
     * further on, before a large transaction perhaps, stays and goes with those: let go here, each would read that by itself.
     */
    dismissing: {
      entry: [
        { type: 'apply', params: ({ context }) => routerChange(context.areWaiting ? { upTo: context.position } : 'everyone') },
        {
          type: 'multicall',
          params: ({ context }) => tellRecipients({ type: 'dismissed', through: context.position }, 'dismissal'),
        },
      ],
      exit: removeAddressed,
      on: { 'dismissal.done': 'resting', join: { actions: 'postpone' }, joinBehind: { actions: letWait } },
    },
    /** What lies before them does not hold: each of them ends, and begins anew. Who stands further on needs nothing of it. */
    condemning: {
      entry: [
        { type: 'apply', params: ({ context }) => routerChange({ upTo: context.position }) },
        {
          type: 'multicall',
          params: ({ context }) => tellRecipients({ type: 'block.corrupt', why: context.damage }, 'dismissal'),
        },
      ],
      exit: removeAddressed,
      on: { 'dismissal.done': 'counting', join: { actions: 'postpone' }, joinBehind: { actions: letWait } },
    },
    retrying: {
      entry: awaitRetry,
      on: { 'timeout.retry': 'counting' },
    },
  },
});

function eventOf<Each>({ event }: { event: Each }): Each {
  return event;
}
