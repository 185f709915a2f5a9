/**
 * ELK layout: what the layout engine is asked about a graph, and what its answer means.
 *
 * The engine is one and a half megabytes, and not needed where charts are only looked at: so it is no import here, but an
 * argument. It is given boxes and labels with the room that their words take, and says where they stand.
 */
import { linesOfReactions, linesOfState, sizeOf, type TextLine } from './chart-text.ts';
import { fingerprintOf, type GraphLine, type GraphState, type MachineGraph } from './machine-graph.ts';
import { partsOf } from './chart-parts.ts';
import { hubOf, toldTo } from './told-lines.ts';
import type { Box, PlacedChart, PlacedLine, PlacedPart, PlacedState } from './placed-chart.ts';

/** Of the engine's own form, what we ask and read. */
export interface LayoutNode {
  id: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  children?: LayoutNode[];
  edges?: LayoutEdge[];
  layoutOptions?: Record<string, string>;
}

export interface LayoutEdge {
  id: string;
  sources: string[];
  targets: string[];
  labels?: (Partial<Box> & { text: string })[];
  sections?: { startPoint: Point; bendPoints?: Point[]; endPoint: Point }[];
}

interface Point {
  x: number;
  y: number;
}

export interface LayoutEngine {
  layout(graph: LayoutNode): Promise<LayoutNode>;
}

const ROOT = 'chart';
/** In pixels: what GitHub shows without making it smaller. */
const WIDTH_WANTED = 1150;
const START = ' start';
const ANY = ' any';
const BOX_PADDING = { x: 10, y: 6 };
const START_SIZE = 10;
const LABEL_PADDING = 4;

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.spacing.edgeLabel': '2',
  'elk.layered.spacing.nodeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.padding': '[top=12,left=12,bottom=12,right=12]',
};

/** Where the lines are cut that would close a circle decides what stands above what; no one way is the best of all machines. */
const WAYS: readonly Record<string, string>[] = ['GREEDY', 'MODEL_ORDER', 'DEPTH_FIRST'].flatMap((cycles) =>
  ['NETWORK_SIMPLEX', 'BRANDES_KOEPF'].flatMap((placement) =>
    ['NONE', 'PREFER_EDGES'].map((order) => ({
      'elk.layered.cycleBreaking.strategy': cycles,
      'elk.layered.nodePlacement.strategy': placement,
      'elk.layered.considerModelOrder.strategy': order,
    })),
  ),
);

/**
 * The best of some ways to lay it out, part by part: what is too wide for a page is worst, then what takes much room.
 *
 * @throws whatever the engine throws: our question was wrong.
 */
export async function placedChart(graph: MachineGraph, engine: LayoutEngine): Promise<PlacedChart> {
  const parts: PlacedPart[] = [];
  for (const part of partsOf(graph)) parts.push(await narrowPart(part, engine));
  return { machine: graph.machine, fingerprint: fingerprintOf(graph), parts };
}

/** Where no way is narrow enough, lines to the state that has most of them become words, until it fits or none has many. */
async function narrowPart(graph: MachineGraph, engine: LayoutEngine): Promise<PlacedPart> {
  const tries: PlacedPart[] = [];
  for (const way of WAYS) tries.push(placedPart(graph, await engine.layout(questionOf(graph, way))));
  const best = cheapest(tries);
  const hub = best.width > WIDTH_WANTED ? hubOf(graph) : undefined;
  return hub === undefined ? best : cheapest([best, await narrowPart(toldTo(hub, graph), engine)]);
}

function cheapest(parts: readonly PlacedPart[]): PlacedPart {
  return parts.reduce((one, other) => (costOf(other) < costOf(one) ? other : one));
}

/** In square pixels. A first state far from the top costs as much as the room above it. */
function costOf({ width, height, lines }: PlacedPart): number {
  const fall = lines.filter(({ events }) => events.length === 0).reduce((sum, { points }) => sum + fallOf(points), 0);
  return width * (height + fall) * (1 + Math.max(0, width - WIDTH_WANTED) / 100);
}

function fallOf(points: PlacedLine['points']): number {
  return Math.abs((points.at(-1)?.[1] ?? 0) - (points[0]?.[1] ?? 0));
}

function placedPart(graph: MachineGraph, answer: LayoutNode): PlacedPart {
  const boxes = new Map(nodesOf(answer).map((node) => [node.id, boxOf(node)]));
  const sections = new Map((answer.edges ?? []).map((edge) => [edge.id, edge]));
  return {
    root: graph.root.id,
    width: Math.ceil(answer.width ?? 0),
    height: Math.ceil(answer.height ?? 0),
    states: placedStates(graph, boxes),
    lines: allLines(graph).map((line, index) => placedLine(line, sections.get(`line ${index}`))),
  };
}

