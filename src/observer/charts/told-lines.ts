/**
 * Told lines: a graph in which the ways to one state are words in the states where they begin, and no lines.
 *
 * A state that all others can fall into (`backingOff`, `closed`) draws a line across the chart from each of them. They make
 * a chart wide, and say less than the word.
 */
import type { GraphLine, GraphState, MachineGraph } from './machine-graph.ts';

/** As few lines can always be drawn. */
const LINES_OF_A_HUB = 3;

/** @returns the state that most lines end at; none where no state has many. */
export function hubOf({ lines }: MachineGraph): string | undefined {
  const counts = new Map<string, number>();
  for (const { to } of lines) counts.set(to, (counts.get(to) ?? 0) + 1);
  const [first] = [...counts].sort(([, one], [, other]) => other - one);
  return first !== undefined && first[1] >= LINES_OF_A_HUB ? first[0] : undefined;
}

/** @returns the graph without lines to `target`; what led there is told. */
export function toldTo(target: string, graph: MachineGraph): MachineGraph {
  const told = graph.lines.filter(({ to }) => to === target);
  const root = tell(graph.root, told);
  const children = root.children.filter(({ id, kind }) => kind !== 'away' || id !== target); // Nothing leads there any more.
  return { ...graph, root: { ...root, children }, lines: graph.lines.filter(({ to }) => to !== target) };
}

function tell(state: GraphState, lines: readonly GraphLine[]): GraphState {
  const own = lines.filter(({ from }) => from === state.id);
  return { ...state, told: [...state.told, ...own], children: state.children.map((child) => tell(child, lines)) };
}
