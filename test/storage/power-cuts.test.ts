/** A share of all power cuts; `npm run torture:storage` makes them all. */
import { expect, test } from 'vitest';
import { cutAt, momentsOf, WORKLOADS } from './power-cuts.ts';

const MOMENTS_MAX = 30;

test.each(Object.entries(WORKLOADS))('whenever the power goes, what was promised is there: %s', async (_, steps) => {
  const { moments, violations } = await momentsOf(steps);
  const every = Math.ceil(moments.length / MOMENTS_MAX);
  const found = [...violations];
  for (const [index, moment] of moments.entries()) if (index % every === 0) found.push(...(await cutAt(moment, [index])));

  expect(found).toEqual([]);
});
