/**
 * Counter: counts what it is asked to, and keeps the count on a shelf, a little later and for several at once.
 *
 * It crashes when it is sent an event that none of its states handles: that is a bug of the sender's or ours, and
 * nobody knows what to do about it here. Whoever starts it again gets what was on the shelf by then.
 */
import { effects, task, type MachineSpec, type ReplyTo } from 'armature/otp';
import { assign, setup } from 'xstate';

/** Where the count survives its counter. */
export interface Shelf {
  read(): Promise<number>;
  write(count: number): Promise<void>;
}

type CounterEvent =
  | { type: 'increment'; by: number; replyTo: ReplyTo } // Answered by `counter.counted { count }`.
  | { type: 'read'; replyTo: ReplyTo } // Likewise.
  | { type: 'untilSaved'; replyTo: ReplyTo } // Answered by `counter.saved` when everything counted is on the shelf.
  | { type: 'timeout.save' }
  | { type: 'load.done'; value: number }
  | { type: 'save.done' };

interface Context {
  readonly count: number;
}

const SAVE_AFTER_MS = 50;

export const counterMachine = setup({
  types: { context: {} as Context, events: {} as CounterEvent },
  actions: {
    ...effects,
    setCount: assign((_, { count }: { count: number }) => ({ count })),
  },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  initial: 'loading',
  states: {
    loading: {
      tags: 'starting', // Its supervisor goes on when it leaves this state.
      entry: { type: 'async', params: { template: 'load', as: 'load' } },
      on: {
        'load.done': { target: 'saved', actions: { type: 'setCount', params: ({ event }) => ({ count: event.value }) } },
        increment: { actions: 'postpone' },
        read: { actions: 'postpone' },
        untilSaved: { actions: 'postpone' },
      },
    },
    saved: {
      on: {
        increment: { target: 'unsaved', actions: [{ type: 'setCount', params: sumOf }, { type: 'reply', params: countedOf }] },
        read: { actions: { type: 'reply', params: countedOf } },
        untilSaved: { actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'counter.saved' } }) } },
      },
    },
    unsaved: {
      entry: { type: 'startTimer', params: { name: 'save', delayMs: SAVE_AFTER_MS } },
      on: {
        increment: { actions: [{ type: 'setCount', params: sumOf }, { type: 'reply', params: countedOf }] },
        read: { actions: { type: 'reply', params: countedOf } },
        untilSaved: { actions: 'postpone' },
        'timeout.save': 'saving',
      },
    },
    saving: {
      entry: { type: 'async', params: ({ context }) => ({ template: 'save', as: 'save', args: { type: 'count', count: context.count } }) },
      on: {
        'save.done': 'saved',
        increment: { actions: 'postpone' },
        read: { actions: { type: 'reply', params: countedOf } },
        untilSaved: { actions: 'postpone' },
      },
    },
  },
});

/** The counter as a process: its name, and the two jobs that it may start. */
export function counter(shelf: Shelf): MachineSpec {
  return {
    machine: counterMachine,
    name: '@counter',
    spawns: {
      load: () => task(() => shelf.read()),
      save: ({ count }) => task(() => shelf.write(Number(count))),
    },
  };
}

type Increment = CounterEvent & { type: 'increment' };

function sumOf({ context, event }: { context: Context; event: Increment }) {
  return { count: context.count + event.by };
}

/** The parameters of an action see the context as the actions before it have left it. */
function countedOf({ context, event }: { context: Context; event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo, event: { type: 'counter.counted', count: context.count } };
}
