/**
 * What the process layer relies on in xstate, one test each. An upgrade that changes one of these fails here first.
 */
import { describe, expect, test } from 'vitest';
import {
  assign, createActor, createMachine, raise, sendParent, sendTo, setup, SimulatedClock, type AnyActorRef, type InspectionEvent,
} from 'xstate';
import { systemClock } from '../../../src/base/clock.ts';
import { createActorSystem, foundNoTransition, inert, stopActor, watchSelection, type Relay } from '../../../src/otp/kernel/xstate-seam.ts';

const deliverAtOnce = (deliver: Relay, ...delivery: Parameters<Relay>): void => deliver(...delivery);

const throwing = setup({
  actions: {
    fail: () => {
      throw new Error('told to');
    },
  },
}).createMachine({ id: 'throwing', on: { fail: { actions: 'fail' } } });

/** Lets what xstate postponed to a timer happen. */
const nextTick = () => new Promise<void>((done) => systemClock.setTimer(done, 0));

test('every send passes _relay: from outside, to a reference, to the parent, and the end of a child', () => {
  const seen: string[] = [];
  const system = createActorSystem((deliver, source, target, event) => {
    seen.push(`${source === undefined ? '-' : idOf(source)} → ${idOf(target)} ${event.type}`);
    deliver(source, target, event);
  });
  const peer = createActor(createMachine({ on: { hello: {} } }), { parent: system.node, id: 'peer' }).start();
  const sender = createActor(
    createMachine({
      on: { go: { actions: [sendTo(() => peer, { type: 'hello' }), sendParent({ type: 'up' })] }, end: '.done' },
      initial: 'on',
      states: { on: {}, done: { type: 'final' } },
    }),
    { parent: system.node, id: 'sender' },
  ).start();

  sender.send({ type: 'go' });
  sender.send({ type: 'end' });

  expect(seen).toEqual([
    '- → sender go',
    'sender → peer hello',
    'sender → node up',
    '- → sender end',
    'sender → node xstate.done.actor.sender',
  ]);
});

test('delivery by the old _relay is synchronous, so what it leaves can be read right after it', () => {
  const system = createActorSystem(() => undefined);
  const actor = createActor(createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } }), { parent: system.node }).start();

  system.deliver(undefined, actor, { type: 'go' });

  expect(actor.getSnapshot().value).toBe('b');
});

test('an intercepted message waits until it is delivered', () => {
  const waiting: Parameters<Relay>[] = [];
  const system = createActorSystem((_, ...delivery) => void waiting.push(delivery));
  const actor = createActor(createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } }), { parent: system.node }).start();

  actor.send({ type: 'go' });
  const before = actor.getSnapshot().value;
  for (const delivery of waiting) system.deliver(...delivery);

  expect([before, actor.getSnapshot().value]).toEqual(['a', 'b']);
});

test('an actor with a parent belongs to its system and is not among its children', () => {
  const system = createActorSystem(deliverAtOnce);
  const actor = createActor(inert, { parent: system.node, id: 'child' }).start();

  expect({
    sameSystem: actor.system === system.node.system,
    parent: Reflect.get(actor, '_parent') === system.node,
    children: Reflect.get(system.node.getSnapshot() ?? {}, 'children'),
  }).toEqual({
    sameSystem: true,
    parent: true,
    children: undefined,
  });
});

test('a throw in an action makes the status error, with a parent and no observer tells nobody else, and nothing is uncaught', async () => {
  const uncaught: unknown[] = [];
  const listen = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', listen);
  const relayed: string[] = [];
  const system = createActorSystem((deliver, source, target, event) =>
    source === undefined ? deliver(source, target, event) : relayed.push(event.type),
  );
  const actor = createActor(throwing, { parent: system.node, id: 'bad' }).start();

  actor.send({ type: 'fail' });
  await nextTick();
  process.off('uncaughtException', listen);

  expect({ status: actor.getSnapshot().status, relayed, uncaught }).toEqual({
    status: 'error',
    relayed: ['xstate.error.actor.bad'],
    uncaught: [],
  });
});

test('a throw in the initial context or entry is an error status too, not a throw of createActor or start', () => {
  const system = createActorSystem(() => undefined);
  const fail = () => {
    throw new Error('told to');
  };
  const inContext = createActor(createMachine({ context: fail }), { parent: system.node }).start();
  const inEntry = createActor(setup({ actions: { fail } }).createMachine({ entry: 'fail' }), { parent: system.node }).start();

  expect([inContext.getSnapshot().status, inEntry.getSnapshot().status]).toEqual(['error', 'error']);
});

