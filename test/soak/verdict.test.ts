/** What the verdict over a soak takes for growth, and what not. */
import { expect, test } from 'vitest';
import { judge, type Sample } from './verdict.ts';

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

  expect(judged.filter(({ isKept }) => !isKept).map(({ what }) => what)).toEqual(['shapes']);
});
