/**
 * ShapeRows: shapes in a line each. The state of a shape is that of its Consumer, by the name under which it is registered; one that
 * nothing touches has none, and is dormant.
 */
import { bornMicros } from '../../model/shape.ts';
import { consumerOf } from '../../actors/shape-processes.ts';
import { linkTo, type SeenRuntime } from '../processes/process-view.ts';
import type { SeenShape, ShapeSource } from '../sources.ts';
import type { PinnedBy, ShapeRow } from '../views/shapes.ts';
import type { RowCounts } from './row-counts.ts';
import type { ShapeWorks } from './shape-works.ts';

/** A filter may have 64 KiB: of one among many so much is shown and searched. */
const FILTER_CHARACTERS_MAX = 500;

/** Where what is shown of a shape stands. */
export interface SeenShapes {
  readonly shapes: ShapeSource;
  readonly runtime: SeenRuntime;
  readonly works: Pick<ShapeWorks, 'of' | 'recentOf'>;
  readonly rowCounts: Pick<RowCounts, 'of'>;
}

export function shapeRow(shape: SeenShape, { shapes, runtime, works, rowCounts }: SeenShapes): ShapeRow {
  const { handle, definition, end, isInner, snapshot } = shape;
  return {
    handle, isInner,
    table: tableOf(shape),
    where: filterOf(shape),
    columns: definition.selectsAll ? null : definition.columns,
    offset: end,
    snapshot: snapshot.state,
    state: stateOf(shape, runtime),
    bytes: bytesOf(shape),
    rows: rowCounts.of(shape),
    work: works.of(handle),
    clients: shapes.readersOf(handle),
    lagBytes: lagOf(shape, shapes),
    sinceMs: Math.round(bornMicros(handle) / 1000),
  };
}

/** Null while it has no Consumer, and needs one. */
export function stateOf({ handle, restsAt }: SeenShape, runtime: SeenRuntime): string | null {
  return linkTo(runtime, consumerOf(handle)).state ?? (restsAt === undefined ? null : 'dormant');
}

/** As Postgres would have it: names that are no plain words stand in quotes. */
export function tableOf({ definition: { relation: { schema, name } } }: Pick<SeenShape, 'definition'>): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

/** Its beginning; null for all rows. */
export function filterOf({ definition: { where } }: Pick<SeenShape, 'definition'>): string | null {
  if (where === undefined) return null;
  return where.text.length <= FILTER_CHARACTERS_MAX ? where.text : `${where.text.slice(0, FILTER_CHARACTERS_MAX)}…`;
}

export function snapshotBytesOf({ snapshot }: SeenShape): number | null {
  return snapshot.state === 'complete' ? snapshot.chunks.reduce((sum, { bytes }) => sum + bytes, 0) : null;
}

/** Null while its snapshot is being written. */
export function bytesOf(shape: SeenShape): number | null {
  const snapshotBytes = snapshotBytesOf(shape);
  return snapshotBytes === null ? null : snapshotBytes + shape.lineBytes;
}

export function lagOf({ position }: SeenShape, shapes: ShapeSource): number {
  return Math.max(0, shapes.position - position);
}

/** The shape that is furthest behind, if one is: our log keeps what it needs, whatever Postgres has been told. */
export function pinnedBy(shapes: ShapeSource): PinnedBy | null {
  let last: PinnedBy | null = null;
  for (const { handle, position } of shapes.all()) {
    if (position < (last?.position ?? shapes.position)) last = { handle, position };
  }
  return last;
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
