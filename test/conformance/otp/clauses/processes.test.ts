import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { effects } from '../../../../src/otp/effects.ts';
import type { Message, Pid, ProcessSpec } from '../../../../src/otp/process.ts';
import { via } from '../../../../src/otp/kernel/registry.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { callerOf, rest } from '../support/job.ts';
import { strangers } from '../support/strangers.ts';
import {
  async, cancel, exit, hibernate, listen, monitor, proceed, register, spawn, start, startTimer, unregister,
} from '../support/told.ts';

const ignoring: ProcessSpec = {
  machine: setup({}).createMachine({ initial: 'idle', states: { idle: { type: 'final', tags: 'ignore' } } }),
};

const spawns: Readonly<Record<string, (args: Message) => ProcessSpec>> = {
  puppet: () => puppetSpec(),
  ignoring: () => ignoring,
  failing: () => ({
    name: '@failing',
    open: () => {
      throw new Error('cannot open');
    },
  }),
};

test('clause 31: spawn waits for nothing, start has one outcome, and one that failed leaves nothing behind', async () => {
  const world = new World();
  const pid = await world.puppet('maker', { spawns, trapExit: true });

  world.tell(
    pid,
    spawn('puppet', { id: 'one' }),
    proceed('seen.next'),
    start('puppet', { id: 'two' }),
    start('failing', { link: true, monitor: true }),
  );

  expect({
    seen: world.seen(pid),
    name: world.runtime.whereis('@failing'),
    children: world.runtime.tree()[0]?.children.map(({ id }) => id),
  }).toMatchObject({
    seen: [
      { type: 'seen.spawned', process: 'maker/one#2', id: 'one' },
      { type: 'seen.next' },
      { type: 'seen.started', process: 'maker/two#3', id: 'two' },
      { type: 'seen.failed', id: 'failing', reason: { error: { message: 'cannot open' } } },
    ],
    name: undefined,
    children: ['one', 'two'],
  });
});

test('clause 31: a spawned process never outlives the one that made it, unlike in OTP', async () => {
  const world = new World();
  const pid = await world.puppet('maker', { spawns });
  world.tell(pid, spawn('puppet'));

  world.send(pid, { type: 'finish' });

  expect(world.exits.map(({ process, reason }) => [process, reason])).toEqual([['maker#1', 'normal'], ['maker/puppet#2', 'shutdown']]);
});

test('clause 32: who ignores its start ends as normal, and its supervisor does without it', async () => {
  const world = new World();
  const children = [
    { id: 'machine', start: () => ignoring },
    { id: 'port', start: (): ProcessSpec => ({ open: () => 'ignore' }) },
    { id: 'up', start: () => puppetSpec() },
  ];

  await world.start(supervisor({ strategy: 'one_for_all', children }), 'sup');

  expect({ tree: world.runtime.printTree(), ends: world.exits }).toEqual({
    tree: 'sup sup#1 running\n└─ up sup/up#4 awake',
    ends: [{ process: 'sup/machine#2', reason: 'normal' }, { process: 'sup/port#3', reason: 'normal' }],
  });
});

test.each([
  ['ends', (world: World, caller: Pid) => world.exit(caller, 'kill')],
  ['gives up', (world: World, caller: Pid) => world.tell(caller, cancel())],
  ['runs out of time', (world: World) => world.advance(100)],
])("clause 33: when the owner of a task %s, the job's signal is aborted, and the task ends with its job", async (_, leave) => {
  const { world, caller, job } = await callerOf({ obedient: false });
  world.tell(caller, async('job', { timeoutMs: 100 }));

  leave(world, caller);
  await rest(world);
  const before = { aborted: job.aborted, alive: world.isAlive('caller/job#2' as Pid) };
  job.finish('too late');
  await rest(world);

  expect({
    before,
    alive: world.isAlive('caller/job#2' as Pid),
    values: world.seen(caller).filter(({ type }) => type === 'seen.done'),
  }).toEqual({
    before: { aborted: [true], alive: true },
    alive: false,
    values: [],
  });
});

