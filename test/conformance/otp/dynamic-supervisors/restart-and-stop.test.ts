/** Dynamic supervisors: which child comes back, how often, and how one, several or all are ended. */
import { describe, expect, test } from 'vitest';
import type { ExitReason } from '../../../../src/otp/process.ts';
import { familySpec, FAILS_FOR_EVER } from '../../../support/otp/family.ts';
import { Nursery, nurserySpec } from '../../../support/otp/nursery.ts';
import { World } from '../../../support/otp/world.ts';

const CRASH: ExitReason = { error: { name: 'Error', message: 'crash' } };

describe('restart', () => {
  test.each([
    ['temporary', 'normal', 0],
    ['temporary', CRASH, 0],
    ['transient', 'normal', 0],
    ['transient', 'shutdown', 0],
    ['transient', { shutdown: 'moved' }, 0],
    ['transient', CRASH, 1],
    ['permanent', 'normal', 1],
    ['permanent', 'shutdown', 1],
    ['permanent', CRASH, 1],
  ] as const)('S6-014 S6-020 %s, %o: %i is left, beside the others', async (restart, reason, left) => {
    const nursery = await Nursery.start();
    await nursery.add('a', { restart });
    await nursery.add('b');

    nursery.end('a', reason);

    const count = 1 + left;
    expect({ b: nursery.running.includes('b#3'), counts: await nursery.counts() }).toEqual({ b: true, counts: [count, count, 0, count] });
  });

  test('S6-015 it comes up: a new pid; it is not needed: gone; it fails: tried again', async () => {
    const nursery = await Nursery.start({ maxRestarts: 9 });
    await nursery.add('up');
    await nursery.add('unneeded', { starts: ['up', 'ignore'] });
    await nursery.add('failing', { starts: ['up', 'fail', 'fail', 'up'] });

    for (const id of ['up', 'unneeded', 'failing']) nursery.end(id, CRASH);

    expect({ running: nursery.running, counts: await nursery.counts() }).toEqual({ running: ['up#5', 'failing#9'], counts: [2, 2, 0, 2] });
  });

  test('S5-060 S6-015 a transient one that is not needed any more is gone, too', async () => {
    const nursery = await Nursery.start();
    await nursery.add('a', { restart: 'transient', starts: ['up', 'ignore'] });

    nursery.end('a', CRASH);

    expect(await nursery.counts()).toEqual([0, 0, 0, 0]);
  });

  test('S6-017 the first try fails, the second does not: two restarts suffice', async () => {
    const nursery = await Nursery.start({ maxRestarts: 2 });
    await nursery.add('a', { starts: ['up', 'fail'] });

    nursery.end('a', CRASH);

    expect({ reason: nursery.reason, counts: await nursery.counts() }).toEqual({ reason: undefined, counts: [1, 1, 0, 1] });
  });

  test('S6-018 ten tries that fail are one too many for nine: all end, and who started it is told', async () => {
    const world = new World();
    const owner = await world.puppet('owner', {
      trapExit: true,
      spawns: { nursery: () => nurserySpec({ name: '@nursery', maxRestarts: 9 }) },
    });
    world.tell(owner, { type: 'start', params: { template: 'nursery', as: 'nursery', link: true } });
    await world.ask('@nursery', {
      type: 'startChild',
      template: 'puppet',
      args: { type: 'args', id: 'a', plan: { starts: FAILS_FOR_EVER } },
    });

    world.send('@a', { type: 'fail' });

    expect({ told: world.seen(owner).at(-1), tries: world.exits.filter(({ process }) => process.includes('/a#')).length }).toMatchObject({
      told: { type: 'EXIT', reason: 'shutdown' },
      tries: 10,
    });
  });

  test('S6-016 S6-020 while tries go on it counts as a specification and a worker, not as active', async () => {
    const nursery = await Nursery.start({ maxRestarts: 1_000_000 });
    await nursery.add('a', { starts: FAILS_FOR_EVER });
    await nursery.add('b');
    nursery.crashInLoop('a');

    const asked = nursery.world.runtime.call(nursery.pid, { type: 'whichChildren' });
    const counted = nursery.world.runtime.call(nursery.pid, { type: 'countChildren' });
    nursery.world.run(200);

    expect([await asked, await counted]).toMatchObject([
      { children: [{ id: 'a', pid: undefined, status: 'restarting' }, { id: 'b', status: 'up' }] },
      { specs: 2, active: 1, supervisors: 0, workers: 2 },
    ]);
  });

  test('S6-020 a supervisor below counts as one', async () => {
    const nursery = await Nursery.start({ templates: { below: () => ({ start: () => familySpec({ deep: {} }) }) } });

    await nursery.ask({ type: 'startChild', template: 'below', args: { type: 'args' } });

    expect(await nursery.counts()).toEqual([1, 1, 1, 0]);
  });
});

