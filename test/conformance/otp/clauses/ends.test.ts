import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { randomScheduler } from '../../../../src/otp/schedulers/choosing-scheduler.ts';
import type { ExitReason } from '../../../../src/otp/process.ts';
import { Family } from '../../../support/otp/family.ts';
import { World } from '../../../support/otp/world.ts';
import { nobody, strangers } from '../support/strangers.ts';
import { demonitor, exit, link, monitor, send, startTimer, stop, unlink } from '../support/told.ts';

test("clause 9: one end with one reason: the output's, normal, what stop said, or the error", async () => {
  const world = new World();
  const output = (reason: ExitReason) =>
    setup({}).createMachine({ initial: 'over', states: { over: { type: 'final' } }, output: { reason } });
  const watcher = await world.puppet('watcher');
  const [finished, stopped, crashed] = [await world.puppet('finished'), await world.puppet('stopped'), await world.puppet('crashed')];
  world.tell(watcher, ...[finished, stopped, crashed].map((pid) => monitor(pid)));

  const outcome: unknown = await world.start({ machine: output({ shutdown: 'moved' }) }, 'p').catch((error: unknown) => error);
  world.send(finished, { type: 'finish' });
  world.tell(stopped, stop('shutdown'), stop('noproc'));
  world.send(crashed, { type: 'fail' });

  expect({ outcome, reasons: world.seen(watcher).map(({ reason }) => reason) }).toMatchObject({
    outcome: { reason: { shutdown: 'moved' } },
    reasons: ['normal', 'noproc', { error: { message: 'told to fail' } }],
  });
});

test('clause 10: who is told of an end finds name, timers, monitors and calls gone', async () => {
  const { world, a, b } = await strangers();
  const named = await world.puppet('named', { name: '@named' });
  world.tell(a, monitor(named));
  world.tell(named, startTimer('tick', 1_000), monitor(b));
  const atDown: unknown[] = [];
  world.runtime.trace((record) => {
    if (record.type !== 'deliver' || record.message.type !== 'seen.down') return;
    atDown.push(world.runtime.whereis('@named'), world.clock.pendingTimers, world.runtime.processInfo(b)?.monitoredBy);
  });

  world.exit(named, 'shutdown');

  expect(atDown).toEqual([undefined, 0, []]);
});

test('clause 11: one DOWN per monitor, after all that was sent; none once it was taken back; noproc for the dead', async () => {
  const { world, a, b, c } = await strangers();
  world.tell(a, monitor(b, 'seen.1'), monitor(b, 'seen.2'), monitor(c), monitor(nobody, 'seen.3'));
  world.runtime.send(c, { type: 'finish' });
  world.runtime.send(a, { type: 'do', effects: [demonitor(c)] });
  world.tell(b, send(a, 'seen.last'), stop('shutdown'));

  expect(world.seen(a)).toEqual([
    { type: 'seen.3.down', process: nobody, reason: 'noproc' },
    { type: 'seen.last' },
    { type: 'seen.1.down', process: b, reason: 'shutdown' },
    { type: 'seen.2.down', process: b, reason: 'shutdown' },
  ]);
});

test('clause 12: a link ends the other unless the end was normal or it traps, and unlink undoes it', async () => {
  const { world, a, b, c } = await strangers('c');
  const loose = await world.puppet('loose');
  world.tell(a, link(b), link(c), link(loose), unlink(loose));

  world.tell(a, stop({ shutdown: 'moved' }));

  const reason = { shutdown: 'moved' };
  expect({ b: world.reasonOf(b), c: world.seen(c), loose: world.isAlive(loose) }).toEqual({
    b: reason,
    c: [{ type: 'EXIT', process: a, reason, fromParent: false }],
    loose: true,
  });
});

test('clause 13: exit with normal does nothing to another, and kill is obeyed by everyone before what waits', async () => {
  const { world, a, b, c } = await strangers('c');
  for (let count = 0; count < 10; count += 1) world.runtime.send(c, { type: 'seen.flood' });

  world.tell(a, exit(b, 'normal'), exit(c, 'kill'));

  expect({ b: world.isAlive(b), c: world.reasonOf(c) }).toEqual({ b: true, c: 'killed' });
});

test('clause 14: a child never outlives its supervisor, even one that traps, has unlinked and does not obey', async () => {
  const reasons: unknown[] = [];
  for (let seed = 0; seed < 50; seed += 1) {
    const family = await Family.start({ a: { stubborn: true, shutdown: 100 } }, {}, new World(randomScheduler(seed)));
    const child = family.child('a');
    family.world.tell(child, unlink(family.pid));
    family.world.exit(family.pid, 'kill');
    family.world.advance(100);
    reasons.push(family.world.reasonOf(child));
  }

  expect([...new Set(reasons)]).toEqual(['killed']);
});
