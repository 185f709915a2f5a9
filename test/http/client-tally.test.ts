/** However many clients there are to be told of, the operator reads few lines. */
import { expect, test } from 'vitest';
import { ClientTally } from '../../src/http/client-tally.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('the first is told at once, those of the minute behind it at its end, and the last when nobody is served any more', () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const tally = new ClientTally(clock, (count) => told.push(count));
  for (let client = 0; client < 4; client += 1) tally.add();
  const atOnce = [...told];
  clock.advance(60_000);
  const later = [...told];
  tally.add();
  tally.close();
  tally.close();
  expect({ atOnce, later, told, timers: clock.pendingTimers }).toEqual({ atOnce: [1], later: [1, 3], told: [1, 3, 1], timers: 0 });
});

test('a minute without any ends in silence, and the next one is told at once', () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const tally = new ClientTally(clock, (count) => told.push(count));
  tally.add();
  clock.advance(60_000);
  const timers = clock.pendingTimers;
  tally.add();
  expect({ told, timers }).toEqual({ told: [1, 1], timers: 0 });
});