test('a guard that throws is an error status', () => {
  const system = createActorSystem(deliverAtOnce);
  const guard = () => {
    throw new Error('told to');
  };
  const actor = createActor(setup({ guards: { guard } }).createMachine({ on: { ask: { guard: 'guard' } } }), {
    parent: system.node,
  }).start();

  actor.send({ type: 'ask' });

  expect(String(Reflect.get(actor.getSnapshot(), 'error'))).toContain('told to');
});

test('a machine in a final state has the status done and its output, as soon as the delivery is over', () => {
  const system = createActorSystem(deliverAtOnce);
  const machine = createMachine({
    initial: 'on',
    states: { on: { on: { end: 'done' } }, done: { type: 'final' } },
    output: { reason: 'shutdown' },
  });
  const actor = createActor(machine, { parent: system.node }).start();

  actor.send({ type: 'end' });

  const { status, output } = actor.getSnapshot();
  expect({ status, output }).toEqual({ status: 'done', output: { reason: 'shutdown' } });
});

test('_stop ends an actor of any depth, runs no exit action, tells no parent, and may be repeated', () => {
  const log: string[] = [];
  const system = createActorSystem((_deliver, _source, _target, event) => void log.push(event.type));
  const machine = setup({ actions: { leave: () => void log.push('exit') } }).createMachine({ exit: 'leave' });
  const actor = createActor(machine, { parent: system.node }).start();

  stopActor(actor);
  stopActor(actor);

  expect({ status: actor.getSnapshot().status, log }).toEqual({ status: 'stopped', log: [] });
});

test('a stopped actor takes no event', () => {
  const system = createActorSystem(deliverAtOnce);
  const actor = createActor(throwing, { parent: system.node }).start();
  stopActor(actor);

  system.deliver(undefined, actor, { type: 'fail' });

  expect(actor.getSnapshot().status).toBe('stopped');
});

test('custom actions run while the transition does, before its snapshot is set; sends wait for it', () => {
  const log: string[] = [];
  const system = createActorSystem((deliver, source, target, event) => {
    if (source !== undefined) log.push(`send in ${String(source.getSnapshot().value)}`);
    else deliver(source, target, event);
  });
  const machine = setup({ actions: { act: ({ self }) => void log.push(`act in ${String(self.getSnapshot().value)}`) } }).createMachine({
    initial: 'a',
    states: { a: { on: { go: { target: 'b', actions: [sendTo(() => system.node, { type: 'hello' }), 'act'] } } }, b: {} },
  });

  createActor(machine, { parent: system.node }).start().send({ type: 'go' });

  expect(log).toEqual(['act in a', 'send in b']);
});

test('initial custom actions run in start, with self', () => {
  const seen: unknown[] = [];
  const system = createActorSystem(() => undefined);
  const actor = createActor(setup({ actions: { act: ({ self }) => void seen.push(self) } }).createMachine({ entry: 'act' }), {
    parent: system.node,
  });
  const before = seen.length;

  actor.start();

  expect({ before, isSelf: seen[0] === actor }).toEqual({ before: 0, isSelf: true });
});

test('getTransitionData is asked once per event, and an empty answer means that no state handles it', () => {
  const system = createActorSystem(deliverAtOnce);
  const machine = setup({ guards: { no: () => false } }).createMachine({
    type: 'parallel',
    states: { one: { on: { inOne: {} } }, two: { initial: 'a', states: { a: { on: { inTwo: {}, guarded: { guard: 'no' } } } } } },
    on: { atRoot: { actions: [] }, 'part.*': {} },
  });
  watchSelection(machine);
  const actor = createActor(machine, { parent: system.node }).start();

  const missed = ['inOne', 'inTwo', 'atRoot', 'part.any', 'guarded', 'unknown'].filter((type) => {
    const event = { type };
    system.deliver(undefined, actor, event);
    return foundNoTransition(event);
  });

  expect(missed).toEqual(['guarded', 'unknown']);
});

test('watching the selection changes none of its answers, for can nor for anybody', () => {
  const machine = createMachine({ on: { known: { actions: [assign({})] } } });
  watchSelection(machine);
  watchSelection(machine);
  const snapshot = createActor(machine).getSnapshot();

  expect([snapshot.can({ type: 'known' }), snapshot.can({ type: 'unknown' })]).toEqual([true, false]);
});

test('an event raised inside is no delivery: unhandled, it is not what was sent', () => {
  const system = createActorSystem(deliverAtOnce);
  const machine = createMachine({ on: { go: { actions: raise({ type: 'inner' }) } } });
  watchSelection(machine);
  const actor = createActor(machine, { parent: system.node }).start();
  const event = { type: 'go' };

  system.deliver(undefined, actor, event);

  expect(foundNoTransition(event)).toBe(false);
});

