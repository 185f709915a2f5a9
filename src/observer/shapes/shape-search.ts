/** ShapeSearch: those of all shapes that match, in an order. Rows are made of those alone that are shown. */
import { page, type PageAsked } from '../pages/paging.ts';
import { compareOffsets } from '../../model/log-offset.ts';
import type { SeenShape } from '../sources.ts';
import type { ShapesView } from '../views/shapes.ts';
import { bytesOf, filterOf, lagOf, pinnedBy, shapeRow, tableOf, type SeenShapes } from './shape-rows.ts';

export const SHAPE_SORTS = ['table', 'clients', 'bytes', 'work', 'lag', 'since', 'offset'] as const;

export interface ShapesAsked extends PageAsked {
  /** In handle, table or the beginning of the filter, whatever the case. */
  readonly search: string | undefined;
  readonly sort: (typeof SHAPE_SORTS)[number];
  /** Undefined: texts upwards, numbers downwards. */
  readonly order: 'asc' | 'desc' | undefined;
}

interface Sortable {
  readonly shape: SeenShape;
  readonly key: number | string;
}

export function shapesView(seen: SeenShapes, asked: ShapesAsked): Omit<ShapesView, 'atMs'> {
  const { shapes } = seen;
  const all = [...shapes.all()];
  const matching = all.filter(matcherOf(asked)).map((shape): Sortable => ({ shape, key: keyOf(shape, seen, asked.sort) }));
  const { rows, next } = page(matching.sort(orderOf(asked)), asked);
  return {
    total: all.length,
    matched: matching.length,
    rows: rows.map(({ shape }) => shapeRow(shape, seen)),
    next,
    position: shapes.position,
    releasable: shapes.releasable,
    durableEnd: shapes.durableEnd,
    pinnedBy: pinnedBy(shapes),
    limits: shapes.limits() ?? null,
  };
}

function matcherOf({ search }: ShapesAsked): (shape: SeenShape) => boolean {
  const sought = search?.toLowerCase();
  if (sought === undefined) return () => true;
  return (shape) => `${shape.handle}\n${tableOf(shape)}\n${filterOf(shape) ?? ''}`.toLowerCase().includes(sought);
}

function keyOf(shape: SeenShape, { shapes, works }: SeenShapes, sort: ShapesAsked['sort']): number | string {
  switch (sort) {
    case 'table':
      return tableOf(shape);
    case 'clients':
      return shapes.readersOf(shape.handle);
    case 'bytes':
      return bytesOf(shape) ?? 0;
    case 'work':
      return works.recentOf(shape.handle);
    case 'lag':
      return lagOf(shape, shapes);
    case 'since':
      return Number(shape.handle.slice(shape.handle.indexOf('-') + 1));
    case 'offset':
      return shape.end;
  }
}

function orderOf({ sort, order }: ShapesAsked): (one: Sortable, other: Sortable) => number {
  const sign = (order ?? (sort === 'table' ? 'asc' : 'desc')) === 'asc' ? 1 : -1;
  const compared = sort === 'offset' ? byOffset : byKey;
  return (one, other) => sign * compared(one, other) || byHandle(one, other);
}

function byOffset({ shape: one }: Sortable, { shape: other }: Sortable): number {
  return compareOffsets(one.end, other.end);
}

function byKey({ key: one }: Sortable, { key: other }: Sortable): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function byHandle({ shape: one }: Sortable, { shape: other }: Sortable): number {
  return one.handle < other.handle ? -1 : 1;
}
