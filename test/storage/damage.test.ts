/**
 * Damage of every kind of file: served as before, or condemned and made anew, or refused in a sentence. Here in one state
 * of each workload; `npm run torture:storage` does it in many.
 */
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { damageAt } from './damages.ts';
import { momentsOf, WORKLOADS } from './power-cuts.ts';

test.each(Object.entries(WORKLOADS))('whatever is damaged, nothing wrong is served: %s', async (_, steps) => {
  const { moments } = await momentsOf(steps);
  const late = moments[Math.floor(0.8 * moments.length)];

  expect(late && (await damageAt(late, seededRandom(1)))).toEqual([]);
});
