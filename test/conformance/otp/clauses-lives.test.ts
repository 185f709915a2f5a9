/** The promises about what a process makes, is called, and does when there is nothing to do. */
import { expect, test } from 'vitest';
import { pctScheduler } from '../../../src/otp/pct-scheduler.ts';
import { via } from '../../../src/otp/registry.ts';
import { InvalidSpecError } from '../../../src/otp/child-spec-faults.ts';
import { supervisor } from '../../../src/otp/supervisor.ts';
import { Family } from '../../otp/support/family.ts';
import { puppetSpec, type Told } from '../../otp/support/puppet.ts';
import { World } from '../../otp/support/world.ts';
import { callerOf, rest } from './support/job.ts';
import { starts } from './support/starts.ts';
import { strangers } from './support/strangers.ts';
import { apply, async, listen, register, send, spawn, start, startTimer, unregister } from './support/told.ts';

const typesSeen = (world: World, process: Parameters<World['seen']>[0]) => world.seen(process).map(({ type }) => type);

test('clause 8: what is dropped is the newest or the oldest, as the specification says, and never a signal', async () => {
  const world = new World();
  const flood = async (id: string, mailboxOverflow: 'drop_newest' | 'drop_oldest') => {
    const pid = await world.puppet(id, { mailboxMax: 1, mailboxOverflow });
    for (const type of ['seen.1', 'seen.2']) world.runtime.send(pid, { type });
    world.runtime.drain();
    return typesSeen(world, pid);
  };

  expect([await flood('newest', 'drop_newest'), await flood('oldest', 'drop_oldest')]).toEqual([['seen.1'], ['seen.2']]);
});

test('clause 17: until ends a timer with the next event or a change of state, and one without delay beats the mailbox', async () => {
  const { world, a } = await strangers();
  const silence: Told = { type: 'startTimer', params: { name: 'silence', delayMs: 10, until: 'nextEvent' } };
  const state: Told = { type: 'startTimer', params: { name: 'state', delayMs: 10, until: 'stateChange' } };
  world.tell(a, silence, state, startTimer('named', 10));
  world.send(a, { type: 'seen.event' });
  world.send(a, { type: 'sleep' });
  world.send(a, { type: 'wake' });
  world.advance(10);
  const outlived = typesSeen(world, a);
  world.runtime.send(a, { type: 'do', effects: [startTimer('none', 0)] });
  world.runtime.send(a, { type: 'seen.message' });
  world.runtime.drain();

  expect({ outlived, then: typesSeen(world, a).slice(outlived.length) }).toEqual({
    outlived: ['seen.event', 'timeout.named'],
    then: ['timeout.none', 'seen.message'],
  });
});

test('clause 31: spawn gives the pid at once, start has one outcome, and neither outlives its maker', async () => {
  const world = new World();
  const maker = await world.puppet('maker', { spawns: { ...starts, below: () => puppetSpec() } });
  world.tell(maker, spawn('below', { as: 'seen.below' }), start('slow', { as: 'seen.slow' }), start('raising', { as: 'seen.raising', link: true, monitor: true }));
  const before = typesSeen(world, maker);
  world.advance(1_000);
  const after = typesSeen(world, maker).slice(before.length);
  world.exit(maker, 'shutdown');

  expect({ before, after, left: world.runtime.tree() }).toEqual({ before: ['seen.below.spawned', 'seen.raising.failed'], after: ['seen.slow.failed'], left: [] });
});

test('clause 32: who has nothing to do ends normal, and its supervisor does without it', async () => {
  const world = new World();
  const children = [{ id: 'idle', start: () => starts.ignoring({ type: 'idle' }) }, { id: 'port', start: () => ({ open: () => 'ignore' as const }) }];
  const sup = await world.start(supervisor({ strategy: 'one_for_one', children }), 'sup');

  expect({ tree: world.runtime.printTree(), ends: world.exits.map(({ reason }) => reason) }).toEqual({ tree: `sup ${sup} running`, ends: ['normal', 'normal'] });
});

test('clause 33: a task ends with its job, and its job is told when the owner has left', async () => {
  const { world, caller, job } = await callerOf();
  world.tell(caller, async('job'));
  const running = world.runtime.printTree().split('\n').length;
  world.exit(caller, 'shutdown');
  await rest(world);

  expect({ running, aborted: job.aborted, tree: world.runtime.tree() }).toEqual({ running: 2, aborted: [true], tree: [] });
});

test("clause 34: a name is taken at once or not at all, is only its holder's to give back, and its key is JSON", async () => {
  const { world, a, b } = await strangers();
  const [one, text] = [via('desks', 1), via('desks', '1')];
  world.tell(a, register(one));
  world.tell(b, register(one), register(text), unregister(one));

  expect({ seen: world.seen(b), holders: [world.runtime.whereis(one), world.runtime.whereis(text)] }).toEqual({
    seen: [{ type: 'seen.taken', name: one, process: a }, { type: 'seen.registered', name: text }],
    holders: [a, b],
  });
});

