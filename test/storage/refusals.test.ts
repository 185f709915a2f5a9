/** A share of all refusals; `npm run torture:storage` makes them all. */
import { expect, test } from 'vitest';
import { WORKLOADS } from './power-cuts.ts';
import { operationsOf, livingSteps, REFUSAL_CODES, REFUSAL_COUNTS, violationsUnder } from './refusals.ts';

const PLANS_MAX = 10;

test.each(Object.entries(WORKLOADS))('whatever the disk refuses for a while, nothing is lost or comes twice: %s', async (_, workload) => {
  const steps = livingSteps(workload);
  const changes = await operationsOf(steps, 'changes');
  const every = Math.ceil(changes / PLANS_MAX);
  const found: string[] = [];
  for (let from = 0; from < changes; from += every) {
    const code = REFUSAL_CODES[from % REFUSAL_CODES.length] ?? 'EIO';
    for (const count of REFUSAL_COUNTS) {
      found.push(...(await violationsUnder(steps, { of: 'changes', from, count, code }, count === 3 ? 8 : 0)));
    }
  }

  expect(found).toEqual([]);
});

test.each(Object.entries(WORKLOADS))('whatever cannot be read for a while, nothing is lost, and it goes on: %s', async (_, workload) => {
  const steps = livingSteps(workload);
  const looks = await operationsOf(steps, 'looks');
  const every = Math.ceil(looks / (PLANS_MAX / 2));
  const found: string[] = [];
  for (let from = 0; from < looks; from += every) {
    for (const count of [1, 20]) found.push(...(await violationsUnder(steps, { of: 'looks', from, count, code: 'EIO' })));
  }

  expect(found).toEqual([]);
});
