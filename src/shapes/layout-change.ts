/**
 * Does a table, as a change in the stream or a snapshot found it, still carry a shape? If not, the shape must end: its
 * log holds rows of another table, or of other types, and no line could say so.
 *
 * A change of a partition carries the shapes of the tables above too. Its columns are found by their names: it may have them in another
 * order. What it is called itself is no business of those shapes.
 *
 * Only what the shape depends on counts: it survives a column added beside its own, unless it selects all. Whether a
 * change was still part of the snapshot is not asked here; who converts transactions leaves those out first.
 */
import { isPartitionOf, type RelationLayout } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';

/** True when changes under `layout` cannot go on in the log of this shape. */
export function endsShape(layout: Omit<RelationLayout, 'id'>, definition: ShapeDefinition): boolean {
  return endingOf(layout)(definition);
}

/** The same for many definitions. */
export function endingOf(layout: Omit<RelationLayout, 'id'>): (definition: ShapeDefinition) => boolean {
  const present = new Map(layout.columns.map((column) => [column.name, column]));
  return ({ relation, selectsAll, columns, reads }) => {
    const isItself = layout.oid === relation.oid && layout.name === relation.name && layout.schema === relation.schema;
    if (!isItself && !isPartitionOf(layout, relation.oid)) return true;
    if (selectsAll && present.size !== columns.length) return true;
    return reads.some((read) => {
      const column = present.get(read.name);
      return column === undefined || column.typeOid !== read.typeOid || column.typeMod !== read.typeMod;
    });
  };
}
