import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { randomScheduler, replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { call } from '../../../src/otp/kernel/calls.ts';
import { multicall } from '../../../src/otp/kernel/multicall.ts';
import { startTimer } from '../../../src/otp/kernel/process-timers.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { productionScheduler } from '../../../src/otp/schedulers/production-scheduler.ts';
import { createRuntime } from '../../../src/otp/runtime.ts';
import type { Scheduler } from '../../../src/otp/schedulers/scheduler.ts';
import { toTraceLine } from '../../../src/otp/kernel/trace.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { familySpec } from '../../support/otp/family.ts';
import { puppetSpec, type Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const send = (to: Pid, type: `seen.${string}`): Told => ({ type: 'send', params: { to, event: { type } } });

/** Two senders, one receiver; what it saw. */
async function race(scheduler: Scheduler): Promise<readonly string[]> {
  const world = new World(scheduler);
  const [a, b, target] = [await world.puppet('a'), await world.puppet('b'), await world.puppet('target')];
  world.runtime.send(a, { type: 'do', effects: [send(target, 'seen.a1'), send(target, 'seen.a2')] });
  world.runtime.send(b, { type: 'do', effects: [send(target, 'seen.b1'), send(target, 'seen.b2')] });
  world.runtime.drain();
  return world.seen(target).map(({ type }) => type);
}

/** Everything a crashing tree does under `scheduler`, as lines. */
function traceOf(scheduler: Scheduler): string {
  const lines: string[] = [];
  const runtime = createRuntime({ clock: new ManualClock(), scheduler, trace: (record) => lines.push(toTraceLine(record)) });
  void runtime.start(familySpec({ a: {}, b: {}, c: {} }, { strategy: 'rest_for_one', maxRestarts: 10 }), { id: 'sup' });
  runtime.drain();
  for (const id of ['@b', '@a', '@c', '@b'] as const) runtime.send(id, { type: 'fail' });
  runtime.drain();
  return lines.join('\n');
}

test('random orders are many, and each keeps the order of each pair', async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 200; seed += 1) orders.add((await race(randomScheduler(seed))).join());

  const merges = ['a1,a2,b1,b2', 'a1,b1,a2,b2', 'a1,b1,b2,a2', 'b1,a1,a2,b2', 'b1,a1,b2,a2', 'b1,b2,a1,a2'];
  const named = merges.map((merge) => merge.replaceAll(/[ab]/g, 'seen.$&'));
  expect([...orders].sort()).toEqual(named.sort());
});

test('no order delivers to a process before it has begun', async () => {
  const counts = new Set<number>();
  for (let seed = 0; seed < 50; seed += 1) {
    const world = new World(randomScheduler(seed));
    const friend = await world.puppet('friend');
    world.runtime.trace((record) => {
      if (record.type === 'spawn') world.runtime.send(friend, { type: 'do', effects: [send(record.process, 'seen.welcome')] });
    });
    counts.add(world.seen(await world.puppet('newcomer')).length);
  }

  expect([...counts]).toEqual([1]);
});

test('a run is played again from its choices', async () => {
  const original = randomScheduler(7);
  const first = await race(original);

  const again = replayScheduler(original.choices);

  expect({ order: await race(again), choices: again.choices }).toEqual({ order: first, choices: original.choices });
});

test('the same seed gives the same trace, byte for byte', () => {
  expect(traceOf(randomScheduler(42))).toBe(traceOf(randomScheduler(42)));
});

test('another seed gives another trace', () => {
  expect(traceOf(randomScheduler(42))).not.toBe(traceOf(randomScheduler(43)));
});

test('traces what happened, numbered, without stacks', () => {
  const lines = traceOf(replayScheduler()).split('\n').slice(0, 4);

  expect(lines).toEqual([
    '{"n":1,"atMs":0,"type":"spawn","process":"sup#1","parent":"outside"}',
    '{"n":2,"atMs":0,"type":"transition","process":"sup#1","machine":"supervisor","event":"init","state":"starting"}',
    '{"n":3,"atMs":0,"type":"deliver","from":"sup#1","to":"sup#1","message":{"type":"child.due","id":"a"}}',
    '{"n":4,"atMs":0,"type":"spawn","process":"sup/a#2","parent":"sup#1","name":"@a"}',
  ]);
});

test('a listener that left hears nothing more', async () => {
  const world = new World();
  const heard: string[] = [];
  const stop = world.runtime.trace(({ type }) => heard.push(type));
  await world.puppet('a');
  stop();
  await world.puppet('b');

  expect(heard).toEqual(['spawn', 'transition', 'send']);
});

test('production gives every process its turn: a busy pair does not starve another', async () => {
  const runtime = createRuntime({ scheduler: productionScheduler(), clock: new ManualClock() });
  const starting = ['busy', 'quiet'].map((id) => runtime.start(puppetSpec(), { id }));
  runtime.drain();
  const [busy, quiet] = await Promise.all(starting);
  for (let count = 0; count < 10_000; count += 1) runtime.send(busy ?? '@none', { type: 'seen.flood' });
  runtime.send(quiet ?? '@none', { type: 'seen.one' });

  let steps = 0;
  while (runtime.processInfo(quiet ?? '@none')?.handled === 0 && runtime.step()) steps += 1;

  expect(steps).toBe(33);
});

