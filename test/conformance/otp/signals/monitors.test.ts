import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { effects } from '../../../../src/otp/effects.ts';
import type { ExitReason, Pid } from '../../../../src/otp/process.ts';
import { World } from '../../../support/otp/world.ts';
import { outcomesOf } from '../support/races.ts';
import { nobody, strangers } from '../support/strangers.ts';
import { demonitor, exit, monitor, stop } from '../support/told.ts';

const large: ExitReason = { shutdown: Array.from({ length: 10_000 }, (_, index) => ({ index, text: 'x'.repeat(index % 50) })) };

test.each<[string, ExitReason]>([
  ['normal', 'normal'],
  ['shutdown', 'shutdown'],
  ['a very large one', large],
])('S1-033 S1-034 a monitor tells the reason of the end: %s', async (_, reason) => {
  const { world, a, b } = await strangers();
  world.tell(a, monitor(b));

  world.tell(b, stop(reason));

  expect(world.seen(a)).toEqual([{ type: 'seen.down', process: b, reason }]);
});

test('S1-035 S1-036 S1-055 a monitor of the dead or of an unknown name tells noproc at once, in its own words', async () => {
  const { world, a, b } = await strangers();
  world.exit(b, 'kill');

  world.tell(a, monitor(b, 'seen.dead'), monitor('@nobody', 'seen.unknown'));

  expect(world.seen(a)).toEqual([
    { type: 'seen.dead.down', process: b, reason: 'noproc' },
    { type: 'seen.unknown.down', process: '@nobody', reason: 'noproc' },
  ]);
});

test('S1-037 a monitor by name tells the name and not the pid', async () => {
  const { world, a } = await strangers();
  await world.puppet('named', { name: '@named' });
  world.tell(a, monitor('@named'));

  world.tell('@named', stop({ shutdown: 'moved' }));

  expect(world.seen(a)).toEqual([{ type: 'seen.down', process: '@named', reason: { shutdown: 'moved' } }]);
});

test('S1-038 when the DOWN of a monitor by name arrives, its owner can take the name', async () => {
  const heir = setup({ actions: { ...effects } }).createMachine({
    on: {
      watch: { actions: { type: 'monitor', params: { process: '@throne', as: 'holder' } } },
      'holder.down': { actions: { type: 'register', params: { name: '@throne', as: 'throne' } } },
      'throne.registered': { actions: { type: 'stop', params: { reason: { shutdown: 'registered' } } } },
      'throne.taken': { actions: { type: 'stop', params: { reason: { shutdown: 'taken' } } } },
    },
  });
  const outcomes = await outcomesOf(200, async (scheduler) => {
    const world = new World(scheduler);
    await world.puppet('holder', { name: '@throne' });
    const pid = await world.start({ machine: heir }, 'heir');
    world.send(pid, { type: 'watch' });
    world.exit('@throne', 'kill');
    return world.reasonOf(pid);
  });

  expect(outcomes).toEqual([{ shutdown: 'registered' }]);
});

test('S1-040 each of several monitors on one process tells its own DOWN', async () => {
  const { world, a, b } = await strangers();
  const words = Array.from({ length: 20 }, (_, index) => `seen.${index}`);
  world.tell(a, ...words.map((as) => monitor(b, as)));

  world.exit(b, 'kill');

  expect(world.seen(a)).toEqual(words.map((as) => ({ type: `${as}.down`, process: b, reason: 'killed' })));
});

test('S1-041 a process may monitor itself, and take that back', async () => {
  const { world, a } = await strangers();

  world.tell(a, monitor(a), demonitor(a));

  expect({ alive: world.isAlive(a), seen: world.seen(a), monitors: world.runtime.processInfo(a)?.monitors }).toEqual({
    alive: true,
    seen: [],
    monitors: [],
  });
});

test('S1-042 no DOWN comes after a monitor was taken back', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, monitor(b), demonitor(b));

  world.exit(b, 'kill');

  expect(world.seen(a)).toEqual([]);
});

test.each([
  [false, ['seen.down']],
  [true, []],
])('S1-043 a DOWN that is already on its way, its monitor taken back with flush %s', async (flush, expected) => {
  const { world, a, b } = await strangers();
  world.tell(a, monitor(b));
  world.runtime.exit(b, 'kill');
  world.runtime.send(a, { type: 'do', effects: [demonitor(b, { flush })] });

  world.runtime.drain();

  expect(world.seen(a).map(({ type }) => type)).toEqual(expected);
});

test('S1-044 to take a monitor back twice, or one that never was, does nothing', async () => {
  const { world, a, b } = await strangers();

  world.tell(a, monitor(b), demonitor(b), demonitor(b), demonitor(nobody), demonitor('@nobody'));

  expect({ alive: world.isAlive(a), seen: world.seen(a) }).toEqual({ alive: true, seen: [] });
});

