/** What is asked of Postgres for those who look on: seldom, by one at a time, and nobody waits long. */
import { expect, test } from 'vitest';
import { KeptAnswer } from '../../../src/service/wiring/kept-answer.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function asked() {
  const clock = new ManualClock();
  const answers: ((answer: number | undefined) => void)[] = [];
  const ask = () => new Promise<number | undefined>((answer) => answers.push(answer));
  const kept = new KeptAnswer(clock, { keptMs: 100, waitMsMax: 10 }, ask);
  return { clock, answers, kept };
}

test('those who ask at once share one question, and its answer is kept for a while', async () => {
  const { clock, answers, kept } = asked();

  const both = Promise.all([kept.get(), kept.get()]);
  answers[0]?.(1);
  const first = await both;
  clock.advance(99);
  const again = await kept.get();
  clock.advance(1);
  const next = kept.get();
  answers[1]?.(2);

  expect([first, again, await next, answers.length, clock.pendingTimers]).toEqual([[1, 1], 1, 2, 2, 0]);
});

test('one that is fleeting is asked for again as soon as somebody would have been told nothing', async () => {
  const clock = new ManualClock();
  const answers = ['nobody', undefined, 'somebody', 'somebody else'];
  const kept = new KeptAnswer(clock, { keptMs: 100, waitMsMax: 10 }, async () => answers.shift(), (answer) => answer !== 'somebody');

  const told = [];
  for (let round = 0; round < 5; round += 1, clock.advance(10)) told.push(await kept.get());

  expect(told).toEqual(['nobody', undefined, 'somebody', 'somebody', 'somebody']);
});

test('nobody waits for an answer that does not come, and no second question is asked meanwhile', async () => {
  const { clock, answers, kept } = asked();

  const first = kept.get();
  clock.advance(10);
  const none = await first;
  const second = kept.get();
  answers[0]?.(7);

  expect([none, await second, answers.length]).toEqual([undefined, 7, 1]);
});
