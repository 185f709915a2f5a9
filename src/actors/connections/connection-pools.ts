/**
 * Connection pools: can Postgres be asked? Finds out at the start and after each loss, and says so. The queries
 * themselves go to the ports that own the pools.
 */
import { assign, setup } from 'xstate';
import { effects } from '../../otp/effects.ts';
import type { CallFailed, Pid } from '../../otp/process.ts';
import { delayMsAfter, FIRST_DELAY_MS, nextDelayMs } from './back-off.ts';
import { note, refusalNote } from '../journal.ts';

type Event =
  | { type: 'pools.up' }
  | { type: 'pools.down'; error: { code: string; message: string }; fatal: boolean }
  | (CallFailed & { type: 'pools.failed' })
  | { type: 'probe' }
  | { type: 'reportCondition' }
  | { type: 'timeout.retry' }
  | { type: 'timeout.check' };

/** How often a pool that works is asked again. */
const CHECK_EVERY_MS = 5_000;

export const connectionPools = setup({
  types: { input: {} as { self: Pid }, context: {} as { self: Pid; delayMs: number }, events: {} as Event },
  actions: {
    ...effects,
    slowDown: assign(({ context }) => ({ delayMs: nextDelayMs(context.delayMs) })),
    slowDownIfFatal: assign(({ context }, { fatal }: { fatal: boolean }) => ({ delayMs: delayMsAfter(context.delayMs, fatal) })),
    forgetFailures: assign({ delayMs: FIRST_DELAY_MS }),
  },
}).createMachine({
  id: 'connection-pools',
  context: ({ input }) => ({ self: input.self, delayMs: FIRST_DELAY_MS }),
  initial: 'probing',
  on: { reportCondition: {}, probe: {} },
  states: {
    probing: {
      entry: { type: 'call', params: { to: '@pools', request: { type: 'probe' }, as: 'pools' } },
      on: {
        'pools.up': { target: 'up', actions: { type: 'send', params: note('info', 'pools.up') } },
        'pools.down': {
          target: 'backingOff',
          actions: [{ type: 'slowDownIfFatal', params: ({ event }) => event }, { type: 'send', params: refusalNote }],
        },
        'pools.failed': 'backingOff',
      },
    },
    /** One question at a time: a second answer would come when the first has already been acted on. */
    up: {
      entry: { type: 'send', params: conditionMet },
      on: { reportCondition: { actions: { type: 'send', params: conditionMet } } },
      initial: 'resting',
      states: {
        resting: {
          entry: { type: 'startTimer', params: { name: 'check', delayMs: CHECK_EVERY_MS } },
          exit: { type: 'cancelTimer', params: { name: 'check' } },
          on: { probe: 'checking', 'timeout.check': 'checking' },
        },
        checking: {
          entry: { type: 'call', params: { to: '@pools', request: { type: 'probe' }, as: 'pools' } },
          on: {
            probe: { actions: 'postpone' }, // The answer under way was seen before this was asked, so it does not count.
            'pools.up': { target: 'resting', actions: 'forgetFailures' }, // It was no moment between two failures.
            'pools.down': {
              target: '#connection-pools.lost',
              actions: [{ type: 'slowDownIfFatal', params: ({ event }) => event }, { type: 'send', params: refusalNote }],
            },
            'pools.failed': '#connection-pools.lost',
          },
        },
      },
    },
    lost: {
      entry: { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.lost', condition: 'pools' } } },
      always: 'backingOff',
    },
    backingOff: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'retry', delayMs: context.delayMs }) },
      exit: ['slowDown', { type: 'cancelTimer', params: { name: 'retry' } }],
      on: { 'timeout.retry': 'probing' },
    },
  },
});

function conditionMet({ context }: { context: { self: Pid } }) {
  return { to: '@status-monitor' as const, event: { type: 'condition.met', condition: 'pools', process: context.self } };
}
