/** The layout engine, in the form in which the charts ask for it: its own types want more than it reads. */
import ELK, { type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { LayoutEngine, LayoutNode } from '../../src/observer/charts/elk-layout.ts';

const engine = new ELK.default();

export const elk: LayoutEngine = {
  layout: async (graph: LayoutNode) => (await engine.layout(graph as ElkNode)) as LayoutNode,
};
