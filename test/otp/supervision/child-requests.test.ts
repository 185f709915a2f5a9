/** Requests that have to start or stop a child: what happens around them meanwhile, and that each is answered. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { ChildTable } from '../../../src/otp/supervision/child-table.ts';
import type { Message, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { childSpec, FAILS_FOR_EVER, Family } from '../../support/otp/family.ts';
import { Nursery } from '../../support/otp/nursery.ts';
import { World } from '../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const startX = { type: 'startChild', template: 'puppet', args: { type: 'args', id: 'x', plan: { starts: ['slow'] } } };
const stopB = { type: 'terminateChild', id: 'b' };

/** Each request with its outcome, in the order in which they came to one. */
function following(family: Family, ...requests: readonly Message[]): string[] {
  const outcomes: string[] = [];
  for (const request of requests) {
    family.world.runtime.call(family.pid, request).then(
      ({ type, reason = '' }) => outcomes.push(`${request.type} ${type} ${String(reason)}`.trim()),
      () => outcomes.push(`${request.type} failed`),
    );
  }
  family.world.runtime.drain();
  return outcomes;
}

describe('while a child is started on request', () => {
  test('other requests wait, and come in their order', async () => {
    const family = await Family.start({ a: {} });
    const outcomes = following(
      family,
      startX,
      { type: 'whichChild', id: 'x' },
      { type: 'countChildren' },
      { type: 'deleteChild', id: 'x' },
    );
    await family.world.settle();
    const before = { state: family.state, outcomes: [...outcomes] };

    family.world.send('@x', { type: 'up' });
    await family.world.settle();

    expect({ before, outcomes }).toEqual({
      before: { state: 'startingChild', outcomes: [] },
      outcomes: ['startChild child.started', 'whichChild child', 'countChildren children.counted', 'deleteChild child.refused running'],
    });
  });

  test.each(STRATEGIES)('%s: a sibling that crashes comes back afterwards', async (strategy) => {
    const family = await Family.start({ a: {} }, { strategy });
    const outcomes = following(family, startX);
    family.crash('a');
    const before = family.running;

    family.world.send('@x', { type: 'up' });
    await family.world.settle();

    expect({ before, outcomes, a: family.running.includes('a#4') }).toEqual({
      before: ['x#3'],
      outcomes: ['startChild child.started'],
      a: true,
    });
  });

  test('the order to end is obeyed at once: who waits learns of the end, and nothing stays behind', async () => {
    const family = await Family.start({ a: {} });
    const outcomes = following(family, startX, { type: 'countChildren' });

    family.world.exit(family.pid, { shutdown: 'drain' });
    await family.world.settle();

    expect({ outcomes, ends: family.endsSince(), tree: family.world.runtime.tree() }).toEqual({
      outcomes: ['startChild failed', 'countChildren failed'],
      ends: ['x shutdown', 'a shutdown', 'sup shutdown'],
      tree: [],
    });
  });
});

describe('while a child is stopped on request', () => {
  test('a sibling that crashes comes back afterwards, and a second request finds the child down', async () => {
    const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 100 } });
    const outcomes = following(family, stopB, stopB);
    family.crash('a');
    const before = { state: family.state, running: family.running };

    family.world.advance(100);
    await family.world.settle();

    expect({ before, outcomes, running: family.running, timers: family.world.clock.pendingTimers }).toEqual({
      before: { state: 'stoppingChild', running: ['b#3'] },
      outcomes: ['terminateChild child.terminated', 'terminateChild child.terminated'],
      running: ['a#4'],
      timers: 0,
    });
  });

  test('the order to end is obeyed at once', async () => {
    const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 'infinity' }, c: {} });
    const outcomes = following(family, stopB);

    family.world.exit(family.pid, 'shutdown');
    const ends = family.endsSince();
    family.end('b', 'normal');
    await family.world.settle();

    expect({ ends, outcomes, after: family.endsSince().slice(1) }).toEqual({
      ends: ['c shutdown'],
      outcomes: ['terminateChild failed'],
      after: ['b normal', 'a shutdown', 'sup shutdown'],
    });
  });

  test('one that has ended already, unnoticed, is stopped', async () => {
    const family = await Family.start({ a: {} });
    family.world.runtime.exit('@a', 'kill');
    const outcomes = following(family, { type: 'terminateChild', id: 'a' });
    await family.world.settle();

    expect({ state: family.state, outcomes: outcomes.length }).toEqual({ state: 'running', outcomes: 1 });
  });
});

test('another try of a restart is out of date when the child was deleted and added anew, even if that one waits for a try, too', () => {
  const table = new ChildTable({ strategy: 'one_for_one', children: [], templates: { x: () => childSpec('x') } });
  const pid = (count: number) => `sup/x#${count}` as Pid;
  const failRestart = (up: Pid, failed: Pid) => [
    { type: 'startChild', template: 'x', args: { type: 'args' } } as const,
    { type: 'nextToStart' } as const,
    { type: 'spawned', id: 'x', process: up, isSupervisor: false } as const,
    { type: 'started', process: up } as const,
    { type: 'exited', process: up, reason: 'killed', nowMs: 0 } as const,
    { type: 'nextToStop' } as const,
    { type: 'nextToStart' } as const,
    { type: 'spawned', id: 'x', process: failed, isSupervisor: false } as const,
    { type: 'exitedWhileStarting', process: failed, reason: 'killed' } as const,
  ];
  for (const change of failRestart(pid(1), pid(2))) table.apply(change);
  table.apply({ type: 'terminateChild', id: 'x', replyTo: 'caller!1' as ReplyTo });
  table.apply({ type: 'nextToStop' });
  table.apply({ type: 'deleteChild', id: 'x' });
  for (const change of failRestart(pid(3), pid(4))) table.apply(change);

  const tries = [2, 4].map((count) => table.apply({ type: 'retry', id: 'x', process: pid(count), nowMs: 0 }));

  expect(tries).toEqual([undefined, { type: 'restart.planned', id: 'x' }]);
});