describe('the end of one', () => {
  test.each([
    ['that obeys', {}, 0, 'shutdown'],
    ['that does not, within its time', { stubborn: true, shutdown: 100 }, 100, 'killed'],
    ['killed at once', { shutdown: 'brutal_kill' }, 0, 'killed'],
    ['with no time at all', { stubborn: true, shutdown: 0 }, 0, 'killed'],
    ['with a millisecond', { stubborn: true, shutdown: 1 }, 1, 'killed'],
  ] as const)('S6-021 S6-026 %s: and a second request finds nobody', async (_, plan, ms, reason) => {
    const nursery = await Nursery.start();
    const { pid } = await nursery.add('a', plan);

    const asked = nursery.ask({ type: 'terminateChild', pid });
    nursery.world.advance(ms);

    expect({ first: await asked, second: await nursery.ask({ type: 'terminateChild', pid }), ends: nursery.ends }).toEqual({
      first: { type: 'child.terminated', id: 'a' },
      second: { type: 'child.refused', reason: 'not_found' },
      ends: [['a', reason]],
    });
  });

  test('S6-021 a permanent child that somebody has ended does not come back', async () => {
    const nursery = await Nursery.start({ maxRestarts: 0 });
    await nursery.add('a', { restart: 'permanent' });

    await nursery.ask({ type: 'terminateChild', id: 'a' });

    expect({ running: nursery.running, counts: await nursery.counts(), reason: nursery.reason }).toEqual({
      running: [],
      counts: [0, 0, 0, 0],
      reason: undefined,
    });
  });

  test('S6-021 while it waits for one child, the supervisor goes on answering (OTP: it does not)', async () => {
    const nursery = await Nursery.start();
    await nursery.add('a', { stubborn: true, shutdown: 100 });
    const asked = nursery.ask({ type: 'terminateChild', id: 'a' });

    const meanwhile = await nursery.add('b');
    nursery.world.advance(100);

    expect([meanwhile.type, (await asked).type]).toEqual(['child.started', 'child.terminated']);
  });
});

describe('the end of all', () => {
  test('S6-023 all are told at once; each has its own time; who has not obeyed when that is over is killed', async () => {
    const nursery = await Nursery.start();
    await nursery.add('quick', { shutdown: 1_000 });
    await nursery.add('slow', { stubborn: true, shutdown: 1_000 });
    await nursery.add('slower', { stubborn: true, shutdown: 2_000 });
    await nursery.add('brutal', { stubborn: true, shutdown: 'brutal_kill' });

    nursery.world.exit(nursery.pid, 'shutdown');
    const timers = nursery.world.runtime.processInfo(nursery.pid)?.timers.length;
    const steps = [nursery.ends.length];
    for (const ms of [999, 1, 999, 1]) {
      nursery.world.advance(ms);
      steps.push(nursery.ends.length);
    }

    expect({ timers, steps, ends: nursery.ends }).toEqual({
      timers: 2,
      steps: [2, 2, 3, 3, 5],
      ends: [['quick', 'shutdown'], ['brutal', 'killed'], ['slow', 'killed'], ['slower', 'killed'], ['nursery', 'shutdown']],
    });
  });

  test.each(['permanent', 'transient', 'temporary'] as const)(
    'S6-024 %s children that end as they like: their reasons are told, nobody comes back',
    async (restart) => {
      const nursery = await Nursery.start();
      const endings = { a: { shutdown: 'done' }, b: 'normal', c: CRASH } as const;
      for (const id of Object.keys(endings)) await nursery.add(id, { restart, stubborn: true });

    nursery.world.exit(nursery.pid, 'shutdown');
    for (const [id, reason] of Object.entries(endings)) nursery.end(id, reason);

    expect(nursery.ends).toEqual([...Object.entries(endings), ['nursery', 'shutdown']]);
  });

  test('S6-025 S6-026 without limit, killed at once, and no time at all: each by its own rule', async () => {
    const nursery = await Nursery.start();
    await nursery.add('patient', { stubborn: true, shutdown: 'infinity' });
    await nursery.add('brutal', { stubborn: true, shutdown: 'brutal_kill' });
    await nursery.add('zero', { stubborn: true, shutdown: 0 });
    await nursery.add('one', { stubborn: true, shutdown: 1 });

    nursery.world.exit(nursery.pid, 'shutdown');
    nursery.world.advance(0);
    nursery.world.advance(1_000_000);
    const before = [...nursery.ends];
    nursery.end('patient', 'shutdown');

    expect({ before, after: nursery.ends.slice(3) }).toEqual({
      before: [['brutal', 'killed'], ['zero', 'killed'], ['one', 'killed']],
      after: [['patient', 'shutdown'], ['nursery', 'shutdown']],
    });
  });

  test.each([10, 1_000])('S6-027 %i children: one order and one end each', async (count) => {
    const nursery = await Nursery.start();
    for (let index = 0; index < count; index += 1) await nursery.addNameless();
    const { handled = 0 } = nursery.world.runtime.processInfo(nursery.pid) ?? {};
    let last = 0;
    nursery.world.runtime.trace((record) => {
      if (record.type === 'deliver' && record.to === nursery.pid) last += 1;
    });

    nursery.world.exit(nursery.pid, 'shutdown');

    // Each child: the request, what came of it in the table, its acknowledgement, the answer; then one EXIT each.
    expect({ perChild: handled / count, perEnd: Math.round(last / count), left: nursery.running }).toEqual({
      perChild: 4,
      perEnd: 1,
      left: [],
    });
  });
});
