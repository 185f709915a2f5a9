import { expect, test } from 'vitest';
import { CommitTimes } from '../../src/observer/plots/commit-times.ts';
import { Plots } from '../../src/observer/plots/plots.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('the latency is told when thousands of commits wait to be shown, and of those that nobody shows there is none', () => {
  const clock = new ManualClock();
  const plots = new Plots(clock, () => ({}));

  for (let lsn = 1; lsn <= 10_000; lsn += 1) plots.received(String(lsn) as never);
  clock.advance(700);
  for (const end of ['9_0', '10000_3', '10000_3']) plots.shown(end as never);
  clock.advance(300);
  plots.close();

  const { series } = plots.view(1);
  const values = Object.fromEntries(series.map(({ name, values }) => [name, values]));
  expect([values['latencyP50'], values['transactions'], values['published']]).toEqual([[700], [10_000], [3]]);
});

test('a commit is taken once, with all before it, and the newest are kept in the order of their LSNs', () => {
  const commits = new CommitTimes(4);
  const add = (...lsns: readonly number[]): void => lsns.forEach((lsn) => commits.add(String(lsn) as never, lsn));
  const take = (...lsns: readonly number[]) => lsns.map((lsn) => commits.take(String(lsn) as never));

  add(8, 9, 10, 11, 12);
  const first = take(8, 10, 9, 10);
  add(13, 14, 15);
  add(13);
  const sentAgain = take(15, 13);
  add(9, 100);
  expect([first, sentAgain, take(9, 100, 100)]).toEqual([
    [undefined, 10, undefined, undefined],
    [undefined, undefined],
    [9, 100, undefined],
  ]);
});
