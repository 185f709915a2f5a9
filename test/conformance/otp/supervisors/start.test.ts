/** How a supervisor comes up: each child when the one before is up. What is left of a start that fails, or is not needed. */
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import type { ChildSpec } from '../../../../src/otp/supervision/child-spec.ts';
import type { ProcessSpec } from '../../../../src/otp/process.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { childSpec, Family, familySpec, type ChildPlan } from '../../../support/otp/family.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

describe('in order', () => {
  test.each(STRATEGIES)(
    'S5-028 %s: each child begins when the one before is up; the list is in that order (OTP: newest first)',
    async (strategy) => {
      const world = new World();
      const plans: Readonly<Record<string, ChildPlan>> = { z: { starts: ['slow'] }, a: {} };
      const started = world.start(familySpec(plans, { strategy }), 'sup');
      const before = world.runtime.printTree();

    world.send('@z', { type: 'up' });

    const { children } = await world.ask(await started, { type: 'whichChildren' });
    expect({ before, children }).toEqual({
      before: 'sup sup#1 starting\n└─ z sup/z#2 connecting',
      children: [
        { id: 'z', pid: 'sup/z#2', status: 'up', type: 'worker' },
        { id: 'a', pid: 'sup/a#3', status: 'up', type: 'worker' },
      ],
    });
  });

  test('S5-028 with no children it is up at once', async () => {
    const family = await Family.start({});

    expect({ state: family.state, counts: await family.counts() }).toEqual({ state: 'running', counts: [0, 0, 0, 0] });
  });
});

describe('a first start that fails', () => {
  test.each(STRATEGIES)(
    'S5-031 S5-033 %s: those before it are ended in reverse order, those behind it are never started, nothing is tried again',
    async (strategy) => {
      const world = new World();
      const born: string[] = [];
      world.runtime.trace((record) => record.type === 'spawn' && born.push(record.process));

      const outcome: unknown = await Family.start(
        { a: {}, b: {}, c: { starts: ['fail', 'up'] }, d: {} },
        { strategy, maxRestarts: 9 },
        world,
      ).catch((error: unknown) => error);

      expect({ outcome, born, ends: world.exits.map(({ process }) => process), tree: world.runtime.tree() }).toMatchObject({
        outcome: {
          name: 'StartError',
          reason: { shutdown: { type: 'failed_to_start_child', id: 'c', reason: { error: { message: 'c cannot start' } } } },
        },
        born: ['sup#1', 'sup/a#2', 'sup/b#3', 'sup/c#4'],
        ends: ['sup/c#4', 'sup/b#3', 'sup/a#2', 'sup#1'],
        tree: [],
      });
    },
  );

  test.each<readonly [string, () => ProcessSpec, unknown]>([
    ['a start that throws an error', () => thrower(new TypeError('oops')), { error: { name: 'TypeError', message: 'oops' } }],
    ['a start that throws a value', () => thrower('oops'), { error: { message: 'oops' } }],
    ['a start that gives no process', () => JSON.parse('null') as ProcessSpec, { error: { name: 'TypeError' } }],
    ['a port that does not open', () => ({ open: () => Promise.reject(new Error('refused')) }), { error: { message: 'refused' } }],
    ['a machine that throws at once', () => ({ machine: crashing }), { error: { message: 'boom' } }],
    ['a machine that ends before it is up', () => ({ machine: givingUp }), { shutdown: 'no luck' }],
    ['a name that is taken', () => puppetSpec({ name: '@taken' }), { error: { name: 'already_started' } }],
  ])('S5-032 %s', async (_, start, reason) => {
    const world = new World();
    await world.puppet('holder', { name: '@taken' });
    const starting = world.runtime
      .start(supervisor({ strategy: 'one_for_one', children: [{ id: 'a', start }] }), { id: 'sup' })
      .catch((error: unknown) => error);

    world.runtime.drain();
    await world.settle();

    expect(await starting).toMatchObject({ name: 'StartError', reason: { shutdown: { type: 'failed_to_start_child', id: 'a', reason } } });
  });

  test('S5-039 deep in a tree: the reason says the way down to the child', async () => {
    const world = new World();
    const below: ChildSpec = { id: 'below', start: () => familySpec({ leaf: { starts: ['fail'] } }) };

    const outcome: unknown = await world
      .start(supervisor({ strategy: 'one_for_one', children: [below] }), 'top')
      .catch((error: unknown) => error);

    const inner = { shutdown: { type: 'failed_to_start_child', id: 'leaf', reason: { error: { message: 'leaf cannot start' } } } };
    expect(outcome).toMatchObject({
      name: 'StartError',
      reason: { shutdown: { type: 'failed_to_start_child', id: 'below', reason: inner } },
    });
  });

  test.each<readonly [string, () => ProcessSpec, unknown]>([
    ['whose first child fails', () => familySpec({ a: { starts: ['fail'] } }), { shutdown: { type: 'failed_to_start_child', id: 'a' } }],
    [
      'that cannot be made (OTP: of which init returns garbage)',
      () => supervisor({ strategy: 'one_for_one', children: [], maxRestarts: -1 }),
      { error: { name: 'InvalidSpecError' } },
    ],
    ['whose making throws (OTP: of which init raises)', () => thrower(new Error('oops')), { error: { message: 'oops' } }],
  ])('S5-030 a supervisor %s: who started it is told once, and gets no EXIT though it traps', async (_, start, reason) => {
    const world = new World();
    const starter = await world.puppet('starter', { trapExit: true, spawns: { sup: start } });

    world.tell(starter, { type: 'start', params: { template: 'sup', as: 'sup' } });
    world.advance(100);

    expect(world.seen(starter)).toMatchObject([{ type: 'sup.failed', reason }]);
  });
});

