/** LaidOut: a graph with its places, once the engine is loaded and has thought about it. The engine is loaded for the first of them. */
import { useEffect, useState } from 'preact/hooks';
import type { MachineGraph } from '../../charts/machine-graph.ts';
import type { PlacedChart } from '../../charts/placed-chart.ts';
import type * as Layout from '../layout.ts';

const ENGINE = '/_observer/layout.js';

/** @returns undefined until it is laid out, and for no graph. */
export function useLayout(graph: MachineGraph | null): PlacedChart | undefined {
  const [chart, setChart] = useState<PlacedChart>();
  useEffect(() => {
    let isWanted = graph !== null;
    if (graph !== null) void layOut(graph).then((placed) => isWanted && setChart(placed));
    return () => {
      isWanted = false;
      setChart(undefined);
    };
  }, [graph]);
  return chart;
}

/** By its address at run time, so that the build leaves it out of the page. */
async function layOut(graph: MachineGraph): Promise<PlacedChart> {
  const { laidOut } = (await import(ENGINE)) as typeof Layout;
  return await laidOut(graph);
}
