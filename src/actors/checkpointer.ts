/**
 * Checkpointer: from time to time, and when much is in memory only, brings the shapes' logs to the disk, so that the
 * transaction log before that point can go. A late checkpoint costs memory and slows recovery down; an early one only
 * costs writes.
 *
 * One damaged shape must not keep all others from the disk: its Consumer is told to go, and deletes it by its end. A
 * checkpoint that failed is not ours to judge: the port that took it has crashed, and its supervisor decides.
 */
import { setup } from 'xstate';
import type { Handle } from '../model/shape.ts';
import { effects } from '../otp/effects.ts';
import type { CallFailed, Message, Name } from '../otp/process.ts';
import { consumerOf } from './shape-processes.ts';

type Event =
  | { type: 'unsaved.exceeded' }
  | (CallFailed & { type: 'waiting.failed' })
  | { type: 'timeout.retry' }
  | { type: 'checkpoint.taken' }
  | { type: 'checkpoint.deferred'; handle: Handle; why: string }
  | (CallFailed & { type: 'checkpoint.failed' });

export const checkpointer = setup({
  types: { input: {} as { everyMs: number }, context: {} as { everyMs: number }, events: {} as Event },
  guards: { isTimeOut: (_, { reason }: Pick<CallFailed, 'reason'>) => reason === 'timeout' },
  actions: { ...effects },
}).createMachine({
  id: 'checkpointer',
  context: ({ input }) => ({ everyMs: input.everyMs }),
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
        'checkpoint.taken': 'waiting',
        'checkpoint.deferred': { target: 'pausing', actions: { type: 'send', params: stopOfDamaged } },
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

/** A Consumer that is only about to start does not hear of it; the next checkpoint names its shape again. */
function stopOfDamaged({ event: { handle, why } }: { event: { handle: Handle; why: string } }): { to: Name; event: Message } {
  return { to: consumerOf(handle), event: { type: 'stop', cause: { delete: why, isDamaged: true } } };
}