test('S1-046 a monitor is taken back by its owner alone', async () => {
  const { world, a, b, c } = await strangers();
  world.tell(a, monitor(b));

  world.tell(c, demonitor(b));
  world.exit(b, 'kill');

  expect({ a: world.seen(a), c: world.isAlive(c) }).toEqual({ a: [{ type: 'seen.down', process: b, reason: 'killed' }], c: true });
});

test('S1-050 who kills the process that it monitors and then ends leaves nothing behind', async () => {
  const outcomes = await outcomesOf(200, async (scheduler) => {
    const { world, a, b, c } = await strangers('', scheduler);
    world.tell(c, monitor(a));
    world.runtime.send(a, { type: 'do', effects: [monitor(b), exit(b, 'kill')] });
    world.runtime.send(a, { type: 'do', effects: [stop('normal')] });
    world.runtime.drain();
    return { a: world.seen(c).map(({ reason }) => reason), b: world.reasonOf(b), left: world.runtime.tree().map(({ id }) => id) };
  });

  expect(outcomes).toEqual([{ a: ['normal'], b: 'killed', left: ['c'] }]);
});

test('S1-051 S1-054 a watcher that ends is gone from its target, which takes no notice', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, monitor(b));

  world.exit(a, 'kill');

  expect({ monitoredBy: world.runtime.processInfo(b)?.monitoredBy, seen: world.seen(b) }).toEqual({ monitoredBy: [], seen: [] });
});

test('S1-052 a monitor that was taken back or has told is gone from its owner, one by name too', async () => {
  const { world, a, b, c } = await strangers();
  await world.puppet('d', { name: '@d' });
  await world.puppet('e', { name: '@e' });
  const monitors = () => world.runtime.processInfo(a)?.monitors;
  world.tell(a, ...([b, c, '@d', '@e'] as const).map((process) => monitor(process)));
  const before = monitors();

  world.tell(a, demonitor(b), demonitor('@d'));
  const between = monitors();
  world.exit(c, 'kill');
  world.exit('@e', 'kill');

  expect([before, between, monitors()]).toEqual([[b, c, '@d', '@e'], [c, '@e'], []]);
});

test('S1-053 two that monitor each other leave nothing behind, in whatever order they end or let go', async () => {
  const outcomes = await outcomesOf(300, async (scheduler) => {
    const { world, a, b } = await strangers('', scheduler);
    for (const [owner, target] of [[a, b], [b, a]] as const) {
      world.runtime.send(owner, { type: 'do', effects: [monitor(target), monitor(target, 'seen.again'), monitor(target, 'seen.third')] });
      world.runtime.send(owner, { type: 'do', effects: [demonitor(target, { as: 'seen.again' })] });
    }
    world.runtime.exit(a, 'kill');
    world.runtime.drain();
    const { monitors, monitoredBy } = world.runtime.processInfo(b) ?? {};
    return { monitors, monitoredBy };
  });

  expect(outcomes).toEqual([{ monitors: [], monitoredBy: [] }]);
});

test('S1-055 S1-056 a thousand monitors tell a thousand times, each in its own words', async () => {
  const world = new World();
  const watcher = await world.puppet('watcher');
  const pids: Pid[] = [];
  for (let index = 0; index < 1_000; index += 1) pids.push(await world.puppet(`p${index}`));
  world.tell(watcher, ...pids.map((pid, index) => monitor(pid, `seen.${index}`)));

  for (const pid of pids) world.runtime.exit(pid, 'kill');
  world.runtime.drain();

  expect(world.seen(watcher)).toEqual(pids.map((process, index) => ({ type: `seen.${index}.down`, process, reason: 'killed' })));
});

test.each<[ExitReason]>([['shutdown'], [{ shutdown: { because: ['a', 'b'] } }]])(
  'S1-045 S1-057 taken back while its target ends with %j, a monitor tells before or never; unlike in OTP nobody need be answered which',
  async (reason) => {
    const outcomes = await outcomesOf(200, async (scheduler) => {
      const { world, a, b } = await strangers('', scheduler);
      world.tell(a, monitor(b));
      world.runtime.send(b, { type: 'do', effects: [stop(reason)] });
      world.runtime.send(a, {
        type: 'do',
        effects: [demonitor(b), { type: 'send', params: { to: a, event: { type: 'seen.takenBack' } } }],
      });
      world.runtime.drain();
      return world.seen(a).map(({ type }) => type);
    });

  expect(outcomes).toEqual([['seen.down', 'seen.takenBack'], ['seen.takenBack']]);
});
