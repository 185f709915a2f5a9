/**
 * Citizen: a process of a random tree. It does what it is told, answers a question unless it is asked to ponder it, and
 * takes in everything else. Whether it comes up, finds nothing to do or fails is said by its input.
 */
import { setup } from 'xstate';
import { effects } from '../../../src/otp/effects.ts';
import type { MachineSpec, ReplyTo } from '../../../src/otp/process.ts';
import type { Told } from './puppet.ts';

/** How a start goes. */
export type Start = 'up' | 'ignore' | 'fail';

type CitizenEvent =
  | { type: 'do'; effects: readonly Told[] }
  | { type: 'ask'; replyTo: ReplyTo; as: string }
  | { type: 'ponder'; replyTo: ReplyTo }
  | { type: 'fail' | 'finish' };

const base = setup({
  types: { input: {} as { start: Start }, context: {} as { start: Start }, events: {} as CitizenEvent },
  guards: { hasNothingToDo: ({ context }) => context.start === 'ignore' },
  actions: {
    ...effects,
    fail: () => {
      throw new Error('told to fail');
    },
  },
});

const citizen = base
  .extend({
    actions: {
      perform: base.enqueueActions(({ enqueue, event }) => {
        if (event.type === 'do') for (const told of event.effects) enqueue(told);
      }),
    },
  })
  .createMachine({
    id: 'citizen',
    context: ({ input }) => ({ start: input.start }),
    initial: 'beginning',
    states: {
      beginning: { tags: 'starting', always: [{ guard: 'hasNothingToDo', target: 'unneeded' }, 'awake'] },
      awake: {
        on: {
          do: { actions: 'perform' },
          ask: { actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: `${event.as}.answered` } }) } },
          ponder: {},
          fail: { actions: 'fail' },
          finish: 'finished',
          '*': {},
        },
      },
      finished: { type: 'final' },
      unneeded: { type: 'final', tags: 'ignore' },
    },
  });

/** @throws {Error} when its start fails. */
export function citizenSpec(start: Start, options: Partial<MachineSpec> = {}): MachineSpec {
  if (start === 'fail') throw new Error('this start fails');
  return { machine: citizen, input: { start }, spawns: { child: ({ start: how }) => citizenSpec(asStart(how)) }, ...options };
}

export function asStart(how: unknown): Start {
  return how === 'ignore' || how === 'fail' ? how : 'up';
}