test('production yields to I/O while processes keep sending to one another', async () => {
  const runtime = createRuntime();
  const [ping, pong] = await Promise.all(['ping', 'pong'].map((id) => runtime.start(puppetSpec(), { id })));
  let told: Told = send(pong ?? ('' as Pid), 'seen.end');
  for (let count = 0; count < 2_000; count += 1) {
    const to = count % 2 === 0 ? (ping ?? ('' as Pid)) : (pong ?? ('' as Pid));
    told = { type: 'send', params: { to, event: { type: 'do', effects: [told] } } };
  }
  let handledAtTick = Infinity;
  const done = new Promise<void>((resolve) => systemClock.setTimer(resolve, 1));
  void done.then(() => (handledAtTick = runtime.processInfo(ping ?? '@none')?.handled ?? 0));

  runtime.send(pong ?? '@none', { type: 'do', effects: [told] });
  const reason = runtime.whenDown(ping ?? '@none');
  await done;
  const inBetween = handledAtTick < 1_000;
  runtime.exit(ping ?? '@none', 'kill');

  expect({ inBetween, reason: await reason }).toEqual({ inBetween: true, reason: 'killed' });
});

describe('a choosing scheduler', () => {
  const born = () => {
    const [clock, scheduler] = [new ManualClock(), replayScheduler()];
    const kernel = new ProcessKernel(clock, scheduler);
    const [a, b] = ['a', 'b'].map((id) => kernel.spawn(puppetSpec(), { id, parent: kernel.outside }));
    return { clock, scheduler, kernel, a: a ?? kernel.outside, b: b ?? kernel.outside };
  };
  const message = (from: string) => ({ kind: 'message' as const, source: { pid: from as Pid }, message: { type: `seen.${from}` } });

  test('offers the oldest first, whoever it is for', () => {
    const { scheduler, kernel, a, b } = born();
    while (scheduler.step());
    kernel.enqueue(a, message('first'));
    kernel.enqueue(b, message('second'));
    kernel.enqueue(a, message('third'));

    expect(scheduler.candidates().map(({ from }) => from)).toEqual(['first', 'second', 'third']);
  });

  test('offers a kill before the process has begun, and nothing else', () => {
    const { scheduler, kernel, a } = born();
    kernel.enqueue(a, message('early'));
    kernel.enqueue(a, { kind: 'exit', source: kernel.outside, reason: 'kill' });

    expect(scheduler.candidates().flatMap(({ to, what }) => (to === a.pid ? [what] : []))).toEqual(['init', 'exit']);
  });

  test('lets a kill overtake the messages of its sender, and what a process sent itself its time-outs', () => {
    const { clock, scheduler, kernel, a, b } = born();
    while (scheduler.step());
    kernel.enqueue(a, { kind: 'message', source: a, message: { type: 'seen.own' } });
    startTimer(a, { name: 'tick', delayMs: 5 });
    kernel.enqueue(b, message('a'));
    kernel.enqueue(b, { kind: 'exit', source: { pid: 'a' as Pid }, reason: 'kill' });
    clock.advance(5);

    expect(scheduler.candidates().map(({ what }) => what)).toEqual(['seen.own', 'seen.a', 'exit', 'timeout']);
  });

  test('orders the time-out of a call with nothing that the caller sent itself', () => {
    const { clock, scheduler, kernel, a, b } = born();
    while (scheduler.step());
    kernel.enqueue(a, { kind: 'message', source: a, message: { type: 'seen.own' } });
    call(a, { to: b.pid, request: { type: 'seen.request' }, timeoutMs: 5 });
    clock.advance(5);

    expect(scheduler.candidates().map(({ what }) => what)).toEqual(['seen.own', 'seen.request', 'callFailed']);
  });

  test('orders the silence of those whom a multicall asks with nothing that the caller sent itself', () => {
    const { clock, scheduler, kernel, a, b } = born();
    while (scheduler.step());
    kernel.enqueue(a, { kind: 'message', source: a, message: { type: 'seen.own' } });
    multicall(a, [b.pid], { request: { type: 'seen.request' }, as: 'seen', silenceMs: 5 });
    clock.advance(5);

    expect(scheduler.candidates().map(({ what }) => what)).toEqual(['seen.own', 'seen.request', 'silence']);
  });

  test('keeps nobody for whom nothing waits', () => {
    const { scheduler, kernel, a } = born();
    kernel.enqueue(a, { kind: 'exit', source: kernel.outside, reason: 'kill' });
    for (const from of ['never', 'never', 'nobody']) kernel.enqueue(a, message(from));
    while (scheduler.step());

    expect(Reflect.get(scheduler, 'active').size).toBe(0);
  });
});
