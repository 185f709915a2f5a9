/**
 * Layout: the layout engine with what asks it, a file of its own. It is larger than all the rest of the page, and needed for machines
 * alone that the package does not ship a chart of.
 */
import ELK, { type ElkNode } from 'elkjs/lib/elk.bundled.js';
import { placedChart, type LayoutNode } from '../charts/elk-layout.ts';
import type { MachineGraph } from '../charts/machine-graph.ts';
import type { PlacedChart } from '../charts/placed-chart.ts';

const engine = new ELK.default();

export function laidOut(graph: MachineGraph): Promise<PlacedChart> {
  return placedChart(graph, { layout: async (question: LayoutNode) => (await engine.layout(question as ElkNode)) as LayoutNode });
}
