/**
 * Rally: two machines of five states that hit a ball to and fro, once as processes and once as bare xstate. Both do
 * the same per ball: a guard, a change of state, one message with a computed field.
 */
import type { Effects, MachineSpec, Pid } from 'armature/otp';
import { assign, sendTo, setup, type AnyActorRef } from 'xstate';

type Ball = { type: 'ball'; left: number };

type ProcessEvent = Ball | { type: 'meet'; peer: Pid };
interface ProcessContext {
  peer: Pid | null;
}

/** Ended by the first who gets a ball with nothing left. @param effects of the build that is measured. */
export function playerProcess(effects: Effects): MachineSpec {
  const hit = {
    type: 'send',
    params: ({ context, event }: { context: ProcessContext; event: Ball }) => ({
      to: peerOf(context),
      event: { type: 'ball', left: event.left - 1 },
    }),
  } as const;
  const machine = setup({
    types: { context: {} as ProcessContext, events: {} as ProcessEvent },
    guards: { isInPlay: ({ event }) => event.type === 'ball' && event.left > 0 },
    actions: { ...effects },
  }).createMachine({
    id: 'player',
    context: { peer: null },
    initial: 'waiting',
    states: {
      waiting: { on: { meet: { target: 'serving', actions: assign({ peer: ({ event }) => event.peer }) } } },
      serving: { on: { ball: [{ guard: 'isInPlay', target: 'near', actions: hit }, { target: 'over' }] } },
      near: { on: { ball: [{ guard: 'isInPlay', target: 'far', actions: hit }, { target: 'over' }] } },
      far: { on: { ball: [{ guard: 'isInPlay', target: 'serving', actions: hit }, { target: 'over' }] } },
      over: { type: 'final' },
    },
  });
  return { machine };
}

type BareEvent = Ball | { type: 'meet'; peer: AnyActorRef };
interface BareContext {
  peer: AnyActorRef | null;
}

export const barePlayer = setup({
  types: { context: {} as BareContext, events: {} as BareEvent },
  guards: { isInPlay: ({ event }) => event.type === 'ball' && event.left > 0 },
  actions: {
    hit: sendTo(
      ({ context }) => peerOf(context),
      ({ event }) => ({ type: 'ball', left: event.type === 'ball' ? event.left - 1 : 0 }),
    ),
  },
}).createMachine({
  id: 'player',
  context: { peer: null },
  initial: 'waiting',
  states: {
    waiting: { on: { meet: { target: 'serving', actions: assign({ peer: ({ event }) => event.peer }) } } },
    serving: { on: { ball: [{ guard: 'isInPlay', target: 'near', actions: 'hit' }, { target: 'over' }] } },
    near: { on: { ball: [{ guard: 'isInPlay', target: 'far', actions: 'hit' }, { target: 'over' }] } },
    far: { on: { ball: [{ guard: 'isInPlay', target: 'serving', actions: 'hit' }, { target: 'over' }] } },
    over: { type: 'final' },
  },
});

function peerOf<Peer>({ peer }: { peer: Peer | null }): Peer {
  if (peer === null) throw new TypeError('a ball came before the players had met');
  return peer;
}
