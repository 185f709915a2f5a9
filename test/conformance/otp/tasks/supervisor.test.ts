import { expect, test } from 'vitest';
import type { ChildSpec, DynamicSupervisorSpec } from '../../../../src/otp/supervision/child-spec.ts';
import { dynamicSupervisor } from '../../../../src/otp/supervision/dynamic-supervisor.ts';
import type { Message, Pid } from '../../../../src/otp/process.ts';
import { via } from '../../../../src/otp/kernel/registry.ts';
import { World } from '../../../support/otp/world.ts';
import { Job, rest } from '../support/job.ts';
import { call, link, monitor } from '../support/told.ts';

const args: Message = { type: 'args' };

/** A supervisor of tasks: one template, which runs `job`. */
async function taskSupervisor(
  options: { readonly obedient?: boolean; readonly child?: Partial<ChildSpec>; readonly spec?: Partial<DynamicSupervisorSpec> } = {},
) {
  const { obedient = true, child = {}, spec = {} } = options;
  const world = new World();
  const job = new Job(obedient);
  const templates = { job: () => ({ restart: 'temporary' as const, ...child, start: job.spec }) };
  const pid = await world.start(dynamicSupervisor({ templates, name: '@tasks', ...spec }), 'tasks');
  const ask = (request: Message) => world.ask(pid, request);
  const startTask = async () => (await ask({ type: 'startChild', template: 'job', args })).pid as Pid;
  return { world, job, pid, ask, startTask };
}

test('S7-030 a task supervisor is found by its name or by a key, and lists and counts its tasks', async () => {
  const [named, keyed] = [await taskSupervisor(), await taskSupervisor({ spec: { name: via('supervisors', 'tasks') } })];
  const tasks = [await named.startTask(), await named.startTask()];

  const listed = await named.world.ask('@tasks', { type: 'whichChildren' });
  const counted = await named.ask({ type: 'countChildren' });

  expect({
    listed,
    counted,
    found: [named.world.runtime.whereis('@tasks'), keyed.world.runtime.whereis(via('supervisors', 'tasks'))],
  }).toMatchObject({
    listed: { children: tasks.map((pid) => ({ pid, status: 'up' })) },
    counted: { type: 'children.counted', specs: 2, active: 2, supervisors: 0, workers: 2 },
    found: [named.pid, keyed.pid],
  });
});

test('S7-031 a supervised task is a child of its supervisor alone; who awaits it links and monitors it as it likes', async () => {
  const { world, job, pid, startTask } = await taskSupervisor();
  const caller = await world.puppet('caller', { trapExit: true });
  const task = await startTask();
  const { parent, links, monitoredBy } = world.runtime.processInfo(task) ?? {};

  world.tell(caller, link(task), monitor(task));
  job.fail(new Error('broken'));
  await rest(world);

  const reason = { error: { message: 'broken' } };
  expect({ parent, links, monitoredBy, supervisor: world.isAlive(pid), seen: world.seen(caller) }).toMatchObject({
    parent: pid,
    links: [pid],
    monitoredBy: [],
    supervisor: true,
    seen: [{ type: 'EXIT', process: task, reason }, { type: 'seen.down', process: task, reason }],
  });
});

test('S7-032 one task more than maxChildren is refused, until another has ended', async () => {
  const { world, job, ask, startTask } = await taskSupervisor({ spec: { maxChildren: 1 } });
  await startTask();

  const refused = await ask({ type: 'startChild', template: 'job', args });
  job.finish();
  await rest(world);

  expect([refused, await ask({ type: 'startChild', template: 'job', args })]).toMatchObject([
    { type: 'child.refused', reason: 'max_children' },
    { type: 'child.started' },
  ]);
});

test.each([
  ['brutal_kill', [], 'killed'],
  [undefined, [4_999, 1], 'killed'],
  [100, [99, 1], 'killed'],
] as const)('S7-033 a task that does not obey, with shutdown %s, is killed when its time is over', async (shutdown, waits, reason) => {
  const { world, pid, startTask } = await taskSupervisor({ obedient: false, child: shutdown === undefined ? {} : { shutdown } });
  const task = await startTask();

  world.exit(pid, 'shutdown');
  const alive = waits.map((ms) => {
    const before = world.isAlive(task);
    world.advance(ms);
    return before;
  });

  expect({ alive, reason: world.reasonOf(task), supervisor: world.reasonOf(pid) }).toEqual({
    alive: waits.map(() => true),
    reason,
    supervisor: 'shutdown',
  });
});

test('S7-033 a task that obeys ends as told when its supervisor stops', async () => {
  const { world, job, pid, startTask } = await taskSupervisor();
  const task = await startTask();

  world.exit(pid, 'shutdown');
  await rest(world);

  expect({ aborted: job.aborted, task: world.reasonOf(task), supervisor: world.reasonOf(pid) }).toEqual({
    aborted: [true],
    task: 'shutdown',
    supervisor: 'shutdown',
  });
});

test.each([
  ['temporary', 1],
  ['transient', 1],
  ['permanent', 2],
] as const)('S7-034 a %s task that was sent shutdown has run %d times', async (restart, runs) => {
  const { world, job, startTask } = await taskSupervisor({ child: { restart } });

  world.exit(await startTask(), 'shutdown');
  await rest(world);

  expect(job.signals.length).toBe(runs);
});

test('S7-035 a task is terminated on request, and not found the second time', async () => {
  const { world, job, ask, startTask } = await taskSupervisor();
  const task = await startTask();

  const first = world.runtime.call('@tasks', { type: 'terminateChild', pid: task });
  world.runtime.drain();
  await rest(world);

  expect({ first: await first, second: await ask({ type: 'terminateChild', pid: task }), aborted: job.aborted }).toMatchObject({
    first: { type: 'child.terminated' },
    second: { type: 'child.refused', reason: 'not_found' },
    aborted: [true],
  });
});

const awaiting = (task: Pid, timeoutMs?: number) =>
  call(task, 'await', { as: 'seen.task', ...(timeoutMs === undefined ? {} : { timeoutMs }) });

test('S7-036 a supervised task answers who awaits it with its value, or fails with its reason', async () => {
  const { world, job, startTask } = await taskSupervisor();
  const caller = await world.puppet('caller');
  const tasks = [await startTask(), await startTask(), await startTask()];
  world.tell(caller, ...tasks.map((task) => awaiting(task)));

  job.finish('value');
  job.fail(new Error('broken'));
  await rest(world);
  world.exit(tasks[2] ?? ('none' as Pid), 'kill');

  expect(world.seen(caller).map(({ type, reason }) => ({ type, reason }))).toMatchObject([
    { type: 'task.done' },
    { type: 'seen.task.failed', reason: { error: { message: 'broken' } } },
    { type: 'seen.task.failed', reason: 'killed' },
  ]);
});

test('S7-036 a supervised task that is awaited for too long is cancelled, and nothing of it is told afterwards', async () => {
  const { world, job, startTask } = await taskSupervisor();
  const caller = await world.puppet('caller');
  const task = await startTask();
  world.tell(caller, awaiting(task, 100));

  world.advance(100);
  await rest(world);

  expect({ seen: world.seen(caller), aborted: job.aborted, task: world.reasonOf(task) }).toEqual({
    seen: [{ type: 'seen.task.failed', to: task, request: 'await', reason: 'timeout' }],
    aborted: [true],
    task: 'normal',
  });
});
