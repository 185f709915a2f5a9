/**
 * ChartView: a machine's chart as it is shipped, or else its graph, which the page lays out. A program around the service may run
 * machines of its own, and give them what id it likes: a chart is shown for the machine that it was drawn from, and no other.
 */
import type { AnyStateMachine } from 'xstate';
import type { Runtime } from '../../otp/runtime.ts';
import type { PageFile } from '../pages/page-file.ts';
import type { ChartView } from '../views/chart.ts';
import { fingerprintOf, graphOf } from './machine-graph.ts';
import type { PlacedChart } from './placed-chart.ts';

export type MachineSource = Pick<Runtime, 'processes' | 'machineOf'>;

export function chartView(runtime: MachineSource, file: (path: string) => PageFile | undefined, machine: string): ChartView {
  const placed = shipped(file(`/_observer/charts/${machine}.json`));
  const living = livingMachine(runtime, machine);
  const graph = living === undefined ? null : graphOf(living);
  const isOther = placed !== null && graph !== null && placed.fingerprint !== fingerprintOf(graph);
  return placed === null || isOther ? { machine, placed: null, graph } : { machine, placed, graph: null };
}

function shipped(file: PageFile | undefined): PlacedChart | null {
  return file === undefined ? null : (JSON.parse(Buffer.from(file.bytes).toString()) as PlacedChart);
}

/** Of the first process that has one of this id. */
function livingMachine(runtime: MachineSource, machine: string): AnyStateMachine | undefined {
  for (const process of runtime.processes()) if (process.machine === machine) return runtime.machineOf(process.pid);
  return undefined;
}
