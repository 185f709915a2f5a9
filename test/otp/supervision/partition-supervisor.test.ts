import { expect, test } from 'vitest';
import {
  partitionOf, partitionSupervisor, resizePartitions, type PartitionSupervisorSpec,
} from '../../../src/otp/supervision/partition-supervisor.ts';
import { via } from '../../../src/otp/kernel/registry.ts';
import type { Message } from '../../../src/otp/process.ts';
import { puppetSpec } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const workers = { name: '@workers', partitions: 3, start: (partition: number) => puppetSpec({ input: { partition } }) } as const;

/** Its answers come at once: the world delivers all that they need. */
function callerIn(world: World) {
  return { call: (to: '@workers', request: Message) => world.ask(to, request) };
}

test('starts its partitions in order, each under a name of its own', async () => {
  const world = new World();

  await world.start(partitionSupervisor(workers), 'workers');

  expect({ tree: world.runtime.printTree(), last: world.runtime.whereis(partitionOf('@workers', 3, 2)) }).toEqual({
    tree: ['workers workers#1 running', '├─ 0 workers/0#2 awake', '├─ 1 workers/1#3 awake', '└─ 2 workers/2#4 awake'].join('\n'),
    last: 'workers/2#4',
  });
});

test('starts a partition over for itself, for the same share', async () => {
  const world = new World();
  const started: number[] = [];
  const start = (partition: number) => (started.push(partition), puppetSpec());
  await world.start(partitionSupervisor({ ...workers, start }), 'workers');

  world.send(partitionOf('@workers', 3, 1), { type: 'fail' });

  expect({ started, pid: world.runtime.whereis(partitionOf('@workers', 3, 1)) }).toEqual({ started: [0, 1, 2, 1], pid: 'workers/1#5' });
});

test('one key is always in one partition, integers by their absolute value, and every partition has keys', () => {
  const texts = Array.from({ length: 200 }, (_, index) => partitionOf('@workers', 3, `key ${index}`));

  expect({
    integers: [0, 1, 2, 3, -4, -5].map((key) => partitionOf('@workers', 3, key)),
    again: Array.from({ length: 200 }, (_, index) => partitionOf('@workers', 3, `key ${index}`)).join() === texts.join(),
    used: [...new Set(texts)].sort(),
    alike: new Set([partitionOf('@workers', 7, { a: [1] }), partitionOf('@workers', 7, { a: [1] })]).size,
  }).toEqual({
    integers: ['@@workers/0', '@@workers/1', '@@workers/2', '@@workers/0', '@@workers/1', '@@workers/2'],
    again: true,
    used: ['@@workers/0', '@@workers/1', '@@workers/2'],
    alike: 1,
  });
});

test.each(['@workers', via('workers', 1)] as const)(
  'the partitions of %s are no keys of a registry of its word: who listens there is not told of them',
  async (name) => {
    const world = new World();
    const listener = await world.puppet('listener');
    world.tell(listener, { type: 'listen', params: { registry: 'workers', as: 'seen' } });
    await world.puppet('first', { name: via('workers', 0) });

    await world.start(partitionSupervisor({ ...workers, name }), 'workers');

    const told = world.seen(listener).map((event) => event.name);
    expect({ told: told.filter((each) => each !== name), ups: [0, 1, 2].map((key) => world.isAlive(partitionOf(name, 3, key))) }).toEqual({
      told: [via('workers', 0)],
      ups: [true, true, true],
    });
  },
);

test('takes partitions out of service and back, and says how many there were', async () => {
  const world = new World();
  await world.start(partitionSupervisor(workers), 'workers');
  const caller = callerIn(world);
  const steps = [];

  for (const partitions of [1, 1, 0, 3]) {
    const before = await resizePartitions(caller, '@workers', partitions);
    const { active, specs } = await world.ask('@workers', { type: 'countChildren' });
    steps.push([before, active, specs]);
  }

  expect({ steps, ends: world.exits.map(({ process }) => process) }).toEqual({
    steps: [[3, 1, 3], [1, 1, 3], [1, 0, 3], [0, 3, 3]],
    ends: ['workers/2#4', 'workers/1#3', 'workers/0#2'],
  });
});

test('refuses more partitions than there are', async () => {
  const world = new World();
  await world.start(partitionSupervisor(workers), 'workers');

  const outcomes = await Promise.allSettled([4, -1, 0.5].map((partitions) => resizePartitions(callerIn(world), '@workers', partitions)));

  expect(outcomes.map((outcome) => outcome.status === 'rejected' && String(outcome.reason))).toEqual([
    'RangeError: @workers has 3 partitions, not 4',
    'RangeError: @workers has 3 partitions, not -1',
    'RangeError: @workers has 3 partitions, not 0.5',
  ]);
});

test('finds no partition for a key when none is in service', () => {
  expect(() => partitionOf('@workers', 0, 'key')).toThrow(RangeError);
});

test('says which partition cannot be put into service', async () => {
  const world = new World();
  let starts = 0;
  const start = () => {
    starts += 1;
    if (starts > 3) throw new Error('no room');
    return puppetSpec();
  };
  await world.start(partitionSupervisor({ ...workers, start }), 'workers');
  await resizePartitions(callerIn(world), '@workers', 1);

  const outcome: unknown = await resizePartitions(callerIn(world), '@workers', 2).catch((error: unknown) => error);

  expect(outcome).toMatchObject({ name: 'PartitionStartError', message: expect.stringMatching(/^@workers\/1 did not start: .*no room/) });
});

test.each([
  [{ name: undefined }, 'invalid_name'],
  [{ partitions: 0 }, 'invalid_partitions'],
  [{ start: undefined }, 'missing_start'],
  [{ start: 'puppet' }, 'invalid_start'],
  [{ restart: 'temporary' }, 'invalid_restart_type'],
  [{ autoShutdown: 'any_significant' }, 'invalid_auto_shutdown'],
  [{ maxRestarts: -1 }, 'invalid_intensity'],
])('is not made of %o', (spec, code) => {
  const full = { ...workers, ...spec } as unknown as PartitionSupervisorSpec;

  expect(() => partitionSupervisor(full)).toThrow(
    expect.objectContaining({ name: 'InvalidSpecError', fault: expect.objectContaining({ code }) }),
  );
});
