import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { chartView } from '../../src/observer/charts/chart-view.ts';
import { fingerprintOf, graphOf } from '../../src/observer/charts/machine-graph.ts';
import type { PlacedChart } from '../../src/observer/charts/placed-chart.ts';
import { World } from '../support/otp/world.ts';

const lamp = setup({}).createMachine({ id: 'lamp', initial: 'dark', states: { dark: { on: { press: 'lit' } }, lit: {} } });

function shipped(fingerprint: string) {
  const placed: PlacedChart = { machine: 'lamp', fingerprint, parts: [] };
  return { placed, file: () => ({ contentType: '', bytes: Buffer.from(JSON.stringify(placed)) }) };
}

test('a chart that is shipped is shown for the machine that it was drawn from, also when none of them lives', async () => {
  const world = new World();
  const { placed, file } = shipped(fingerprintOf(graphOf(lamp)));

  const before = chartView(world.runtime, file, 'lamp');
  await world.start({ machine: lamp }, 'lamp');

  const shown = { machine: 'lamp', placed, graph: null };
  expect([before, chartView(world.runtime, file, 'lamp')]).toEqual([shown, shown]);
});

test('another machine of the same id is told as its own graph, and so is one of which no chart is shipped', async () => {
  const world = new World();
  const nothing = chartView(world.runtime, () => undefined, 'lamp');
  await world.start({ machine: lamp }, 'lamp');

  const own = { machine: 'lamp', placed: null, graph: graphOf(lamp) };
  expect([nothing, chartView(world.runtime, shipped('another').file, 'lamp'), chartView(world.runtime, () => undefined, 'lamp')]).toEqual([
    { machine: 'lamp', placed: null, graph: null }, own, own,
  ]);
});
