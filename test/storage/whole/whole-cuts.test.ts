/** The power goes at every change of the disk in a life with all of it in it, and again while what it left is being recovered. */
import { expect, test } from 'vitest';
import { cutAt, momentsOf, WHOLE_LIFE } from './workloads.ts';

test('whenever the power goes, a whole life is there as it was promised, and goes on', async () => {
  const { moments, violations } = await momentsOf(WHOLE_LIFE);
  const found = [...violations];
  for (const [index, moment] of moments.entries()) {
    for (const violation of await cutAt(moment, index, index % 4 === 0 ? 2 : 1)) found.push(`operation ${index}: ${violation}`);
  }

  expect(found).toEqual([]);
}, 240_000);
