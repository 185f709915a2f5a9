import { expect, test } from 'vitest';
import { World } from '../../../support/otp/world.ts';
import { strangers } from '../support/strangers.ts';
import { label, register, unregister } from '../support/told.ts';

test('S1-071 a name shows in the information of its process until it is given back or the process ends', async () => {
  const { world, a, b } = await strangers();
  const names = () => [world.runtime.processInfo(a)?.names, world.runtime.whereis('@one'), world.runtime.processInfo(b)?.names];

  world.tell(a, register('@one'));
  const registered = names();
  world.tell(a, unregister('@one'));
  const unregistered = names();
  world.tell(a, register('@one'));
  world.exit(a, 'kill');

  expect([registered, unregistered, names()]).toEqual([[['@one'], a, []], [[], undefined, []], [undefined, undefined, []]]);
});

test('S1-072 a name in use is refused with its holder; unlike in OTP, a process may have a second name', async () => {
  const { world, a, b } = await strangers();

  world.tell(a, register('@one'), register('@two'));
  world.tell(b, register('@one'));
  world.tell(a, register('@one'));

  expect({ a: world.seen(a), b: world.seen(b), names: world.runtime.processInfo(a)?.names }).toEqual({
    a: [
      { type: 'seen.registered', name: '@one' },
      { type: 'seen.registered', name: '@two' },
      { type: 'seen.taken', name: '@one', process: a },
    ],
    b: [{ type: 'seen.taken', name: '@one', process: a }],
    names: ['@one', '@two'],
  });
});

test('S1-077 a label can be given at the start and changed; the unlabelled and the dead have none', async () => {
  const world = new World();
  const [given, none] = [await world.puppet('given', { label: 'first' }), await world.puppet('none')];
  const labels = () => [given, none].map((pid) => world.runtime.processInfo(pid)?.label);
  const before = labels();

  world.tell(given, label('second'));
  const after = labels();
  world.exit(given, 'kill');

  expect([before, after, labels()]).toEqual([['first', undefined], ['second', undefined], [undefined, undefined]]);
});
