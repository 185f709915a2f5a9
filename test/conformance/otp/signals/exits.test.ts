import { expect, test } from 'vitest';
import { setup } from 'xstate';
import type { ExitReason, Pid } from '../../../../src/otp/process.ts';
import { World } from '../../../support/otp/world.ts';
import { outcomesOf } from '../support/races.ts';
import { nobody, strangers } from '../support/strangers.ts';
import { call, exit, link, monitor, send, startTimer, stop } from '../support/told.ts';

/** Processes each linked to the next, and a watcher of them all. */
async function chain(length: number, traps: readonly number[] = []) {
  const world = new World();
  const watcher = await world.puppet('watcher');
  const pids: Pid[] = [];
  for (let index = 0; index < length; index += 1) pids.push(await world.puppet(`p${index}`, { trapExit: traps.includes(index) }));
  pids.forEach((pid, index) => index > 0 && world.tell(pid, link(pids[index - 1] ?? nobody)));
  world.tell(watcher, ...pids.map((pid) => monitor(pid)));
  const last = pids.at(-1) ?? nobody;
  return { world, pids, last, reasons: () => world.seen(watcher).map(({ reason }) => reason) };
}

function nested(depth: number): unknown {
  return depth === 0 ? Array.from({ length: 1_000 }, (_, index) => `entry ${index}`) : { depth, inner: nested(depth - 1) };
}

test('S1-001 an exit ends who does not trap; links and monitors see its reason unchanged, however large', async () => {
  const { world, a, b, c } = await strangers('b');
  const reason: ExitReason = { shutdown: nested(50) };
  world.tell(b, link(a));
  world.tell(c, monitor(a));

  world.tell(c, exit(a, reason));

  expect({ linked: world.seen(b), monitoring: world.seen(c) }).toEqual({
    linked: [{ type: 'EXIT', process: a, reason, fromParent: false }],
    monitoring: [{ type: 'seen.down', process: a, reason }],
  });
});

test('S1-002 an exit with normal from another does nothing, and the links hear nothing', async () => {
  const { world, a, b, c } = await strangers('b');
  world.tell(b, link(a));

  world.tell(c, exit(a, 'normal'));

  expect({ a: world.isAlive(a), b: world.seen(b) }).toEqual({ a: true, b: [] });
});

test('S1-003 who traps is told of an exit with normal', async () => {
  const { world, a, b } = await strangers('a');

  world.tell(b, exit(a, 'normal'));

  expect(world.seen(a)).toEqual([{ type: 'EXIT', process: b, reason: 'normal', fromParent: false }]);
});

test('S1-004 S1-005 an exit that a process sends to itself ends it, with normal too', async () => {
  const { world, a, b } = await strangers();

  world.tell(a, exit(a, 'normal'));
  world.tell(b, exit(b, { shutdown: 'enough' }));

  expect([world.reasonOf(a), world.reasonOf(b)]).toEqual(['normal', { shutdown: 'enough' }]);
});

test('S1-005 unlike in OTP an exit to itself waits behind what waits already; a stop does not', async () => {
  const { world, a, b } = await strangers();
  const handled: string[] = [];
  world.runtime.trace((record) => record.type === 'deliver' && record.message.type === 'seen.waiting' && handled.push(record.to));

  world.runtime.send(a, { type: 'do', effects: [exit(a, 'shutdown')] });
  world.runtime.send(b, { type: 'do', effects: [stop('shutdown')] });
  for (const pid of [a, b]) world.runtime.send(pid, { type: 'seen.waiting' });
  world.runtime.drain();

  expect({ handled, reasons: [world.reasonOf(a), world.reasonOf(b)] }).toEqual({ handled: [a], reasons: ['shutdown', 'shutdown'] });
});

test('S1-006 an exit that a trapping process sends to itself is told to it', async () => {
  const { world, a } = await strangers('a');

  world.tell(a, exit(a, 'shutdown'));

  expect({ alive: world.isAlive(a), seen: world.seen(a) }).toEqual({
    alive: true,
    seen: [{ type: 'EXIT', process: a, reason: 'shutdown', fromParent: false }],
  });
});

test('S1-007 kill ends a trapping process; others see killed', async () => {
  const { world, a, b, c } = await strangers('ab');
  world.tell(b, link(a));
  world.tell(c, monitor(a));

  world.tell(c, exit(a, 'kill'));

  expect({ linked: world.seen(b), monitoring: world.seen(c) }).toMatchObject({
    linked: [{ type: 'EXIT', reason: 'killed' }],
    monitoring: [{ reason: 'killed' }],
  });
});

test.each([1, 2, 9, 10])('S1-008 a kill takes a chain of %d linked processes along, each as killed', async (length) => {
  const { world, last, reasons } = await chain(length);

  world.exit(last, 'kill');

  expect(reasons()).toEqual(Array.from({ length }, () => 'killed'));
});

test.each([1, 2, 9, 10])('S1-009 a process that kills itself at the end of a chain of %d takes it along, as killed', async (length) => {
  const { world, last, reasons } = await chain(length);

  world.tell(last, exit(last, 'kill'));

  expect(reasons()).toEqual(Array.from({ length }, () => 'killed'));
});

