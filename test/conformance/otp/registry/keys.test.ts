import { expect, test } from 'vitest';
import type { Name, Pid } from '../../../../src/otp/process.ts';
import { via } from '../../../../src/otp/kernel/registry.ts';
import type { World } from '../../../support/otp/world.ts';
import { outcomesOf } from '../support/races.ts';
import { strangers } from '../support/strangers.ts';
import { exit, register, unregister, updateValue } from '../support/told.ts';

const key = via('shapes', 'key');
const other = via('shapes', 'other');

const namesOf = (world: World, pid: Pid) => world.runtime.processInfo(pid)?.names;

test('S4-001 a registration shows with its holder and its value, by name, by process and in its registry', async () => {
  const { world, a } = await strangers();

  world.tell(a, register(key, { value: { offset: 1 } }));

  const registration = { name: key, process: a, value: { offset: 1 } };
  expect({
    seen: world.seen(a),
    lookup: world.runtime.lookup(key),
    names: namesOf(world, a),
    all: world.runtime.registered('shapes'),
  }).toEqual({
    seen: [{ type: 'seen.registered', name: key }],
    lookup: registration,
    names: [key],
    all: [registration],
  });
});

test('S4-002 a key that is taken is refused with its holder, to the holder too, and nothing changes', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, register(key, { value: 'first' }));

  world.tell(b, register(key, { value: 'second' }));
  world.tell(a, register(key, { value: 'third' }));

  const taken = { type: 'seen.taken', name: key, process: a };
  expect({
    a: world.seen(a).slice(1),
    b: world.seen(b),
    names: [namesOf(world, a), namesOf(world, b)],
    lookup: world.runtime.lookup(key),
  }).toEqual({
    a: [taken],
    b: [taken],
    names: [[key], []],
    lookup: { name: key, process: a, value: 'first' },
  });
});

test('S4-003 S4-013 a process can have many keys, and a registry is as large as its entries', async () => {
  const { world, a } = await strangers();
  const empty = world.runtime.registered('shapes').length;
  const keys = Array.from({ length: 100 }, (_, index) => via('shapes', index));

  world.tell(a, ...keys.map((name) => register(name)), register(via('elsewhere', 1)));

  expect({ empty, count: world.runtime.registered('shapes').length, names: namesOf(world, a)?.slice(0, 100) }).toEqual({
    empty: 0,
    count: 100,
    names: keys,
  });
});

test('S4-004 keys are equal only when they are the same JSON, and nothing in them is a pattern', async () => {
  const { world, a, b } = await strangers();
  const keys: readonly unknown[] = [
    1,
    '1',
    true,
    'true',
    null,
    'null',
    '_',
    '*',
    ['_', 1],
    ['$1', '_'],
    {},
    { a: 1 },
    { a: 1, b: 2 },
    [[]],
    'a/b',
    '@a',
  ];

  world.tell(a, ...keys.map((one) => register(via('shapes', one))));
  world.tell(b, register(via('shapes', { a: 1 })), register(via('shapes', ['_', 2])));

  expect({ taken: world.seen(a).filter(({ type }) => type !== 'seen.registered'), b: world.seen(b).map(({ type }) => type) }).toEqual({
    taken: [],
    b: ['seen.taken', 'seen.registered'],
  });
});

test('S4-005 S4-006 the key of a holder that was killed is free at once, and no late clean-up takes it from the next', async () => {
  const outcomes = await outcomesOf(200, async (scheduler) => {
    const { world, a, b, c } = await strangers('', scheduler);
    world.tell(a, register(key));
    let atDeath: unknown = 'nobody looked';
    world.runtime.lifecycle((record) => {
      if (record.type === 'exit') atDeath = world.runtime.lookup(key);
    });
    world.tell(c, exit(a, 'kill'));
    world.tell(b, register(key));
    return { atDeath, now: world.runtime.lookup(key)?.process, all: world.runtime.registered('shapes').length };
  });

  expect(outcomes).toEqual([{ atDeath: undefined, now: 'b#2', all: 1 }]);
});

test('S4-005 of a register and the death of the holder either is first, and the entry is right in both orders', async () => {
  const outcomes = await outcomesOf(300, async (scheduler) => {
    const { world, a, b } = await strangers('', scheduler);
    world.tell(a, register(key));
    world.runtime.exit(a, 'shutdown');
    world.runtime.send(b, { type: 'do', effects: [register(key)] });
    world.runtime.drain();
    return { b: world.seen(b).map(({ type }) => type), holder: world.runtime.whereis(key) };
  });

  expect(outcomes).toEqual([{ b: ['seen.registered'], holder: 'b#2' }, { b: ['seen.taken'] }]);
});

test('S4-007 when holders are killed all their entries vanish, those of others stay', async () => {
  const { world, a, b, c } = await strangers();
  const keysOf = (pid: Pid) => [via('shapes', pid), via('shapes', [pid, 2]), via('elsewhere', pid)];
  for (const pid of [a, b, c]) world.tell(pid, ...keysOf(pid).map((name) => register(name)));

  world.exit(a, 'kill');
  world.exit(b, 'shutdown');

  expect([...world.runtime.registered('shapes'), ...world.runtime.registered('elsewhere')].map(({ name }) => name)).toEqual(keysOf(c));
});

test('S4-010 a key is given back by its holder alone, and one that nobody has by nobody', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, register(key), register(other));

  world.tell(b, unregister(key), unregister(via('shapes', 'never')));
  world.tell(a, unregister(other), unregister(other));

  expect({ key: world.runtime.whereis(key), other: world.runtime.whereis(other), alive: [world.isAlive(a), world.isAlive(b)] }).toEqual({
    key: a,
    other: undefined,
    alive: [true, true],
  });
});

test('S4-012 the value of a key is changed by its holder alone', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, register(key, { value: 1 }));

  world.tell(b, updateValue(key, 'not its own'), updateValue(other, 'missing'));
  const before = world.runtime.lookup(key)?.value;
  world.tell(a, updateValue(key, 2));

  expect({ before, after: world.runtime.lookup(key)?.value, other: world.runtime.lookup(other) }).toEqual({
    before: 1,
    after: 2,
    other: undefined,
  });
});

test('S4-016 what is sent to a key without an entry goes nowhere, else to its holder', async () => {
  const { world, a } = await strangers();
  world.send(key, { type: 'seen.early' });
  world.tell(a, register(key));

  world.send(key, { type: 'seen.late' });

  expect(world.seen(a).map(({ type }) => type)).toEqual(['seen.registered', 'seen.late']);
});

test('S4-017 unlike in Elixir, a registry needs no start: one that nobody wrote to is empty', async () => {
  const { world } = await strangers();
  const name: Name = via('unheardOf', 1);

  expect([world.runtime.registered('unheardOf'), world.runtime.lookup(name), world.runtime.whereis(name)]).toEqual([
    [],
    undefined,
    undefined,
  ]);
});
