/**
 * Disk monitor: does the disk take what is to be stored? It is full, or fails, or is read-only; then whatever must be written waits,
 * and this process has it tried again, with back-off, until all of it was taken. Nobody restarts for it.
 *
 * The status monitor hears of it, so new shapes are refused in words meanwhile, while what is stored is served.
 */
import { assign, setup } from 'xstate';
import { effects } from '../otp/effects.ts';
import type { CallFailed, Pid } from '../otp/process.ts';
import { FIRST_DELAY_MS, nextDelayMs, PROVEN_AFTER_MS } from './connections/back-off.ts';
import { note, refusalNote } from './journal.ts';

interface Refused {
  type: 'disk.refused';
  error: { code: string; meaning: string; message: string };
}

type Event =
  | Refused
  | (CallFailed & { type: 'watch.failed' })
  | { type: 'disk.took' }
  | (CallFailed & { type: 'trial.failed' })
  | { type: 'reportCondition' }
  | { type: 'timeout.retry' }
  | { type: 'timeout.proven' };

interface Context {
  self: Pid;
  delayMs: number; // Until it is tried again.
}

export const diskMonitor = setup({
  types: { input: {} as { self: Pid }, context: {} as Context, events: {} as Event },
  actions: {
    ...effects,
    slowDown: assign(({ context }) => ({ delayMs: nextDelayMs(context.delayMs) })),
    forgetRefusals: assign({ delayMs: FIRST_DELAY_MS }),
  },
}).createMachine({
  id: 'disk-monitor',
  context: ({ input }) => ({ self: input.self, delayMs: FIRST_DELAY_MS }),
  initial: 'taking',
  on: { reportCondition: {} },
  states: {
    taking: {
      entry: [
        { type: 'call', params: { to: '@disk', request: { type: 'awaitRefusal' }, as: 'watch' } },
        { type: 'startTimer', params: { name: 'proven', delayMs: PROVEN_AFTER_MS } },
        { type: 'send', params: conditionMet },
      ],
      exit: [
        { type: 'cancelTimer', params: { name: 'proven' } },
        { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.lost', condition: 'storage' } } },
      ],
      on: {
        'disk.refused': { target: 'waiting', actions: { type: 'send', params: refusedNote } },
        'watch.failed': 'waiting',
        'timeout.proven': { actions: 'forgetRefusals' },
        reportCondition: { actions: { type: 'send', params: conditionMet } },
      },
    },
    waiting: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'retry', delayMs: context.delayMs }) },
      exit: 'slowDown',
      on: { 'timeout.retry': 'trying' },
    },
    /** All that waits is written anew; where nothing waits, a little is written to see. */
    trying: {
      entry: { type: 'call', params: { to: '@disk', request: { type: 'tryDisk' }, as: 'trial' } },
      on: {
        'disk.took': { target: 'taking', actions: { type: 'send', params: note('info', 'storage.recovered') } },
        'disk.refused': { target: 'waiting', actions: { type: 'send', params: refusedNote } },
        'trial.failed': 'waiting',
      },
    },
  },
});

function conditionMet({ context }: { context: { self: Pid } }) {
  return { to: '@status-monitor' as const, event: { type: 'condition.met', condition: 'storage', process: context.self } };
}

/** Somebody must do something about it. */
function refusedNote({ context, event }: { context: Context; event: Refused }) {
  return refusalNote({ context, event: { type: 'storage.refused', error: event.error, fatal: true } });
}
