/** Every scenario that is kept runs on the production runtime as in the search, and each control has one: `npm run scenarios`. */
import { expect, test } from 'vitest';
import { readScenarios } from './scenario.ts';
import { controlSettings } from './systems.ts';
import { proofOf, trialOf } from './trial.ts';

const scenarios = readScenarios();

test.each(scenarios)('%s: what the search found wrong is wrong on the runtime, and nothing is with the cure', async (_, scenario) => {
  expect(await trialOf(scenario)).toEqual(proofOf(scenario));
});

test('each control has its scenario, by the property that it breaks', () => {
  const kept = scenarios.map(([, { system, control, property }]) => ({ system, control, breaks: property }));
  const due = controlSettings.map(({ system, control, breaks }) => ({ system, control, breaks }));

  expect(kept).toEqual(expect.arrayContaining(due));
});
