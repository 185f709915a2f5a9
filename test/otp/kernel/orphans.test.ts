/** A process that loses its supervisor while it is not even up: it must not live on. */
import { expect, test } from 'vitest';
import { choosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { Family, familySpec } from '../../support/otp/family.ts';
import { World } from '../../support/otp/world.ts';

test('a child that comes up, and does not obey, after its supervisor was killed, is killed when its time is over', () => {
  const world = new World(
    choosingScheduler((candidates) =>
      Math.max(
        0,
        candidates.findIndex(({ what, to }) => what === 'exit' && to === 'sup#1'),
      ),
    ),
  );
  void world.runtime.start(familySpec({ a: { stubborn: true, shutdown: 100 } }), { id: 'sup' }).catch(() => undefined);
  while (world.runtime.tree()[0]?.children.length !== 1) world.runtime.step();

  world.runtime.exit(world.runtime.tree()[0]?.pid ?? '@none', 'kill');
  world.runtime.drain();
  const after = world.exits.length;
  world.advance(100);

  expect({ after, ends: world.exits }).toEqual({
    after: 1,
    ends: [
      { process: 'sup#1', reason: 'killed' },
      { process: 'sup/a#2', reason: 'killed' },
    ],
  });
});

test('a child without a limit outlives its killed supervisor until it obeys, and another only as long as it may', async () => {
  const family = await Family.start({
    patient: { stubborn: true, shutdown: 'infinity' },
    brutal: { stubborn: true, shutdown: 'brutal_kill' },
    hasty: { stubborn: true, shutdown: 100 },
  });
  const { world } = family;

  world.exit('sup#1' as Pid, 'kill');
  world.advance(100);

  expect({ ends: family.endsSince(), timers: world.clock.pendingTimers }).toEqual({
    ends: ['sup killed', 'brutal killed', 'hasty killed'],
    timers: 0,
  });
});
