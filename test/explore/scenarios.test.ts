/** Every scenario that is kept runs on the production runtime as in the search, and each control has one: `npm run scenarios`. */
import { expect, test } from 'vitest';
import { readScenarios, readWindows } from './replay/scenario.ts';
import { controlSettings } from './systems.ts';
import { proofOf, trialOf } from './replay/trial.ts';
import { replayWindow } from './replay/window/replay-window.ts';

const scenarios = readScenarios();

test.each(scenarios)('%s: the runtime does as the search without the cure, and nothing is wrong with it', async (_, scenario) => {
  expect(await trialOf(scenario)).toEqual(proofOf(scenario));
});

test.each(readWindows())('%s: the machines do again what was recorded', (_, window) => {
  expect(replayWindow(window).difference).toBe(undefined);
});

test('each control has its scenario, by the property that it breaks', () => {
  const kept = scenarios.map(([, { system, control, property }]) => ({ system, control, breaks: property }));
  const due = controlSettings.map(({ system, control, breaks }) => ({ system, control, breaks }));

  expect(kept).toEqual(expect.arrayContaining(due));
});
