/**
 * Checkpointer: from time to time, and when much is in memory only, brings the shapes' logs to the disk, so that the
 * transaction log before that point can go. A late checkpoint costs memory and slows recovery down; an early one only
 * costs writes.
 *
 * Damaged shapes must not keep all others from the disk: they are given up, whether they have a Consumer or sleep. A
 * checkpoint that failed is not ours to judge: the port that took it has crashed, and its supervisor decides.
 */
import { assign, setup } from 'xstate';
import type { Handle } from '../model/shape.ts';
import { effects } from '../otp/effects.ts';
import type { CallFailed } from '../otp/process.ts';
import { note } from './journal.ts';

type Event =
  | { type: 'unsaved.exceeded' }
  | (CallFailed & { type: 'waiting.failed' })
  | { type: 'timeout.retry' }
  | { type: 'checkpoint.taken'; left: number }
  | { type: 'checkpoint.deferred'; damaged: readonly { handle: Handle; why: string }[] }
  | (CallFailed & { type: 'checkpoint.failed' });

interface Context {
  everyMs: number;
  left: number; // Deletions that the operator knows to be left for later.
}

const base = setup({
  types: { input: {} as { everyMs: number }, context: {} as Context, events: {} as Event },
  guards: {
    isTimeOut: (_, { reason }: Pick<CallFailed, 'reason'>) => reason === 'timeout',
    areMoreLeft: ({ context }, { left }: { left: number }) => left > context.left,
  },
  actions: { ...effects, noteLeft: assign((_, { left }: { left: number }) => ({ left })) },
});

const checkpointerSetup = base.extend({
  actions: {
    /** Where the shape cache is only about to start, the next checkpoint names them again. */
    giveUpDamaged: base.enqueueActions(({ enqueue, event }) => {
      if (event.type !== 'checkpoint.deferred') return;
      for (const { handle, why } of event.damaged) {
        enqueue({ type: 'send', params: { to: '@shape-cache', event: { type: 'giveUpDamaged', handle, why } } });
      }
    }),
  },
});

export const checkpointer = checkpointerSetup.createMachine({
  id: 'checkpointer',
  context: ({ input }) => ({ everyMs: input.everyMs, left: 0 }),
  initial: 'waiting',
  states: {
    waiting: {
      entry: {
        type: 'call',
        params: ({ context }) => ({ to: '@checkpoints', request: { type: 'awaitUnsaved' }, as: 'waiting', timeoutMs: context.everyMs }),
      },
      on: {
        'unsaved.exceeded': 'writing',
        'waiting.failed': [{ guard: { type: 'isTimeOut', params: ({ event }) => event }, target: 'writing' }, { target: 'pausing' }],
      },
    },
    writing: {
      entry: { type: 'call', params: { to: '@checkpoints', request: { type: 'takeCheckpoint' }, as: 'checkpoint' } },
      on: {
        'checkpoint.taken': [
          {
            guard: { type: 'areMoreLeft', params: ({ event }) => event },
            target: 'waiting',
            actions: [
              { type: 'noteLeft', params: ({ event }) => event },
              { type: 'send', params: ({ event: { left } }) => note('warn', 'files.left', { left, advice: LEFT_ADVICE }) },
            ],
          },
          { target: 'waiting', actions: { type: 'noteLeft', params: ({ event }) => event } },
        ],
        'checkpoint.deferred': { target: 'pausing', actions: 'giveUpDamaged' },
        'checkpoint.failed': 'pausing',
      },
    },
    /** The port is not there, or would give the same answer again at once. */
    pausing: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'retry', delayMs: context.everyMs }) },
      on: { 'timeout.retry': 'writing' },
    },
  },
});

const LEFT_ADVICE =
  'The device does not remove files of shapes that have ended. It is tried again every minute, and by the next start; but the disk may ' +
  'not be sound.';
