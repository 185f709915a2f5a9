import { expect, test } from 'vitest';
import { TimerHeap } from '../../../src/otp/kernel/timer-heap.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const start = (name: string, delayMs: number): Told => ({ type: 'startTimer', params: { name, delayMs } });
const cancel = (name: string): Told => ({ type: 'cancelTimer', params: { name } });

test('a timer becomes an event, once', async () => {
  const world = new World();
  const pid = await world.puppet('p');

  world.tell(pid, start('tick', 100));
  world.advance(99);
  const before = world.seen(pid).length;
  world.advance(1_000);

  expect({ before, seen: world.seen(pid) }).toEqual({ before: 0, seen: [{ type: 'timeout.tick' }] });
});

test('a timer of the same name starts over, also one that has fired and is not delivered yet', async () => {
  const world = new World();
  const pid = await world.puppet('p');

  world.tell(pid, start('tick', 100));
  world.clock.advance(50);
  world.runtime.send(pid, { type: 'do', effects: [start('tick', 100)] });
  world.clock.advance(50);
  world.runtime.drain();
  const seenAt100 = world.seen(pid).length;
  world.advance(100);

  expect({ seenAt100, seen: world.seen(pid) }).toEqual({ seenAt100: 0, seen: [{ type: 'timeout.tick' }] });
});

test('a timer that started over leaves nothing of the first, and one without end is only a cancelling', async () => {
  const world = new World();
  const pid = await world.puppet('p');
  const left = () => ({ clock: world.clock.pendingTimers, shown: world.runtime.processInfo(pid)?.timers.length });

  world.tell(pid, start('tick', 1_000), start('tick', 10));
  world.advance(10);
  const fired = left();
  world.tell(pid, start('tick', 10), start('tick', Infinity));

  expect({ fired, cancelled: left(), seen: world.seen(pid).length }).toEqual({
    fired: { clock: 0, shown: 0 },
    cancelled: { clock: 0, shown: 0 },
    seen: 1,
  });
});

test.each([-1, Number.NaN])('a delay of %d is a bug of who asks for it', async (delayMs) => {
  const world = new World();
  const pid = await world.puppet('p');

  world.tell(pid, start('tick', delayMs));

  expect(world.reasonOf(pid)).toMatchObject({ error: { message: "the delay of timer 'tick' is a number of milliseconds" } });
});

test('a cancelled timer never comes, and cancelling what does not run is no fault', async () => {
  const world = new World();
  const pid = await world.puppet('p');

  world.tell(pid, start('tick', 100), cancel('tick'), cancel('unknown'));
  world.advance(1_000);

  expect({ seen: world.seen(pid), alive: world.isAlive(pid) }).toEqual({ seen: [], alive: true });
});

test('timers of one deadline come in the order in which they were set', async () => {
  const world = new World();
  const pid = await world.puppet('p');

  world.tell(pid, start('b', 10), start('a', 10), start('first', 5));
  world.advance(10);

  expect(world.seen(pid).map(({ type }) => type)).toEqual(['timeout.first', 'timeout.b', 'timeout.a']);
});

test('timers end with their process', async () => {
  const world = new World();
  const pid = await world.puppet('p');
  world.tell(pid, start('tick', 100));

  world.exit(pid, 'kill');

  expect(world.clock.pendingTimers).toBe(0);
});

test('fires any set of timers by deadline, with one timer of the clock', () => {
  const clock = new ManualClock();
  const heap = new TimerHeap(clock);
  const fired: number[] = [];
  const delays = Array.from({ length: 500 }, (_, index) => (index * 7_919) % 1_009);
  const timers = delays.map((delayMs) => heap.set(delayMs, () => fired.push(delayMs)));
  timers.filter((_, index) => index % 3 === 0).forEach((timer) => heap.cancel(timer));
  const pending = clock.pendingTimers;

  clock.advance(2_000);

  const expected = delays.filter((_, index) => index % 3 !== 0).sort((one, other) => one - other);
  expect({ pending, fired, left: heap.size }).toEqual({ pending: 1, fired: expected, left: 0 });
});

test('an event costs a process with very many timers what it costs one with few', async () => {
  /** The least CPU time of several tries: whoever else uses the machine only adds to it. Long enough for the kernel's coarse clock. */
  const costBeside = async (count: number): Promise<number> => {
    const world = new World();
    const pid = await world.puppet('p');
    world.tell(pid, ...Array.from({ length: count }, (_, index) => start(`t${index}`, 1_000)));
    const costs = Array.from({ length: 5 }, () => {
      const before = process.cpuUsage();
      for (let events = 0; events < 4_000; events += 1) world.tell(pid);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    });
    return Math.min(...costs);
  };

  const [few, many] = [await costBeside(10), await costBeside(40_000)];

  expect(many / few).toBeLessThan(4);
});
