/**
 * Office: a machine with states, for the order of events. Closed, it keeps visitors for later and hears everything else;
 * ajar, it keeps them again; open, it sees them. It writes down what it handled, and in which state.
 */
import { assign, setup } from 'xstate';
import { effects } from '../../../../src/otp/effects.ts';
import type { MachineSpec, Message, Pid } from '../../../../src/otp/process.ts';
import type { World } from '../../../support/otp/world.ts';

type OfficeEvent =
  | { type: 'open' | 'unlock' | 'close' | 'stay' | 'reopen'; then: readonly Message[] }
  | { type: `visitor.${string}` | `note.${string}` };

const base = setup({
  types: {
    input: {} as { first: readonly Message[] },
    context: {} as { log: readonly string[]; first: readonly Message[] },
    events: {} as OfficeEvent,
  },
  actions: {
    ...effects,
    write: assign(({ context, event }, state: string) => ({ log: [...context.log, `${state} ${event.type}`] })),
  },
});

const next = base.enqueueActions(({ enqueue, event, context }) => {
  const events = 'then' in event ? event.then : context.first;
  for (const one of events) enqueue({ type: 'continue', params: { event: one } });
});
const write = (state: string) => ({ type: 'write', params: state }) as const;

export const office = base.extend({ actions: { next } }).createMachine({
  id: 'office',
  context: ({ input }) => ({ log: [], first: input.first }),
  entry: 'next',
  initial: 'closed',
  states: {
    closed: {
      on: {
        unlock: { target: 'ajar', actions: [write('closed'), 'next'] },
        open: { target: 'open', actions: [write('closed'), 'next'] },
        stay: { actions: [write('closed'), 'next'] },
        reopen: { target: 'closed', reenter: true, actions: [write('closed'), 'next'] },
        'note.*': { actions: write('closed') },
        'visitor.*': { actions: [write('closed'), 'postpone'] },
      },
    },
    ajar: {
      on: {
        open: { target: 'open', actions: [write('ajar'), 'next'] },
        'visitor.*': { actions: [write('ajar'), 'postpone'] },
      },
    },
    open: {
      on: {
        close: { target: 'closed', actions: [write('open'), 'next'] },
        stay: { actions: [write('open'), 'next'] },
        'note.*': { actions: write('open') },
        'visitor.*': { actions: write('open') },
      },
    },
  },
});

/** @param first what it tells itself at its start. */
export function officeSpec(first: readonly Message[] = []): MachineSpec {
  return { machine: office, input: { first } };
}

/** `<state> <event>`, in the order of handling. */
export function logOf(world: World, pid: Pid): readonly string[] | undefined {
  const snapshot: { readonly context: { readonly log: readonly string[] } } | undefined = world.runtime.refOf(pid)?.getSnapshot();
  return snapshot?.context.log;
}
