/** However many clients do not read, the operator is told in few lines. */
import { expect, test } from 'vitest';
import { SlowClients } from '../../src/http/slow-clients.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('the first is told at once, and those of the next minute together with the one that comes behind it', () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const slow = new SlowClients(clock, (count) => told.push(count));
  for (let client = 0; client < 4; client += 1) {
    slow.add();
    clock.advance(19_000);
  }
  clock.advance(60_000);
  slow.add();
  expect(told).toEqual([1, 4]);
});
