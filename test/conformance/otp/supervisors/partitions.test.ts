/** One service in several partitions: who gets which key, with what each is started, and how many are in service. */
import { describe, expect, test } from 'vitest';
import { InvalidSpecError } from '../../../../src/otp/supervision/child-spec-faults.ts';
import { partitionOf, partitionSupervisor, resizePartitions } from '../../../../src/otp/supervision/partition-supervisor.ts';
import type { Address, Message, Name } from '../../../../src/otp/process.ts';
import { via } from '../../../../src/otp/kernel/registry.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { nurserySpec } from '../../../support/otp/nursery.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';

const NAME = '@pool';

async function poolOf(partitions: number): Promise<World> {
  const world = new World();
  await world.start(partitionSupervisor({ name: NAME, partitions, start: () => puppetSpec() }), 'pool');
  return world;
}

/** Who resizes waits for answers; here each comes as soon as it is asked for. */
function callerIn(world: World) {
  return { call: (to: Address, request: Message) => world.ask(to, request) };
}

describe('routing', () => {
  test('S5-135 so many children, each with its number as id (their number is always given; Elixir: the number of cores)', async () => {
    const world = await poolOf(3);

    const { children } = await world.ask(NAME, { type: 'whichChildren' });

    expect(children).toMatchObject([{ id: '0', status: 'up' }, { id: '1', status: 'up' }, { id: '2', status: 'up' }]);
  });

  test('S5-135 an integer goes to the partition of its absolute value, everything else to that of its hash, always the same', async () => {
    const world = await poolOf(3);
    const keys = [0, 1, -1, 5, -5, 'user', 'user', { id: 7 }, { id: 7 }, null];

    for (const [index, key] of keys.entries()) world.send(partitionOf(NAME, 3, key), { type: 'seen.key', index });

    const seen = [0, 1, 2].map((partition) => world.seen(partitionOf(NAME, 3, partition)).map(({ index }) => Number(index)));
    const where = (index: number) => seen.findIndex((partition) => partition.includes(index));
    expect({
      integers: [0, 1, 2, 3, 4].map(where),
      same: [where(5) === where(6), where(7) === where(8)],
      delivered: seen.flat().length,
    }).toEqual({
      integers: [0, 1, 1, 2, 2],
      same: [true, true],
      delivered: keys.length,
    });
  });

  test('S5-135 a partition that crashed has its keys again when it is back', async () => {
    const world = await poolOf(2);
    world.send(partitionOf(NAME, 2, 1), { type: 'fail' });

    world.send(partitionOf(NAME, 2, 1), { type: 'seen.key' });

    expect(world.seen(partitionOf(NAME, 2, 1))).toEqual([{ type: 'seen.key' }]);
  });

  test('S5-135 partitions of dynamic supervisors: many children without one supervisor in the way', async () => {
    const world = new World();
    await world.start(partitionSupervisor({ name: NAME, partitions: 2, start: () => nurserySpec() }), 'pool');

    for (const key of [0, 1, 2, 3]) {
      await world.ask(partitionOf(NAME, 2, key), {
        type: 'startChild',
        template: 'puppet',
        args: { type: 'args', id: `c${key}`, plan: {} },
      });
    }

    expect(['@c0', '@c1', '@c2', '@c3'].map((name) => world.runtime.whereis(name as Name))).toEqual([
      'pool/0/c0#4',
      'pool/1/c1#5',
      'pool/0/c2#6',
      'pool/1/c3#7',
    ]);
  });
});

test('S5-136 each is started with what its number gives it, also when it comes back', async () => {
  const world = new World();
  const started: number[] = [];
  await world.start(
    partitionSupervisor({ name: NAME, partitions: 2, start: (partition) => (started.push(partition * 10), puppetSpec()) }),
    'pool',
  );

  world.send(partitionOf(NAME, 2, 1), { type: 'fail' });

  expect(started).toEqual([0, 10, 10]);
});

