/** A child that is ended by request, or that has tried to leave its supervisor: what stays of it, and who waits meanwhile. */
import { expect, test } from 'vitest';
import { Family } from '../../../support/otp/family.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

test.each(['permanent', 'transient'] as const)(
  'S5-103 S5-070 a %s child does not come back by itself, and no restart is counted',
  async (restart) => {
    const family = await Family.start({ a: { restart }, b: {} }, { maxRestarts: 0 });

  const terminated = await family.ask({ type: 'terminateChild', id: 'a' });
  const before = family.running;
  const restarted = await family.ask({ type: 'restartChild', id: 'a' });

  expect({ terminated, before, restarted }).toEqual({
    terminated: { type: 'child.terminated', id: 'a' },
    before: ['b#3'],
    restarted: { type: 'child.started', id: 'a', pid: 'sup/a#4' },
  });
});

test('S5-102 a temporary child is gone with its specification', async () => {
  const family = await Family.start({ a: { restart: 'temporary' } });

  const answers = [];
  for (const type of ['terminateChild', 'restartChild', 'deleteChild']) answers.push(await family.ask({ type, id: 'a' }));

  expect(answers.map(({ type, reason }) => reason ?? type)).toEqual(['child.terminated', 'not_found', 'not_found']);
});

test('S5-046 a temporary child that has ended can be asked for again', async () => {
  const family = await Family.start({});
  const pids = [];
  for (const reason of ['normal', 'killed', { shutdown: 'moved' }] as const) {
    pids.push((await family.add('a', { restart: 'temporary' })).pid);
    family.end('a', reason);
  }

  expect({ pids, counts: await family.counts() }).toEqual({ pids: ['sup/a#2', 'sup/a#3', 'sup/a#4'], counts: [0, 0, 0, 0] });
});

test('S5-044 a transient child that shut down can be restarted, and shut down again', async () => {
  const family = await Family.start({ a: { restart: 'transient' } });
  family.end('a', 'shutdown');
  const first = await family.counts();

  const restarted = await family.ask({ type: 'restartChild', id: 'a' });
  family.end('a', { shutdown: 'moved' });

  expect({ first, restarted, second: await family.counts() }).toEqual({
    first: [1, 0, 0, 1],
    restarted: { type: 'child.started', id: 'a', pid: 'sup/a#3' },
    second: [1, 0, 0, 1],
  });
});

test('S5-056 one_for_all: a child that somebody has ended is started with the group', async () => {
  const family = await Family.start({ a: {}, b: {} }, { strategy: 'one_for_all' });
  await family.ask({ type: 'terminateChild', id: 'b' });

  family.crash('a');

  expect(family.running).toEqual(['a#4', 'b#5']);
});

test('S5-095 a child that has unlinked its supervisor ends all the same, and the supervisor goes on', async () => {
  const family = await Family.start({ a: {} });
  family.world.tell('@a', { type: 'unlink', params: { process: family.pid } });

  const answer = await family.ask({ type: 'terminateChild', id: 'a' });

  expect({ answer, ends: family.endsSince(), counts: await family.counts() }).toEqual({
    answer: { type: 'child.terminated', id: 'a' },
    ends: ['a shutdown'],
    counts: [1, 0, 0, 1],
  });
});

test('S5-095 a child cannot leave its supervisor: when it crashes after an unlink, it comes back (OTP: nobody notices)', async () => {
  const family = await Family.start({ a: {} });
  family.world.tell('@a', { type: 'unlink', params: { process: family.pid } });

  family.crash('a');

  expect(family.running).toEqual(['a#3']);
});

test.each(STRATEGIES)(
  'S5-098 %s: who asks while it waits for a child to end is answered afterwards, and a crash meanwhile is dealt with',
  async (strategy) => {
    const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 100 } }, { strategy });
    const { runtime } = family.world;
    const answered: string[] = [];
    for (const request of [
      { type: 'terminateChild', id: 'b' },
      { type: 'whichChild', id: 'b' },
    ])
      void runtime.call(family.pid, request).then(({ type }) => answered.push(type));
    runtime.drain();
    family.crash('a');
    await family.world.settle();
    const before = [...answered];

  family.world.advance(100);
  await family.world.settle();

  expect({ before, answered, running: family.running.map((pid) => pid.slice(0, 1)) }).toEqual({
    before: [],
    answered: ['child.terminated', 'child'],
    running: strategy === 'one_for_one' ? ['a'] : ['a', 'b'],
  });
});

test('S5-121 a significant child that somebody ends, ends nobody', async () => {
  const significant = { restart: 'transient', significant: true } as const;
  const family = await Family.start(
    { a: significant, b: { ...significant, restart: 'temporary' }, c: {} },
    { autoShutdown: 'any_significant' },
  );

  await family.ask({ type: 'terminateChild', id: 'a' });
  await family.ask({ type: 'terminateChild', id: 'b' });

  expect(family.running).toEqual(['c#4']);
});
