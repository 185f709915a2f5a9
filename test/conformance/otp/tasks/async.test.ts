import { expect, test } from 'vitest';
import { choosingScheduler } from '../../../../src/otp/schedulers/choosing-scheduler.ts';
import type { ExitReason, Pid } from '../../../../src/otp/process.ts';
import { task } from '../../../../src/otp/task.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { callerOf, Job, rest } from '../support/job.ts';
import { async, cancel, exit, send, spawn, startTimer, tell } from '../support/told.ts';

const rejecting = (thrown: unknown) => () =>
  task(async () => {
    throw thrown;
  });

test.each([
  [false, true],
  [true, false],
])('S7-001 a task is there at once; when it fails and is linked: %s, who started it lives on: %s', async (link, lives) => {
  const { world, caller, job } = await callerOf();

  world.tell(caller, spawn('job', { link }));
  const running = { seen: world.seen(caller), runs: job.signals.length };
  job.fail(new Error('broken'));
  await rest(world);

  expect({ running, lives: world.isAlive(caller), task: world.reasonOf('caller/job#2' as Pid) }).toMatchObject({
    running: { seen: [{ type: 'seen.spawned', process: 'caller/job#2' }], runs: 1 },
    lives,
    task: { error: { message: 'broken' } },
  });
});

test('S7-002 S7-006 an awaited task is linked, brings its value as one event, ends normal; it has no time-out as in Elixir', async () => {
  const { world, caller, job } = await callerOf();

  world.tell(caller, async('job'));
  const running = { links: world.runtime.processInfo(caller)?.links, timers: world.clock.pendingTimers, seen: world.seen(caller) };
  job.finish({ rows: 3 });
  await rest(world);

  expect({ running, seen: world.seen(caller), task: world.reasonOf('caller/job#2' as Pid) }).toEqual({
    running: { links: ['outside', 'caller/job#2'], timers: 0, seen: [] },
    seen: [{ type: 'seen.done', value: { rows: 3 } }],
    task: 'normal',
  });
});

test('S7-003 the callers of a task are the processes above it, nearest first', async () => {
  const world = new World();
  const spawns = { inner: () => puppetSpec({ name: '@inner', spawns: { job: new Job().spec } }) };
  const outer = await world.puppet('outer', { spawns });
  world.tell(outer, spawn('inner'));
  world.tell('@inner', async('job'));

  const callers: (string | undefined)[] = [];
  for (let pid: Pid | undefined = 'outer/inner/job#3' as Pid; pid !== undefined; pid = world.runtime.processInfo(pid)?.parent) {
    callers.push(pid);
  }

  expect(callers).toEqual(['outer/inner/job#3', 'outer/inner#2', outer, 'outside']);
});

test('S7-007 a task that takes too long fails as timeout and is cancelled: neither its value nor its end is told afterwards', async () => {
  const { world, caller, job } = await callerOf({ obedient: false });
  world.tell(caller, async('job', { timeoutMs: 100 }));

  world.advance(99);
  const before = { seen: world.seen(caller), aborted: job.aborted };
  world.advance(1);
  job.finish('late');
  await rest(world);

  expect({
    before,
    seen: world.seen(caller).map(({ type, reason }) => [type, reason]),
    aborted: job.aborted,
    task: world.reasonOf('caller/job#2' as Pid),
  }).toEqual({
    before: { seen: [], aborted: [false] },
    seen: [['seen.failed', 'timeout']],
    aborted: [true],
    task: 'normal',
  });
});

test.each([
  ['an error', rejecting(new RangeError('too far')), { error: { name: 'RangeError', message: 'too far' } }],
  ['a thrown value', rejecting('a value'), { error: { name: 'Thrown', message: 'a value' } }],
  ['a synchronous error', () => task(() => { throw new TypeError('not a function'); }), { error: { name: 'TypeError' } }],
])('S7-008 a task that fails with %s tells it as its reason, to who is not linked and to who traps', async (_, failing, reason) => {
  const [unlinked, trapping] = [await callerOf({ spawns: { failing } }), await callerOf({ spawns: { failing }, traps: true })];

  unlinked.world.tell(unlinked.caller, async('failing', { link: false }));
  trapping.world.tell(trapping.caller, async('failing'));
  await rest(unlinked.world);
  await rest(trapping.world);

  expect([unlinked.world.seen(unlinked.caller), trapping.world.seen(trapping.caller)]).toMatchObject([
    [{ type: 'seen.failed', reason }],
    [{ type: 'EXIT', process: 'caller/failing#2', reason }, { type: 'seen.failed', reason }],
  ]);
});

