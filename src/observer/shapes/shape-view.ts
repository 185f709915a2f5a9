/** ShapeView: all that is known of one shape: what it is, how far it has come, and what hangs together with it. */
import { compareOffsets, lsnOfOffset } from '../../model/log-offset.ts';
import { lsnToPostgres } from '../../model/lsn.ts';
import type { Handle } from '../../model/shape.ts';
import { consumerOf, materializerOf } from '../../actors/shape-processes.ts';
import { linkTo, type SeenRuntime } from '../processes/process-view.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { SeenShape, ShapeSource } from '../sources.ts';
import type { ProcessLink } from '../views/processes.ts';
import type { ShapeGraph, ShapeTransaction, ShapeView } from '../views/shapes.ts';
import { filterOf, shapeRow, snapshotBytesOf, stateOf, tableOf, type SeenShapes } from './shape-rows.ts';

const NODES_MAX = 200;
const TRANSACTIONS_MAX = 20;

/** @returns undefined when there is no such shape. */
export function shapeView(seen: SeenShapes, recorder: Recorder, handle: Handle): Omit<ShapeView, 'atMs'> | undefined {
  const { shapes, runtime } = seen;
  const shape = shapes.get(handle);
  if (shape === undefined) return undefined;
  const { definition, position, waitsAt, lineBytes } = shape;
  const consumer = linkTo(runtime, consumerOf(handle));
  const graph = new GraphReading(seen).around(shape);
  return {
    ...shapeRow(shape, seen),
    where: definition.where?.text ?? null,
    replica: definition.replica,
    log: definition.log,
    params: definition.where?.params ?? [],
    primaryKey: definition.primaryKey,
    snapshotBytes: snapshotBytesOf(shape),
    lineBytes,
    position,
    waitsAt: waitsAt === undefined ? null : lsnToPostgres(waitsAt),
    pinsLog: position < shapes.position && position <= shapes.releasable,
    consumer: consumer.pid === null ? null : consumer,
    materializers: materializersOf(graph, runtime, handle),
    bufferedMoves: movesOf(shape, shapes),
    graph,
    transactions: transactionsOf(recorder, handle),
    recording: recorder.view(),
  };
}

/** Those that keep values of this shape, for columns that others look up. */
function materializersOf({ edges }: ShapeGraph, runtime: SeenRuntime, handle: Handle): readonly ProcessLink[] {
  const columns = new Set(edges.filter(({ to }) => to === handle).map(({ column }) => column));
  return Array.from(columns, (column) => linkTo(runtime, materializerOf(handle, column))).filter(({ pid }) => pid !== null);
}

function movesOf({ definition: { dependencies = [] }, dependsOn, views }: SeenShape, shapes: ShapeSource): number | null {
  if (dependencies.length === 0) return null;
  return dependencies.filter(({ column }, number) => {
    const inner = dependsOn[number];
    const view = views[number];
    const end = inner && shapes.valuesEnd(inner, column);
    return end !== undefined && view !== undefined && compareOffsets(view, end) < 0;
  }).length;
}

function transactionsOf(recorder: Recorder, handle: Handle): readonly ShapeTransaction[] {
  const transactions: ShapeTransaction[] = [];
  for (const { atMs, end } of recorder.published(handle)) {
    if (transactions.length === TRANSACTIONS_MAX) break;
    transactions.push({ atMs: recorder.epochMs(atMs), lsn: lsnToPostgres(lsnOfOffset(end)), offset: end });
  }
  return transactions;
}

/** What a shape depends on, and what depends on it. */
class GraphReading {
  private readonly nodes = new Map<Handle, SeenShape>();
  private readonly edges: ShapeGraph['edges'][number][] = [];
  private left = 0;

  private readonly shapes: ShapeSource;

  constructor(private readonly seen: SeenShapes) {
    this.shapes = seen.shapes;
  }

  around(shape: SeenShape): ShapeGraph {
    this.follow(shape, ({ dependsOn }) => dependsOn);
    const dependants = this.dependants();
    this.nodes.delete(shape.handle);
    this.follow(shape, ({ handle }) => dependants.get(handle) ?? []);
    for (const node of this.nodes.values()) this.addEdges(node);
    return { nodes: Array.from(this.nodes.values(), (node) => this.node(node)), edges: this.edges, left: this.left };
  }

  private follow(from: SeenShape, next: (shape: SeenShape) => readonly Handle[]): void {
    const queue = [from];
    for (let shape = queue.shift(); shape !== undefined; shape = queue.shift()) {
      if (this.nodes.has(shape.handle)) continue;
      if (this.nodes.size === NODES_MAX) {
        this.left += 1;
        continue;
      }
      this.nodes.set(shape.handle, shape);
      for (const handle of next(shape)) {
        const neighbour = this.shapes.get(handle);
        if (neighbour !== undefined) queue.push(neighbour);
      }
    }
  }

  private dependants(): ReadonlyMap<Handle, readonly Handle[]> {
    const dependants = new Map<Handle, Handle[]>();
    for (const { handle, dependsOn } of this.shapes.all()) {
      for (const inner of dependsOn) {
        const known = dependants.get(inner);
        if (known === undefined) dependants.set(inner, [handle]);
        else if (known.length <= NODES_MAX) known.push(handle);
      }
    }
    return dependants;
  }

  private addEdges({ handle, dependsOn, definition: { dependencies = [] } }: SeenShape): void {
    for (const [number, { column }] of dependencies.entries()) {
      const to = dependsOn[number];
      if (to !== undefined && this.nodes.has(to)) this.edges.push({ from: handle, to, column });
    }
  }

  private node(shape: SeenShape): ShapeGraph['nodes'][number] {
    const { handle } = shape;
    return { handle, table: tableOf(shape), where: filterOf(shape), state: stateOf(shape, this.seen.runtime) };
  }
}
