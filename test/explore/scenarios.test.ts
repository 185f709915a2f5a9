/** Each scenario that is kept runs on the production runtime as in the search, and each control has one. `npm run scenarios` writes those. */
import { expect, test } from 'vitest';
import { readScenarios } from './scenario.ts';
import { controlSettings } from './systems.ts';
import { proofOf, trialOf } from './trial.ts';

const scenarios = readScenarios();

test.each(scenarios)('%s: what is wrong in the search is wrong on the runtime, and nothing when the cure is in place', async (_, scenario) => {
  expect(await trialOf(scenario)).toEqual(proofOf(scenario));
});

test('each control has its scenario, by the property that it breaks', () => {
  const kept = scenarios.flatMap(([, { system, control, property }]) => (control === undefined ? [] : [`${system}: ${control}: ${property}`]));
  const due = controlSettings.map(({ system, control, breaks }) => `${system}: ${control}: ${breaks}`);

  expect(kept.sort()).toEqual(due.sort());
});
