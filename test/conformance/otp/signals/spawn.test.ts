import { expect, test } from 'vitest';
import type { Scheduler } from '../../../../src/otp/schedulers/scheduler.ts';
import type { Message, PortSpec, ProcessSpec } from '../../../../src/otp/process.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { outcomesOf } from '../support/races.ts';
import { spawn } from '../support/told.ts';

const failing: PortSpec = {
  open: () => {
    throw new Error('at once');
  },
};

const spawns: Readonly<Record<string, (args: Message) => ProcessSpec>> = {
  failing: () => failing,
  puppet: () => puppetSpec(),
  bad: () => {
    throw new Error('bad arguments');
  },
};

async function parent(scheduler?: Scheduler, trapExit = true) {
  const world = new World(scheduler);
  return { world, pid: await world.puppet('parent', { spawns, trapExit }) };
}

test.each(['failing', 'bad'])('S1-023 who spawns and links a process that fails at once always hears of it: %s', async (template) => {
  const outcomes = await outcomesOf(200, async (scheduler) => {
    const { world, pid } = await parent(scheduler);
    world.tell(pid, spawn(template, { link: true }));
    return world.seen(pid).map(({ type, process }) => ({ type, process }));
  });

  const process = `parent/${template}#2`;
  expect(outcomes).toEqual([[{ type: 'seen.spawned', process }, { type: 'EXIT', process }]]);
});

test('S1-023 a process that fails at once ends who spawned it linked and does not trap', async () => {
  const { world, pid } = await parent(undefined, false);

  world.tell(pid, spawn('failing', { link: true }));

  expect(world.reasonOf(pid)).toMatchObject({ error: { message: 'at once' } });
});

test.each(['failing', 'bad'])(
  'S1-039 S1-055 a monitor made together with its process tells its reason and never noproc: %s',
  async (template) => {
    const outcomes = await outcomesOf(200, async (scheduler) => {
      const { world, pid } = await parent(scheduler);
      world.tell(pid, spawn(template, { monitor: true, as: 'seen.job' }));
      return world.seen(pid).map(({ type, reason }) => ({ type, isError: JSON.stringify(reason)?.startsWith('{"error"') }));
    });

  expect(outcomes).toEqual([[{ type: 'seen.job.spawned' }, { type: 'seen.job.down', isError: true }]]);
});

test('S1-067 to spawn what a process may not spawn is a fault of its own, and nothing that it spawned is left', async () => {
  const { world, pid } = await parent();

  world.tell(pid, spawn('puppet'), spawn('unknown'), spawn('puppet'));

  expect({ reason: world.reasonOf(pid), alive: world.runtime.tree() }).toMatchObject({
    reason: { error: { name: 'InvariantError' } },
    alive: [],
  });
});
