/** How a supervisor ends its children: in which order, how long it waits for each, and who dies meanwhile. */
import { describe, expect, test } from 'vitest';
import type { ExitReason } from '../../../../src/otp/process.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { FAILS_FOR_EVER, Family, familySpec } from '../../../support/otp/family.ts';
import { Nursery } from '../../../support/otp/nursery.ts';
import { World } from '../../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

describe('one by one, in reverse', () => {
  test.each(STRATEGIES)('S5-086 %s: the next is told only when the one before has ended', async (strategy) => {
    const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 100 }, c: {} }, { strategy });

    family.world.exit(family.pid, 'shutdown');
    const before = family.endsSince();
    family.world.advance(100);

    expect({ before, after: family.endsSince() }).toEqual({
      before: ['c shutdown'],
      after: ['c shutdown', 'b killed', 'a shutdown', 'sup shutdown'],
    });
  });

  test('S5-098 a request that comes while it waits for a child gets no answer: the caller is told of the end', async () => {
    const family = await Family.start({ a: { stubborn: true, shutdown: 100 } });
    family.world.exit(family.pid, 'shutdown');

    const asked = family.ask({ type: 'countChildren' }).catch((error: unknown) => error);
    family.world.advance(100);

    expect(await asked).toMatchObject({ name: 'CallError', reason: 'shutdown' });
  });
});

describe('how long', () => {
  test.each([
    ['S5-087: one that obeys, with a limit', { shutdown: 100 }, 0, 'shutdown'],
    ['S5-087: one that does not, with a limit', { stubborn: true, shutdown: 100 }, 100, 'killed'],
    ['S5-087: one that does not, by default', { stubborn: true }, 5_000, 'killed'],
    ['S5-088: one that obeys, without limit', { shutdown: 'infinity' }, 0, 'shutdown'],
    ['S5-089: one that obeys, killed at once', { shutdown: 'brutal_kill' }, 0, 'killed'],
    ['S5-089: one that does not, killed at once', { stubborn: true, shutdown: 'brutal_kill' }, 0, 'killed'],
    ['S5-090: one that obeys, with no time at all', { shutdown: 0 }, 0, 'shutdown'],
    ['S5-090: one that does not, with no time at all', { stubborn: true, shutdown: 0 }, 0, 'killed'],
  ] as const)('S5-087 S5-088 S5-089 S5-090 %s', async (_, plan, ms, reason) => {
    const family = await Family.start({ a: plan });

    family.world.exit(family.pid, 'shutdown');
    family.world.advance(Math.max(0, ms - 1));
    const early = family.endsSince().length > 0;
    family.world.advance(1);

    expect({ early, ends: family.endsSince() }).toEqual({ early: ms === 0, ends: [`a ${reason}`, 'sup shutdown'] });
  });

  test('S5-088 without limit it waits for a worker as long as that takes', async () => {
    const family = await Family.start({ a: { stubborn: true, shutdown: 'infinity' } });

    family.world.exit(family.pid, 'shutdown');
    family.world.advance(10_000_000);
    const before = family.endsSince();
    family.end('a', 'shutdown');

    expect({ before, after: family.endsSince() }).toEqual({ before: [], after: ['a shutdown', 'sup shutdown'] });
  });

  test('S5-089 the others have their own limits', async () => {
    const family = await Family.start({
      slow: { stubborn: true, shutdown: 300 },
      brutal: { stubborn: true, shutdown: 'brutal_kill' },
      quick: {},
    });

    family.world.exit(family.pid, 'shutdown');
    const before = family.endsSince();
    family.world.advance(300);

    expect({ before, after: family.endsSince() }).toEqual({
      before: ['quick shutdown', 'brutal killed'],
      after: ['quick shutdown', 'brutal killed', 'slow killed', 'sup shutdown'],
    });
  });

  test('S5-099 the whole subtree has its time: a supervisor waits for a supervisor without limit', async () => {
    const world = new World();
    const below = { id: 'below', start: () => familySpec({ slow: { stubborn: true, shutdown: 60_000 } }) };
    const top = await world.start(supervisor({ strategy: 'one_for_one', children: [below] }), 'top');

    world.exit(top, 'shutdown');
    world.advance(59_999);
    const before = [...world.exits];
    world.advance(1);

    expect({ before, after: world.exits }).toEqual({
      before: [],
      after: [
        { process: 'top/below/slow#3', reason: 'killed' },
        { process: 'top/below#2', reason: 'shutdown' },
        { process: 'top#1', reason: 'shutdown' },
      ],
    });
  });
});

