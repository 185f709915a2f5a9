import { expect, test } from 'vitest';
import { FrameMemory, type FrameRun } from '../../../src/storage/log/frame-memory.ts';

/** Asks for room for frames of these sizes, one after the other. */
function runsOf(memory: FrameMemory, sizes: readonly number[]): FrameRun[] {
  const runs: FrameRun[] = [];
  for (const bytes of sizes) {
    const run = memory.extend(runs.at(-1), bytes);
    if (run !== runs.at(-1)) runs.push(run);
  }
  return runs;
}

test('small frames make one run, and the next group goes on in the same memory', () => {
  const memory = new FrameMemory();
  const [first] = runsOf(memory, [100, 200]);
  const [second] = runsOf(memory, [300]);
  expect([first, second]).toEqual([
    { memory: first?.memory, start: 0, end: 300 },
    { memory: first?.memory, start: 300, end: 600 },
  ]);
});

test('a frame that is not small lies by itself, and what is full makes room for the next', () => {
  const memory = new FrameMemory();
  const sizes = [100, 1_000_000, 100, ...Array.from({ length: 7 }, () => 10_000)];
  const runs = runsOf(memory, sizes);
  expect({ runs: runs.map(({ start, end }) => [start, end]), memories: new Set(runs.map((run) => run.memory)).size }).toEqual({
    runs: [[0, 100], [0, 1_000_000], [100, 60_200], [0, 10_000]],
    memories: 3,
  });
});
