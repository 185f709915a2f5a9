import { expect, test } from 'vitest';
import { SharedWait } from '../../../src/service/wiring/shared-wait.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Whoever is asked answers when the test says so. */
function waitOf() {
  const clock = new ManualClock();
  const asked: ((isSo: boolean) => void)[] = [];
  const wait = new SharedWait(() => new Promise((answer) => asked.push(answer)), clock);
  return { clock, asked, wait };
}

test('however many wait, and however many have given up, one question is open', async () => {
  const { clock, asked, wait } = waitOf();
  const early = Array.from({ length: 100 }, () => wait.until(50));
  clock.advance(50);
  const late = Array.from({ length: 100 }, () => wait.until(50));
  asked.forEach((answer) => answer(true));

  const outcomes = [await Promise.all(early), await Promise.all(late)].map((all) => [...new Set(all)]);
  expect({ outcomes, questions: asked.length, timers: clock.pendingTimers }).toEqual({
    outcomes: [[false], [true]],
    questions: 1,
    timers: 0,
  });
});

test('when nobody can say any more all are told, and the next one asks anew', async () => {
  const { asked, wait } = waitOf();
  const first = wait.until(50);
  asked[0]?.(false);
  const told = await first;
  const second = wait.until(50);
  asked[1]?.(true);

  expect([told, await second, asked.length]).toEqual([false, true, 2]);
});
