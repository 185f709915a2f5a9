/** What rounds come to is arithmetic: so it is told here, for nobody would see in a figure that it is wrong. */
import { expect, test } from 'vitest';
import { verdictsOf } from '../../bench/suite/verdict.ts';
import { aboveLimitMax, either, max, min, timesLimitMax, timesLimitMin, type Target } from '../../bench/suite/workload.ts';

function verdictOf(target: Target, ...rounds: readonly (readonly [measured: number, limit?: number])[]) {
  const readings = rounds.map(([measured, limit]) => [{ what: 'it', unit: 'ms', measured, ...(limit === undefined ? {} : { limit }) }]);
  const [verdict] = verdictsOf({ name: 'a workload', targets: { it: target } }, readings);
  return { timesLimit: verdict?.timesLimit, timesTarget: verdict?.timesTarget, target: verdict?.target };
}

test('a ratio is the median of the ratios of the rounds, so a slow minute is slow for both', () => {
  const verdict = verdictOf(timesLimitMax(4), [20, 10], [200, 100], [30, 10]);

  expect(verdict).toEqual({ timesLimit: 2, timesTarget: 0.5, target: '≤ 4 ×' });
});

test('how far a figure is from its target is more than 1 where it is missed, whichever way is better', () => {
  const figures = [
    verdictOf(max(5), [10]), verdictOf(min(5), [10]), verdictOf(timesLimitMin(0.8), [4, 10]),
    verdictOf(aboveLimitMax(1), [3, 1]), verdictOf(either(min(20), timesLimitMin(0.5)), [10, 20]),
  ];

  expect(figures.map(({ timesTarget, target }) => [timesTarget, target])).toEqual([
    [2, '≤ 5 ms'], [0.5, '≥ 5 ms'], [2, '≥ 0.8 ×'], [1.5, '≤ limit + 1 ms'], [1, '≥ 20 ms or ≥ 0.5 ×'],
  ]);
});

test('who is told before the writer is in time, and no ratio is made of a delay below zero', () => {
  const verdict = verdictOf(aboveLimitMax(1), [-2, -1]);

  expect(verdict).toEqual({ timesLimit: undefined, timesTarget: 0, target: '≤ limit + 1 ms' });
});

test('nothing is met by a figure that is too small to be measured', () => {
  const verdict = verdictOf(max(5), [0]);

  expect(verdict).toEqual({ timesLimit: undefined, timesTarget: undefined, target: '≤ 5 ms' });
});

test('a workload that measured nothing, not a number, or not what it aims at has failed', () => {
  const workload = { name: 'a workload', targets: { it: max(1) } };
  const reading = { what: 'it', unit: 'ms', measured: 1 };

  expect(() => verdictsOf(workload, [])).toThrow('a workload has measured something');
  expect(() => verdictsOf(workload, [[{ ...reading, measured: Number.NaN }]])).toThrow('each round has measured: it');
  expect(() => verdictsOf(workload, [[{ ...reading, what: 'that' }]])).toThrow('a workload measures what it has a target for: it');
});
