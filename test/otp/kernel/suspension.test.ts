/** A process that is held still, and the ends that nobody may have to wait for. */
import { expect, test } from 'vitest';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import { familySpec } from '../../support/otp/family.ts';
import { puppetSpec } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

test('a suspended supervisor is ended by its own, with everything below it', async () => {
  const world = new World();
  const root = await world.start(
    supervisor({ strategy: 'one_for_one', children: [{ id: 'inner', start: () => familySpec({ a: {} }, { name: '@inner' }) }] }),
    'root',
  );
  world.runtime.suspend('@inner');
  world.exit(root, 'shutdown');

  expect({ reason: world.reasonOf(root), left: world.runtime.tree() }).toEqual({ reason: 'shutdown', left: [] });
});

test('the order to end is the first that it hears, and what was held back comes after it', async () => {
  const world = new World();
  const child = { id: 'child', start: () => puppetSpec({ name: '@child', trapExit: true }), shutdown: 50 };
  const root = await world.start(supervisor({ strategy: 'one_for_one', children: [child] }), 'root');
  world.runtime.suspend('@child');
  world.send('@child', { type: 'seen.before' });
  world.exit(root, 'shutdown');

  expect(world.seen('@child').map(({ type }) => type)).toEqual(['EXIT', 'seen.before']);
});

test('the exit of anybody else waits until it goes on', async () => {
  const world = new World();
  const [process, other] = [await world.puppet('process', { trapExit: true }), await world.puppet('other')];
  world.runtime.suspend(process);
  world.tell(other, { type: 'exit', params: { process, reason: 'shutdown' } });
  const held = world.seen(process).length;
  world.runtime.resume(process);
  world.runtime.drain();

  expect({ held, seen: world.seen(process).map(({ type }) => type) }).toEqual({ held: 0, seen: ['EXIT'] });
});

test('a process that is suspended again before it has handled what was held back hears it in the order in which it came', async () => {
  const world = new World();
  const process = await world.puppet('process');
  world.runtime.suspend(process);
  for (const type of ['seen.first', 'seen.second', 'seen.third']) world.send(process, { type });
  world.runtime.resume(process);
  world.runtime.suspend(process);
  world.run(1);
  world.runtime.resume(process);
  world.runtime.drain();

  expect(world.seen(process).map(({ type }) => type)).toEqual(['seen.first', 'seen.second', 'seen.third']);
});
