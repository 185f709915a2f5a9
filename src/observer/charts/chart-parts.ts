/**
 * Chart parts: a machine that no page is wide enough for, as several charts.
 *
 * A compound state with many states in it becomes a box without its inside, and a chart of its own. A line that leads
 * into it or out of it ends at its box in the chart around; in its own chart it ends at a place that names the state out
 * there. So each line between two states stands in at least one chart, with all its events.
 */
import { grouped, type GraphLine, type GraphState, type MachineGraph } from './machine-graph.ts';

/** A compound state with so many in it stands for itself. */
const STATES_OF_A_PART = 9;

/** @returns the whole first, then each part behind the one that it is cut from. */
export function partsOf(graph: MachineGraph): readonly MachineGraph[] {
  return partsFrom(graph.root, graph);
}

function partsFrom(state: GraphState, { machine, lines }: MachineGraph): readonly MachineGraph[] {
  const cut = cutBelow(state);
  const here = linesOfPart(state.id, cut.map(({ id }) => id), lines);
  const outside = [...new Set(here.flatMap(({ from, to }) => [from, to]))].filter((id) => !isWithin(id, state.id));
  const root = withoutInsides(state, cut);
  const name = state.id === '' ? state.name : state.id;
  const part = { machine, root: { ...root, name, children: [...root.children, ...outside.map(awayTo)] }, lines: here };
  return [part, ...cut.flatMap((inner) => partsFrom(inner, { machine, root: inner, lines }))];
}

/** @returns whether the state is `outer`, or lies in it. */
export function isWithin(id: string, outer: string): boolean {
  return outer === '' || id === outer || id.startsWith(`${outer}.`);
}

function cutBelow(state: GraphState): readonly GraphState[] {
  return state.children.flatMap((child) => (countBelow(child) >= STATES_OF_A_PART && !holdsLittle(child) ? [child] : cutBelow(child)));
}

/** A frame around one that is cut anyway is no chart of its own. */
function holdsLittle(state: GraphState): boolean {
  return countBelow(state) - cutBelow(state).reduce((count, inner) => count + countBelow(inner), 0) < STATES_OF_A_PART;
}

function countBelow({ children }: GraphState): number {
  return children.reduce((count, child) => count + 1 + countBelow(child), 0);
}

function withoutInsides(state: GraphState, cut: readonly GraphState[]): GraphState {
  if (cut.includes(state)) return { ...state, kind: 'cut', initial: null, children: [], inPlace: [], again: [], told: [] };
  return { ...state, children: state.children.map((child) => withoutInsides(child, cut)) };
}

function linesOfPart(root: string, cut: readonly string[], lines: readonly GraphLine[]): readonly GraphLine[] {
  const lifted = (id: string): string => cut.find((inner) => isWithin(id, inner)) ?? id;
  const own = lines.filter(({ from, to }) => isOfPart(from, to, root) || isOfPart(to, from, root));
  return grouped(
    own.map((line) => ({ ...line, from: lifted(line.from), to: lifted(line.to) })).filter(({ from, to }) => from !== to),
  );
}

/** One end lies inside; the other may be its frame when the line goes inwards, or any state out there that is not around it. */
function isOfPart(inside: string, other: string, root: string): boolean {
  return inside !== root && isWithin(inside, root) && !(other !== root && isWithin(root, other));
}

function awayTo(id: string): GraphState {
  return { id, name: id, kind: 'away', tags: [], entry: [], exit: [], inPlace: [], again: [], told: [], initial: null, children: [] };
}
