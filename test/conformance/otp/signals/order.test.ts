import { expect, test } from 'vitest';
import type { Message, Pid, ReplyTo } from '../../../../src/otp/process.ts';
import type { World } from '../../../support/otp/world.ts';
import { outcomesOf } from '../support/races.ts';
import { strangers } from '../support/strangers.ts';
import { call, demonitor, exit, link, monitor, reply, send, stop, unlink } from '../support/told.ts';

/** What `process` is given from now on, also when it does not live to tell. */
function deliveriesTo(world: World, process: Pid): string[] {
  const types: string[] = [];
  world.runtime.trace((record) => {
    if (record.type === 'deliver' && record.to === process) types.push(record.message.type);
  });
  return types;
}

function replyToOf(messages: readonly Message[]): ReplyTo {
  return messages[0]?.replyTo as ReplyTo;
}

test('S1-019 an exit comes between the messages sent before it and those sent after it, which never arrive', async () => {
  const outcomes = await outcomesOf(1_000, async (scheduler) => {
    const { world, a, b } = await strangers('', scheduler);
    const types = deliveriesTo(world, b);
    world.tell(
      a,
      send(b, 'seen.1'),
      send(b, 'seen.2'),
      send(b, 'seen.3'),
      exit(b, { shutdown: 'now' }),
      send(b, 'seen.4'),
      send(b, 'seen.5'),
    );
    return { types, reason: world.reasonOf(b) };
  });

  expect(outcomes).toEqual([{ types: ['seen.1', 'seen.2', 'seen.3'], reason: { shutdown: 'now' } }]);
});

test('S1-020 all kinds of signals from one process to another are handled in the order of sending', async () => {
  const outcomes = await outcomesOf(300, async (scheduler) => {
    const { world, a, b, c } = await strangers('a', scheduler);
    const types = deliveriesTo(world, b);
    world.runtime.send(c, { type: 'do', effects: [send(b, 'seen.other')] });
    world.tell(
      a,
      ...[send(b, 'seen.1'), monitor(b, 'seen.gone'), link(b), send(b, 'seen.2'), unlink(b), demonitor(b), send(b, 'seen.3')],
      ...[monitor(b), link(b), exit(b, 'shutdown'), send(b, 'seen.4')],
    );
    return { types: types.filter((type) => type !== 'seen.other'), seen: world.seen(a).map(({ type }) => type).sort() };
  });

  expect(outcomes).toEqual([{ types: ['seen.1', 'seen.2', 'seen.3'], seen: ['EXIT', 'seen.down'] }]);
});

test('S1-020 nothing is promised between different senders', async () => {
  const orders = await outcomesOf(50, async (scheduler) => {
    const { world, a, b, c } = await strangers('', scheduler);
    world.runtime.send(a, { type: 'do', effects: [send(c, 'seen.a')] });
    world.runtime.send(b, { type: 'do', effects: [send(c, 'seen.b')] });
    world.runtime.drain();
    return world.seen(c).map(({ type }) => type);
  });

  expect(orders).toEqual([['seen.a', 'seen.b'], ['seen.b', 'seen.a']]);
});

test('S1-021 what a process sent before it died arrives before its DOWN', async () => {
  const outcomes = await outcomesOf(300, async (scheduler) => {
    const { world, a, b } = await strangers('', scheduler);
    world.tell(a, monitor(b));
    world.tell(b, send(a, 'seen.last'), stop('normal'));
    return world.seen(a).map(({ type }) => type);
  });

  expect(outcomes).toEqual([['seen.last', 'seen.down']]);
});

test('S1-022 of a reply and the DOWN of who replied, the reply is first', async () => {
  const outcomes = await outcomesOf(300, async (scheduler) => {
    const { world, a, b } = await strangers('', scheduler);
    world.tell(a, monitor(b), call(b, 'seen.request'));
    world.tell(b, reply(replyToOf(world.seen(b)), 'seen.answer'), stop('normal'));
    return world.seen(a).map(({ type }) => type);
  });

  expect(outcomes).toEqual([['seen.answer', 'seen.down']]);
});