test('a child knows how often it was started before', async () => {
  const family = await Family.start({ a: {} });
  family.crash('a');
  family.crash('a');

  expect(family.world.runtime.processInfo('@a')?.restarts).toBe(2);
});

/** What is asked, and what befalls the children, in between. */
const deed = fc.record({
  type: fc.constantFrom(
    'startChild',
    'terminateChild',
    'restartChild',
    'deleteChild',
    'getChildSpec',
    'whichChild',
    'countChildren',
    'crash',
    'finish',
    'kill',
  ),
  id: fc.constantFrom('a', 'b', 'x'),
  restart: fc.constantFrom('permanent', 'transient', 'temporary'),
  starts: fc.array(fc.constantFrom('up', 'fail', 'ignore'), { maxLength: 3 }),
  stepsBefore: fc.nat(8),
});

const life = fc.record({
  strategy: fc.constantFrom(...STRATEGIES),
  seed: fc.integer(),
  deeds: fc.array(deed, { minLength: 1, maxLength: 15 }),
  isStopped: fc.boolean(),
});

const KNOWN = new Set([
  'child.started',
  'child.ignored',
  'child.refused',
  'child.terminated',
  'child.deleted',
  'child.spec',
  'child',
  'children.counted',
  'failed',
]);

test('whatever happens, in whatever order, every request has an outcome, and only the known ones', async () => {
  await fc.assert(
    fc.asyncProperty(life, async ({ strategy, seed, deeds, isStopped }) => {
      const family = await Family.start(
        { a: {}, b: { restart: 'transient', starts: ['up', 'fail'] } },
        { strategy, maxRestarts: 6 },
        new World(randomScheduler(seed)),
      );
      const { runtime } = family.world;
      const outcomes: Promise<string>[] = [];
      for (const { type, id, restart, starts, stepsBefore } of deeds) {
        family.world.run(stepsBefore);
        if (type === 'kill') runtime.exit(`@${id}`, 'kill');
        else if (type === 'crash' || type === 'finish') runtime.send(`@${id}`, { type: type === 'crash' ? 'fail' : 'finish' });
        else {
          const request =
            type === 'startChild' ? { type, template: 'puppet', args: { type: 'args', id, plan: { restart, starts } } } : { type, id };
          outcomes.push(
            runtime.call(family.pid, request).then(
              (answer) => answer.type,
              () => 'failed',
            ),
          );
        }
      }
      if (isStopped) runtime.exit(family.pid, 'shutdown');
      runtime.drain();
      const told = await Promise.race([Promise.all(outcomes), family.world.settle().then(() => 'somebody waits in vain')]);
      expect(typeof told === 'string' ? told : told.every((outcome) => KNOWN.has(outcome))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('a sibling that waited for the restart of another, which was then stopped, is down and can be started', async () => {
  const family = await Family.start({ a: { starts: FAILS_FOR_EVER }, b: {} }, { strategy: 'one_for_all', maxRestarts: 1_000_000 });
  family.crashInLoop('b');

  const answers = [await family.ask({ type: 'terminateChild', id: 'a' }), await family.ask({ type: 'restartChild', id: 'b' })];

  expect(answers.map(({ type }) => type)).toEqual(['child.terminated', 'child.started']);
});

describe('a dynamic supervisor', () => {
  test('forgets the time-out of a child that has ended in time', async () => {
    const nursery = await Nursery.start();
    await nursery.add('a');

    await nursery.ask({ type: 'terminateChild', id: 'a' });

    expect(nursery.world.clock.pendingTimers).toBe(0);
  });

  test('a child is told to stop while it starts: whoever asked for it learns that, and whoever stopped it', async () => {
    const nursery = await Nursery.start();
    const started = nursery.add('x', { starts: ['slow'] });

    const answers = [await nursery.ask({ type: 'terminateChild', id: 'x' }), await started];

    expect(answers).toEqual([
      { type: 'child.terminated', id: 'x' },
      { type: 'child.refused', id: 'x', reason: 'shutdown' },
    ]);
  });

  test('knows a child by the pid that was up last until it is up again', async () => {
    const nursery = await Nursery.start({ maxRestarts: 1_000_000 });
    await nursery.add('a', { starts: ['up', ...Array.from({ length: 1_000 }, () => 'fail' as const)] });
    nursery.crashInLoop('a');

    const { child } = await nursery.ask({ type: 'whichChild', pid: 'nursery/a#2' });
    const answers = [
      await nursery.ask({ type: 'terminateChild', pid: 'nursery/a#2' }),
      await nursery.ask({ type: 'terminateChild', pid: 'nursery/a#2' }),
      await nursery.ask({ type: 'getChildSpec', pid: 'nursery/a#2' }),
    ];

    expect({ child, answers }).toMatchObject({
      child: { id: 'a' },
      answers: [
        { type: 'child.terminated', id: 'a' },
        { type: 'child.refused', reason: 'not_found' },
        { type: 'child.refused', reason: 'not_found' },
      ],
    });
  });
});
