/** A restart that fails is tried again at once and for as long as the intensity allows; meanwhile the supervisor can be asked. */
import { describe, expect, test } from 'vitest';
import { FAILS_FOR_EVER, Family, type StartPlan } from '../../../support/otp/family.ts';
import { Nursery } from '../../../support/otp/nursery.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

/** Fails so often, then comes up. */
function failing(times: number): StartPlan {
  return ['up', ...Array.from({ length: times }, () => 'fail' as const)];
}

/** A child whose restart never succeeds, in the midst of the tries. */
async function inLoop(strategy: (typeof STRATEGIES)[number] = 'one_for_one'): Promise<Family> {
  const family = await Family.start({ a: { starts: FAILS_FOR_EVER }, b: {} }, { strategy, maxRestarts: 1_000_000 });
  family.crashInLoop('a');
  return family;
}

describe('between two tries', () => {
  test.each(STRATEGIES)('S5-072 %s: it goes back to its mailbox, where others wait; and no time passes', async (strategy) => {
    const family = await inLoop(strategy);
    const before = family.world.exits.length;

    const { specs } = await family.ask({ type: 'countChildren' });

    expect({
      specs,
      tries: family.world.exits.length > before,
      nowMs: family.world.clock.nowMs(),
      timers: family.world.clock.pendingTimers,
    }).toEqual({
      specs: 2,
      tries: true,
      nowMs: 0,
      timers: 0,
    });
  });

  test('S5-073 it is listed and counted as restarting', async () => {
    const family = await inLoop();

    expect({ children: await family.children(), counts: await family.counts() }).toEqual({
      children: ['a restarting', 'b sup/b#3'],
      counts: [2, 1, 0, 2],
    });
  });

  test.each(STRATEGIES)('S5-073 S5-075 %s: terminateChild ends the tries: it is down and stays so', async (strategy) => {
    const family = await inLoop(strategy);

    const answer = await family.ask({ type: 'terminateChild', id: 'a' });
    family.world.run(200);
    const before = family.world.exits.length;
    family.world.run(200);

    const { child } = await family.ask({ type: 'whichChild', id: 'a' });
    expect({ answer, child, tries: family.world.exits.length - before }).toEqual({
      answer: { type: 'child.terminated', id: 'a' },
      child: { id: 'a', pid: undefined, status: 'down', type: 'worker' },
      tries: 0,
    });
  });

  test('S5-073 then restartChild starts it', async () => {
    const family = await Family.start({ a: { starts: failing(100) } }, { maxRestarts: 1_000_000 });
    family.crashInLoop('a', 100);
    await family.ask({ type: 'terminateChild', id: 'a' });

    const answers = [];
    for (let count = 0; count < 100 && answers.at(-1) !== 'child.started'; count += 1) {
      answers.push((await family.ask({ type: 'restartChild', id: 'a' })).type);
    }

    expect({ last: answers.at(-1), counts: await family.counts() }).toEqual({ last: 'child.started', counts: [1, 1, 0, 1] });
  });

  test('S5-075 another try of a child that was deleted meanwhile, or that runs again, changes nothing', async () => {
    const family = await Family.start({ a: { starts: ['up', 'fail', 'up'] }, b: {} });
    family.crashInLoop('a', 4);
    const asked = [
      family.world.runtime.call(family.pid, { type: 'terminateChild', id: 'a' }),
      family.world.runtime.call(family.pid, { type: 'deleteChild', id: 'a' }),
    ];
    family.world.runtime.drain();

    expect({ asked: (await Promise.all(asked)).map(({ type }) => type), running: family.running, counts: await family.counts() }).toEqual({
      asked: ['child.terminated', 'child.deleted'],
      running: ['b#3'],
      counts: [1, 1, 0, 1],
    });
  });
});

test('S5-077 two of three fail for a while: one is active, and three when they are back', async () => {
  const family = await Family.start({ a: {}, b: { starts: failing(100) }, c: { starts: failing(100) } }, { maxRestarts: 1_000_000 });
  family.crashInLoop('b', 50);
  family.crashInLoop('c', 50);

  const during = await family.world.ask(family.pid, { type: 'countChildren' }, 60);
  family.world.runtime.drain();

  expect({ during, after: await family.counts() }).toEqual({
    during: { type: 'children.counted', specs: 3, active: 1, supervisors: 0, workers: 3 },
    after: [3, 3, 0, 3],
  });
});

describe('dynamic', () => {
  test('S5-076 S6-016 it is listed as restarting, and is not active', async () => {
    const nursery = await Nursery.start({ maxRestarts: 1_000_000 });
    await nursery.add('a', { starts: FAILS_FOR_EVER });
    nursery.crashInLoop('a');

    const asked = ['whichChildren', 'countChildren'].map((type) => nursery.world.runtime.call(nursery.pid, { type }));
    nursery.world.run(200);

    expect(await Promise.all(asked)).toEqual([
      { type: 'children', children: [{ id: 'a', pid: undefined, status: 'restarting', type: 'worker' }] },
      { type: 'children.counted', specs: 1, active: 0, supervisors: 0, workers: 1 },
    ]);
  });

  test('S5-078 S6-022 it is found by the pid that it had when it last ran; ended by it, it is gone, and no try follows', async () => {
    const nursery = await Nursery.start({ maxRestarts: 1_000_000 });
    const { pid } = await nursery.add('a', { starts: FAILS_FOR_EVER });
    nursery.crashInLoop('a');

    const answers = [await nursery.ask({ type: 'terminateChild', pid }), await nursery.ask({ type: 'terminateChild', pid })];
    nursery.world.run(200);
    const before = nursery.ends.length;
    nursery.world.run(200);

    expect({ answers, tries: nursery.ends.length - before, counts: await nursery.counts() }).toEqual({
      answers: [{ type: 'child.terminated', id: 'a' }, { type: 'child.refused', reason: 'not_found' }],
      tries: 0,
      counts: [0, 0, 0, 0],
    });
  });

  test('S5-078 once it is up again it is found by its new pid alone', async () => {
    const nursery = await Nursery.start();
    const { pid } = await nursery.add('a', { starts: ['up', 'fail', 'up'] });
    nursery.end('a', 'killed');

    const answers = [
      await nursery.ask({ type: 'whichChild', pid }),
      await nursery.ask({ type: 'whichChild', pid: nursery.world.runtime.whereis('@a') }),
    ];

    expect(answers).toEqual([
      { type: 'child.refused', reason: 'not_found' },
      { type: 'child', child: { id: 'a', pid: 'nursery/a#4', status: 'up', type: 'worker' } },
    ]);
  });
});
