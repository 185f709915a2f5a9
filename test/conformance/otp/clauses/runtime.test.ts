import { expect, test } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { choosingScheduler, randomScheduler, replayScheduler } from '../../../../src/otp/schedulers/choosing-scheduler.ts';
import { pctScheduler } from '../../../../src/otp/schedulers/pct-scheduler.ts';
import { productionScheduler } from '../../../../src/otp/schedulers/production-scheduler.ts';
import type { Scheduler } from '../../../../src/otp/schedulers/scheduler.ts';
import { toTraceLine } from '../../../../src/otp/kernel/trace.ts';
import { Family } from '../../../support/otp/family.ts';
import { World } from '../../../support/otp/world.ts';
import { promisedClauses, testedClauses } from '../clauses.ts';
import { strangers } from '../support/strangers.ts';
import { send } from '../support/told.ts';

test('each clause of docs/runtime-semantics.md is named by a test', () => {
  expect(testedClauses()).toEqual(promisedClauses());
});

test('clause 28: production gives a busy process 32 deliveries in a row, then the next its turn', async () => {
  const { world, a, b } = await strangers('', productionScheduler());
  for (let count = 0; count < 1_000; count += 1) world.runtime.send(a, { type: 'seen.flood' });
  world.runtime.send(b, { type: 'seen.one' });

  while (world.seen(b).length === 0) world.runtime.step();

  expect(world.seen(a).length).toBe(32);
});

test('clause 29: a choosing scheduler is offered the head of each pair, and can have any of them', async () => {
  const offered: string[][] = [];
  const world = new World(
    choosingScheduler((candidates) => offered.push(candidates.map(({ from, what }) => `${from} ${what}`)) && candidates.length - 1),
  );
  const [a, b, c] = [await world.puppet('a'), await world.puppet('b'), await world.puppet('c')];
  world.tell(a, send(c, 'seen.a1'), send(c, 'seen.a2'));
  offered.length = 0;

  world.runtime.send(a, { type: 'do', effects: [send(c, 'seen.a3'), send(c, 'seen.a4')] });
  world.runtime.step();
  world.runtime.send(b, { type: 'do', effects: [send(c, 'seen.b1')] });
  world.runtime.drain();

  expect({ offered, seen: world.seen(c).map(({ type }) => type).slice(2) }).toEqual({
    offered: [['a#1 seen.a3', 'outside do'], ['a#1 seen.a3', 'b#2 seen.b1']],
    seen: ['seen.b1', 'seen.a3', 'seen.a4'],
  });
});

async function linesOf(scheduler: Scheduler): Promise<string> {
  const lines: string[] = [];
  const family = await Family.start({ a: {}, b: {}, c: {} }, { strategy: 'rest_for_one' }, new World(scheduler));
  family.world.runtime.trace((record) => lines.push(toTraceLine(record)));
  for (const id of ['@b', '@a', '@c'] as const) family.world.runtime.send(id, { type: 'fail' });
  family.world.runtime.drain();
  return lines.join('\n');
}

test('clause 29: the same seed gives the same trace, and so do the choices that it made', async () => {
  const original = randomScheduler(11);
  const first = await linesOf(original);

  expect([await linesOf(randomScheduler(11)), await linesOf(replayScheduler(original.choices))]).toEqual([first, first]);
});

test('clause 30: nothing is traced before or after somebody listens, and inspection begins with those who live', async () => {
  const { world, a, b } = await strangers();
  const traced: string[] = [];
  const inspected: InspectionEvent[] = [];
  const endInspection = world.runtime.inspect((event) => inspected.push(event));
  const endTrace = world.runtime.trace(({ type }) => traced.push(type));
  world.send(a, { type: 'sleep' });
  const counts = [traced.length, inspected.length];

  endInspection();
  endTrace();
  world.send(b, { type: 'sleep' });

  expect({
    traced,
    after: [traced.length, inspected.length],
    born: inspected.filter(({ type }) => type === '@xstate.actor').length,
  }).toEqual({
    traced: ['send', 'deliver', 'transition'],
    after: counts,
    born: 4,
  });
});

test('clause 41: a PCT run keeps one sender back while many others go by, at least as often as its theorem says', async () => {
  const others = 6;
  const runs = 300;
  let found = 0;
  for (let seed = 0; seed < runs; seed += 1) {
    const { world, a, b, c } = await strangers('', pctScheduler({ seed, depth: 1, stepsMax: 100 }));
    world.runtime.send(a, { type: 'do', effects: [send(c, 'seen.late')] });
    world.runtime.send(b, { type: 'do', effects: Array.from({ length: others }, () => send(c, 'seen.other')) });
    world.runtime.drain();
    if (world.seen(c).at(-1)?.type === 'seen.late') found += 1;
  }

  // From outside to a and to b, from them to c.
  const channels = 4;
  expect(found).toBeGreaterThanOrEqual(runs / channels);
});