describe('a child that is not needed', () => {
  test.each(['permanent', 'transient'] as const)('S5-034 %s: it is down, its specification is kept, the others start', async (restart) => {
    const family = await Family.start({ a: { starts: ['ignore'], restart }, b: {} });

    expect({ children: await family.children(), counts: await family.counts() }).toEqual({
      children: ['a down', 'b sup/b#3'],
      counts: [2, 1, 0, 2],
    });
  });

  test('S5-034 temporary: its specification is gone', async () => {
    const family = await Family.start({ a: { starts: ['ignore'], restart: 'temporary' }, b: {} });

    expect({ children: await family.children(), counts: await family.counts() }).toEqual({ children: ['b sup/b#3'], counts: [1, 1, 0, 1] });
  });

  test('S5-029 a supervisor that is not needed (OTP: init says so): its own does without it, and no start has failed', async () => {
    const family = await Family.start(
      {},
      { children: [{ id: 'below', start: () => ({ open: () => 'ignore' as const }), type: 'supervisor' }, childSpec('a')] },
    );
    family.world.advance(100);

    expect({ children: await family.children(), counts: await family.counts(), ends: family.endsSince() }).toEqual({
      children: ['below down', 'a sup/a#3'],
      counts: [2, 1, 1, 1],
      ends: ['below normal'],
    });
  });

  test('S5-029 started by a process: it is told so, and gets no EXIT though it traps', async () => {
    const world = new World();
    const starter = await world.puppet('starter', { trapExit: true, spawns: { sup: () => ({ open: () => 'ignore' }) } });

    world.tell(starter, { type: 'start', params: { template: 'sup', as: 'sup', id: 'sup' } });
    world.advance(100);

    expect(world.seen(starter)).toEqual([{ type: 'sup.failed', id: 'sup', reason: 'ignore' }]);
  });
});

test.each(STRATEGIES)('S5-038 %s: a supervisor traps exits: the crash of somebody linked to it does not end it', async (strategy) => {
  const family = await Family.start({ a: {} }, { strategy });
  const stranger = await family.world.puppet('stranger');
  family.world.tell(stranger, { type: 'link', params: { process: family.pid } });

  family.world.send(stranger, { type: 'fail' });

  expect({ stranger: family.world.isAlive(stranger), running: family.running }).toEqual({ stranger: false, running: ['a#2'] });
});

const crashing = setup({
  actions: {
    boom: () => {
      throw new Error('boom');
    },
  },
}).createMachine({ id: 'crashing', entry: 'boom' });

/** Ends before it has said that it is up. */
const givingUp = setup({}).createMachine({
  id: 'giving-up',
  initial: 'gone',
  states: { gone: { type: 'final' } },
  output: { reason: { shutdown: 'no luck' } },
});

function thrower(thrown: unknown): never {
  throw thrown;
}
