import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { createRuntime } from '../../../../src/otp/runtime.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import type { World } from '../../../support/otp/world.ts';
import { outcomesOf } from '../support/races.ts';
import { strangers } from '../support/strangers.ts';
import { cancelTimer, send, startTimer } from '../support/told.ts';

const seen = (world: World, pid: Parameters<World['seen']>[0]) => world.seen(pid).map(({ type }) => type);

test('S1-073 a timer of 10 ms becomes an event after 10 ms', async () => {
  const { world, a } = await strangers();
  world.tell(a, startTimer('tick', 10));

  world.advance(9);
  const before = seen(world, a);
  world.advance(1);

  expect([before, seen(world, a)]).toEqual([[], ['timeout.tick']]);
});

test('S1-074 a running timer shows what is left of it; one that fired or was cancelled is gone', async () => {
  const { world, a } = await strangers();
  const timers = () => world.runtime.processInfo(a)?.timers.map(({ name, leftMs }) => [name, leftMs]);
  world.tell(a, startTimer('short', 100), startTimer('long', 1_000));

  world.advance(40);
  const running = timers();
  world.advance(60);
  const fired = timers();
  world.tell(a, cancelTimer('long'), cancelTimer('short'));

  expect([running, fired, timers(), seen(world, a)]).toEqual([[['short', 60], ['long', 960]], [['long', 900]], [], ['timeout.short']]);
});

test('S1-075 a timer that is cancelled while it fires came before, or never comes', async () => {
  const outcomes = await outcomesOf(200, async (scheduler) => {
    const { world, a, b } = await strangers('', scheduler);
    world.tell(a, startTimer('tick', 10));
    world.runtime.send(b, { type: 'do', effects: [send(a, { type: 'do', effects: [cancelTimer('tick'), send(a, 'seen.cancelled')] })] });
    world.advance(10);
    world.advance(1_000);
    return seen(world, a);
  });

  expect(outcomes).toEqual([['seen.cancelled'], ['timeout.tick', 'seen.cancelled']]);
});

test('S1-076 a timer of no delay comes at once, one of 2^32 ms when its time has come', async () => {
  const { world, a } = await strangers();
  world.tell(a, startTimer('now', 0), startTimer('late', 2 ** 32));
  const atOnce = seen(world, a);

  world.advance(2 ** 32 - 1);
  const before = seen(world, a);
  world.advance(1);

  expect([atOnce, before, seen(world, a)]).toEqual([['timeout.now'], ['timeout.now'], ['timeout.now', 'timeout.late']]);
});

test('S1-076 a timer of 2^32 ms does not come at once on the clock of the machine, whose own timers are shorter', async () => {
  const runtime = createRuntime();
  const pid = await runtime.start(puppetSpec(), { id: 'p' });

  runtime.send(pid, { type: 'do', effects: [startTimer('late', 2 ** 32)] });
  await new Promise<void>((resolve) => systemClock.setTimer(resolve, 20));
  const { handled, timers } = runtime.processInfo(pid) ?? {};
  await runtime.stop(pid);

  expect({ handled, timers: timers?.map(({ name }) => name) }).toEqual({ handled: 1, timers: ['late'] });
});