test('S1-010 kill is a signal and no reason: who ends itself as killed is no killer, and a trapping neighbour survives', async () => {
  const { world, pids, last, reasons } = await chain(4, [1]);

  world.tell(last, stop('killed'));

  expect({ reasons: reasons(), neighbour: world.seen(pids[1] ?? nobody), alive: pids.map((pid) => world.isAlive(pid)) }).toEqual({
    reasons: ['killed', 'killed'],
    neighbour: [{ type: 'EXIT', process: pids[2], reason: 'killed', fromParent: false }],
    alive: [true, true, false, false],
  });
});

test('S1-011 the first of two exits of one sender counts, also when the target is busy', async () => {
  const outcomes = await outcomesOf(300, async (scheduler) => {
    const { world, a, b, c } = await strangers('', scheduler);
    for (let count = 0; count < 5; count += 1) world.runtime.send(b, { type: 'seen.work' });
    world.runtime.send(c, { type: 'do', effects: [send(b, 'seen.more')] });
    world.tell(a, exit(b, { shutdown: 'first' }), exit(b, { shutdown: 'second' }));
    return world.reasonOf(b);
  });

  expect(outcomes).toEqual([{ shutdown: 'first' }]);
});

test('S1-012 an exit ends a process that waits for a timer, and the timer with it', async () => {
  const { world, a } = await strangers();
  world.tell(a, startTimer('wait', 1_000));

  world.advance(500);
  world.exit(a, { shutdown: 'meanwhile' });

  expect({ reason: world.reasonOf(a), timers: world.clock.pendingTimers }).toEqual({ reason: { shutdown: 'meanwhile' }, timers: 0 });
});

test("S1-013 of a process's own end and another's exit either wins, and links hear one reason once", async () => {
  const outcomes = await outcomesOf(300, async (scheduler) => {
    const { world, a, b, c } = await strangers('c', scheduler);
    world.tell(c, link(b));
    world.runtime.send(a, { type: 'do', effects: [exit(b, { shutdown: 'theirs' })] });
    world.runtime.send(b, { type: 'do', effects: [stop({ shutdown: 'its own' })] });
    world.runtime.drain();
    return world.seen(c).map(({ reason }) => reason);
  });

  expect(outcomes).toEqual([[{ shutdown: 'its own' }], [{ shutdown: 'theirs' }]]);
});

test('S1-014 an uncaught error is told with name, message and stack, a thrown value as its text, an exit as its reason alone', async () => {
  const world = new World();
  const throwing = (thrown: () => never) => setup({ actions: { thrown } }).createMachine({ on: { go: { actions: 'thrown' } } });
  const error = await world.start({ machine: throwing(() => { throw new RangeError('too far'); }) }, 'error');
  const value = await world.start({ machine: throwing(() => { throw JSON.parse('"a value"'); }) }, 'value');
  const exiting = await world.puppet('exiting');

  world.send(error, { type: 'go' });
  world.send(value, { type: 'go' });
  world.tell(exiting, stop({ shutdown: 'reason' }));

  expect([error, value, exiting].map((pid) => world.reasonOf(pid))).toEqual([
    { error: { name: 'RangeError', message: 'too far', stack: expect.stringContaining('signals/exits') as string } },
    { error: { name: 'Thrown', message: 'a value' } },
    { shutdown: 'reason' },
  ]);
});

test('S1-015 a machine that comes to its end ends as normal', async () => {
  const { world, a } = await strangers();

  world.send(a, { type: 'finish' });

  expect(world.reasonOf(a)).toBe('normal');
});

test('S1-016 nothing is known of a process after its death', async () => {
  const world = new World();
  const pid = await world.puppet('p', { name: '@p' });
  world.exit(pid, 'kill');
  const { runtime } = world;

  const known = {
    info: runtime.processInfo(pid),
    named: runtime.processInfo('@p'),
    ref: runtime.refOf(pid),
    holder: runtime.whereis('@p'),
    table: runtime.tableOf(pid, 'echo'),
    tree: runtime.tree(),
  };

  expect(known).toEqual({ info: undefined, named: undefined, ref: undefined, holder: undefined, table: undefined, tree: [] });
});

test('S1-017 who asks a process after sending it an exit finds it dead; read from outside it lives until that arrives', async () => {
  const { world, a, b } = await strangers();
  world.runtime.exit(b, 'shutdown');
  const read = world.isAlive(b);
  world.runtime.drain();
  const { world: other, a: asker, b: target } = await strangers();

  other.tell(asker, exit(target, 'shutdown'), call(target, 'seen.request'));

  expect({ read, a: world.isAlive(a), answer: other.seen(asker) }).toEqual({
    read: true,
    a: true,
    answer: [{ type: 'seen.call.failed', to: target, request: 'seen.request', reason: 'shutdown' }],
  });
});

test('S1-018 what is sent to the dead or to nobody has no effect', async () => {
  const { world, a, b } = await strangers();
  world.exit(b, 'kill');

  world.tell(a, send(b, 'seen.1'), send(nobody, 'seen.2'), send('@nobody', 'seen.3'), exit(b, 'kill'), exit(nobody, 'shutdown'));

  expect({ alive: world.isAlive(a), seen: world.seen(a) }).toEqual({ alive: true, seen: [] });
});
