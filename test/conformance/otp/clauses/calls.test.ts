import { expect, test } from 'vitest';
import type { Address, Message, Pid, RecipientsTable, ReplyTo } from '../../../../src/otp/process.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { puppetSpec, type Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { strangers } from '../support/strangers.ts';
import { call, cancelTimer, monitor, reply, startTimer } from '../support/told.ts';

const never = (): Promise<Message> => new Promise(() => undefined);

function callersOf(world: World, server: Address): readonly ReplyTo[] {
  return world.seen(server).map(({ replyTo }) => replyTo as ReplyTo);
}

test('clause 15: a call has one outcome, and what comes after it vanishes', async () => {
  const { world, a, b, c } = await strangers();
  world.tell(a, call(b, 'seen.request', { timeoutMs: 100 }), call(c, 'seen.request'));
  const [late] = callersOf(world, b);
  const [soon] = callersOf(world, c);

  world.advance(100);
  world.tell(b, ...(late === undefined ? [] : [reply(late, 'seen.late')]));
  world.tell(c, ...(soon === undefined ? [] : [reply(soon, 'seen.soon'), reply(soon, 'seen.twice')]));
  world.exit(b, 'kill');

  expect(world.seen(a)).toEqual([{ type: 'seen.call.failed', to: b, request: 'seen.request', reason: 'timeout' }, { type: 'seen.soon' }]);
});

test.each<[string, (pid: Pid) => readonly Told[]]>([
  ['monitor and call by pid', (pid) => [monitor(pid), call(pid, 'seen.request')]],
  ['call and monitor by pid', (pid) => [call(pid, 'seen.request'), monitor(pid)]],
  ['call by pid, monitor by name', (pid) => [call(pid, 'seen.request'), monitor('@server')]],
  ['monitor by pid, call by name', (pid) => [monitor(pid), call('@server', 'seen.request')]],
])('clause 15: a caller that monitors the same process is told of its end once, by the monitor: %s', async (_, told) => {
  const { world, a } = await strangers();
  const server = await world.puppet('server', { name: '@server' });
  world.tell(a, ...told(server));

  world.exit(server, 'kill');

  expect(world.seen(a).map(({ type }) => type)).toEqual(['seen.down']);
});

class Peers implements RecipientsTable {
  constructor(private readonly addresses: readonly Address[]) {}

  apply(): undefined {}

  recipients(): readonly Address[] {
    return this.addresses;
  }

  clone(): Peers {
    return this;
  }

  key(): string {
    return this.addresses.join();
  }
}

const multicall = (table: string, more: { readonly silenceMs?: number } = {}): Told => ({
  type: 'multicall',
  params: { table, request: { type: 'seen.request' }, as: `seen.${table}`, ...more },
});

test('clause 16: a multicall is one event, when each has answered or died; at once for nobody', async () => {
  const { world, a, b } = await strangers();
  const tables = () => ({ peers: new Peers([a, b]), none: new Peers([]) });
  const caller = await world.puppet('caller', { tables });

  world.tell(caller, multicall('none'), multicall('peers'));
  world.exit(b, 'kill');
  const [replyTo] = callersOf(world, a);
  const before = world.seen(caller).length;
  world.tell(a, ...(replyTo === undefined ? [] : [reply(replyTo, 'seen.answer')]));

  expect({ before, seen: world.seen(caller) }).toEqual({
    before: 1,
    seen: [{ type: 'seen.none.done', failed: [] }, { type: 'seen.peers.done', failed: [b] }],
  });
});

test('clause 42: a multicall ends when nobody has answered for its limit, however long it took until then', async () => {
  const { world, a, b, c } = await strangers();
  const caller = await world.puppet('caller', { tables: () => ({ peers: new Peers([a, b, c]) }) });
  const answer = (server: Pid): void => world.tell(server, ...callersOf(world, server).map((replyTo) => reply(replyTo, 'seen.answer')));

  world.tell(caller, multicall('peers', { silenceMs: 100 }));
  world.advance(99);
  answer(c);
  world.advance(99);
  world.exit(b, 'kill');
  world.advance(99);
  const before = world.seen(caller);
  world.advance(1);
  answer(a);

  expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [{ type: 'seen.peers.done', failed: [b, a] }] });
});

test('clause 42: what its caller got before the time-out counts, and the limit begins again with it', async () => {
  const { world, a, b } = await strangers();
  const caller = await world.puppet('caller', { tables: () => ({ peers: new Peers([a, b]) }) });
  world.tell(caller, multicall('peers', { silenceMs: 100 }));
  world.runtime.suspend(caller);

  world.tell(a, ...callersOf(world, a).map((replyTo) => reply(replyTo, 'seen.answer')));
  world.advance(1_000);
  world.runtime.resume(caller);
  world.runtime.drain();
  world.advance(99);
  const before = world.seen(caller);
  world.advance(1);

  expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [{ type: 'seen.peers.done', failed: [b] }] });
});

