import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assign, createActor, createMachine, fromCallback, initialTransition, raise, setup, transition, type AnyActorRef,
  type AnyMachineSnapshot, type AnyStateMachine,
} from 'xstate';
import { Chart } from '../../../src/otp/kernel/charts/configuration.ts';
import { isPlannable, planTransitions } from '../../../src/otp/kernel/charts/planned-machine.ts';
import { createActorSystem, foundNoTransition, inert, watchSelection } from '../../../src/otp/kernel/xstate-seam.ts';
import { machines } from '../../support/actors/machines.ts';
import { EVENT_TYPES, machineOf, randomChart } from '../../support/otp/random-chart.ts';

/** All that can be seen of one step: what was done, in which order and with what, and where it has led. */
function seen([snapshot, actions]: readonly [AnyMachineSnapshot, readonly { type: string; params?: unknown; info?: unknown }[]]) {
  const { value, context, status, output, tags, _nodes, historyValue, children } = snapshot;
  return {
    value: JSON.stringify(value), context, status, output, tags: [...tags], nodes: _nodes.map(({ id }) => id), historyValue, children,
    actions: actions.map(({ type, params, info }) => ({ type, params, context: Reflect.get(Object(info), 'context') as unknown })),
  };
}

function lifeOf(machine: AnyStateMachine, events: readonly { type: string; by: number; wakes: boolean }[]) {
  let [snapshot, actions] = initialTransition(machine, { budget: 4 }) as unknown as Parameters<typeof seen>[0];
  const life: unknown[] = [seen([snapshot, actions])];
  for (const { wakes, ...event } of events) {
    if (wakes && snapshot.status === 'active') {
      snapshot = machine.resolveState({ value: snapshot.value, context: snapshot.context });
    }
    [snapshot, actions] = transition(machine, snapshot, event);
    life.push({ ...seen([snapshot, actions]), isMissed: foundNoTransition(event) });
  }
  return life;
}

const events = fc.array(fc.record({ type: fc.constantFrom(...EVENT_TYPES), by: fc.nat(2), wakes: fc.boolean() }), { maxLength: 12 });

test('a chart of any form that processes have goes on as in xstate: the same actions with the same parameters, the same snapshots', () => {
  let planned = 0;
  fc.assert(
    fc.property(randomChart, events, (chart, happens) => {
      const [ours, theirs] = [machineOf(chart), machineOf(chart)];
      planTransitions(ours);
      watchSelection(theirs);
      planned += Number(isPlannable(ours));
      expect(lifeOf(ours, happens)).toEqual(lifeOf(theirs, happens));
    }),
    { numRuns: 500 },
  );
  expect(planned).toBe(500);
});

test('the machines of the service go by plans, but for two that choose actions while they act', () => {
  expect(machines.flatMap(({ machine }) => (isPlannable(machine) ? [] : [machine.id]))).toEqual(['status-monitor', 'checkpointer']);
});

/** The same of a machine that goes by plans and of one that does not. */
function both<Outcome>(make: () => AnyStateMachine, outcome: (machine: AnyStateMachine) => Outcome): readonly [Outcome, Outcome] {
  const ours = make();
  planTransitions(ours);
  return [outcome(ours), outcome(make())];
}

function fail(): never {
  throw new Error('told to');
}

/** What has become of an actor of `machine` that was sent an event. */
function after(machine: AnyStateMachine, type: string) {
  const actor = createActor(machine, { parent: createActor(inert) }).start();
  actor.send({ type });
  const { status, value, context } = actor.getSnapshot() as AnyMachineSnapshot;
  return { status, value: value as unknown, context: context as unknown };
}

/** The actors that a snapshot holds, and whether its context still has each. */
function madeBy({ children, context }: AnyMachineSnapshot) {
  return Object.values(children as Record<string, AnyActorRef>).map((child) => [
    child.id,
    (child.getSnapshot() as AnyMachineSnapshot).status,
    Reflect.get(Object(context), child.id) === child,
  ]);
}

