/** What happens to one message too many, for each policy, under both kinds of scheduler. */
import { describe, expect, test } from 'vitest';
import { randomScheduler, replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { productionScheduler } from '../../../src/otp/schedulers/production-scheduler.ts';
import type { MachineSpec, Pid } from '../../../src/otp/process.ts';
import { puppetSpec, type Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const schedulers = { production: productionScheduler, 'in order': replayScheduler, random: () => randomScheduler(5) };

async function flooded(world: World, mailboxOverflow: MachineSpec['mailboxOverflow']): Promise<Pid> {
  const starting = world.runtime.start(puppetSpec({ mailboxMax: 3, ...(mailboxOverflow === undefined ? {} : { mailboxOverflow }) }), {
    id: 'p',
  });
  world.runtime.drain();
  const pid = await starting;
  for (const type of ['seen.1', 'seen.2', 'seen.3', 'seen.4', 'seen.5']) world.runtime.send(pid, { type });
  return pid;
}

describe.each(Object.entries(schedulers))('under a scheduler that is %s', (_, scheduler) => {
  test.each([
    ['drop_newest', ['seen.1', 'seen.2', 'seen.3'], ['seen.4', 'seen.5']],
    ['drop_oldest', ['seen.3', 'seen.4', 'seen.5'], ['seen.1', 'seen.2']],
  ] as const)('%s keeps as many as there is room for, counts and traces the rest', async (policy, kept, gone) => {
    const world = new World(scheduler());
    const dropped: string[] = [];
    world.runtime.trace((record) => record.type === 'drop' && dropped.push(record.message.type));
    const pid = await flooded(world, policy);
    world.runtime.drain();

    expect({ seen: world.seen(pid).map(({ type }) => type), dropped, counted: world.runtime.processInfo(pid)?.dropped }).toEqual({
      seen: kept,
      dropped: gone,
      counted: 2,
    });
  });

  test('crash, which is the default, ends the process at the first that is too many', async () => {
    const world = new World(scheduler());
    const pid = await flooded(world, undefined);

    expect(world.reasonOf(pid)).toMatchObject({
      error: { name: 'MailboxOverflowError', message: "more than 3 messages wait; the one too many is 'seen.4' from outside" },
    });
  });

  test.each(['drop_newest', 'drop_oldest'] as const)(
    '%s: a request that is dropped fails as overloaded, and the others wait on',
    async (policy) => {
      const world = new World(scheduler());
      const [pid, caller] = [await world.puppet('busy', { mailboxMax: 1, mailboxOverflow: policy }), await world.puppet('caller')];
      world.runtime.suspend(pid);
      world.tell(caller, { type: 'call', params: { to: pid, request: { type: 'seen.request' }, as: 'seen.first' } });
      world.tell(caller, { type: 'call', params: { to: pid, request: { type: 'seen.request' }, as: 'seen.second' } });
      const failed = policy === 'drop_newest' ? 'seen.second' : 'seen.first';

    expect(world.seen(caller)).toEqual([{ type: `${failed}.failed`, to: pid, request: 'seen.request', reason: 'overloaded' }]);
  });
});

test('a signal that a suspended process was sent is not dropped for a message', async () => {
  const world = new World();
  const pid = await world.puppet('p', { mailboxMax: 1, mailboxOverflow: 'drop_oldest', trapExit: true });
  const somebody = await world.puppet('somebody');
  world.runtime.suspend(pid);
  world.tell(somebody, { type: 'exit', params: { process: pid, reason: 'shutdown' } });
  world.runtime.send(pid, { type: 'seen.1' });
  world.runtime.send(pid, { type: 'seen.2' });
  world.runtime.resume(pid);
  world.runtime.drain();

  expect(world.seen(pid).map(({ type }) => type)).toEqual(['EXIT', 'seen.2']);
});

test('a process that ends of one of its effects performs none of those behind it', async () => {
  const world = new World();
  const [pid, peer] = [await world.puppet('p', { mailboxMax: 1 }), await world.puppet('peer')];
  const toItself: Told = { type: 'send', params: { to: pid, event: { type: 'seen.flood' } } };

  world.tell(pid, toItself, toItself, { type: 'send', params: { to: peer, event: { type: 'seen.later' } } });

  expect({ alive: world.isAlive(pid), seen: world.seen(peer) }).toEqual({ alive: false, seen: [] });
});

test('postponed messages take room, signals do not', async () => {
  const world = new World();
  const [pid, other] = [await world.puppet('p', { mailboxMax: 2, mailboxOverflow: 'drop_newest' }), await world.puppet('other')];
  world.tell(pid, { type: 'monitor', params: { process: other, as: 'seen' } });
  world.send(pid, { type: 'sleep' });
  for (const type of ['seen.1', 'seen.2', 'seen.3']) world.send(pid, { type });
  world.exit(other, 'kill');
  world.runtime.send(pid, { type: 'seen.4' });

  expect(world.runtime.processInfo(pid)).toMatchObject({ mailboxLength: 3, dropped: 2 });
});

test('what is one too many for a process that ends of it is not sent', async () => {
  const world = new World();
  const sent: string[] = [];
  world.runtime.trace((record) => record.type === 'send' && sent.push(record.message.type));
  await flooded(world, 'crash');

  expect(sent.filter((type) => type.startsWith('seen.'))).toEqual(['seen.1', 'seen.2', 'seen.3']);
});

test('the code around the processes hears of any number of them at once', async () => {
  const world = new World();
  const starting = Array.from({ length: 1_000 }, (_, index) => world.runtime.start(puppetSpec(), { id: `p${index}` }));
  world.runtime.drain();

  expect((await Promise.all(starting)).length).toBe(1_000);
});

test('no number of deaths, answers and time-outs that wait makes a mailbox too full for a message', async () => {
  const world = new World();
  const pid = await world.puppet('p', { mailboxMax: 1 });
  const others = [await world.puppet('a'), await world.puppet('b'), await world.puppet('c')];
  for (const process of others) world.tell(pid, { type: 'monitor', params: { process, as: 'seen' } });
  for (const process of others) world.runtime.exit(process, 'kill');
  world.run(others.length);
  world.runtime.send(pid, { type: 'seen.message' });
  world.runtime.drain();

  expect(world.seen(pid).map(({ type }) => type)).toEqual(['seen.down', 'seen.down', 'seen.down', 'seen.message']);
});

test.each(['drop_newest', 'drop_oldest'] as const)(
  '%s: the outcome of a start is not dropped, however many messages wait',
  async (mailboxOverflow) => {
    const world = new World();
    const pid = await world.puppet('p', { mailboxMax: 1, mailboxOverflow, spawns: { child: () => puppetSpec() } });
    world.runtime.send(pid, { type: 'do', effects: [{ type: 'start', params: { template: 'child', as: 'seen' } }] });
    world.run(1);
    world.runtime.suspend(pid);
    world.send(pid, { type: 'seen.1' });
    world.send(pid, { type: 'seen.2' });
    world.runtime.resume(pid);
    world.runtime.drain();

  expect(world.seen(pid).map(({ type }) => type)).toContain('seen.started');
});

test.each(Object.entries(schedulers))(
  '%s: the oldest message is found behind signals of its sender, and behind nothing else',
  (_, scheduler) => {
    const mailbox = scheduler().createMailbox();
    const [one, other] = [{ pid: '@one' }, { pid: '@other' }] as const;
    mailbox.push({ kind: 'exit', source: one, reason: 'normal' });
    for (const [source, type] of [
      [one, '1'],
      [other, '2'],
      [one, '3'],
    ] as const)
      mailbox.push({ kind: 'message', source, message: { type } });
    const taken = [1, 2, 3, 4].map(() => mailbox.takeOldestMessage()?.message.type);

    expect({ taken, left: mailbox.length, messages: mailbox.messageCount }).toEqual({
      taken: ['1', '2', '3', undefined],
      left: 1,
      messages: 0,
    });
  },
);