test('clause 35: a listener hears of what is taken and given back, not of deaths', async () => {
  const { world, a, b } = await strangers();
  const [first, second] = [via('desks', 1), via('desks', 2)];
  world.tell(a, listen('desks'));
  world.tell(b, register(first, { value: 'window', as: 'seen.own' }), unregister(first), register(second, { as: 'seen.own' }));
  world.exit(b, 'kill');

  expect(world.seen(a)).toEqual([
    { type: 'seen.registered', name: first, process: b, value: 'window' },
    { type: 'seen.unregistered', name: first, process: b },
    { type: 'seen.registered', name: second, process: b, value: undefined },
  ]);
});

test('clause 36: what continues comes before postponed events and the mailbox, in its order', async () => {
  const { world, a } = await strangers();
  world.send(a, { type: 'sleep' });
  world.send(a, { type: 'seen.postponed' });
  world.runtime.send(a, { type: 'wake' });
  world.runtime.drain();
  const next = (type: `seen.${string}`): Told => ({ type: 'continue', params: { event: { type } } });
  world.runtime.send(a, { type: 'do', effects: [send(a, 'seen.sent'), next('seen.first'), apply('seen.answer'), next('seen.last')] });
  world.runtime.send(a, { type: 'seen.waiting' });
  world.runtime.drain();

  expect(typesSeen(world, a)).toEqual(['seen.postponed', 'seen.first', 'seen.answer', 'seen.last', 'seen.waiting', 'seen.sent']);
});

test('clause 37: who hibernates keeps what it has and is woken by what reaches it', async () => {
  const { world, a } = await strangers();
  world.tell(a, register('@desk', { as: 'seen' }), startTimer('tick', 5), { type: 'hibernate', params: undefined });
  const asleep = { actor: world.runtime.refOf(a), ...world.runtime.processInfo(a) };
  world.advance(5);

  expect({ asleep, seen: typesSeen(world, a) }).toMatchObject({
    asleep: { actor: undefined, hibernates: true, names: ['@desk'], timers: [{ name: 'tick' }] },
    seen: ['seen.registered', 'timeout.tick'],
  });
});

test('clause 38: a suspended process handles nothing until it goes on, then all in order; an exit still ends it', async () => {
  const { world, a, b } = await strangers();
  for (const process of [a, b]) world.runtime.suspend(process);
  for (const type of ['seen.1', 'seen.2']) world.send(a, { type });
  const held = world.seen(a).length;
  world.runtime.resume(a);
  world.runtime.drain();
  world.exit(b, 'shutdown');

  expect({ held, seen: typesSeen(world, a), ended: world.reasonOf(b) }).toEqual({ held: 0, seen: ['seen.1', 'seen.2'], ended: 'shutdown' });
});

test('clause 39: a faulty specification is refused with its first fault', () => {
  const spec = { strategy: 'one_for_some', maxRestarts: -1, children: [{}] } as unknown as Parameters<typeof supervisor>[0];

  expect(() => supervisor(spec)).toThrow(new InvalidSpecError({ code: 'invalid_strategy', value: 'one_for_some' }));
});

test('clause 40: children are administrated by request, each answered once', async () => {
  const family = await Family.start({ a: {} });
  const ask = async (type: string) => {
    const answer = family.world.runtime.call(family.pid, { type, id: 'a' });
    family.world.runtime.drain();
    return await answer;
  };

  expect([await ask('deleteChild'), await ask('terminateChild'), await ask('restartChild'), await ask('terminateChild'), await ask('deleteChild'), await ask('restartChild')]).toMatchObject([
    { type: 'child.refused', reason: 'running' },
    { type: 'child.terminated' },
    { type: 'child.started' },
    { type: 'child.terminated' },
    { type: 'child.deleted' },
    { type: 'child.refused', reason: 'not_found' },
  ]);
});

test('clause 41: a run of PCT is the same for the same seed, and delivers everything', async () => {
  const run = async (seed: number) => {
    const scheduler = pctScheduler({ seed, depth: 3, stepsMax: 20 });
    const { world, a, b, c } = await strangers('', scheduler);
    for (const from of [a, b]) world.runtime.send(from, { type: 'do', effects: [send(c, `seen.${from}.1`), send(c, `seen.${from}.2`)] });
    world.runtime.drain();
    return typesSeen(world, c);
  };

  expect({ again: await run(7), count: (await run(8)).length }).toEqual({ again: await run(7), count: 4 });
});
