/**
 * Footings: the shapes that stand on the same of the same table, so that a layout carries all of them or ends all of them. It is asked once
 * for each footing, and there are few of them however many shapes differ in their filter alone.
 */
import { PartTexts } from '../model/part-texts.ts';
import type { ShapeDefinition } from '../model/shape.ts';

/** Shapes of one footing; there is at least one. */
export interface Footing<Shape> {
  readonly key: string;
  /** Of any of its shapes. */
  readonly definition: ShapeDefinition;
  readonly shapes: Set<Shape>;
}

export class Footings<Shape> {
  private readonly byKey = new Map<string, Footing<Shape>>();
  /** By the oid and by the name of their table: the name outlives the oid. */
  private readonly byTable = new Map<number | string, Set<Footing<Shape>>>();

  /** @returns the footing where it is the first shape of it. */
  add(shape: Shape, definition: ShapeDefinition): Footing<Shape> | undefined {
    const key = keyOf(definition);
    const known = this.byKey.get(key);
    known?.shapes.add(shape);
    if (known !== undefined) return undefined;
    const footing = { key, definition, shapes: new Set([shape]) };
    this.byKey.set(key, footing);
    for (const table of tablesOf(definition)) this.byTable.set(table, (this.byTable.get(table) ?? new Set()).add(footing));
    return footing;
  }

  /** @param shape one that was added. @returns the footing where it was the last shape of it. */
  remove(shape: Shape, definition: ShapeDefinition): Footing<Shape> | undefined {
    const footing = this.byKey.get(keyOf(definition));
    footing?.shapes.delete(shape);
    if (footing === undefined || footing.shapes.size > 0) return undefined;
    this.byKey.delete(footing.key);
    for (const table of tablesOf(definition)) {
      const footings = this.byTable.get(table);
      footings?.delete(footing);
      if (footings?.size === 0) this.byTable.delete(table);
    }
    return footing;
  }

  /** @param table an oid, or a name as `tableName` has it. */
  of(table: number | string): Iterable<Footing<Shape>> {
    return this.byTable.get(table) ?? [];
  }
}

/** A table's name as a key. */
export function tableName({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return JSON.stringify([schema, name]);
}

/** All that `endsShape` looks at. */
function keyOf({ relation, selectsAll, columns, reads }: ShapeDefinition): string {
  return `${selectsAll ? columns.length : -1} ${relationTexts.of(relation)} ${readTexts.of(reads)}`;
}

const relationTexts = new PartTexts<ShapeDefinition['relation']>(({ oid, schema, name }) => JSON.stringify([oid, schema, name]));
const readTexts = new PartTexts<ShapeDefinition['reads']>((reads) => {
  return JSON.stringify(reads.map(({ name, typeOid, typeMod }) => [name, typeOid, typeMod]));
});

function tablesOf({ relation }: ShapeDefinition): readonly [number, string] {
  return [relation.oid, tableName(relation)];
}
