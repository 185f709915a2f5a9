/** `npm run scenarios`: searches each control, and writes the shortest way to what it breaks into `test/scenarios`. */
import { invariant } from '../../src/base/invariant.ts';
import { search } from './checker/search.ts';
import { scenarioOf, writeScenario } from './scenario.ts';
import { controlSettings, withSystem } from './systems.ts';

const STATES_MAX = 1_000_000;

for (const setting of controlSettings) {
  const { counterexample } = await withSystem(setting, (system) => search(system, STATES_MAX));
  invariant(counterexample !== undefined, `it is found that ${setting.control}`);
  console.info(writeScenario(scenarioOf(setting, counterexample)));
}