test.each([
  ['no name', { name: undefined }, 'invalid_name'],
  ['no start', { start: undefined }, 'missing_start'],
  ['a start that is no function', { start: {} }, 'invalid_start'],
  ['no partition', { partitions: 0 }, 'invalid_partitions'],
  ['half a partition', { partitions: 1.5 }, 'invalid_partitions'],
  ['auto-shutdown', { autoShutdown: 'any_significant' }, 'invalid_auto_shutdown'],
  ['partitions that do not come back', { restart: 'temporary' }, 'invalid_restart_type'],
])('S5-137 is not made: %s', (_, fields, code) => {
  const faulty = { name: NAME, partitions: 2, start: () => puppetSpec(), ...fields } as unknown as Parameters<
    typeof partitionSupervisor
  >[0];

  expect(thrownBy(() => partitionSupervisor(faulty))).toMatchObject({ name: InvalidSpecError.name, fault: { code } });
});

describe('the end', () => {
  test.each([[NAME], [via('houses', 'pool')]] as const)(
    'S5-138 stopped by its name %s, it has ended with all its partitions when that resolves',
    async (name) => {
      const world = new World();
      await world.start(partitionSupervisor({ name, partitions: 2, start: () => puppetSpec() }), 'pool');

    const stopped = world.runtime.stop(name, 'normal').then((reason) => ({ reason, left: world.runtime.tree() }));
    world.runtime.drain();

    expect(await stopped).toEqual({ reason: 'normal', left: [] });
  });

  test('S5-138 to count or to resize one that is not there fails with noproc', async () => {
    const world = new World();

    const failures = await Promise.allSettled([world.ask(NAME, { type: 'countChildren' }), resizePartitions(callerIn(world), NAME, 1)]);

    expect(failures).toMatchObject([
      { reason: { name: 'CallError', reason: 'noproc' } },
      { reason: { name: 'CallError', reason: 'noproc' } },
    ]);
  });
});

describe('resize', () => {
  test('S5-139 tells how many there were; so many are active, all are specified, and the keys lie in those', async () => {
    const world = await poolOf(4);
    const steps = [];
    for (const partitions of [2, 0, 3, 4]) {
      const before = await resizePartitions(callerIn(world), NAME, partitions);
      const { specs, active } = await world.ask(NAME, { type: 'countChildren' });
      const used = partitions === 0 ? [] : Array.from({ length: 8 }, (_, key) => partitionOf(NAME, partitions, key));
      steps.push({
        before,
        specs,
        active,
        allUp: used.every((name) => world.runtime.whereis(name) !== undefined),
        used: new Set(used).size,
      });
    }

    expect(steps).toEqual([
      { before: 4, specs: 4, active: 2, allUp: true, used: 2 },
      { before: 2, specs: 4, active: 0, allUp: true, used: 0 },
      { before: 0, specs: 4, active: 3, allUp: true, used: 3 },
      { before: 3, specs: 4, active: 4, allUp: true, used: 4 },
    ]);
  });

  test.each([5, -1])('S5-139 %i of 4 are refused, and nothing has changed', async (partitions) => {
    const world = await poolOf(4);

    const outcome: unknown = await resizePartitions(callerIn(world), NAME, partitions).catch((error: unknown) => error);

    expect({ outcome, active: (await world.ask(NAME, { type: 'countChildren' })).active }).toMatchObject({
      outcome: { name: 'RangeError' },
      active: 4,
    });
  });

  test('S5-139 with none in service no key has a partition', () => {
    expect(() => partitionOf(NAME, 0, 'user')).toThrow(RangeError);
  });
});

test('S5-140 below another supervisor its id is as its specification says (Elixir: from its name, also one by via)', async () => {
  const world = new World();
  const name = via('houses', { street: 1 });
  const pool = {
    id: 'pool',
    type: 'supervisor' as const,
    start: () => partitionSupervisor({ name, partitions: 1, start: () => puppetSpec() }),
  };
  const top = await world.start(supervisor({ strategy: 'one_for_one', children: [pool] }), 'top');

  const { child } = await world.ask(top, { type: 'whichChild', id: 'pool' });

  expect({ child, partition: world.runtime.whereis(partitionOf(name, 1, 'user')) }).toEqual({
    child: { id: 'pool', pid: 'top/pool#2', status: 'up', type: 'supervisor' },
    partition: 'top/pool/0#3',
  });
});

function thrownBy(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    return error;
  }
}
