/** A value of an arbitrary, by its seed alone. */
import fc from 'fast-check';

/** Without the leaning to small values that helps to shrink: nothing is shrunk here. */
export function drawn<Value>(arbitrary: fc.Arbitrary<Value>, seed: number): Value {
  const [value] = fc.sample(fc.noBias(arbitrary), { seed, numRuns: 1 });
  if (value === undefined) throw new Error('nothing was drawn');
  return value;
}
