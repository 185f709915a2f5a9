/** ShapeGraph: which shapes look values up in which, outer ones above. Equal distance from the top is one row. */
import type { ShapeGraph } from '../../views/shapes.ts';
import { addressOf, go } from '../navigation.tsx';

const BOX = { width: 190, height: 44, gapX: 18, gapY: 40 };

export function DependencyGraph({ graph: { nodes, edges, left }, handle }: { readonly graph: ShapeGraph; readonly handle: string }) {
  if (nodes.length < 2) return <p class="faint">It depends on no other shape, and none on it.</p>;
  const places = placesOf(nodes.map((node) => node.handle), edges);
  const width = Math.max(...[...places.values()].map(({ x }) => x)) + BOX.width + 2;
  const height = Math.max(...[...places.values()].map(({ y }) => y)) + BOX.height + 2;
  return (
    <figure class="chart" tabIndex={0}>
      <svg viewBox={`-1 -1 ${width + 2} ${height + 2}`} width={width} height={height} role="img"
        aria-label={`${nodes.length} shapes that depend on each other: ${edges.map(({ from, to }) => `${from} on ${to}`).join(', ')}`}>
        {edges.map(({ from, to, column }) => {
          const [one, other] = [places.get(from), places.get(to)];
          if (one === undefined || other === undefined) return null;
          const [x, y, toX] = [one.x + BOX.width / 2, one.y + BOX.height, other.x + BOX.width / 2];
          return (
            <g key={`${from} ${to} ${column}`} class="label">
              <path class="line" d={`M${x} ${y}C${x} ${y + BOX.gapY / 2} ${toX} ${other.y - BOX.gapY / 2} ${toX} ${other.y}`} />
              <text class="action" x={(x + toX) / 2 + 4} y={(y + other.y) / 2}>{column}</text>
            </g>
          );
        })}
        {nodes.map(({ handle: own, table, where, state }) => {
          const { x, y } = places.get(own) ?? { x: 0, y: 0 };
          return (
            <g key={own} class={own === handle ? 'state lit' : 'state'} onClick={() => go(addressOf('shape', { handle: own }))}>
              <title>{`${table} ${where ?? ''} ${state ?? ''}`}</title>
              <rect x={x} y={y} width={BOX.width} height={BOX.height} rx={6} />
              <text class="name" x={x + 8} y={y + 18}>{shortened(table, 22)}</text>
              <text class="action" x={x + 8} y={y + 34}>{shortened(where ?? 'all rows', 30)}</text>
            </g>
          );
        })}
      </svg>
      {left > 0 && <figcaption>{left} more are not shown.</figcaption>}
    </figure>
  );
}

function shortened(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

type Edge = ShapeGraph['edges'][number];

function placesOf(handles: readonly string[], edges: readonly Edge[]): ReadonlyMap<string, { readonly x: number; readonly y: number }> {
  const depths = new Map(handles.map((handle) => [handle, 0]));
  // As many rounds as there are nodes at the most: there is no circle.
  for (let round = 0; round < handles.length; round += 1) {
    for (const { from, to } of edges) depths.set(to, Math.max(depths.get(to) ?? 0, (depths.get(from) ?? 0) + 1));
    if (edges.every(({ from, to }) => (depths.get(to) ?? 0) > (depths.get(from) ?? 0))) break;
  }
  const taken = new Map<number, number>();
  return new Map(handles.map((handle) => {
    const depth = depths.get(handle) ?? 0;
    const column = taken.get(depth) ?? 0;
    taken.set(depth, column + 1);
    return [handle, { x: column * (BOX.width + BOX.gapX), y: depth * (BOX.height + BOX.gapY) }];
  }));
}
