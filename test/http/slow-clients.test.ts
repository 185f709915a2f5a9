/** However many clients do not read, the operator is told in few lines. */
import { expect, test } from 'vitest';
import { SlowClients } from '../../src/http/slow-clients.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('the first is told at once, those of the minute behind it at its end, and the last when nobody is served any more', () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const slow = new SlowClients(clock, (count) => told.push(count));
  for (let client = 0; client < 4; client += 1) slow.add();
  const atOnce = [...told];
  clock.advance(60_000);
  const later = [...told];
  slow.add();
  slow.close();
  slow.close();
  expect({ atOnce, later, told, timers: clock.pendingTimers }).toEqual({ atOnce: [1], later: [1, 3], told: [1, 3, 1], timers: 0 });
});

test('a minute without any ends in silence, and the next one is told at once', () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const slow = new SlowClients(clock, (count) => told.push(count));
  slow.add();
  clock.advance(60_000);
  const timers = clock.pendingTimers;
  slow.add();
  expect({ told, timers }).toEqual({ told: [1, 1], timers: 0 });
});
