import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { call as callIn, reply } from '../../../src/otp/kernel/calls.ts';
import { choosingScheduler, replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { effects } from '../../../src/otp/effects.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import type { Address, ReplyTo } from '../../../src/otp/process.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { puppetSpec, type Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

/** Answers `ask` at once; keeps `later`, and answers it on `now`. */
const server = setup({
  types: { context: {} as { held: ReplyTo | null }, events: {} as { type: 'ask' | 'later'; replyTo: ReplyTo } | { type: 'now' | 'fail' } },
  actions: {
    ...effects,
    hold: assign((_, { replyTo }: { replyTo: ReplyTo }) => ({ held: replyTo })),
    fail: () => {
      throw new Error('server failed');
    },
  },
}).createMachine({
  id: 'server',
  context: { held: null },
  on: {
    ask: { actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'seen.answer' } }) } },
    later: { actions: { type: 'hold', params: ({ event }) => event } },
    now: { actions: { type: 'reply', params: ({ context }) => ({ to: context.held ?? ('' as ReplyTo), event: { type: 'seen.answer' } }) } },
    fail: { actions: 'fail' },
  },
});

async function callerAndServer() {
  const world = new World();
  return { world, caller: await world.puppet('caller'), server: await world.start({ machine: server, name: '@server' }, 'server') };
}

const call = (to: Address, type = 'ask', more: { timeoutMs?: number } = {}): Told => ({
  type: 'call',
  params: { to, request: { type }, as: 'seen.call', ...more },
});
const failed = (to: Address, request: string, reason: unknown) => ({ type: 'seen.call.failed', to, request, reason });

test('brings the reply as an event of the replier’s choice', async () => {
  const { world, caller } = await callerAndServer();

  world.tell(caller, call('@server'));

  expect(world.seen(caller)).toEqual([{ type: 'seen.answer' }]);
});

test('fails with the reason when the server ends first, and with noproc when there is none', async () => {
  const { world, caller, server: pid } = await callerAndServer();

  world.tell(caller, call(pid, 'later'));
  world.exit(pid, 'kill');
  world.tell(caller, call(pid), call('@server'));

  expect(world.seen(caller)).toEqual([failed(pid, 'later', 'killed'), failed(pid, 'ask', 'noproc'), failed('@server', 'ask', 'noproc')]);
});

test('is told of a death once, by its monitor, however the two addressed the process and whichever came first', async () => {
  const { world, caller, server: pid } = await callerAndServer();
  const other = await world.puppet('other');
  const monitor: Told = { type: 'monitor', params: { process: pid, as: 'seen.server' } };

  world.tell(caller, monitor, call('@server', 'later'));
  world.tell(other, call('@server', 'later'), monitor);
  world.exit(pid, 'kill');

  const down = { type: 'seen.server.down', process: pid, reason: 'killed' };
  expect({ caller: world.seen(caller), other: world.seen(other) }).toEqual({ caller: [down], other: [down] });
});

test('a monitor on the dead tells of them alone, too', async () => {
  const { world, caller } = await callerAndServer();

  world.tell(caller, { type: 'monitor', params: { process: '@nobody', as: 'seen.server' } }, call('@nobody'));

  expect(world.seen(caller)).toEqual([{ type: 'seen.server.down', process: '@nobody', reason: 'noproc' }]);
});

test('a monitor of who had the name before says nothing of who is called by it now, or of nobody', async () => {
  const { world, caller } = await callerAndServer();
  const [first, second] = [await world.puppet('first'), await world.puppet('second')];
  const register: Told = { type: 'register', params: { name: '@seat', as: 'seen' } };
  world.tell(first, register);
  world.tell(caller, { type: 'monitor', params: { process: '@seat', as: 'seen' } });
  world.tell(first, { type: 'unregister', params: { name: '@seat' } });

  world.tell(caller, call('@seat', 'seen.request'));
  world.tell(second, register);
  world.tell(caller, call('@seat', 'seen.request'));
  world.exit(second, 'kill');

  expect(world.seen(caller)).toEqual([failed('@seat', 'seen.request', 'noproc'), failed('@seat', 'seen.request', 'killed')]);
});

test('a call that failed in time does not hear the late reply', async () => {
  const { world, caller, server: pid } = await callerAndServer();

  world.tell(caller, call(pid, 'later', { timeoutMs: 100 }));
  world.advance(99);
  const before = world.seen(caller).length;
  world.advance(1);
  world.send(pid, { type: 'now' });

  expect({ before, seen: world.seen(caller) }).toEqual({ before: 0, seen: [failed(pid, 'later', 'timeout')] });
});

test('a reply in time silences the time-out, and a second reply vanishes', async () => {
  const { world, caller, server: pid } = await callerAndServer();

  world.tell(caller, call(pid, 'later', { timeoutMs: 100 }));
  world.send(pid, { type: 'now' });
  world.send(pid, { type: 'now' });
  world.advance(200);

  expect({ seen: world.seen(caller), timers: world.clock.pendingTimers }).toEqual({ seen: [{ type: 'seen.answer' }], timers: 0 });
});

