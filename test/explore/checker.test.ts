import { setup, type AnyStateMachine } from 'xstate';
import { expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { effects } from '../../src/otp/effects.ts';
import type { Name, ReplyTo } from '../../src/otp/process.ts';
import { GlobalState } from './checker/global-state.ts';
import { search } from './checker/search.ts';
import { sequenceChart } from './checker/sequence-chart.ts';
import { describeSignal, type UnderWay } from './checker/signal.ts';
import type { Role, System, View, Violation, World } from './checker/system.ts';

const STATES_MAX = 10_000;

class Counter implements World<Counter> {
  constructor(public value = 0) {}

  clone(): Counter {
    return new Counter(this.value);
  }

  key(): string {
    return String(this.value);
  }
}

function roleOf(name: string, machine: AnyStateMachine): Role<Counter> {
  return { name, machine, registered: `@${name}`, input: () => ({}), tables: () => ({}) };
}

const PEACE = { kills: 0, timeouts: 0 };

function systemOf(changes: Partial<System<Counter>> & Pick<System<Counter>, 'roles'>): System<Counter> {
  const starts = changes.roles.map(({ name }) => name);
  const nothing = { ports: [], victims: [], bounds: PEACE, happenings: () => [], violation: () => undefined };
  return { world: new Counter(), starts, ...nothing, ...changes };
}

/** Reads the counter, and writes what comes next: the update of another in between is lost. */
const increment = setup({
  types: { events: {} as { type: 'read'; value: number } },
  actions: { ...effects },
}).createMachine({
  id: 'increment',
  initial: 'reading',
  states: {
    reading: {
      entry: { type: 'call', params: { to: '@counter', request: { type: 'get' } } },
      on: {
        read: {
          target: 'done',
          actions: { type: 'send', params: ({ event }) => ({ to: '@counter', event: { type: 'set', value: event.value + 1 } }) },
        },
      },
    },
    done: {},
  },
});

const counterPort = {
  name: '@counter' as Name,
  computes: 'delivered' as const,
  handle(world: Counter, request: { readonly type: string; readonly value?: unknown }) {
    if (request.type === 'set') world.value = Number(request.value);
    return { reply: { type: 'read', value: world.value } };
  },
};

test('finds a planted bug by a shortest way, and draws it', () => {
  const system = systemOf({
    roles: [roleOf('one', increment), roleOf('two', increment)],
    ports: [counterPort],
    violation: ({ world }, isQuiet) => (isQuiet && world.value < 2 ? { property: 'counted', what: `${world.value} of 2` } : undefined),
  });

  const { counterexample } = search(system, STATES_MAX);

  expect(counterexample && sequenceChart(counterexample).split('\n')).toEqual([
    'counted: 1 of 2',
    '',
    '@supervisor  one  two  @counter',
    '|----------->|    |    |  init',
    '|---------------->|    |  init',
    '|            |-------->|  get',
    '|            |<--------|  read',
    '|            |    |--->|  get',
    '|            |    |<---|  read',
    '|            |-------->|  set',
    '|            |    |--->|  set',
  ]);
});

const idle = setup({}).createMachine({ id: 'idle' });

test('what commutes leads to one state, and comes in one order', () => {
  const { states, edges, asleep, isExhausted } = search(systemOf({ roles: [roleOf('one', idle), roleOf('two', idle)] }), STATES_MAX);

  expect({ states, edges, asleep, isExhausted }).toEqual({ states: 4, edges: 3, asleep: 1, isExhausted: true });
});

const keeper = setup({
  types: { events: {} as { type: 'ask'; replyTo: ReplyTo } },
  actions: { ...effects },
}).createMachine({
  id: 'keeper',
  on: { ask: { actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'told' } }) } } },
});

const asker = setup({ actions: { ...effects } }).createMachine({
  id: 'asker',
  initial: 'asking',
  states: {
    asking: {
      entry: { type: 'call', params: { to: '@keeper', request: { type: 'ask' } } },
      on: { told: 'answered', 'call.failed': 'refused' },
    },
    answered: {},
    refused: {},
  },
});

function asking(kills: number, wrong: string) {
  return systemOf({
    roles: [roleOf('asker', asker), roleOf('keeper', keeper)],
    victims: ['keeper'],
    bounds: { kills, timeouts: 0 },
    violation(view, isQuiet) {
      const local = view.process('asker');
      return isQuiet && local.status === 'alive' && local.snapshot.value === wrong ? { property: 'ends', what: wrong } : undefined;
    },
  });
}

test.each([
  ['a call is never left without an outcome, whenever the one who was called is killed', 1, 'asking', undefined],
  ['a call to one who was killed fails', 1, 'refused', 'refused'],
  ['a call to one who lives may be answered', 0, 'answered', 'answered'],
])('%s', (_, kills, wrong, found) => {
  const { counterexample } = search(asking(kills, wrong), STATES_MAX);

  expect(counterexample?.what).toBe(found);
});

test('what is taken at once is under way in no state, and all else is as it was', () => {
  const { roles: [first, ...others], ...system } = asking(1, 'answered');
  invariant(first !== undefined, 'somebody asks');
  const prompt = { ...first, takesAtOnce: (_: unknown, [next]: readonly UnderWay[]) => next };
  const eager = { ...system, roles: [prompt, ...others], violation: answerUnderWay };

  const [all, few] = [search(eager, STATES_MAX, 'one'), search(eager, STATES_MAX, 'prompt')];
  const { counterexample } = search({ ...eager, violation: system.violation }, STATES_MAX, 'prompt');

  expect([all.counterexample?.what, few.counterexample?.what, few.isExhausted, counterexample?.what]).toEqual([
    'told', undefined, true, 'answered',
  ]);
});

/** Calls it wrong that an answer is under way. */
function answerUnderWay(view: View<Counter>): Violation | undefined {
  invariant(view instanceof GlobalState, 'a search looks at its states');
  const told = view.underWayTo(0).flatMap(({ signals }) => signals).find(({ kind }) => kind === 'reply');
  return told && { property: 'quiet', what: describeSignal(told) };
}

test('a process that has no transition for an event ends with that claim', () => {
  const deaf = setup({ actions: { ...effects } }).createMachine({
    id: 'deaf',
    entry: { type: 'call', params: { to: '@counter', request: { type: 'get' } } },
  });
  const system = systemOf({
    roles: [roleOf('deaf', deaf)],
    ports: [counterPort],
    violation(view) {
      const local = view.process('deaf');
      return local.status === 'dead' ? { property: 'crashes', what: JSON.stringify(local.reason) } : undefined;
    },
  });

  const { counterexample } = search(system, STATES_MAX);

  expect(counterexample?.what).toContain("machine 'deaf' in state '{}' has no transition for event 'read'");
});