describe('as in xstate', () => {
  test('a guard that throws is named, with its state and event', () => {
    const make = () =>
      setup({ guards: { fail } }).createMachine({ id: 'm', initial: 'a', states: { a: { on: { go: { guard: 'fail' } } } } });
    const [ours, theirs] = both(make, (machine) => {
      const actor = createActor(machine, { parent: createActor(inert) }).start();
      actor.send({ type: 'go' });
      return String(Reflect.get(actor.getSnapshot(), 'error'));
    });

    expect([ours, ours.includes("Unable to evaluate guard 'fail'")]).toEqual([theirs, true]);
  });

  test('a guard that throws once is an error all the same, and no transition is taken', () => {
    const make = () => {
      let asked = 0;
      const failOnce = () => (asked += 1) > 1 || fail();
      return setup({ guards: { failOnce } }).createMachine({
        initial: 'a',
        states: { a: { on: { go: { guard: 'failOnce', target: 'b' } } }, b: {} },
      });
    };
    const [ours, theirs] = both(make, (machine) => after(machine, 'go'));

    expect([ours, ours.status]).toEqual([theirs, 'error']);
  });

  test('an event that is named like the wildcard is an error', () => {
    const make = () => createMachine({ initial: 'a', states: { a: { on: { '*': 'b' } }, b: {} } });
    const [ours, theirs] = both(make, (machine) => after(machine, '*'));

    expect([ours, ours.status]).toEqual([theirs, 'error']);
  });

  test.each([
    ['the first context', () => createMachine({ context: fail })],
    ['an entry', () => setup({ actions: { fail } }).createMachine({ entry: 'fail' })],
    ['the parameters of an entry', () => setup({ actions: { note: () => {} } }).createMachine({ entry: { type: 'note', params: fail } })],
    ['an assign of an entry', () => createMachine({ initial: 'a', states: { a: { entry: assign(fail) } } })],
  ])('what %s throws is the error of the actor', (_, make) => {
    const [ours, theirs] = both(make as () => AnyStateMachine, (machine) => {
      const { status, error, value } = createActor(machine, { parent: createActor(inert) }).start().getSnapshot() as AnyMachineSnapshot;
      return { status, error: String(error), value: value as unknown };
    });

    expect(ours).toEqual(theirs);
  });

  test('an actor that an assign has made is kept, and goes with its parent', () => {
    const make = () =>
      setup({ actors: { inert } }).createMachine({
        context: ({ spawn }) => ({ first: spawn('inert', { id: 'first' }) }),
        initial: 'on',
        states: {
          on: { on: { more: { actions: assign({ second: ({ spawn }) => spawn('inert', { id: 'second' }) }) }, end: 'done' } },
          done: { type: 'final' },
        },
      });
    const [ours, theirs] = both(make, (machine) => {
      const actor = createActor(machine, { parent: createActor(inert) }).start();
      actor.send({ type: 'more' });
      const children = Object.values(actor.getSnapshot().children as Record<string, ReturnType<typeof createActor>>);
      const statuses = () => children.map((child) => [child.id, child.getSnapshot().status]);
      const before = statuses();
      actor.send({ type: 'end' });
      return [before, statuses()];
    });

    expect([ours, ours[0]]).toEqual([theirs, [['first', 'active'], ['second', 'active']]]);
  });

  test.each([
    ['go on', 'c', ['first', 'second']],
    ['are stopped', 'd', []],
  ])('actors that are made in several steps of one event all %s with their parent', (_, last, begun) => {
    const started: string[] = [];
    const child = fromCallback(({ self }) => void started.push(self.id));
    const make = () =>
      setup({ actors: { child } }).createMachine({
        context: {},
        initial: 'a',
        states: {
          a: { on: { go: { target: 'b', actions: assign({ first: ({ spawn }) => spawn('child', { id: 'first' }) }) } } },
          b: { always: { target: last, actions: assign({ second: ({ spawn }) => spawn('child', { id: 'second' }) }) } },
          c: {},
          d: { type: 'final' },
        },
      });
    const [ours, theirs] = both(make, (machine) => {
      const actor = createActor(machine, { parent: createActor(inert) }).start();
      actor.send({ type: 'go' });
      return [madeBy(actor.getSnapshot() as AnyMachineSnapshot), started.splice(0)];
    });

    expect([ours, ours[1]]).toEqual([theirs, begun]);
  });

  test.each([
    ['goes on', {}],
    ['ends', { type: 'final' as const }],
    ['fails', { entry: fail }],
  ])('an actor of the first context is kept by a machine that %s at once', (_, last) => {
    const make = () =>
      setup({ actors: { inert } }).createMachine({
        context: ({ spawn }) => ({ first: spawn('inert', { id: 'first' }) }),
        initial: 'a',
        states: {
          a: { always: { target: 'b', actions: assign({ second: ({ spawn }) => spawn('inert', { id: 'second' }) }) } },
          b: last,
        },
      });
    const [ours, theirs] = both(make, (machine) =>
      madeBy(createActor(machine, { parent: createActor(inert) }).start().getSnapshot() as AnyMachineSnapshot),
    );

    expect([ours, ours[0]?.[0]]).toEqual([theirs, 'first']);
  });

  test('inspectors are told of each step', () => {
    const make = () =>
      createMachine({
        context: { count: 0 },
        initial: 'a',
        states: {
          a: { on: { go: { target: 'b', actions: assign({ count: 1 }) } } },
          b: { always: 'c' },
          c: { on: { end: 'd', stay: {} } },
          d: { type: 'final' },
        },
      });
    const [ours, theirs] = both(make, (machine) => {
      const { node, inspect, deliver } = createActorSystem((relay, ...delivery) => relay(...delivery));
      const told: unknown[] = [];
      inspect((event) => {
        const { value, status } = Object(Reflect.get(event, 'snapshot')) as Partial<AnyMachineSnapshot>;
        const transitions = Reflect.get(event, '_transitions') as readonly { eventType: string }[] | undefined;
        told.push([event.type, value, status, transitions?.map(({ eventType }) => eventType)]);
      });
      const actor = createActor(machine, { parent: node }).start();
      for (const type of ['go', 'stay', 'unknown', 'end']) deliver(undefined, actor, { type });
      return told;
    });

    expect(ours).toEqual(theirs);
  });
});

test('who may take an event is kept by its name only if the chart has that name: of others there may be any number', () => {
  const { next } = new Chart(createMachine({ on: { named: {}, '*': {} } })).initial;

  const timesMade = (type: string) => new Set([next.candidates(type), next.candidates(type)]).size;
  expect({ named: timesMade('named'), other: timesMade('timer.1'), found: next.candidates('timer.1')?.own.length }).toEqual({
    named: 1, other: 2, found: 1,
  });
});

test('what is made of more goes xstate’s own way', () => {
  const made = [
    createMachine({ initial: 'a', states: { a: { after: { 1: 'b' } }, b: {} } }),
    createMachine({ initial: 'a', states: { a: {}, b: { type: 'history' } } }),
    createMachine({ entry: raise({ type: 'go' }) }),
    createMachine({ initial: 'a', states: { a: { initial: 'b', states: { b: { type: 'final' } } } } }),
    setup({ actors: { inert } }).createMachine({ invoke: { src: 'inert' } }),
    createMachine({ options: { maxIterations: 9 } }),
  ];

  expect(made.map(isPlannable)).toEqual(made.map(() => false));
});
