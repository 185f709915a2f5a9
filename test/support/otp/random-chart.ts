/**
 * RandomChart: charts of any form that processes may have, and events for them. Each is made of what such charts are made of: nested and
 * parallel states, guards, assigned context, wildcards, transitions without an event, re-entries, and ends of the whole.
 *
 * What needs no event is taken only while the budget in the context lasts, so that each comes to rest.
 */
import * as fc from 'fast-check';
import { assign, setup, type AnyStateMachine } from 'xstate';

export interface RandomTransition {
  /** Which of all states, counted round; undefined for none. */
  readonly target: number | undefined;
  readonly reenter: boolean;
  readonly guard: string | undefined;
  readonly actions: readonly string[];
}

export interface RandomState {
  readonly isParallel: boolean;
  readonly states: readonly RandomState[];
  readonly initial: number;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly tags: readonly string[];
  readonly on: Readonly<Record<string, readonly RandomTransition[]>>;
  readonly always: readonly RandomTransition[];
}

export interface RandomChart {
  readonly root: RandomState;
  /** Whether it can end, by a final state of the root. */
  readonly ends: boolean;
}

export const EVENT_TYPES = ['a', 'b', 'c', 'part.one', 'part.two', 'unknown'] as const;
const DESCRIPTORS = ['a', 'b', 'c', 'part.one', 'part.*', '*'] as const;
const ACTIONS = ['note', 'noteParams', 'count', 'spend', 'countBy', 'unknownOne'] as const;
const GUARDS = ['isEven', 'isOver', 'never'] as const;

const actions = fc.array(fc.constantFrom(...ACTIONS), { maxLength: 2 });

const transition: fc.Arbitrary<RandomTransition> = fc.record({
  target: fc.option(fc.nat(20), { nil: undefined }),
  reenter: fc.boolean(),
  guard: fc.option(fc.constantFrom(...GUARDS), { nil: undefined }),
  actions,
});

const on = fc.dictionary(fc.constantFrom(...DESCRIPTORS), fc.array(transition, { minLength: 1, maxLength: 2 }), { maxKeys: 4 });

const { state } = fc.letrec<{ state: RandomState }>((tie) => ({
  state: fc.record({
    isParallel: fc.boolean(),
    states: fc.oneof({ maxDepth: 3, depthSize: 'small' }, fc.constant([]), fc.array(tie('state'), { minLength: 1, maxLength: 3 })),
    initial: fc.nat(5),
    entry: actions,
    exit: actions,
    tags: fc.array(fc.constantFrom('one', 'two'), { maxLength: 1 }),
    on,
    always: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(transition, { maxLength: 2 }) }),
  }),
}));

export const randomChart: fc.Arbitrary<RandomChart> = fc.record({ root: state, ends: fc.boolean() });

interface Context {
  readonly count: number;
  readonly budget: number;
}

/** Each call makes another machine of the same chart. */
export function machineOf({ root, ends }: RandomChart): AnyStateMachine {
  const names = namesIn(root, 'r');
  const config = configOf(root, 'r', names);
  const canEnd = ends && config['type'] === undefined && root.states.length > 0;
  const end = { id: 'end', type: 'final', entry: ['count', named('note')], exit: ['note'] };
  const output = ({ context }: { context: Context }): number => context.count;
  const ended = { ...config, states: { ...(config['states'] as object), end }, output };
  const ending = { ...ended, on: { ...(config['on'] as object), c: { target: '#end' } } };
  return setup({
    types: { context: {} as Context, input: {} as { budget: number }, events: {} as { type: string; by?: number } },
    guards: {
      isEven: ({ context }) => context.count % 2 === 0,
      isOver: ({ context }, params: { limit: number } | undefined) => context.count > (params?.limit ?? 3),
      never: () => false,
      hasBudget: ({ context }) => context.budget > 0,
    },
    actions: {
      note: () => {},
      noteParams: () => {},
      count: assign({ count: ({ context }) => context.count + 1 }),
      spend: assign(({ context }) => ({ budget: context.budget - 1 })),
      countBy: assign(({ context }, { by }: { by: number }) => ({ count: context.count + by })),
    },
  }).createMachine({
    ...(canEnd ? ending : config),
    context: ({ input }: { input: { budget: number } }) => ({ count: 0, budget: input.budget }),
  } as never) as unknown as AnyStateMachine;
}

function namesIn(state: RandomState, name: string): readonly string[] {
  return [name, ...state.states.flatMap((child, index) => namesIn(child, `${name}${index}`))];
}

function configOf(state: RandomState, name: string, names: readonly string[]): Record<string, unknown> {
  const { isParallel, states, initial, entry, exit, tags, on: transitions, always } = state;
  const keys = states.map((_, index) => `${name}${index}`);
  const inner = {
    states: Object.fromEntries(states.map((child, index) => [keys[index], configOf(child, `${name}${index}`, names)])),
    ...(isParallel ? { type: 'parallel' } : { initial: keys[initial % keys.length] }),
  };
  return {
    id: name,
    ...(states.length === 0 ? {} : inner),
    entry: entry.map(named),
    exit: exit.map(named),
    tags,
    on: Object.fromEntries(Object.entries(transitions).map(([type, each]) => [type, each.map((one) => taken(one, names))])),
    always: always.map((one) => {
      const { target, reenter, actions: then } = taken(one, names);
      return { ...(target === undefined ? {} : { target }), reenter, actions: ['spend', ...then], guard: 'hasBudget' };
    }),
  };
}

function taken({ target, reenter, guard, actions: then }: RandomTransition, names: readonly string[]) {
  return {
    ...(target === undefined ? {} : { target: `#${names[target % names.length]}` }),
    reenter,
    ...(guard === undefined ? {} : { guard: guard === 'isOver' ? { type: guard, params: { limit: 2 } } : guard }),
    actions: then.map(named),
  };
}

function named(action: string): unknown {
  const params = ({ context, event }: { context: Context; event: { type: string; by?: number } }) => {
    return { by: (event.by ?? 0) + context.count, type: event.type };
  };
  return action === 'noteParams' || action === 'countBy' ? { type: action, params } : action;
}
