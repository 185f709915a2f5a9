/**
 * Chunk builder: from time to time brings the shapes' logs from memory to the disk, so that the transaction log before
 * that point can go. Late is only slower recovery; early is only more writes. A checkpoint that failed is not ours to
 * judge: the port that took it has crashed, and its supervisor decides.
 */
import { setup } from 'xstate';
import { effects } from '../otp/effects.ts';
import type { CallFailed } from '../otp/process.ts';

type Event =
  | { type: 'timeout.checkpoint' }
  | { type: 'checkpoint.taken' }
  | { type: 'checkpoint.deferred' }
  | (CallFailed & { type: 'checkpoint.failed' });

export const chunkBuilder = setup({
  types: { input: {} as { everyMs: number }, context: {} as { everyMs: number }, events: {} as Event },
  actions: { ...effects },
}).createMachine({
  id: 'chunk-builder',
  context: ({ input }) => ({ everyMs: input.everyMs }),
  initial: 'resting',
  states: {
    resting: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'checkpoint', delayMs: context.everyMs }) },
      on: { 'timeout.checkpoint': 'writing' },
    },
    writing: {
      entry: { type: 'call', params: { to: '@checkpoints', request: { type: 'takeCheckpoint' }, as: 'checkpoint' } },
      on: { 'checkpoint.taken': 'resting', 'checkpoint.deferred': 'resting', 'checkpoint.failed': 'resting' },
    },
  },
});
