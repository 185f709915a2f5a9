import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { randomScheduler } from '../../../../src/otp/schedulers/choosing-scheduler.ts';
import { effects } from '../../../../src/otp/effects.ts';
import { World } from '../../../support/otp/world.ts';
import { nobody, strangers } from '../support/strangers.ts';
import { apply, send } from '../support/told.ts';

test('clause 1: messages of one sender arrive in their order, whatever the scheduler chooses', async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 100; seed += 1) {
    const { world, a, b, c } = await strangers('', randomScheduler(seed));
    world.runtime.send(a, { type: 'do', effects: [send(c, 'seen.a1'), send(c, 'seen.a2')] });
    world.runtime.send(b, { type: 'do', effects: [send(c, 'seen.b1')] });
    world.runtime.drain();
    orders.add(world.seen(c).map(({ type }) => type.slice('seen.'.length)).join());
  }

  expect([...orders].sort()).toEqual(['a1,a2,b1', 'a1,b1,a2', 'b1,a1,a2']);
});

test('clause 2: sending delivers nothing by itself, and one to the dead or the unknown vanishes', async () => {
  const { world, a, b } = await strangers();

  world.tell(a, send(nobody, 'seen.1'), send('@nobody', 'seen.2'));
  world.runtime.send(b, { type: 'seen.3' });

  expect({ a: world.isAlive(a), b: world.seen(b), waiting: world.runtime.processInfo(b)?.mailboxLength }).toEqual({
    a: true,
    b: [],
    waiting: 1,
  });
});

test('clause 3: a name is resolved when the message is sent, and has one holder', async () => {
  const world = new World();
  const first = await world.puppet('first', { name: '@name' });
  const refused = await world.puppet('second', { name: '@name' }).catch((error: unknown) => error);
  world.runtime.send('@name', { type: 'finish' });
  world.runtime.send('@name', { type: 'seen.tooLate' });
  world.runtime.drain();
  const third = await world.puppet('third', { name: '@name' });

  expect({ refused, first: world.reasonOf(first), third: world.seen(third) }).toMatchObject({
    refused: { reason: { error: { name: 'already_started' } } },
    first: 'normal',
    third: [],
  });
});

test('clause 4: a transition that throws sends nothing, unlike in OTP', async () => {
  const { world, a, b } = await strangers();

  world.send(a, { type: 'doAndFail', effects: [send(b, 'seen.1')] });

  expect({ b: world.seen(b), a: world.reasonOf(a) }).toMatchObject({ b: [], a: { error: { message: 'told to fail' } } });
});

test('clause 5: an event without an enabled transition ends the process and names event and state', async () => {
  const world = new World();
  const guarded = setup({ guards: { never: () => false } }).createMachine({
    id: 'door',
    initial: 'shut',
    states: { shut: { on: { knock: { guard: 'never' } } } },
  });
  const pids = [await world.start({ machine: guarded }, 'door'), await world.start({ machine: guarded }, 'door')] as const;

  world.send(pids[0], { type: 'knock' });
  world.send(pids[1], { type: 'open' });

  const report = (event: string) => ({
    error: { name: 'UnhandledEventError', message: `machine 'door' in state 'shut' has no transition for event '${event}'` },
  });
  expect(pids.map((pid) => world.reasonOf(pid))).toMatchObject([report('knock'), report('open')]);
});

test('clause 6: a postponed event comes again after a change of state alone, before the mailbox', async () => {
  const order: string[] = [];
  const note = { actions: ({ event }: { event: { type: string } }) => void order.push(event.type) };
  const machine = setup({ actions: { ...effects } }).createMachine({
    initial: 'busy',
    states: {
      busy: { on: { again: { target: 'busy', reenter: true, ...note }, done: 'free', '*': { actions: 'postpone' } } },
      free: { on: { '*': note } },
    },
  });
  const world = new World();
  const pid = await world.start({ machine }, 'p');

  for (const type of ['first', 'second', 'again', 'done', 'third']) world.runtime.send(pid, { type });
  world.runtime.drain();

  expect(order).toEqual(['again', 'first', 'second', 'third']);
});

test('clause 7: the answer of a table is the very next event', async () => {
  const { world, a } = await strangers();
  world.send(a, { type: 'sleep' });
  world.send(a, { type: 'seen.postponed' });

  world.runtime.send(a, { type: 'wake' });
  world.runtime.send(a, { type: 'do', effects: [apply('seen.first'), apply('seen.second')] });
  world.runtime.send(a, { type: 'seen.waiting' });
  world.runtime.drain();

  expect(world.seen(a).map(({ type }) => type)).toEqual(['seen.postponed', 'seen.first', 'seen.second', 'seen.waiting']);
});

test('clause 8: one message too many ends the receiver, and DOWN is not counted', async () => {
  const world = new World();
  const [full, watching, target] = [
    await world.puppet('full', { mailboxMax: 2 }),
    await world.puppet('watching', { mailboxMax: 2 }),
    await world.puppet('target'),
  ];
  for (const as of ['seen.1', 'seen.2', 'seen.3']) world.tell(watching, { type: 'monitor', params: { process: target, as } });

  for (let count = 0; count < 3; count += 1) world.runtime.send(full, { type: 'seen.flood' });
  world.exit(target, 'kill');

  expect({ full: world.reasonOf(full), watching: world.seen(watching).length }).toMatchObject({
    full: { error: { name: 'MailboxOverflowError' } },
    watching: 3,
  });
});

test.each([
  ['drop_newest', ['seen.1', 'seen.2']],
  ['drop_oldest', ['seen.2', 'seen.3']],
] as const)('clause 8: with %s one message too many costs a message and not the process, and is counted', async (mailboxOverflow, kept) => {
  const world = new World();
  const pid = await world.puppet('full', { mailboxMax: 2, mailboxOverflow });

  for (const type of ['seen.1', 'seen.2', 'seen.3']) world.runtime.send(pid, { type });
  world.runtime.drain();

  expect({ seen: world.seen(pid).map(({ type }) => type), dropped: world.runtime.processInfo(pid)?.dropped }).toEqual({
    seen: kept,
    dropped: 1,
  });
});
