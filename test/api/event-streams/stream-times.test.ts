/** Very many streams are looked at in time by one timer, and not all of them in one turn. */
import { expect, test } from 'vitest';
import { StreamTimes, TimedStream } from '../../../src/api/event-streams/stream-times.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const IN_TURN = 256;

class Stream extends TimedStream {
  readonly looks: number[] = [];

  constructor(
    private readonly clock: ManualClock,
    private readonly againMs?: number,
  ) {
    super();
  }

  override tick(): void {
    this.looks.push(this.clock.nowMs());
    if (this.againMs !== undefined) times.set(this, this.clock.nowMs() + this.againMs);
  }
}

const clock = new ManualClock();
const times = new StreamTimes(clock);

test('each is looked at in its time, the last that was set, and all of them have one timer', () => {
  const [often, once, moved, gone] = [new Stream(clock, 10), new Stream(clock), new Stream(clock), new Stream(clock)];
  times.set(moved, 5);
  times.set(gone, 3);
  times.set(often, 10);
  times.set(once, 25);
  times.set(moved, 12.5);
  times.clear(gone);
  times.clear(gone);
  const timers = [clock.pendingTimers];
  clock.advance(35);
  timers.push(clock.pendingTimers);
  times.clear(often);
  timers.push(clock.pendingTimers);

  expect({ looks: [often, once, moved, gone].map(({ looks }) => looks), timers }).toEqual({
    looks: [[10, 20, 30], [25], [13], []], timers: [1, 1, 0],
  });
});

/** A clock of which each timer is a turn. */
class TurningClock extends ManualClock {
  turns = 0;

  override setTimer(callback: () => void, delayMs: number): ReturnType<ManualClock['setTimer']> {
    return super.setTimer(() => {
      this.turns += 1;
      callback();
    }, delayMs);
  }
}

test('of many whose time it is some have their turn after others', () => {
  const turning = new TurningClock();
  const all = new StreamTimes(turning);
  const streams = Array.from({ length: 2 * IN_TURN + 1 }, () => new Stream(turning));
  for (const stream of streams) all.set(stream, 10);
  turning.advance(10);

  expect([turning.turns, streams.every(({ looks }) => looks.length === 1), turning.pendingTimers]).toEqual([3, true, 0]);
});
