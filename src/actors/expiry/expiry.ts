/**
 * Expiry: from time to time, and when somebody wants room, has the shapes end that a limit takes. Which these are the `limits` table says;
 * the shape cache lets them go, and none that others have come to depend on meanwhile. Behind that the `logs` table says whose log has
 * outgrown its rows: those start over, with all that depend on them.
 *
 * A limit that nothing can be taken for is told once, until there is room again: new shapes are refused then, and nobody else is harmed.
 */
import { assign, setup } from 'xstate';
import type { Handle } from '../../model/shape.ts';
import { effects } from '../../otp/effects.ts';
import { note } from '../journal.ts';

type Event =
  | { type: 'timeout.check' }
  /** A new shape found no room. */
  | { type: 'makeRoom' }
  | { type: 'limits.kept' }
  | { type: 'limits.exceeded'; handles: readonly Handle[]; why: string }
  /** There is no room, and every shape is in use. */
  | { type: 'limits.reached'; bytes: number; bytesMax: number }
  | { type: 'logs.kept' }
  | { type: 'logs.outgrown'; handles: readonly Handle[]; why: string };

interface Context {
  checkEveryMs: number;
  isTold: boolean;
}

export const expiry = setup({
  types: { input: {} as { checkEveryMs: number }, context: {} as Context, events: {} as Event },
  guards: { isTold: ({ context }) => context.isTold },
  actions: { ...effects, noteTold: assign({ isTold: true }), noteRoom: assign({ isTold: false }) },
}).createMachine({
  id: 'expiry',
  context: ({ input }) => ({ checkEveryMs: input.checkEveryMs, isTold: false }),
  initial: 'resting',
  states: {
    resting: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'check', delayMs: context.checkEveryMs }) },
      exit: { type: 'cancelTimer', params: { name: 'check' } },
      on: { 'timeout.check': 'looking', makeRoom: 'looking' },
    },
    /** The table answers at once: nothing else comes in between. */
    looking: {
      entry: { type: 'apply', params: { table: 'limits', change: 'look' } },
      on: {
        'limits.kept': { target: 'measuring', actions: 'noteRoom' },
        'limits.exceeded': {
          target: 'measuring',
          actions: {
            type: 'send',
            params: ({ event: { handles, why } }) => ({ to: '@shape-cache', event: { type: 'expireShapes', handles, why } }),
          },
        },
        'limits.reached': [
          { guard: 'isTold', target: 'measuring' },
          {
            target: 'measuring',
            actions: [
              'noteTold',
              { type: 'send', params: ({ event: { type, bytes, bytesMax } }) => note('warn', type, { bytes, bytesMax }) },
            ],
          },
        ],
      },
    },
    /** Likewise. */
    measuring: {
      entry: { type: 'apply', params: { table: 'logs', change: 'look' } },
      on: {
        'logs.kept': 'resting',
        'logs.outgrown': {
          target: 'resting',
          actions: {
            type: 'send',
            params: ({ event: { handles, why } }) => ({ to: '@shape-cache', event: { type: 'condemnShapes', handles, why } }),
          },
        },
      },
    },
  },
});
