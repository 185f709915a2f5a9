/** Forms: the chart of a machine. docs/observer.md says what holds for all of them. */
import type { MachineGraph } from '../charts/machine-graph.ts';
import type { PlacedChart } from '../charts/placed-chart.ts';

/** `/api/chart?machine=`: by the machine's id. */
export interface ChartView {
  readonly machine: string;
  /** As it is shipped, if it is of this very machine; null for one that the package does not know. */
  readonly placed: PlacedChart | null;
  /** For whoever lays it out; null when `placed` is there, or when no process lives that has this machine. */
  readonly graph: MachineGraph | null;
}
