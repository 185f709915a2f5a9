/** Why a supervisor has ended, row by row, and that nobody below it is left; and what the records of it say. */
import { describe, expect, test } from 'vitest';
import { InvalidSpecError } from '../../../../src/otp/supervision/child-spec-faults.ts';
import type { ExitReason } from '../../../../src/otp/process.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { Family, type ChildPlan } from '../../../support/otp/family.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';

const plans: Readonly<Record<string, ChildPlan>> = { a: {}, b: {}, c: { restart: 'transient', significant: true } };

function stop(family: Family, reason: ExitReason): void {
  void family.world.runtime.stop(family.pid, reason);
  family.world.runtime.drain();
}

describe('an end', () => {
  test.each<readonly [string, (family: Family) => void, ExitReason]>([
    ['the restarts are exhausted', (family) => family.crash('a'), 'shutdown'],
    ['auto-shutdown', (family) => family.end('c', 'normal'), 'shutdown'],
    ['its own supervisor ends it', (family) => family.world.exit(family.pid, { shutdown: 'drain' }), { shutdown: 'drain' }],
    ['it is stopped from outside, with normal', (family) => stop(family, 'normal'), 'normal'],
  ])('S5-129 S5-126 %s: for this reason, and after all its children', async (_, bringAbout, reason) => {
    const family = await Family.start(plans, { maxRestarts: 0, autoShutdown: 'any_significant' });

    bringAbout(family);

    const order = family.world.exits.map(({ process }) => process);
    expect({ reason: family.reason, last: order.at(-1), ended: order.length, left: family.world.runtime.tree() }).toEqual({
      reason,
      last: 'sup#1',
      ended: 4,
      left: [],
    });
  });

  test('S5-129 killed: the children are gone, but after it', async () => {
    const family = await Family.start(plans, { autoShutdown: 'any_significant' });

    family.world.exit(family.pid, 'kill');

    expect({ reason: family.reason, first: family.world.exits[0]?.process, left: family.world.runtime.tree() }).toEqual({
      reason: 'killed',
      first: 'sup#1',
      left: [],
    });
  });
});

describe('a start that fails', () => {
  test('S5-129 a child that does not start: failed_to_start_child, its id and its reason', async () => {
    const world = new World();

    const outcome: unknown = await Family.start({ a: {}, b: { starts: ['fail'] } }, {}, world).catch((error: unknown) => error);

    expect({ outcome, left: world.runtime.tree() }).toMatchObject({
      outcome: { reason: { shutdown: { type: 'failed_to_start_child', id: 'b', reason: { error: { message: 'b cannot start' } } } } },
      left: [],
    });
  });

  test('S5-129 a faulty specification: the fault, and no process was there', () => {
    const make = () => supervisor({ strategy: 'one_for_one', maxSeconds: 0, children: [] });

    expect(make).toThrow(new InvalidSpecError({ code: 'invalid_period', value: 0 }));
  });

  test('S5-129 the making of a supervisor throws below another: its reason says with what', async () => {
    const world = new World();
    const below = {
      id: 'below',
      start: () => {
        throw new RangeError('no room');
      },
    };

    const outcome: unknown = await world
      .start(supervisor({ strategy: 'one_for_one', children: [below] }), 'top')
      .catch((error: unknown) => error);

    expect(outcome).toMatchObject({ reason: { shutdown: { id: 'below', reason: { error: { name: 'RangeError', message: 'no room' } } } } });
  });
});

/** OTP writes reports to a log; here they are records that whoever listens gets. A record of a stop is the exit's reason. */
describe('records', () => {
  test('S5-134 of a start, a crash and a restart: which process, of which supervisor, with which reason', async () => {
    const world = new World();
    const told: unknown[] = [];
    world.runtime.lifecycle((record) => told.push(record));
    const family = await Family.start({ a: {} }, {}, world);

    family.end('a', { error: { name: 'Error', message: 'crash' } });

    expect(told).toMatchObject([
      { type: 'spawn', process: 'sup#1', parent: 'outside' },
      { type: 'spawn', process: 'sup/a#2', parent: 'sup#1', name: '@a' },
      { type: 'exit', process: 'sup/a#2', reason: { error: { name: 'Error', message: 'crash' } } },
      { type: 'spawn', process: 'sup/a#3', parent: 'sup#1' },
      { type: 'restart', supervisor: 'sup#1', id: 'a', process: 'sup/a#3' },
    ]);
  });

  test('S5-134 of an end of all: each with its own reason, in the order of the ends', async () => {
    const family = await Family.start({ a: {}, b: { shutdown: 'brutal_kill' } });
    const told: unknown[] = [];
    family.world.runtime.lifecycle((record) => told.push(record));

    family.world.exit(family.pid, { shutdown: 'drain' });

    expect(told).toEqual([
      { type: 'exit', process: 'sup/b#3', reason: 'killed' },
      { type: 'exit', process: 'sup/a#2', reason: 'shutdown' },
      { type: 'exit', process: 'sup#1', reason: { shutdown: 'drain' } },
    ]);
  });

  test('S5-134 a process says how often it was restarted', async () => {
    const family = await Family.start({ a: {} });
    family.crash('a');
    family.crash('a');

    expect(family.world.runtime.processInfo('@a')).toMatchObject({ id: 'a', parent: 'sup#1', restarts: 2 });
  });

  test('S5-134 a child that cannot be made is recorded with why', async () => {
    const world = new World();
    const told: unknown[] = [];
    world.runtime.lifecycle((record) => told.push(record));

    await Family.start({ a: { starts: ['fail'] } }, {}, world).catch(() => undefined);

    expect(told).toMatchObject([
      { type: 'spawn', process: 'sup#1' },
      { type: 'spawn', process: 'sup/a#2' },
      { type: 'exit', process: 'sup/a#2', reason: { error: { message: 'a cannot start' } } },
      { type: 'exit', process: 'sup#1', reason: { shutdown: { type: 'failed_to_start_child' } } },
    ]);
  });
});

test('registry: the names of all that a supervisor held are free when it has ended, however it ended', async () => {
  const names = [];
  for (const reason of ['shutdown', 'kill'] as const) {
    const family = await Family.start({ a: {}, b: {} });
    family.world.exit(family.pid, reason);
    names.push([
      family.world.runtime.whereis('@a'),
      family.world.runtime.whereis('@b'),
      await family.world.start(puppetSpec({ name: '@a' }), 'next'),
    ]);
  }

  expect(names).toEqual([[undefined, undefined, 'next#4'], [undefined, undefined, 'next#4']]);
});
