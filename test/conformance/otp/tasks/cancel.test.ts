import { expect, test } from 'vitest';
import type { Pid } from '../../../../src/otp/process.ts';
import { callerOf, rest } from '../support/job.ts';
import { async, cancel, link } from '../support/told.ts';

const pid = 'caller/job#2' as Pid;

test('S7-014 S7-015 S7-019 unlike what Elixir ignores, a task that is given up is cancelled: nobody hears of it or its end', async () => {
  const { world, caller, job } = await callerOf();
  world.tell(caller, async('job'));

  world.tell(caller, cancel());
  await rest(world);

  expect({ aborted: job.aborted, task: world.reasonOf(pid), caller: world.isAlive(caller), seen: world.seen(caller) }).toEqual({
    aborted: [true],
    task: 'normal',
    caller: true,
    seen: [],
  });
});

test('S7-014 a task that is given up in the same step is cancelled too', async () => {
  const { world, caller, job } = await callerOf();

  world.tell(caller, async('job'), cancel());
  await rest(world);

  expect({
    left: world.runtime.tree().flatMap(({ children }) => children.map(({ id }) => id)),
    running: job.aborted.includes(false),
    seen: world.seen(caller),
  }).toEqual({
    left: [],
    running: false,
    seen: [],
  });
});

test('S7-015 unlike in Elixir a value that is under way when its task is given up is lost', async () => {
  const { world, caller, job } = await callerOf();
  world.tell(caller, async('job'));
  world.runtime.send(caller, { type: 'do', effects: [cancel()] });

  job.finish('value');
  await rest(world);

  expect({ seen: world.seen(caller), task: world.reasonOf(pid) }).toEqual({ seen: [], task: 'normal' });
});

test('S7-017 a task that does not obey when it is given up ends after five seconds', async () => {
  const { world, caller } = await callerOf({ obedient: false });
  world.tell(caller, async('job'));

  world.tell(caller, cancel());
  await rest(world);
  world.advance(4_999);
  const before = world.isAlive(pid);
  world.advance(1);

  expect({ before, after: world.isAlive(pid), seen: world.seen(caller) }).toEqual({ before: true, after: false, seen: [] });
});

test('S7-018 to give up a task that was done, or one that never was, does nothing', async () => {
  const { world, caller, job } = await callerOf();
  world.tell(caller, async('job'));
  job.finish(1);
  await rest(world);

  world.tell(caller, cancel(), cancel('seen.never'));
  await rest(world);

  expect({ alive: world.isAlive(caller), seen: world.seen(caller) }).toEqual({ alive: true, seen: [{ type: 'seen.done', value: 1 }] });
});

test('S7-019 a job that fails because it was given up does not end its linked caller', async () => {
  const { world, caller, job } = await callerOf({ obedient: false });
  world.tell(caller, async('job'), link(pid));

  world.tell(caller, cancel());
  job.fail(new Error('broken off'));
  await rest(world);

  expect({ caller: world.isAlive(caller), task: world.reasonOf(pid), seen: world.seen(caller) }).toEqual({
    caller: true,
    task: 'normal',
    seen: [],
  });
});

test('S7-019 a caller that ends takes its task along', async () => {
  const { world, caller, job } = await callerOf();
  world.tell(caller, async('job', { link: false }));

  world.exit(caller, 'kill');
  await rest(world);

  expect({ aborted: job.aborted, tree: world.runtime.tree() }).toEqual({ aborted: [true], tree: [] });
});