test.each<[ExitReason | 'kill', ExitReason]>([
  ['shutdown', 'shutdown'],
  [{ shutdown: 'moved' }, { shutdown: 'moved' }],
  ['kill', 'killed'],
])('S7-008 a task that is sent the exit %j fails with %j', async (sent, reason) => {
  const { world, caller } = await callerOf();
  world.tell(caller, async('job', { link: false }));

  world.exit('caller/job#2' as Pid, sent);
  await rest(world);

  expect(world.seen(caller)).toMatchObject([{ type: 'seen.failed', reason }]);
});

test('S7-008 a task without a value is done all the same', async () => {
  const { world, caller } = await callerOf({ spawns: { quick: () => task(() => undefined) } });

  world.tell(caller, async('quick'));
  await rest(world);

  expect(world.seen(caller)).toEqual([{ type: 'seen.done', value: undefined }]);
});

test('S7-002 the value of a task that is done before it is asked for it is not lost, in whatever order', async () => {
  const endFirst = choosingScheduler((candidates) => Math.max(0, candidates.findIndex(({ what }) => what === 'job.ended')));
  const { world, caller } = await callerOf({ spawns: { quick: () => task(() => 'value') }, scheduler: endFirst });
  world.runtime.send(caller, { type: 'do', effects: [async('quick')] });

  // The caller asks for the task, the task begins; its job is over before anything else is delivered.
  world.run(2);
  await rest(world);

  expect(world.seen(caller)).toEqual([{ type: 'seen.done', value: 'value' }]);
});

test('S7-009 a task answers to its owner alone: another process cannot give it up', async () => {
  const { world, caller, job } = await callerOf();
  const other = await world.puppet('other');
  world.tell(caller, async('job'));

  world.tell(other, cancel());
  job.finish(1);
  await rest(world);

  expect([world.seen(caller), world.seen(other)]).toEqual([[{ type: 'seen.done', value: 1 }], []]);
});

test('S7-012 who looks at the clock meanwhile keeps its task; its value is told once, before any end', async () => {
  const { world, caller, job } = await callerOf();
  world.tell(caller, async('job'), startTimer('patience', 100));

  world.advance(100);
  world.tell(caller, startTimer('patience', 100));
  job.finish('value');
  await rest(world);
  world.advance(1_000);

  expect(world.seen(caller).map(({ type }) => type)).toEqual(['timeout.patience', 'seen.done', 'timeout.patience']);
});

test('S7-038 the end of a task that failed is traced with who started it and why', async () => {
  const { world, caller, job } = await callerOf();
  const ends: unknown[] = [];
  world.runtime.lifecycle((record) => record.type === 'exit' && ends.push(record));
  world.tell(caller, async('job', { link: false }), send(caller, 'seen.started'));

  job.fail(new Error('broken'));
  await rest(world);

  expect(ends).toMatchObject([
    { type: 'exit', process: 'caller/job#2', reason: { error: { name: 'Error', message: 'broken', stack: expect.any(String) as string } } },
  ]);
});

test('S7-016 a killed task is gone at once, whatever its job does', async () => {
  const { world, caller, job } = await callerOf({ obedient: false });
  world.tell(caller, spawn('job', { monitor: true }));

  world.tell(caller, exit('caller/job#2' as Pid, 'kill'), tell(caller));

  expect({ seen: world.seen(caller).slice(1), aborted: job.aborted }).toEqual({
    seen: [{ type: 'seen.down', process: 'caller/job#2', reason: 'killed' }],
    aborted: [true],
  });
});
