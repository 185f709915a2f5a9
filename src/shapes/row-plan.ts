/**
 * RowPlan: which values of a tuple a shape's lines are made of, and where they lie, for one layout of the tuple.
 *
 * Made once per layout, so that a row costs no look-up by name and no escaping of a column's name.
 */
import { textOf, type FixedText } from '../base/growable-bytes.ts';
import { invariant } from '../base/invariant.ts';
import type { Tuple } from '../model/change.ts';
import type { KeyPart } from '../model/line-template.ts';
import type { LayoutColumn } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import { columnLabel } from './line-format.ts';

export interface RowPlan {
  /** In table order, as they stand in a line's `value`. */
  readonly selected: readonly SelectedColumn[];
  /** In the order in which they stand in a line's `key`. */
  readonly key: readonly KeyPart[];
  /** Where a column lies that the filter reads. */
  readonly indexOf: ReadonlyMap<string, number>;
}

export interface SelectedColumn {
  readonly index: number;
  /** A comma, the name as a JSON string, a colon. */
  readonly label: FixedText;
  /** Without the comma: for the first column of an object. */
  readonly firstLabel: FixedText;
  /** Part of the primary key: an update tells it also when it did not change. */
  readonly inPrimaryKey: boolean;
}

const BOOL_OID = 16;

/** @param columns of the tuples to come; each that the shape reads is among them. */
export function planRows(definition: ShapeDefinition, columns: readonly LayoutColumn[]): RowPlan {
  const indexOf = new Map(columns.map(({ name }, index) => [name, index]));
  const place = (name: string): number => {
    const index = indexOf.get(name);
    invariant(index !== undefined, `a tuple has every column that its shape reads, also ${name}`);
    return index;
  };
  return {
    selected: definition.columns.map((name) => ({
      index: place(name),
      label: textOf(`,${columnLabel(name)}`),
      firstLabel: textOf(columnLabel(name)),
      inPrimaryKey: definition.primaryKey.includes(name),
    })),
    key: keyNames(definition).map((name) => ({
      index: place(name),
      isBoolean: columns[place(name)]?.typeOid === BOOL_OID,
    })),
    indexOf,
  };
}

/**
 * The columns that a snapshot's query must give, in the order of its tuples: those that are selected, and every
 * column that the key needs. The filter marks the rows of a shape that depends on others, so those need all that it reads.
 */
export function snapshotColumns(definition: ShapeDefinition): readonly LayoutColumn[] {
  if (definition.dependencies !== undefined) return spliceColumns(definition);
  const needed = new Set([...definition.columns, ...keyNames(definition)]);
  return definition.reads.filter(({ name }) => needed.has(name));
}

/** The same of a query for moved rows: which of them came or went is for the filter to say. */
export function spliceColumns({ reads }: ShapeDefinition): readonly LayoutColumn[] {
  return reads;
}

/** A table without a primary key names its rows by all its columns, which are then all that the shape reads. */
function keyNames({ primaryKey, reads }: ShapeDefinition): readonly string[] {
  return primaryKey.length > 0 ? primaryKey : reads.map(({ name }) => name);
}

/** True when column `index` has the same value in two tuples of one change: values are compared as the stream wrote them. */
export function isSameValue(old: Tuple, current: Tuple, index: number): boolean {
  const oldStart = old.valueStart(index);
  const start = current.valueStart(index);
  const size = current.valueEnd(index) - start;
  if (old.valueEnd(index) - oldStart !== size) return false;
  for (let at = 0; at < size; at += 1) {
    if (old.bytes[oldStart + at] !== current.bytes[start + at]) return false;
  }
  return true;
}