/** One more than the states: the root is the chart itself, and shows its name and what it does in place on top. */
function questionOf(graph: MachineGraph, way: Record<string, string>): LayoutNode {
  const edges = allLines(graph).map((line, index): LayoutEdge => {
    const { width, height } = sizeOf(line.words);
    return {
      id: `line ${index}`,
      sources: [line.fromNode],
      targets: [nodeId(line.to)],
      labels: line.words.length === 0 ? [] : [{ text: line.to, width: width + LABEL_PADDING, height: height + LABEL_PADDING }],
    };
  });
  return { id: ROOT, layoutOptions: { ...OPTIONS, ...way }, children: [nodeOf(graph.root, graph.lines)], edges };
}

function nodeOf(state: GraphState, lines: readonly GraphLine[]): LayoutNode {
  const { width, height } = boxSize(linesOfState(state));
  const id = nodeId(state.id);
  if (state.children.length === 0) return { id, width, height };
  return {
    id,
    layoutOptions: {
      'elk.padding': `[top=${height + 8},left=14,bottom=14,right=14]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width}, ${height})`,
    },
    children: [
      ...(state.initial === null ? [] : [startOf(id)]),
      ...(isAnyNeeded(state, lines) ? [{ id: id + ANY, ...boxSize(ANY_LINES) }] : []),
      ...state.children.map((child) => nodeOf(child, lines)),
    ],
  };
}

function startOf(id: string): LayoutNode {
  const layoutOptions = { 'elk.layered.layering.layerConstraint': 'FIRST' };
  return { id: id + START, width: START_SIZE, height: START_SIZE, layoutOptions };
}

const ANY_LINES: readonly TextLine[] = [{ text: 'in any state', style: 'guard' }];

function isAnyNeeded({ id }: GraphState, lines: readonly GraphLine[]): boolean {
  return lines.some(({ from, isFromAny }) => isFromAny && from === id);
}

interface DrawnLine {
  readonly from: string;
  readonly fromNode: string;
  readonly to: string;
  readonly events: readonly string[];
  readonly words: readonly TextLine[];
}

function allLines({ root, lines }: MachineGraph): readonly DrawnLine[] {
  const starts = statesOf(root).flatMap(({ id, initial }) =>
    initial === null ? [] : [{ from: id, fromNode: nodeId(id) + START, to: initial, events: [], words: [] }],
  );
  const drawn = lines.map(({ from, to, isFromAny, reactions }) => ({
    from,
    fromNode: isFromAny ? nodeId(from) + ANY : nodeId(from),
    to,
    events: [...new Set(reactions.map(({ event }) => event))],
    words: linesOfReactions(reactions),
  }));
  return [...starts, ...drawn];
}

function placedStates({ root, lines }: MachineGraph, boxes: ReadonlyMap<string, Box>): readonly PlacedState[] {
  return statesOf(root).flatMap((state): readonly PlacedState[] => {
    const id = nodeId(state.id);
    const beside = (kind: 'start' | 'any', lines: readonly TextLine[]): PlacedState => {
      return { ...boxAt(boxes, id + (kind === 'start' ? START : ANY)), id: state.id, kind, lines };
    };
    return [
      { ...boxAt(boxes, id), id: state.id, kind: state.kind, lines: linesOfState(state) },
      ...(state.initial === null ? [] : [beside('start', [])]),
      ...(isAnyNeeded(state, lines) ? [beside('any', ANY_LINES)] : []),
    ];
  });
}

function placedLine({ from, to, events, words }: DrawnLine, edge: LayoutEdge | undefined): PlacedLine {
  const points = (edge?.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
  const label = edge?.labels?.[0] ?? {};
  return { from, to, events, points: points.map(({ x, y }) => [round(x), round(y)]), label: { ...boxOf(label), lines: words } };
}

function statesOf(state: GraphState): readonly GraphState[] {
  return [state, ...state.children.flatMap(statesOf)];
}

function nodesOf(node: LayoutNode): readonly LayoutNode[] {
  return [node, ...(node.children ?? []).flatMap(nodesOf)];
}

function boxSize(lines: readonly TextLine[]): { width: number; height: number } {
  const { width, height } = sizeOf(lines);
  return { width: width + 2 * BOX_PADDING.x, height: height + 2 * BOX_PADDING.y };
}

function boxAt(boxes: ReadonlyMap<string, Box>, id: string): Box {
  return boxes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 };
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box {
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** The engine takes no empty id. */
function nodeId(id: string): string {
  return `state ${id}`;
}