test('the nodes of a snapshot tell a change of state from a change of context', () => {
  const system = createActorSystem(deliverAtOnce);
  const machine = createMachine({
    context: { count: 0 },
    initial: 'a',
    states: { a: { on: { stay: { actions: assign({ count: 1 }) }, again: { target: 'a', reenter: true }, go: 'b' } }, b: {} },
  });
  const actor = createActor(machine, { parent: system.node }).start();
  const nodesAfter = (type: 'stay' | 'again' | 'go') => {
    const before = new Set(actor.getSnapshot()._nodes);
    actor.send({ type });
    return actor.getSnapshot()._nodes.every((node) => before.has(node));
  };

  expect([nodesAfter('stay'), nodesAfter('again'), nodesAfter('go')]).toEqual([true, true, false]);
});

test('tags of all active states are in the snapshot', () => {
  const machine = createMachine({ tags: 'outer', initial: 'a', states: { a: { tags: ['starting', 'inner'] } } });

  expect([...createActor(machine).getSnapshot().tags].sort()).toEqual(['inner', 'outer', 'starting']);
});

test('inspection can be attached to a running system and taken off again', () => {
  const system = createActorSystem(deliverAtOnce);
  const actor = createActor(inert, { parent: system.node, id: 'seen' }).start();
  const events: InspectionEvent[] = [];
  actor.send({ type: 'before' });
  const stop = system.inspect((event) => events.push(event));
  actor.send({ type: 'during' });
  stop();
  actor.send({ type: 'after' });

  expect(events.flatMap((event) => (event.type === '@xstate.event' ? [event.event.type] : []))).toEqual(['during']);
});

test('an actor without delayed events sets no timer of its own', () => {
  const clock = new SimulatedClock();
  const actor = createActor(createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } }), { clock }).start();

  actor.send({ type: 'go' });

  expect(Object.keys(Reflect.get(actor.system.getSnapshot(), '_scheduledEvents'))).toEqual([]);
});

test('an actor that the machine spawned keeps running when the machine throws: we stop it ourselves', () => {
  const system = createActorSystem(deliverAtOnce);
  const children: AnyActorRef[] = [];
  const machine = setup({
    actors: { inert },
    actions: {
      fail: () => {
        throw new Error('told to');
      },
    },
  }).createMachine({ context: ({ spawn }) => ({ child: children.push(spawn('inert')) }), on: { fail: { actions: 'fail' } } });
  const actor = createActor(machine, { parent: system.node }).start();

  actor.send({ type: 'fail' });

  expect([actor.getSnapshot().status, ...children.map((child) => child.getSnapshot().status)]).toEqual(['error', 'active']);
});

function idOf(actor: AnyActorRef): string {
  return actor.id;
}

describe('an actor that is made from a state value, a context and what history states remember', () => {
  const entered: string[] = [];
  const note = (what: string) => () => void entered.push(what);
  const machine = createMachine({
    id: 'restored',
    context: { count: 0 },
    entry: note('root'),
    initial: 'on',
    states: {
      on: {
        entry: note('on'),
        initial: 'low',
        states: { low: { entry: note('low'), on: { up: 'high' } }, high: { entry: note('high') }, last: { type: 'history' } },
        on: { off: 'off' },
      },
      off: { on: { on: 'on.last' } },
    },
  });
  const restore = ({ value, context, historyValue }: ReturnType<ReturnType<typeof createActor<typeof machine>>['getSnapshot']>) => {
    const { node, deliver } = createActorSystem((relay, source, target, event) => relay(source, target, event));
    const snapshot = { status: 'active' as const, value, context, historyValue, children: {}, output: undefined, error: undefined };
    const actor = createActor(machine, { parent: node, snapshot });
    return { actor: actor.start(), deliver };
  };

  test('is where the first was, runs no entry action, and remembers', () => {
    const first = createActor(machine).start();
    for (const type of ['up', 'off']) first.send({ type });
    entered.length = 0;
    const { actor, deliver } = restore(first.getSnapshot());
    const before = [actor.getSnapshot().value, ...entered];
    deliver(undefined, actor, { type: 'on' });

    expect({ before, after: actor.getSnapshot().value, entered }).toEqual({
      before: ['off'],
      after: { on: 'high' },
      entered: ['on', 'high'],
    });
  });

  test('shares the context object, so that restoring costs nothing that grows with it', () => {
    const first = createActor(machine).start();
    const { context } = first.getSnapshot();

    expect(restore(first.getSnapshot()).actor.getSnapshot().context).toBe(context);
  });
});