test('clause 17: a timer that was cancelled or started over never comes, and those of one deadline come in order', async () => {
  const { world, a } = await strangers();
  world.tell(a, startTimer('gone', 10), startTimer('over', 10), startTimer('second', 20), startTimer('third', 20));

  // Both have fired when they are cancelled and started over.
  world.runtime.send(a, { type: 'do', effects: [cancelTimer('gone'), startTimer('over', 10)] });
  world.clock.advance(10);
  world.runtime.drain();
  world.advance(9);
  const before = world.seen(a).length;
  world.advance(1);

  expect({ before, seen: world.seen(a).map(({ type }) => type) }).toEqual({
    before: 0,
    seen: ['timeout.second', 'timeout.third', 'timeout.over'],
  });
});

test('clause 17: a timer without delay comes before the mailbox, one until the next event or the next state not after it', async () => {
  const { world, a } = await strangers();
  const until = (name: string, what: 'nextEvent' | 'stateChange'): Told => ({
    type: 'startTimer',
    params: { name, delayMs: 100, until: what },
  });

  world.runtime.send(a, {
    type: 'do',
    effects: [startTimer('now', 0), until('silence', 'nextEvent'), until('state', 'stateChange'), startTimer('both', 100)],
  });
  world.runtime.send(a, { type: 'seen.waiting' });
  world.runtime.drain();
  world.send(a, { type: 'sleep' });
  world.send(a, { type: 'wake' });
  world.advance(100);

  expect(world.seen(a).map(({ type }) => type)).toEqual(['timeout.now', 'seen.waiting', 'timeout.both']);
});

test('clause 18: a request to a port is aborted when its caller ends, gives up or the port stops', async () => {
  const world = new World();
  const signals: AbortSignal[] = [];
  const wait = (_: Message, signal: AbortSignal) => {
    signals.push(signal);
    return never();
  };
  const port = await world.start({ open: () => ({ requests: { wait } }) }, 'port');
  const [ending, waiting, staying] = [await world.puppet('ending'), await world.puppet('waiting'), await world.puppet('staying')];
  world.tell(ending, call(port, 'wait'));
  world.tell(waiting, call(port, 'wait', { timeoutMs: 100 }));
  world.tell(staying, call(port, 'wait'));
  const aborted = () => signals.map((signal) => signal.aborted);

  world.exit(ending, 'kill');
  const afterEnd = aborted();
  world.advance(100);
  const afterTimeout = aborted();
  world.exit(port, 'shutdown');

  expect([afterEnd, afterTimeout, aborted()]).toEqual([[true, false, false], [true, true, false], [true, true, true]]);
});

test('clause 18: a refusal is an answer, a throw ends the port', async () => {
  const world = new World();
  const refuse = (): Message => ({ type: 'seen.refused' });
  const fail = (): Message => {
    throw new Error('a bug');
  };
  const port = await world.start({ open: () => ({ requests: { refuse, fail } }) }, 'port');
  const caller = await world.puppet('caller');

  world.tell(caller, call(port, 'refuse'));
  const alive = world.isAlive(port);
  world.tell(caller, call(port, 'fail'));

  expect({ alive, seen: world.seen(caller) }).toMatchObject({
    alive: true,
    seen: [{ type: 'seen.refused' }, { type: 'seen.call.failed', reason: { error: { message: 'a bug' } } }],
  });
});

test('clause 19: a port closes before it ends, and only kill does not wait for that', async () => {
  const world = new World();
  const closings: (() => void)[] = [];
  const port = () => ({ open: () => ({ requests: {}, close: () => new Promise<void>((resolve) => closings.push(resolve)) }) });
  const [obedient, killed] = [await world.start(port(), 'obedient'), await world.start(port(), 'killed')];

  world.exit(obedient, 'shutdown');
  world.exit(killed, 'kill');
  const before = [world.isAlive(obedient), world.isAlive(killed)];
  closings.forEach((close) => close());
  await world.settle();

  expect({ before, closed: closings.length, reasons: [world.reasonOf(obedient), world.reasonOf(killed)] }).toEqual({
    before: [true, false],
    closed: 2,
    reasons: ['shutdown', 'killed'],
  });
});

test('clause 19: what arrives before a port is open waits for it', async () => {
  const world = new World();
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const port = {
    id: 'port',
    start: () => ({
      name: '@port' as const,
      open: () => opened.then(() => ({ requests: { ask: (): Message => ({ type: 'seen.answer' }) } })),
    }),
  };
  void world.start(supervisor({ strategy: 'one_for_one', children: [port] }), 'sup');
  const caller = await world.start(puppetSpec(), 'caller');

  world.tell(caller, call('@port', 'ask'));
  const before = world.seen(caller);
  open();
  await world.settle();

  expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [{ type: 'seen.answer' }] });
});
