import { expect, test } from 'vitest';
import type { Pid } from '../../../src/otp/process.ts';
import type { Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const monitor = (process: Pid | `@${string}`, as = 'seen'): Told => ({ type: 'monitor', params: { process, as } });
const demonitor = (process: Pid): Told => ({ type: 'demonitor', params: { process } });
const link = (process: Pid): Told => ({ type: 'link', params: { process } });
const nobody = 'nobody#99' as Pid;

async function three(trapping: readonly string[] = []) {
  const world = new World();
  const [a, b, c] = [
    await world.puppet('a', { trapExit: trapping.includes('a') }),
    await world.puppet('b', { trapExit: trapping.includes('b') }),
    await world.puppet('c', { trapExit: trapping.includes('c') }),
  ];
  return { world, a, b, c };
}

test('tells of an end once per monitor, with its reason', async () => {
  const { world, a, b } = await three();
  world.tell(a, monitor(b, 'seen.first'), monitor(b, 'seen.second'));

  world.exit(b, { shutdown: 'drained' });

  const reason = { shutdown: 'drained' };
  expect(world.seen(a)).toEqual([
    { type: 'seen.first.down', process: b, reason },
    { type: 'seen.second.down', process: b, reason },
  ]);
});

test('tells of the dead and of unknown names at once, as noproc', async () => {
  const { world, a } = await three();

  world.tell(a, monitor(nobody), monitor('@nobody'));

  expect(world.seen(a)).toEqual([
    { type: 'seen.down', process: nobody, reason: 'noproc' },
    { type: 'seen.down', process: '@nobody', reason: 'noproc' },
  ]);
});

test('tells of an end after everything that the process had sent', async () => {
  const { world, a, b } = await three();
  world.tell(a, monitor(b));

  world.tell(b, { type: 'send', params: { to: a, event: { type: 'seen.last' } } }, { type: 'stop', params: { reason: 'normal' } });

  expect(world.seen(a).map(({ type }) => type)).toEqual(['seen.last', 'seen.down']);
});

test('a monitor that was taken back says nothing, also when its DOWN is under way', async () => {
  const { world, a, b, c } = await three();
  world.tell(a, monitor(b), monitor(c), demonitor(b));
  world.runtime.send(a, { type: 'do', effects: [demonitor(c)] });
  world.runtime.exit(c, 'kill');
  world.exit(b, 'kill');

  expect({ seen: world.seen(a), monitors: world.runtime.processInfo(a)?.monitors }).toEqual({ seen: [], monitors: [] });
});

test('demonitoring one takes back no monitor of another', async () => {
  const { world, a, b, c } = await three();
  world.tell(a, monitor(b), demonitor(c));
  world.exit(b, 'kill');

  expect(world.seen(a)).toMatchObject([{ type: 'seen.down', process: b }]);
});

test('monitors that are made when all others were taken back are each taken back alone', async () => {
  const { world, a, b, c } = await three();
  world.tell(a, monitor(b), monitor(c), demonitor(b), demonitor(c), monitor(b), monitor(c), demonitor(b));
  world.exit(b, 'kill');

  expect({ seen: world.seen(a), monitors: world.runtime.processInfo(a)?.monitors }).toEqual({ seen: [], monitors: [c] });
});

test('demonitoring what is not monitored does nothing', async () => {
  const { world, a, b } = await three();

  world.tell(a, demonitor(b), demonitor(nobody));

  expect(world.seen(a)).toEqual([]);
});

test('a watcher that ends leaves no trace at its target', async () => {
  const { world, a, b } = await three();
  world.tell(a, monitor(b));
  world.exit(a, 'kill');

  expect(world.runtime.processInfo(b)?.monitoredBy).toEqual([]);
});

test('names the monitored process as it was addressed, when the name is free again', async () => {
  const { world, a } = await three();
  const named = await world.puppet('named', { name: '@named' });
  world.tell(a, monitor('@named'));
  let holderAtDown: Pid | undefined = named;
  const stop = world.runtime.trace((record) => {
    if (record.type === 'deliver' && record.message.type === 'seen.down') holderAtDown = world.runtime.whereis('@named');
  });

  world.exit(named, 'kill');
  stop();

  expect({ seen: world.seen(a), holderAtDown }).toEqual({
    seen: [{ type: 'seen.down', process: '@named', reason: 'killed' }],
    holderAtDown: undefined,
  });
});

test('resolves a name when the message is sent, and refuses a second holder', async () => {
  const world = new World();
  const first = await world.puppet('first', { name: '@one' });

  const refused = await world.puppet('second', { name: '@one' }).catch((error: unknown) => error);
  world.send('@one', { type: 'seen.1' });
  world.exit(first, 'kill');
  const third = await world.puppet('third', { name: '@one' });
  world.send('@one', { type: 'seen.2' });

  expect({ refused, third: world.seen(third) }).toMatchObject({
    refused: { reason: { error: { name: 'already_started', message: '@one is first#1' } } },
    third: [{ type: 'seen.2' }],
  });
});

test('a crash takes linked processes along, with its reason, around a cycle', async () => {
  const { world, a, b, c } = await three();
  world.tell(a, link(b));
  world.tell(b, link(c));
  world.tell(c, link(a));

  world.exit(b, 'killed');

  expect(world.exits).toEqual([b, a, c].map((process) => ({ process, reason: 'killed' })));
});

test('a link is one however often it was made, and does not carry a normal end', async () => {
  const { world, a, b, c } = await three(['a']);
  world.tell(a, link(b), link(b));
  world.tell(b, link(c));

  world.send(b, { type: 'finish' });

  expect({ a: world.seen(a), c: world.isAlive(c) }).toEqual({
    a: [{ type: 'EXIT', process: b, reason: 'normal', fromParent: false }],
    c: true,
  });
});

test('an unlinked process hears nothing, also when the exit is under way', async () => {
  const { world, a, b } = await three();
  world.tell(a, link(b));
  world.runtime.exit(b, 'killed');
  world.runtime.send(a, { type: 'do', effects: [{ type: 'unlink', params: { process: b } }] });
  world.runtime.step();
  world.runtime.drain();

  expect({ a: world.isAlive(a), b: world.reasonOf(b) }).toEqual({ a: true, b: 'killed' });
});

test('linking to the dead is their exit: told to who traps, the end of who does not', async () => {
  const { world, a, b } = await three(['a']);

  world.tell(a, link(nobody));
  world.tell(b, link(nobody));

  expect({ a: world.seen(a), b: world.reasonOf(b) }).toEqual({
    a: [{ type: 'EXIT', process: nobody, reason: 'noproc', fromParent: false }],
    b: 'noproc',
  });
});

test('a second link to one whose exit is under way changes nothing: that exit says it', async () => {
  const { world, a, b, c } = await three(['a']);
  world.tell(a, link(c));
  world.tell(b, link(c));

  world.runtime.send(c, { type: 'do', effects: [{ type: 'stop', params: { reason: 'normal' } }] });
  for (const pid of [a, b]) world.runtime.send(pid, { type: 'do', effects: [link(c)] });
  world.runtime.drain();

  expect({ a: world.seen(a), b: world.reasonOf(b) }).toEqual({
    a: [{ type: 'EXIT', process: c, reason: 'normal', fromParent: false }],
    b: undefined,
  });
});

test('kill cannot be trapped, and arrives as killed', async () => {
  const { world, a, b, c } = await three(['b', 'c']);
  world.tell(a, monitor(b));
  world.tell(c, link(b));

  world.tell(a, { type: 'exit', params: { process: b, reason: 'kill' } });

  expect({ a: world.seen(a), c: world.seen(c) }).toEqual({
    a: [{ type: 'seen.down', process: b, reason: 'killed' }],
    c: [{ type: 'EXIT', process: b, reason: 'killed', fromParent: false }],
  });
});

test('a killed process leaves no living actor behind', async () => {
  const { world, b } = await three();
  const actor = world.runtime.refOf(b);

  world.runtime.exit(b, 'kill');
  world.runtime.drain();

  expect(actor?.getSnapshot()).toMatchObject({ status: 'stopped' });
});

test('kill reaches a process past everything that waits for it', async () => {
  const { world, b } = await three();
  for (let count = 0; count < 100; count += 1) world.runtime.send(b, { type: 'seen.flood' });

  world.runtime.exit(b, 'kill');
  const alive = [0, 1].map(() => world.runtime.step() && world.isAlive(b));
  world.runtime.drain();

  expect({ alive, reason: world.reasonOf(b) }).toEqual({ alive: [true, true], reason: 'killed' });
});

test('an exit with normal from another changes nothing, from itself it is the end', async () => {
  const { world, a, b, c } = await three(['c']);
  const exit = (process: Pid): Told => ({ type: 'exit', params: { process, reason: 'normal' } });

  world.tell(a, exit(b), exit(c));
  world.tell(b, exit(b));

  expect({ b: world.reasonOf(b), c: world.seen(c) }).toEqual({
    b: 'normal',
    c: [{ type: 'EXIT', process: a, reason: 'normal', fromParent: false }],
  });
});

test('only the first of two exits counts', async () => {
  const { world, a, b, c } = await three();
  world.tell(c, monitor(b));

  world.tell(
    a,
    { type: 'exit', params: { process: b, reason: { shutdown: 1 } } },
    { type: 'exit', params: { process: b, reason: { shutdown: 2 } } },
  );

  expect(world.seen(c)).toEqual([{ type: 'seen.down', process: b, reason: { shutdown: 1 } }]);
});

test('processes that monitor one another leave nothing behind', async () => {
  const { world, a, b } = await three();
  world.tell(a, monitor(b), monitor(b, 'seen.again'));
  world.tell(b, monitor(a));
  world.exit(a, 'kill');

  const { monitors, monitoredBy } = world.runtime.processInfo(b) ?? {};
  expect({ monitors, monitoredBy, seen: world.seen(b) }).toEqual({
    monitors: [],
    monitoredBy: [],
    seen: [{ type: 'seen.down', process: a, reason: 'killed' }],
  });
});

test('tells the outside of an end, and of one long past', async () => {
  const { world, a } = await three();
  const down = world.runtime.whenDown(a);
  world.exit(a, 'shutdown');
  const late = world.runtime.whenDown(a);
  world.runtime.drain();

  expect(await Promise.all([down, late])).toEqual(['shutdown', 'noproc']);
});

test('a monitor is taken back by its word alone, and by flush: false as long as the process lives', async () => {
  const { world, a, b } = await three();
  world.tell(a, monitor(b, 'seen.first'), monitor(b, 'seen.second'), {
    type: 'demonitor',
    params: { process: b, as: 'seen.first', flush: false },
  });

  world.exit(b, 'kill');

  expect(world.seen(a).map(({ type }) => type)).toEqual(['seen.second.down']);
});

test('nothing more is delivered to one that has ended, not even what it was to handle next', async () => {
  const world = new World();
  const delivered: string[] = [];
  const pid = await world.puppet('p', { hibernateAfterMs: 100 });
  world.runtime.trace((record) => record.type === 'deliver' && delivered.push(record.message.type));
  world.tell(
    pid,
    { type: 'continue', params: { event: { type: 'finish' } } },
    { type: 'continue', params: { event: { type: 'seen.later' } } },
  );

  expect({ delivered, timers: world.clock.pendingTimers }).toEqual({ delivered: ['do', 'finish'], timers: 0 });
});

test('one end is one signal for each who is told', async () => {
  const { world, a, b } = await three();
  world.tell(a, monitor(b));
  world.runtime.exit(b, 'kill');

  expect(world.runtime.drain()).toBe(3); // The order, the DOWN, and what the outside is told.
});

test('a link that is none, or is none any more, is held by neither side', async () => {
  const { world, a, b, c } = await three();
  const linksOf = (pid: Pid) => world.runtime.processInfo(pid)?.links.filter((other) => other !== 'outside');
  world.tell(a, link(a), link(b), link(c), { type: 'unlink', params: { process: b } }, { type: 'unlink', params: { process: nobody } });

  expect([linksOf(a), linksOf(b), linksOf(c)]).toEqual([[c], [], [a]]);
});

test('one that is suspended is killed, also when it traps', async () => {
  const { world, a } = await three(['a']);
  world.runtime.suspend(a);

  world.exit(a, 'kill');

  expect(world.reasonOf(a)).toBe('killed');
});

test('to suspend one that is suspended loses nothing', async () => {
  const { world, a } = await three();
  world.runtime.suspend(a);
  world.send(a, { type: 'seen.first' });
  world.runtime.suspend(a);
  world.runtime.resume(a);
  world.runtime.drain();

  expect(world.seen(a)).toEqual([{ type: 'seen.first' }]);
});

test('nothing is on its way to one that has ended', async () => {
  const { world, a, b } = await three();
  world.tell(a, link(b));
  world.runtime.exit(a, 'kill');
  world.runtime.exit(b, 'kill'); // Before it hears of the end of a: it is linked as far as it knows.

  expect(world.runtime.drain()).toBe(4); // Two orders, and two ends of which the outside hears.
});