test('clause 34: a name is registered at once or not at all, and is its holder’s alone', async () => {
  const { world, a, b } = await strangers();
  const key = via('shapes', { table: 'issues' });

  world.tell(a, register(key), proceed('seen.next'));
  world.tell(b, register(via('shapes', { table: 'issues' })), unregister(key));

  expect([world.seen(a), world.seen(b), world.runtime.whereis(key)]).toEqual([
    [{ type: 'seen.registered', name: key }, { type: 'seen.next' }],
    [{ type: 'seen.taken', name: key, process: a }],
    a,
  ]);
});

test('clause 35: a listener is told of what is taken and given back, in order, and not of a death', async () => {
  const { world, a, b, c } = await strangers();
  const [one, two] = [via('shapes', 1), via('shapes', 2)];
  world.tell(c, listen('shapes'));

  world.tell(a, register(one), unregister(one), register(two));
  world.exit(a, 'kill');
  world.tell(b, register(two));

  expect(world.seen(c).map(({ type, name, process }) => [type, name, process])).toEqual([
    ['seen.registered', one, a],
    ['seen.unregistered', one, a],
    ['seen.registered', two, a],
    ['seen.registered', two, b],
  ]);
});

test('clause 36: continue is the very next event, before postponed ones and the mailbox', async () => {
  const order: string[] = [];
  const note = { actions: ({ event }: { event: { type: string } }) => void order.push(event.type) };
  const world = new World();
  const machine = setup({ actions: { ...effects } }).createMachine({
    initial: 'busy',
    states: {
      busy: {
        on: {
          go: {
            target: 'free',
            actions: [
              { type: 'continue', params: { event: { type: 'first' } } },
              { type: 'continue', params: { event: { type: 'second' } } },
            ],
          },
          '*': { actions: 'postpone' },
        },
      },
      free: { on: { '*': note } },
    },
  });
  const pid = await world.start({ machine }, 'p');

  for (const type of ['postponed', 'go', 'waiting']) world.runtime.send(pid, { type });
  world.runtime.drain();

  expect(order).toEqual(['first', 'second', 'postponed', 'waiting']);
});

test('clause 37: a process that hibernates keeps all that it is, and a time-out finds it', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, register('@name'), monitor(b), startTimer('tick', 100));
  const { hibernates, memoryBytes = 0, ...awake } = world.runtime.processInfo(a) ?? {};

  world.tell(a, hibernate);
  const { hibernates: sleeps, memoryBytes: lessBytes = 0, ...asleep } = world.runtime.processInfo(a) ?? {};
  const actor = world.runtime.refOf(a);
  world.advance(100);

  const seen = world.seen(a).map(({ type }) => type);
  expect({ hibernates, sleeps, isSmaller: lessBytes < memoryBytes, asleep, actor, seen }).toEqual({
    hibernates: false,
    sleeps: true,
    isSmaller: true,
    asleep: { ...awake, handled: 3 }, // Its name, and the order to rest.
    actor: undefined,
    seen: ['seen.registered', 'timeout.tick'],
  });
});

test('clause 38: a suspended process handles everything in order when it is resumed, and can be ended meanwhile', async () => {
  const { world, a, b, c } = await strangers('b');
  const somebody = await world.puppet('somebody');
  for (const pid of [a, b, c]) world.runtime.suspend(pid);
  for (const pid of [a, b, c]) for (const type of ['seen.1', 'seen.2']) world.send(pid, { type });
  world.tell(somebody, exit(b, 'shutdown'), exit(c, 'shutdown'));
  const held = { seen: [world.seen(a), world.seen(b)], c: world.reasonOf(c) };

  world.runtime.resume(a);
  world.runtime.resume(b);
  world.runtime.drain();

  expect({ held, a: world.seen(a).map(({ type }) => type), b: world.seen(b).map(({ type }) => type) }).toEqual({
    held: { seen: [[], []], c: 'shutdown' },
    a: ['seen.1', 'seen.2'],
    b: ['seen.1', 'seen.2', 'EXIT'],
  });
});
