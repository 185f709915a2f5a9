/** What the verdict over a soak takes for growth, and what not. */
import { expect, test } from 'vitest';
import { isPassed, judge, type Sample } from './verdict.ts';

const MIB = 1024 * 1024;
const WINDOWS = { settleSeconds: 60, windowSeconds: 60 };
const FLAT = {
  resident: 200 * MIB, heap: 50 * MIB, disk: 100 * MIB, log: 64 * MIB, shapes: 30 * MIB, checkpoints: MIB, files: 500, directories: 260,
  descriptors: 40,
};

/** A sample every ten seconds for ten minutes. */
function samples(change: (atSeconds: number) => Partial<Sample>): readonly Sample[] {
  return Array.from({ length: 60 }, (_, index) => ({ ...FLAT, atSeconds: 10 * index, ...change(10 * index) }));
}

test('what rises and falls is kept, what has grown by a tenth more than it had settled at is not', () => {
  const judged = judge(
    samples((at) => ({
      disk: (80 + (at % 40)) * MIB,
      shapes: (30 + at / 60) * MIB,
      heap: (at < 60 ? 10 : 50) * MIB,
      files: 500 + at / 20,
    })),
    WINDOWS,
  );

  expect(judged.filter(({ verdict }) => verdict !== 'kept')).toMatchObject([{ what: 'shapes', verdict: 'has grown' }]);
});

test('what was not measured is not kept, and a soak that compared nothing, measured nothing or ended badly is not passed', () => {
  const kept = judge(samples(() => ({})), WINDOWS);
  const early = judge(samples(() => ({})).slice(0, 1), WINDOWS);
  const none = judge([], { settleSeconds: NaN, windowSeconds: NaN });
  const good = { comparisons: 1, exitCode: 0 };

  expect({
    verdicts: [kept, early, none].map((judged) => [...new Set(judged.map(({ verdict }) => verdict))]),
    good: isPassed(good, kept),
    bad: [early, none].map((judged) => isPassed(good, judged)),
    worse: [{ comparisons: 0 }, { exitCode: 1 }].map((other) => isPassed({ ...good, ...other }, kept)),
  }).toEqual({ verdicts: [['kept'], ['not measured'], ['not measured']], good: true, bad: [false, false], worse: [false, false] });
});
