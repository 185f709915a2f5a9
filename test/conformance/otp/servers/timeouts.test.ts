/**
 * What gen_server's time-outs are here: timers that last until the next event. Their time is relative; who has a deadline
 * takes the difference.
 */
import { expect, test } from 'vitest';
import type { Message } from '../../../../src/otp/process.ts';
import { Watched, type Orders, type TimerParams } from '../support/timekeeper.ts';

const idle = (delayMs: number, content?: unknown): TimerParams => ({ name: 'idle', delayMs, until: 'nextEvent', content });
const note: Message = { type: 'note.1' };

/** Each way in which a server may set a time-out; `waiting` lies in its mailbox already. */
const WAYS: Readonly<Record<string, (orders: Orders, waiting: readonly Message[]) => Promise<Watched>>> = {
  'at its start': (orders, waiting) => Watched.startWith(orders, waiting),
  'in a message': (orders, waiting) => Watched.startWith({}, [{ type: 'stay', ...orders }, ...waiting]),
  'in a continued event': (orders, waiting) => Watched.startWith({ then: [{ type: 'stay', ...orders }] }, waiting),
  async 'in a call'(orders, waiting) {
    const watched = await Watched.start();
    void watched.world.runtime.call(watched.pid, { type: 'stay', ...orders });
    watched.arrive(...waiting);
    return watched;
  },
};
const ways = Object.keys(WAYS).flatMap((way) => [
  [way, 'awake', false] as const,
  [way, 'hibernating', true] as const,
]);

async function set(way: string, orders: Orders, waiting: readonly Message[] = []): Promise<Watched> {
  const watched = await (WAYS[way] ?? WAYS['at its start'])?.(orders, waiting);
  return watched ?? Watched.start();
}

const events = (log: readonly string[] | undefined): readonly string[] | undefined => log?.filter((line) => line !== 'idle stay');

test.each(ways)('S2-033 S2-038 a server that stays idle gets its time-out with its content: set %s, %s', async (way, _, hibernate) => {
  const watched = await set(way, { timers: [idle(100, { n: 1 })], hibernate });

  watched.advance(99);
  const before = { log: events(watched.log), hibernates: watched.info?.hibernates };
  watched.advance(1);

  expect({ before, after: events(watched.logAfterAnHour) }).toEqual({
    before: { log: [], hibernates: hibernate },
    after: ['idle timeout.idle {"n":1}'],
  });
});

test.each(ways)(
  'S2-034 S2-038 any message before the time is over cancels the time-out, and nothing sets it again: set %s, %s',
  async (way, _, hibernate) => {
    const watched = await set(way, { timers: [idle(100)], hibernate });

  watched.advance(99);
  watched.arrive(note);

  expect(events(watched.logAfterAnHour)).toEqual(['idle note.1']);
});

test('S2-034 a server that sets its time-out again with each message is told when they stop', async () => {
  const watched = await Watched.start();

  for (let count = 0; count < 3; count += 1) {
    watched.arrive({ type: 'stay', timers: [idle(100)] });
    watched.advance(99);
  }
  const before = events(watched.log);

  expect({ before, after: events(watched.logAfterAnHour) }).toEqual({ before: [], after: ['idle timeout.idle'] });
});

test('S2-035 looking at a server, or holding it still, does not cancel its time-out', async () => {
  const watched = await set('in a message', { timers: [idle(100)] });
  const { runtime } = watched.world;

  const state = [watched.info?.state, runtime.printTree().length > 0, runtime.refOf(watched.pid)?.getSnapshot().value];
  runtime.suspend(watched.pid);
  runtime.resume(watched.pid);

  expect({ state, after: events(watched.logAfterAnHour) }).toEqual({ state: ['idle', true, 'idle'], after: ['idle timeout.idle'] });
});

test.each(ways)('S2-036 a time-out of zero comes before a message that waits already: set %s, %s', async (way, _, hibernate) => {
  const watched = await set(way, { timers: [idle(0, 'first')], hibernate }, [note]);

  expect(events(watched.logAfterAnHour)).toEqual(['idle timeout.idle "first"', 'idle note.1']);
});

test('S2-037 a message that waits wins against every other time-out, of a plain zero in OTP, of the shortest time here', async () => {
  const watched = await Watched.start();

  watched.world.runtime.send(watched.pid, { type: 'stay', timers: [idle(1)] });
  watched.world.runtime.send(watched.pid, note);
  watched.world.runtime.step();
  watched.advance(1);

  expect(events(watched.logAfterAnHour)).toEqual(['idle note.1']);
});
