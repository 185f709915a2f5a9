import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects } from '../../../../src/otp/effects.ts';
import { isFault, type Address, type Exit, type ExitReason, type MachineSpec, type PortSpec } from '../../../../src/otp/process.ts';
import { via } from '../../../../src/otp/kernel/registry.ts';
import type { NumberedRecord } from '../../../../src/otp/kernel/trace.ts';
import type { Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { serverSpec } from '../support/server.ts';

/** Traps exits and puts things away when its parent tells it to end; others may say what they like. */
const tidy = setup({
  types: {
    input: {} as { log: Address; clumsy: boolean },
    context: {} as { log: Address; clumsy: boolean; reason: ExitReason },
    events: {} as Exit | { type: 'fail' },
  },
  guards: { fromParent: ({ event }) => 'fromParent' in event && event.fromParent },
  actions: {
    ...effects,
    drop: ({ context }) => {
      if (context.clumsy) throw new Error('dropped it');
    },
    fail: () => {
      throw new Error('server failed');
    },
  },
}).createMachine({
  id: 'tidy',
  context: ({ input }) => ({ ...input, reason: 'normal' }),
  on: {
    EXIT: [
      {
        guard: 'fromParent',
        actions: [
          'drop',
          { type: 'send', params: ({ context, event }) => ({ to: context.log, event: { type: 'seen.tidied', reason: event.reason } }) },
          { type: 'stop', params: ({ event }) => ({ reason: event.reason }) },
        ],
      },
      {
        actions: {
          type: 'send',
          params: ({ context, event }) => ({ to: context.log, event: { type: 'seen.heard', reason: event.reason } }),
        },
      },
    ],
    fail: { actions: 'fail' },
  },
});

const tidySpec = (clumsy = false): MachineSpec => ({ machine: tidy, input: { log: '@log', clumsy }, trapExit: true });

async function parentAndTidy(clumsy = false) {
  const world = new World();
  const log = await world.puppet('log', { name: '@log' });
  const parent = await world.puppet('parent', { spawns: { tidy: () => tidySpec(clumsy) } });
  world.tell(parent, { type: 'spawn', params: { template: 'tidy', as: 'seen.child' } });
  const child = world.runtime.tree().find(({ pid }) => pid === parent)?.children[0]?.pid ?? parent;
  return { world, log, parent, child };
}

const exit = (process: Address, reason: ExitReason | 'kill'): Told => ({ type: 'exit', params: { process, reason } });

test.each<[string, (pid: Address) => Address]>([
  ['pid', (pid) => pid],
  ['name', () => '@server'],
  ['key in a registry', () => via('servers', 1)],
])('S2-042 who stops a server by its %s is told when it is gone', async (_, addressOf) => {
  const world = new World();
  const server = await world.start(serverSpec({ name: '@server' }), 'server');
  const other = await world.start(serverSpec({ name: via('servers', 1) }), 'other');

  const stopped = world.runtime.stop(addressOf(server));
  world.runtime.drain();

  expect({ reason: await stopped, left: [server, other].filter((pid) => world.isAlive(pid)).length }).toEqual({
    reason: 'shutdown',
    left: 1,
  });
});

test.each<ExitReason>(['normal', 'shutdown', { shutdown: 'moved' }, { error: { name: 'Broken', message: 'beyond repair' } }])(
  'S2-043 a server ends with the reason that it is stopped with: %j',
  async (reason) => {
    const world = new World();
    const server = await world.start(serverSpec(), 'server');

    world.send(server, { type: 'leave', reason });

    expect(world.reasonOf(server)).toEqual(reason);
  },
);

test('S2-043 stopping who is dead or unknown tells noproc as the outcome, where OTP exits the caller', async () => {
  const world = new World();
  const dead = await world.start(serverSpec(), 'dead');
  world.exit(dead, 'kill');

  const outcomes = Promise.all([world.runtime.stop(dead), world.runtime.stop('@nobody')]);
  world.runtime.drain();

  expect(await outcomes).toEqual(['noproc', 'noproc']);
});

test('S2-043 a server stops itself by an effect, where OTP would have it wait for itself', async () => {
  const world = new World();
  const pid = await world.puppet('self');

  world.tell(pid, { type: 'stop', params: { reason: { shutdown: 'my own wish' } } });

  expect(world.reasonOf(pid)).toEqual({ shutdown: 'my own wish' });
});

test('S2-044 an end in good order is no fault, also with a cause, by its own stop or by an exit', async () => {
  const world = new World();
  const servers = await Promise.all(['a', 'b', 'c', 'd'].map((id) => world.start(serverSpec(), id)));
  const [a = '@a', b = '@b', c = '@c', d = '@d'] = servers;

  world.exit(a, 'shutdown');
  world.exit(b, { shutdown: 'moved' });
  world.send(c, { type: 'leave', reason: 'shutdown' });
  world.send(d, { type: 'leave', reason: { shutdown: 'moved' } });

  expect(world.exits.map(({ reason }) => isFault(reason))).toEqual([false, false, false, false]);
});

test('S2-044 a crash is reported once, with its last message and its error', async () => {
  const world = new World();
  const server = await world.start(serverSpec(), 'server');
  const records: NumberedRecord[] = [];
  world.runtime.trace((record) => records.push(record));

  world.send(server, { type: 'fail' });

  expect(records).toMatchObject([
    { type: 'send', to: server, message: { type: 'fail' } },
    { type: 'deliver', to: server, message: { type: 'fail' } },
    {
      type: 'exit',
      process: server,
      reason: { error: { name: 'Error', message: 'server failed', stack: expect.stringContaining('server.ts') } },
    },
  ]);
});

test('S2-045 S2-047 its parent’s exit reaches a trapping server as an order that it carries out itself (OTP does not ask)', async () => {
  const { world, log, parent, child } = await parentAndTidy();

  world.tell(parent, exit(child, { shutdown: 'closing time' }));

  expect({ log: world.seen(log), reason: world.reasonOf(child) }).toEqual({
    log: [{ type: 'seen.tidied', reason: { shutdown: 'closing time' } }],
    reason: { shutdown: 'closing time' },
  });
});

test('S2-047 the exit of anybody else is an ordinary message to a trapping server', async () => {
  const { world, log, child } = await parentAndTidy();
  const stranger = await world.puppet('stranger');

  world.tell(stranger, exit(child, { shutdown: 'go away' }));

  expect({ log: world.seen(log), alive: world.isAlive(child) }).toEqual({
    log: [{ type: 'seen.heard', reason: { shutdown: 'go away' } }],
    alive: true,
  });
});

test('S2-047 a trapping server that does not obey its dead parent is killed when its time is over', async () => {
  const world = new World();
  const parent = await world.puppet('parent', {
    spawns: { deaf: () => ({ machine: setup({}).createMachine({ on: { '*': { actions: [] } } }), trapExit: true }) },
  });
  world.tell(parent, { type: 'spawn', params: { template: 'deaf', as: 'seen.child' } });
  const child = world.runtime.tree()[0]?.children[0]?.pid ?? parent;

  world.exit(parent, 'kill');
  world.advance(4_999);
  const before = world.isAlive(child);
  world.advance(1);

  expect({ before, reason: world.reasonOf(child) }).toEqual({ before: true, reason: 'killed' });
});

test.each<[string, (world: World, child: Address) => void]>([
  ['a kill', (world, child) => world.exit(child, 'kill')],
  ['a crash, which a machine in doubt does not survive to tidy up', (world, child) => world.send(child, { type: 'fail' })],
])('S2-045 nothing is put away at %s', async (_, end) => {
  const { world, log, child } = await parentAndTidy();

  end(world, child);

  expect({ log: world.seen(log), alive: world.isAlive(child) }).toEqual({ log: [], alive: false });
});

/** What must be given back however its owner ends belongs to a port: its `close` is what terminate is in OTP. */
function resource(closed: string[], close?: () => void): PortSpec {
  return {
    open: ({ exit: end }) => ({
      requests: {},
      casts: {
        finish: () => end(),
        fail: () => {
          throw new Error('port failed');
        },
      },
      close: () => {
        closed.push('closed');
        close?.();
      },
    }),
  };
}

test.each<[string, (world: World, pid: Address) => void, unknown]>([
  ['it finished', (world, pid) => world.send(pid, { type: 'finish' }), 'normal'],
  ['it raised', (world, pid) => world.send(pid, { type: 'fail' }), { error: { message: 'port failed' } }],
  ['it was told to end', (world, pid) => world.exit(pid, { shutdown: 'moved' }), { shutdown: 'moved' }],
  ['it was killed, for which OTP does nothing', (world, pid) => world.exit(pid, 'kill'), 'killed'],
])('S2-045 a port closes once when %s', async (_, end, reason) => {
  const world = new World();
  const closed: string[] = [];
  const pid = await world.start(resource(closed), 'port');

  end(world, pid);

  expect({ closed, reason: world.reasonOf(pid) }).toMatchObject({ closed: ['closed'], reason });
});

test('S2-046 a port whose close raises ends with that error, whatever it was told', async () => {
  const world = new World();
  const failToClose = () => {
    throw new Error('still in use');
  };
  const pid = await world.start(resource([], failToClose), 'port');

  world.exit(pid, 'shutdown');

  expect(world.reasonOf(pid)).toMatchObject({ error: { message: 'still in use' } });
});

test('S2-046 a server that raises while it puts things away ends with that error', async () => {
  const { world, parent, child } = await parentAndTidy(true);

  world.tell(parent, exit(child, 'shutdown'));

  expect(world.reasonOf(child)).toMatchObject({ error: { message: 'dropped it' } });
});

test('S2-048 a suspended server can be looked at; requests wait, and are served in their order when it is resumed', async () => {
  const world = new World();
  const [caller, server] = [await world.puppet('caller'), await world.start(serverSpec(), 'server')];
  const add = (by: number): Told => ({ type: 'call', params: { to: server, request: { type: 'add', by }, as: 'seen.call' } });
  world.tell(caller, add(1));

  world.runtime.suspend(server);
  world.tell(caller, add(10), add(100));
  const suspended = {
    answers: world.seen(caller).length,
    waiting: world.runtime.processInfo(server)?.mailboxLength,
    total: world.runtime.refOf(server)?.getSnapshot().context.total,
  };
  world.runtime.resume(server);
  world.runtime.drain();

  expect({ suspended, answers: world.seen(caller) }).toEqual({
    suspended: { answers: 1, waiting: 2, total: 1 },
    answers: [1, 11, 111].map((total) => ({ type: 'seen.total', total })),
  });
});
