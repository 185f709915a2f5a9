import { expect, test } from 'vitest';
import type { Address, Message, Pid, RecipientsTable } from '../../../../src/otp/process.ts';
import { puppetSpec, type Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { serverSpec } from '../support/server.ts';

/** The members of a group of processes, for `multicall`. */
class Members implements RecipientsTable<Address> {
  constructor(private readonly addresses: readonly Address[] = []) {}

  apply(): undefined {}

  recipients(): readonly Address[] {
    return this.addresses;
  }

  clone(): Members {
    return new Members(this.addresses);
  }

  key(): string {
    return this.addresses.join();
  }
}

async function threeServers() {
  const world = new World();
  const start = (id: string) => world.start(serverSpec({ name: `@${id}` }), id);
  return { world, a: await start('a'), b: await start('b'), c: await start('c'), caller: await world.puppet('caller') };
}

/** A server replies with its own event; what the collection's label is in OTP, is `as` for the failures. */
const ask = (to: Address, as: string, more: { timeoutMs?: number } = {}): Told => ({
  type: 'call',
  params: { to, request: { type: 'hold' }, as: `seen.${as}`, ...more },
});
const answer = (note: string): Told => ({ type: 'send', params: { to: `@${note}`, event: { type: 'answerHeld', note } } });
const answered = (by: Pid, note: string): Message => ({ type: 'seen.answered', by, note });

test('S2-025 the answers to several requests come in the order of completion, each telling whose it is', async () => {
  const { world, a, b, c, caller } = await threeServers();

  world.tell(caller, ask(a, 'a'), ask(b, 'b'), ask(c, 'c'));
  const before = world.seen(caller);
  world.tell(await world.puppet('hand'), answer('c'), answer('a'), answer('b'));

  expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [answered(c, 'c'), answered(a, 'a'), answered(b, 'b')] });
});

test('S2-025 the failure of one request, with its label, does not touch the others', async () => {
  const { world, a, b, c, caller } = await threeServers();

  world.tell(caller, ask(a, 'a'), ask(b, 'b', { timeoutMs: 100 }), ask('@nobody', 'none'), ask(c, 'c'));
  world.exit(a, 'kill');
  world.advance(100);
  world.tell(await world.puppet('hand'), answer('b'), answer('c'));

  expect(world.seen(caller)).toEqual([
    { type: 'seen.none.failed', to: '@nobody', request: 'hold', reason: 'noproc' },
    { type: 'seen.a.failed', to: a, request: 'hold', reason: 'killed' },
    { type: 'seen.b.failed', to: b, request: 'hold', reason: 'timeout' },
    answered(c, 'c'),
  ]);
});

test('S2-025 the same label may stand for two requests: each has an outcome of its own', async () => {
  const { world, a, b, caller } = await threeServers();

  world.tell(caller, ask(a, 'twice'), ask(b, 'twice'));
  world.exit(b, 'shutdown');
  world.exit(a, 'kill');

  expect(world.seen(caller)).toEqual([
    { type: 'seen.twice.failed', to: b, request: 'hold', reason: 'shutdown' },
    { type: 'seen.twice.failed', to: a, request: 'hold', reason: 'killed' },
  ]);
});

test('S2-025 the requests of a label can be given up: no outcome follows, and the others have theirs', async () => {
  const { world, a, b, c, caller } = await threeServers();

  world.tell(caller, ask(a, 'given up'), ask(b, 'kept'), ask(c, 'given up'), { type: 'cancel', params: { as: 'seen.given up' } });
  world.exit(a, 'kill');
  world.tell(await world.puppet('hand'), answer('b'), answer('c'));

  expect(world.seen(caller)).toEqual([answered(b, 'b')]);
});

test('S2-025 S2-031 a collection of nobody is done at once', async () => {
  const world = new World();
  const caller = await world.start(puppetSpec({ tables: () => ({ members: new Members() }) }), 'caller');

  world.tell(caller, { type: 'multicall', params: { table: 'members', request: { type: 'hold' }, as: 'seen.all' } });

  expect(world.seen(caller)).toEqual([{ type: 'seen.all.done', failed: [] }]);
});

test('S2-031 a multicall is done when each member has answered or died, names the dead, and hears no second answer', async () => {
  const { world, a, b, c } = await threeServers();
  const members = new Members([a, b, '@nobody', c]);
  const caller = await world.start(puppetSpec({ tables: () => ({ members }) }), 'many');

  world.tell(caller, { type: 'multicall', params: { table: 'members', request: { type: 'hold' }, as: 'seen.all' } });
  world.exit(b, 'kill');
  world.send(a, { type: 'release' });
  const before = world.seen(caller);
  world.send(c, { type: 'releaseTwice' });

  expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [{ type: 'seen.all.done', failed: ['@nobody', b] }] });
});

test('S2-031 who is late for its limit counts as failed, and its late answer does not leak: calls with a limit, one by one', async () => {
  const { world, a, b, caller } = await threeServers();

  world.tell(caller, ask(a, 'a', { timeoutMs: 100 }), ask(b, 'b', { timeoutMs: 100 }));
  world.tell(await world.puppet('hand'), answer('b'));
  world.advance(100);
  world.send(a, { type: 'release' });

  expect(world.seen(caller)).toEqual([answered(b, 'b'), { type: 'seen.a.failed', to: a, request: 'hold', reason: 'timeout' }]);
});

test('S2-031 who is silent for the limit of a multicall counts as failed, and its late answer does not leak', async () => {
  const { world, a, b, c } = await threeServers();
  const members = new Members([a, b, c]);
  const caller = await world.start(puppetSpec({ tables: () => ({ members }) }), 'many');

  world.tell(caller, { type: 'multicall', params: { table: 'members', request: { type: 'hold' }, as: 'seen.all', silenceMs: 100 } });
  world.send(b, { type: 'release' });
  world.advance(100);
  for (const late of [a, c]) world.send(late, { type: 'release' });

  expect(world.seen(caller)).toEqual([{ type: 'seen.all.done', failed: [a, c] }]);
});
