import { expect, test } from 'vitest';
import { RestartIntensity } from '../../../src/otp/supervision/restart-intensity.ts';

/** Which of the restarts at these times are admitted. */
function admitted(intensity: RestartIntensity, timesMs: readonly number[]): readonly boolean[] {
  return timesMs.map((nowMs) => intensity.admit(nowMs));
}

test.each([
  ['none allowed', 0, 5, [0], [false]],
  ['as many as allowed in one second', 2, 1, [0, 1, 999], [true, true, false]],
  ['the border belongs to the window', 1, 1, [0, 1_999], [true, false]],
  ['beyond it', 1, 1, [0, 2_000], [true, true]],
  ['old ones make room one by one', 2, 2, [0, 1_000, 2_000, 3_000, 3_000], [true, true, false, true, false]],
] as const)('%s: %d in %d s', (_, maxRestarts, maxSeconds, timesMs, expected) => {
  expect(admitted(new RestartIntensity({ maxRestarts, maxSeconds }), timesMs)).toEqual(expected);
});

test('a million restarts take no more marks than the window has seconds', () => {
  const intensity = new RestartIntensity({ maxRestarts: Infinity, maxSeconds: 5 });
  const outcomes = admitted(intensity, Array.from({ length: 1_000_000 }, (_, index) => index / 100));

  expect({ admitted: outcomes.filter(Boolean).length, marks: intensity.key() }).toEqual({
    admitted: 1_000_000,
    marks: [4, 5, 6, 7, 8, 9].map((second) => ({ second, count: 100_000 })),
  });
});
