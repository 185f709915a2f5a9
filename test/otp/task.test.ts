/** A task at its edges: what it says when its job says nothing. */
import { expect, test } from 'vitest';
import { task } from '../../src/otp/task.ts';
import { World } from '../support/otp/world.ts';

test('a job that fails without saying why has failed', async () => {
  const world = new World();
  const refusing = { then: (_done: unknown, refuse: () => void) => refuse() };
  const pid = await world.start(task(() => refusing), 'task');

  await world.settle();

  expect(world.reasonOf(pid)).toMatchObject({ error: { message: 'the task failed without saying why' } });
});

test('that a task is awaited is traced', async () => {
  const world = new World();
  const pid = await world.puppet('p', { spawns: { quick: () => task(() => 1) } });
  const sent: unknown[] = [];
  world.runtime.trace((record) => record.type === 'send' && record.from === pid && sent.push(record.message));
  world.tell(pid, { type: 'async', params: { template: 'quick', as: 'seen' } });

  expect(sent).toMatchObject([{ type: 'await', as: 'seen' }]);
});
