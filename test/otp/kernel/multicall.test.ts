import { setup } from 'xstate';
import { describe, expect, test } from 'vitest';
import { effects } from '../../../src/otp/effects.ts';
import { reply } from '../../../src/otp/kernel/calls.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import { multicall as multicallIn } from '../../../src/otp/kernel/multicall.ts';
import type { Address, Pid, RecipientsTable, ReplyTo } from '../../../src/otp/process.ts';
import { choosingScheduler, replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { productionScheduler } from '../../../src/otp/schedulers/production-scheduler.ts';
import type { Scheduler } from '../../../src/otp/schedulers/scheduler.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { puppetSpec, type Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

/** Answers at once. A test suspends it to keep it silent, and resumes it to have its answers. */
const peer = setup({ types: { events: {} as { type: 'ask'; replyTo: ReplyTo } }, actions: { ...effects } }).createMachine({
  id: 'peer',
  on: { ask: { actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'seen.answer' } }) } } },
});

class Peers implements RecipientsTable<Address> {
  private readonly addresses: Address[] = [];

  apply(address: Address): undefined {
    this.addresses.push(address);
  }

  recipients(): readonly Address[] {
    return this.addresses;
  }

  clone(): Peers {
    return new Peers();
  }

  key(): string {
    return this.addresses.join();
  }
}

const add = (change: Address): Told => ({ type: 'apply', params: { table: 'peers', change } });
const ask = (silenceMs?: number): Told => ({
  type: 'multicall',
  params: { table: 'peers', request: { type: 'ask' }, as: 'seen.all', ...(silenceMs === undefined ? {} : { silenceMs }) },
});
const done = (...failed: readonly Address[]) => ({ type: 'seen.all.done', failed });

/** A caller and its peers, in the order in which it calls them. All of them are silent. */
async function callerOf(count: number, scheduler?: Scheduler) {
  const world = new World(scheduler);
  const caller = await world.puppet('caller', { tables: () => ({ peers: new Peers() }) });
  const peers: Pid[] = [];
  for (let index = 0; index < count; index += 1) peers.push(await world.start({ machine: peer }, `peer-${index}`));
  for (const pid of peers) world.runtime.suspend(pid);
  world.tell(caller, ...peers.map(add));
  const answer = (...pids: readonly Pid[]): void => {
    for (const pid of pids) world.runtime.resume(pid);
    world.runtime.drain();
  };
  return { world, caller, peers, answer };
}

async function callerOfTwo(scheduler?: Scheduler) {
  const { peers: [first = none, second = none], ...rest } = await callerOf(2, scheduler);
  return { ...rest, first, second };
}

const none = 'nobody#9' as Pid;

test('a multicall is done when all have answered or died', async () => {
  const { world, caller, first, second, answer } = await callerOfTwo();
  const dying = await world.puppet('dying');
  world.runtime.suspend(dying);

  world.tell(caller, add(dying), add(none), ask());
  answer(first);
  world.exit(dying, 'kill');
  const before = world.seen(caller);
  answer(second);

  expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [done(none, dying)] });
});

test('a multicall to nobody is done at once, and sets no timer', async () => {
  const { world, caller } = await callerOf(0);

  world.tell(caller, ask(), ask(100));

  expect({ seen: world.seen(caller), timers: world.clock.pendingTimers }).toEqual({ seen: [done(), done()], timers: 0 });
});

test('the dead of a multicall whose end is on its way to a monitor are counted, and so is a call from outside', async () => {
  const world = new World();
  const [watched, caller] = [await world.puppet('watched'), await world.puppet('caller', { tables: () => ({ peers: new Peers() }) })];
  const dying = await world.puppet('peer');
  world.tell(caller, add(dying), { type: 'monitor', params: { process: dying, as: 'seen.peer' } });
  void world.runtime.whenDown(watched);
  for (const pid of [dying, watched]) world.runtime.exit(pid, 'kill');
  world.runtime.send(caller, { type: 'do', effects: [ask()] });
  for (const pid of [dying, watched]) while (world.isAlive(pid)) world.runtime.step();
  const outcomes: unknown[] = [];
  world.runtime.call(watched, { type: 'seen.request' }).catch((error: unknown) => outcomes.push(error));
  world.runtime.drain();
  await world.settle();

  expect({ seen: world.seen(caller), outcomes }).toMatchObject({
    seen: [{ type: 'seen.peer.down' }, done(dying)],
    outcomes: [{ reason: 'noproc' }],
  });
});