describe('a child that ends by itself while the supervisor stops', () => {
  const endings: readonly ExitReason[] = ['normal', 'shutdown', { shutdown: 'moved' }, { error: { name: 'Error', message: 'crash' } }];
  const cases = (['permanent', 'transient', 'temporary'] as const).flatMap((restart) =>
    endings.map((reason) => [restart, reason] as const),
  );

  test.each(cases)(
    'S5-091 S5-097 %s, before its turn, with %o: keeps its reason, does not come back, the supervisor ends with shutdown',
    async (restart, reason) => {
      const family = await Family.start({ a: { restart }, b: { stubborn: true, shutdown: 100 } });
      family.world.exit(family.pid, 'shutdown');

    family.end('a', reason);
    family.world.advance(100);

    expect(family.world.exits).toEqual([
      { process: 'sup/a#2', reason },
      { process: 'sup/b#3', reason: 'killed' },
      { process: 'sup#1', reason: 'shutdown' },
    ]);
  });

  test.each(cases)('S5-091 S5-097 %s, in its turn, with %o: likewise', async (restart, reason) => {
    const family = await Family.start({ a: {}, b: { restart, stubborn: true, shutdown: 100 } });
    family.world.exit(family.pid, 'shutdown');

    family.end('b', reason);

    expect({ exits: family.world.exits, timers: family.world.clock.pendingTimers }).toEqual({
      exits: [{ process: 'sup/b#3', reason }, { process: 'sup/a#2', reason: 'shutdown' }, { process: 'sup#1', reason: 'shutdown' }],
      timers: 0,
    });
  });
});

describe('many at once', () => {
  test('S5-092 dynamic: all are told at once, and the whole takes as long as the longest', async () => {
    const nursery = await Nursery.start();
    for (const id of ['a', 'b', 'c']) await nursery.add(id, { stubborn: true, shutdown: 2_000 });

    nursery.world.exit(nursery.pid, 'shutdown');
    nursery.world.advance(1_000);
    nursery.end('a', 'shutdown');
    nursery.end('b', 'shutdown');
    nursery.world.advance(999);
    const before = nursery.ends.length;
    nursery.world.advance(1);

    expect({ before, ends: nursery.ends }).toEqual({
      before: 2,
      ends: [
        ['a', 'shutdown'],
        ['b', 'shutdown'],
        ['c', 'killed'],
        ['nursery', 'shutdown'],
      ],
    });
  });

  test('S5-093 dynamic: ten that are killed at once', async () => {
    const nursery = await Nursery.start();
    for (let index = 0; index < 10; index += 1) await nursery.add(`c${index}`, { stubborn: true, shutdown: 'brutal_kill' });

    nursery.world.exit(nursery.pid, 'shutdown');

    expect(nursery.ends.map(([, reason]) => reason)).toEqual([...Array.from({ length: 10 }, () => 'killed'), 'shutdown']);
  });

  test.each(['permanent', 'transient', 'temporary'] as const)(
    'S5-094 S6-024 dynamic, %s: whatever reason the children end with, the supervisor ends with shutdown',
    async (restart) => {
      const endings = { a: 'normal', b: { shutdown: 'moved' }, c: { error: { name: 'Error', message: 'crash' } } } as const;
      const nursery = await Nursery.start();
      for (const id of ['a', 'b', 'c']) await nursery.add(id, { restart, stubborn: true });

    nursery.world.exit(nursery.pid, 'shutdown');
    for (const [id, reason] of Object.entries(endings)) nursery.end(id, reason);

    expect(nursery.ends).toEqual([...Object.entries(endings), ['nursery', 'shutdown']]);
  });
});

test('S5-096 when a child has ended, nothing of it waits in the supervisor\'s mailbox', async () => {
  const family = await Family.start({ a: { stubborn: true, shutdown: 10 }, b: { restart: 'temporary' }, c: { restart: 'transient' } });

  family.crash('a');
  family.crash('b');
  family.end('c', 'normal');

  const { mailboxLength, timers } = family.world.runtime.processInfo(family.pid) ?? {};
  expect({ mailboxLength, timers }).toEqual({ mailboxLength: 0, timers: [] });
});

describe('in the midst of a restart that never succeeds', () => {
  test.each(STRATEGIES)('S5-074 %s: it stops at once, and nobody waits for the missing child', async (strategy) => {
    const family = await Family.start({ a: {}, b: { starts: FAILS_FOR_EVER }, c: {} }, { strategy, maxRestarts: 1_000_000 });
    family.crashInLoop('b');
    const before = family.world.exits.length;

    family.world.runtime.exit(family.pid, 'shutdown');
    family.world.run(200);

    expect({
      reason: family.reason,
      left: family.world.runtime.tree(),
      failures: family.endsSince(before).filter((end) => end === 'b error').length < 5,
    }).toEqual({
      reason: 'shutdown',
      left: [],
      failures: true,
    });
  });

  test('S5-074 dynamic: likewise', async () => {
    const nursery = await Nursery.start({ maxRestarts: 1_000_000 });
    await nursery.add('a');
    await nursery.add('b', { starts: FAILS_FOR_EVER });
    nursery.crashInLoop('b');

    nursery.world.runtime.exit(nursery.pid, 'shutdown');
    nursery.world.run(200);

    expect({ reason: nursery.reason, left: nursery.world.runtime.tree() }).toEqual({ reason: 'shutdown', left: [] });
  });
});
