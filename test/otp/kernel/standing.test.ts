/** Where a machine stands can be told at any time, and nobody is woken by it. */
import { expect, test } from 'vitest';
import { puppetSpec } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

test('a process stands on its input before it begins, then on state and context, asleep as awake; a port on nothing', async () => {
  const world = new World();
  const unborn: unknown[] = [];
  world.runtime.trace((record) => {
    if (record.type === 'spawn') unborn.push(world.runtime.standing(record.process));
  });

  const pid = await world.start(puppetSpec({ input: { of: 'one' } }), 'puppet');
  const awake = world.runtime.standing(pid);
  world.tell(pid, { type: 'hibernate', params: undefined });
  const asleep = world.runtime.standing(pid);
  const port = await world.start({ open: () => ({ requests: {} }) }, 'port');

  expect({ unborn, awake, asleep, hibernates: world.runtime.processInfo(pid)?.hibernates, port: world.runtime.standing(port) }).toEqual({
    unborn: [{ input: { of: 'one', self: pid } }, undefined],
    awake: { value: 'awake', context: { seen: [] } },
    asleep: { value: 'awake', context: { seen: [] } },
    hibernates: true,
    port: undefined,
  });
});
