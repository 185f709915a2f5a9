/** Parking on a shape: woken once, by the right thing, and gone afterwards. */
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Shared, type Wake } from '../../src/api/parking/wake.ts';
import { ShapeListeners } from '../../src/api/shape-listeners.ts';
import { nextTurn } from '../../src/base/turn.ts';
import type { LogOffset } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import { ManualClock } from '../support/manual-clock.ts';

const SHAPE = 'shape-1' as Handle;
const OTHER = 'shape-2' as Handle;
const at = (lsn: number): LogOffset => `${lsn}_0` as LogOffset;
const NEVER = new AbortController().signal;

function listenersAt() {
  const clock = new ManualClock();
  return { clock, listeners: new ShapeListeners<number>(clock) };
}

test('an announcement wakes those who wait at or behind it, of that shape alone', async () => {
  const { clock, listeners } = listenersAt();
  const waits = [
    listeners.park(SHAPE, at(1), 10, NEVER),
    listeners.park(SHAPE, at(2), 10, NEVER),
    listeners.park(SHAPE, at(3), 10, NEVER),
    listeners.park(OTHER, at(1), 10, NEVER),
  ];
  listeners.announce(SHAPE, at(2));
  const left = listeners.parkedCount;
  clock.advance(10);
  expect([left, (await Promise.all(waits)).map(({ cause }) => cause)]).toEqual([2, ['appended', 'appended', 'timeout', 'timeout']]);
});

test('those who waited behind the same offset share what one of them makes', async () => {
  const { listeners } = listenersAt();
  const waits = [listeners.park(SHAPE, at(1), 10, NEVER), listeners.park(SHAPE, at(1), 10, NEVER), listeners.park(SHAPE, at(2), 10, NEVER)];
  listeners.announce(SHAPE, at(3));
  let made = 0;
  const valueOf = (wake: Wake<number>): number | undefined => (wake.cause === 'appended' ? wake.shared.get(() => (made += 1)) : undefined);
  expect([(await Promise.all(waits)).map(valueOf), made]).toEqual([[1, 1, 2], 2]);
});

test('a rotation names the successor, and those who must look for one share what they find', async () => {
  const { listeners } = listenersAt();
  const waits = [1, 2].map((lsn) => listeners.park(SHAPE, at(lsn), 10, NEVER));
  listeners.rotate(SHAPE, OTHER);
  const [first, second] = await Promise.all(waits);
  const answer = { cause: 'rotated', replacement: OTHER, answer: expect.any(Shared) };
  expect([first, first]).toEqual([answer, second]);
});

test('whoever was aborted before does not wait', async () => {
  const { listeners, clock } = listenersAt();
  const wake = await listeners.park(SHAPE, at(1), 10, AbortSignal.abort());
  expect([wake, listeners.parkedCount, clock.pendingTimers]).toEqual([{ cause: 'aborted' }, 0, 0]);
});

test('of waiters that have gone nothing is kept, neither here nor with their signal', async () => {
  const { listeners, clock } = listenersAt();
  const { signal } = new AbortController();
  const waits = [
    listeners.park(SHAPE, at(1), 10, signal),
    listeners.park(SHAPE, at(2), 10, signal),
    listeners.park(OTHER, at(1), 10, signal),
  ];
  listeners.announce(SHAPE, at(1));
  listeners.rotate(OTHER);
  const partly = listeners.parkedCount;
  clock.advance(10);
  await Promise.all(waits);
  expect([partly, listeners, getEventListeners(signal, 'abort')]).toEqual([1, new ShapeListeners<number>(clock), []]);
});

const step = fc.oneof(
  fc.record({ type: fc.constant('park' as const), shape: fc.constantFrom(SHAPE, OTHER), after: fc.nat(4) }),
  fc.record({ type: fc.constant('announce' as const), shape: fc.constantFrom(SHAPE, OTHER), end: fc.nat(4) }),
  fc.record({ type: fc.constant('rotate' as const), shape: fc.constantFrom(SHAPE, OTHER) }),
  fc.record({ type: fc.constant('abort' as const), which: fc.nat(20) }),
  fc.record({ type: fc.constant('advance' as const), byMs: fc.nat(6) }),
);

test('in any order of events each waiter is woken exactly once and leaves nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, listeners } = listenersAt();
      const controllers: AbortController[] = [];
      let woken = 0;
      for (const each of steps) {
        if (each.type === 'park') {
          const controller = new AbortController();
          controllers.push(controller);
          void listeners.park(each.shape, at(each.after), 10, controller.signal).then(() => (woken += 1));
        } else if (each.type === 'announce') listeners.announce(each.shape, at(each.end));
        else if (each.type === 'rotate') listeners.rotate(each.shape);
        else if (each.type === 'abort') controllers[each.which]?.abort();
        else clock.advance(each.byMs);
      }
      clock.advance(10);
      await new Promise<void>(nextTurn);
      return woken === controllers.length && listeners.parkedCount === 0 && clock.pendingTimers === 0;
    }),
    { numRuns: 500 },
  );
});