test('a multicall goes to a table that names its recipients', async () => {
  const world = new World();
  const caller = await world.puppet('caller');

  world.tell(caller, { type: 'multicall', params: { table: 'echo', request: { type: 'ask' }, as: 'seen.all' } });

  expect(world.reasonOf(caller)).toMatchObject({ error: { message: "table 'echo' names the recipients of a multicall" } });
});

describe('a limit of silence', () => {
  test('is not felt where all answer in time, and leaves no timer', async () => {
    const { world, caller, first, second, answer } = await callerOfTwo();

    world.tell(caller, ask(100));
    answer(first);
    world.advance(99);
    answer(second);
    const timers = world.clock.pendingTimers;
    world.advance(1_000);

    expect({ seen: world.seen(caller), timers }).toEqual({ seen: [done()], timers: 0 });
  });

  test('counts the one that is silent as failed, so long after the last of the others has answered', async () => {
    const { world, caller, peers: [a = none, silent = none, c = none], answer } = await callerOf(3);

    world.tell(caller, ask(100));
    world.advance(60);
    answer(a, c);
    world.advance(99);
    const before = world.seen(caller);
    world.advance(1);

    expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [done(silent)] });
  });

  test('names the dead first, in the order of their ends, and then the silent in the order in which they were called', async () => {
    const { world, caller, peers: [a = none, dying = none, c = none, d = none, alsoDying = none], answer } = await callerOf(5);

    world.tell(caller, add(none), ask(100));
    world.advance(50);
    world.exit(alsoDying, 'kill');
    answer(c);
    world.advance(50);
    world.exit(dying, 'kill');
    world.advance(99);
    const before = world.seen(caller);
    world.advance(1);

    expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [done(none, alsoDying, dying, a, d)] });
  });

  test('cuts off no other call of its caller', async () => {
    const { world, caller, first, second, answer } = await callerOfTwo();

    world.tell(caller, { type: 'call', params: { to: first, request: { type: 'ask' }, as: 'seen.call' } }, ask(100));
    world.advance(100);
    answer(first);

    expect(world.seen(caller)).toEqual([done(first, second), { type: 'seen.answer' }]);
  });

  test('never cuts off many that answer one after the other, however long it takes', async () => {
    const { world, caller, peers, answer } = await callerOf(1_000);

    world.tell(caller, ask(100));
    for (const pid of peers) {
      world.advance(99);
      answer(pid);
    }

    expect({ elapsedMs: world.clock.nowMs(), seen: world.seen(caller) }).toEqual({ elapsedMs: 99_000, seen: [done()] });
  });

  test('lets a late answer vanish: it does not count for the next multicall of the same word', async () => {
    const { world, caller, first, second, answer } = await callerOfTwo();

    world.tell(caller, ask(100));
    answer(second);
    world.runtime.suspend(second);
    world.advance(100);
    world.tell(caller, ask(100));
    answer(first); // To both: the first answer is late.
    const between = world.seen(caller);
    answer(second);

    expect({ between, seen: world.seen(caller) }).toEqual({ between: [done(first)], seen: [done(first), done()] });
  });

  test.each([['replayed', replayScheduler], ['production', productionScheduler]] as const)(
    'counts an answer that waits for its caller when the time is over, and begins again with it: %s scheduler',
    async (_, scheduler) => {
      const { world, caller, first, second } = await callerOfTwo(scheduler());
      world.tell(caller, ask(100));
      world.runtime.resume(first);
      world.runtime.step();

      world.clock.advance(100);
      world.runtime.drain();
      world.advance(99);
      const before = world.seen(caller);
      world.advance(1);

      expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [done(second)] });
    },
  );

  test('counts what a caller that is held still gets meanwhile', async () => {
    const { world, caller, first, second, answer } = await callerOfTwo();
    world.tell(caller, ask(100));
    world.runtime.suspend(caller);

    answer(first);
    world.advance(5_000);
    world.runtime.resume(caller);
    world.runtime.drain();
    world.advance(99);
    answer(second);

    expect(world.seen(caller)).toEqual([done()]);
  });

  test('is no silence where nothing ran for longer than the limit: everybody has the whole time once more', async () => {
    const { world, caller, first, second } = await callerOfTwo(productionScheduler());
    world.tell(caller, ask(100));
    world.runtime.resume(first);

    world.clock.advance(5_000); // The timers come before the processes that were ready.
    world.runtime.drain();
    world.advance(99);
    const before = world.seen(caller);
    world.clock.advance(5_000);
    world.runtime.drain();

    expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [done(second)] });
  });

  test('is told once where the scheduler delivers the time-out before an answer that waits', async () => {
    const { world, caller, first, second } = await callerOfTwo(
      choosingScheduler((candidates) => Math.max(0, candidates.findIndex(({ what }) => what === 'silence'))),
    );
    world.tell(caller, ask(100));
    world.runtime.resume(first);
    world.runtime.step();

    world.advance(100);

    expect(world.seen(caller)).toEqual([done(first, second)]);
  });

  test('says nothing of a multicall that the answers waiting for its caller end', async () => {
    const { world, caller, first, second } = await callerOfTwo();
    world.tell(caller, ask(100));
    for (const pid of [first, second]) world.runtime.resume(pid);
    world.runtime.step();
    world.runtime.step();

    world.clock.advance(100);
    world.runtime.drain();
    world.advance(1_000);

    expect(world.seen(caller)).toEqual([done()]);
  });

  test.each([['before', 99], ['after', 100]])('goes with a multicall that its caller cancels %s the time is over', async (_, elapsedMs) => {
    const { world, caller } = await callerOfTwo();
    world.tell(caller, ask(100));

    world.runtime.send(caller, { type: 'do', effects: [{ type: 'cancel', params: { as: 'seen.all' } }] });
    world.clock.advance(elapsedMs);
    world.runtime.drain();
    const timers = world.clock.pendingTimers;
    world.advance(1_000);

    expect({ seen: world.seen(caller), timers }).toEqual({ seen: [], timers: 0 });
  });

  test.each([['before', 99], ['after', 100]])('goes with a caller that ends %s the time is over', async (_, elapsedMs) => {
    const { world, caller } = await callerOfTwo();
    world.tell(caller, ask(100));

    world.runtime.exit(caller, 'shutdown');
    world.clock.advance(elapsedMs);
    world.runtime.drain();

    expect({ reason: world.reasonOf(caller), timers: world.clock.pendingTimers }).toEqual({ reason: 'shutdown', timers: 0 });
  });

  test('of no time waits for those alone that answer at once', async () => {
    const { world, caller, first, second, answer } = await callerOfTwo();
    answer(first);

    world.tell(caller, ask(0));
    const before = world.seen(caller);
    world.advance(0);

    expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [done(second)] });
  });

  test.each([-1, NaN])('of %d ms is the caller’s fault, and nobody is called', async (silenceMs) => {
    const world = new World();
    const [asked, caller] = [await world.puppet('asked'), await world.puppet('caller', { tables: () => ({ peers: new Peers() }) })];

    world.tell(caller, add(asked), ask(silenceMs));

    expect({ reason: world.reasonOf(caller), asked: world.seen(asked) }).toMatchObject({
      reason: { error: { name: 'InvariantError', message: 'silenceMs is a time of at least 0' } },
      asked: [],
    });
  });

  test.each([['no timer without it', undefined, 0], ['one timer with it, however many are called', 100, 1]] as const)(
    'takes %s, and nothing is left when all have answered',
    (_, silenceMs, count) => {
      const [clock, scheduler] = [new ManualClock(), replayScheduler()];
      const kernel = new ProcessKernel(clock, scheduler);
      const born = (id: string) => kernel.spawn(puppetSpec(), { id, parent: kernel.outside });
      const [caller, peers] = [born('caller'), ['a', 'b', 'c'].map((id) => born(id).pid)];
      while (scheduler.step());
      const limit = silenceMs === undefined ? {} : { silenceMs };
      multicallIn(caller, peers, { request: { type: 'seen.request' }, as: 'seen', ...limit });
      const held = () => ({ calls: kernel.calls.size, timers: kernel.timers.size });

      const during = held();
      for (const id of kernel.calls.keys()) reply(kernel.outside, id, { type: 'seen.answer' });
      while (scheduler.step());

      expect({ during, after: held() }).toEqual({ during: { calls: 3, timers: count }, after: { calls: 0, timers: 0 } });
    },
  );
});
