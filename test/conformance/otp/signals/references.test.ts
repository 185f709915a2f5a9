import { expect, test } from 'vitest';
import type { Address, ReplyTo } from '../../../../src/otp/process.ts';
import type { World } from '../../../support/otp/world.ts';
import { outcomesOf } from '../support/races.ts';
import { strangers } from '../support/strangers.ts';
import { call, cancel, monitor, reply, stop } from '../support/told.ts';

/** The reference of the one call that `server` was sent. */
function referenceAt(world: World, server: Address): ReplyTo {
  return world.seen(server)[0]?.replyTo as ReplyTo;
}

test('S1-058 what is sent to a call that was given up vanishes', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, call(b, 'seen.request'));

  world.tell(a, cancel('seen.call'));
  world.tell(b, reply(referenceAt(world, b), 'seen.answer'));

  expect({ seen: world.seen(a), alive: [world.isAlive(a), world.isAlive(b)] }).toEqual({ seen: [], alive: [true, true] });
});

test('S1-059 S1-063 a call takes the first reply, no other, and tells nothing of an end that follows; a monitor does', async () => {
  const { world, a, b, c } = await strangers();
  world.tell(a, call(b, 'seen.request'));
  world.tell(c, monitor(b), call(b, 'seen.request', { as: 'seen.other' }));
  const [first, second] = world.seen(b).map(({ replyTo }) => replyTo as ReplyTo);

  world.tell(
    b,
    ...[first, second].flatMap((to) => (to === undefined ? [] : [reply(to, 'seen.first'), reply(to, 'seen.second')])),
    stop('shutdown'),
  );

  expect([world.seen(a), world.seen(c)]).toEqual([
    [{ type: 'seen.first' }],
    [{ type: 'seen.first' }, { type: 'seen.down', process: b, reason: 'shutdown' }],
  ]);
});

test('S1-062 S1-064 a target that ends without a reply fails the call, and nobody else can answer it afterwards', async () => {
  const { world, a, b, c } = await strangers();
  world.tell(a, call(b, 'seen.request'));
  const reference = referenceAt(world, b);

  world.exit(b, { shutdown: 'moved' });
  world.tell(c, reply(reference, 'seen.late'));

  expect(world.seen(a)).toEqual([{ type: 'seen.call.failed', to: b, request: 'seen.request', reason: { shutdown: 'moved' } }]);
});

test('S1-065 a caller that gives up before the reply gets neither reply nor end, or had the reply before', async () => {
  const outcomes = await outcomesOf(200, async (scheduler) => {
    const { world, a, b } = await strangers('', scheduler);
    world.tell(a, call(b, 'seen.request'));
    world.runtime.send(b, { type: 'do', effects: [reply(referenceAt(world, b), 'seen.answer'), stop('normal')] });
    world.runtime.send(a, {
      type: 'do',
      effects: [cancel('seen.call'), { type: 'send', params: { to: a, event: { type: 'seen.gaveUp' } } }],
    });
    world.runtime.drain();
    return world.seen(a).map(({ type }) => type);
  });

  expect(outcomes).toEqual([['seen.answer', 'seen.gaveUp'], ['seen.gaveUp']]);
});

test('S1-069 after the time-out of a call its caller sees neither the late reply nor the end of the server', async () => {
  const { world, a, b } = await strangers();
  world.tell(a, call(b, 'seen.request', { timeoutMs: 100 }));

  world.advance(100);
  world.tell(b, reply(referenceAt(world, b), 'seen.late'), stop('normal'));

  expect(world.seen(a)).toEqual([{ type: 'seen.call.failed', to: b, request: 'seen.request', reason: 'timeout' }]);
});
