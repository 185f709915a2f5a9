import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { consumerScenario, materializerScenario, snapshotterScenario } from './scenarios.ts';
import { coverageOf, type Scenario } from './transition-coverage.ts';

const scenarios: readonly [string, Scenario][] = [consumerScenario, materializerScenario, snapshotterScenario].map((scenario) => [
  scenario.machine.id,
  scenario,
]);

test.each(scenarios)('every transition of %s is taken by some path', (_, scenario) => {
  expect(coverageOf(scenario).untaken).toEqual([]);
});

test('a transition that no path takes is named', () => {
  const machine = setup({ guards: { isNever: () => false } }).createMachine({
    id: 'lamp',
    initial: 'off',
    states: { off: { on: { press: [{ guard: 'isNever', target: 'broken' }, { target: 'on' }] } }, on: { on: { press: 'off' } }, broken: { on: { repair: 'off' } } },
  });

  const coverage = coverageOf({ machine, inputs: [{}], events: [{ type: 'press' }, { type: 'repair' }] });

  expect(coverage).toEqual({ transitionCount: 4, untaken: ['lamp.off > press #0', 'lamp.broken > repair'] });
});