test('crashes a process that calls itself', async () => {
  const { world, caller } = await callerAndServer();

  world.tell(caller, call(caller));

  expect(world.reasonOf(caller)).toMatchObject({ error: { name: 'InvariantError' } });
});

test('brings the outside a reply, or rejects with why there is none', async () => {
  const { world, server: pid } = await callerAndServer();
  const outcomes = [
    world.runtime.call(pid, { type: 'ask' }),
    world.runtime.call(pid, { type: 'later' }, 10),
    world.runtime.call('@nobody', { type: 'ask' }),
  ];
  world.runtime.drain();
  world.advance(10);
  const dying = world.runtime.call(pid, { type: 'later' });
  world.exit(pid, { shutdown: 'moved' });

  expect(await Promise.allSettled([...outcomes, dying])).toMatchObject([
    { status: 'fulfilled', value: { type: 'seen.answer' } },
    { status: 'rejected', reason: { name: 'CallError', reason: 'timeout' } },
    { status: 'rejected', reason: { name: 'CallError', reason: 'noproc' } },
    { status: 'rejected', reason: { name: 'CallError', reason: { shutdown: 'moved' } } },
  ]);
});

test('a call that had its outcome is held by nobody', () => {
  const [clock, scheduler] = [new ManualClock(), replayScheduler()];
  const kernel = new ProcessKernel(clock, scheduler);
  const born = (id: string) => kernel.spawn(puppetSpec(), { id, parent: kernel.outside });
  const [caller, callee] = [born('caller'), born('callee')];
  while (scheduler.step());
  callIn(caller, { to: callee.pid, request: { type: 'seen.request' }, timeoutMs: 10 });
  const held = () => [...[kernel.calls, caller.calls, callee.watchers].map((calls) => calls?.size), clock.pendingTimers];
  const before = held();
  for (const id of kernel.calls.keys()) reply(callee, id, { type: 'seen.answer' });
  while (scheduler.step());

  expect({ before, after: held() }).toEqual({ before: [1, 1, 1, 1], after: [0, 0, 0, 0] });
});

test('a time-out, and a refusal, are news to a caller that monitors the process', async () => {
  const { world, caller, server: pid } = await callerAndServer();
  const busy = await world.puppet('busy', { mailboxMax: 1, mailboxOverflow: 'drop_newest' });
  world.runtime.suspend(busy);
  world.send(busy, { type: 'seen.1' });
  world.tell(
    caller,
    ...[pid, busy].map((process): Told => ({ type: 'monitor', params: { process, as: 'seen.process' } })),
    call(pid, 'later', { timeoutMs: 10 }),
    call(busy),
  );
  world.advance(10);

  expect(world.seen(caller)).toEqual([failed(busy, 'ask', 'overloaded'), failed(pid, 'later', 'timeout')]);
});

test('a request that is passed on and dropped there is not refused by who was asked', async () => {
  const world = new World();
  const [caller, asked, busy] = [
    await world.puppet('caller'),
    await world.puppet('asked'),
    await world.puppet('busy', { mailboxMax: 1, mailboxOverflow: 'drop_newest' }),
  ];
  world.runtime.suspend(busy);
  world.send(busy, { type: 'seen.1' });
  world.tell(caller, call(asked, 'seen.request'));
  const [request = { type: 'none' }] = world.seen(asked);
  world.tell(asked, { type: 'send', params: { to: busy, event: request } });

  expect({ dropped: world.runtime.processInfo(busy)?.dropped, seen: world.seen(caller) }).toEqual({ dropped: 1, seen: [] });
});

test('who was told of the end by a monitor is not told by a reply as well, given by another in the name of the dead', async () => {
  const wanted = ['exit', 'down', 'seen.answer'];
  const world = new World(choosingScheduler((candidates) => {
    const choice = candidates.findIndex(({ what }) => what === wanted[0]);
    if (choice >= 0) wanted.shift();
    return Math.max(0, choice);
  }));
  const [caller, asked, other] = [await world.puppet('caller'), await world.puppet('asked'), await world.puppet('other')];
  world.tell(caller, { type: 'monitor', params: { process: asked, as: 'seen' } }, call(asked, 'seen.request'));
  const replyTo = String(world.seen(asked)[0]?.replyTo) as ReplyTo;
  world.runtime.send(other, { type: 'do', effects: [{ type: 'reply', params: { to: replyTo, event: { type: 'seen.answer' } } }] });
  world.runtime.step();
  world.exit(asked, 'kill');

  expect({ wanted, seen: world.seen(caller).map(({ type }) => type) }).toEqual({ wanted: [], seen: ['seen.down'] });
});
