/**
 * Projection: how rows of a table become the lines of every shape that selects the same columns of it. What lines are put
 * together from is kept here, once, however many shapes there are that differ in their filter alone.
 *
 * A writer is part of it: a transaction is converted in one go, so its shapes never need one at the same time. Tags are none of
 * it: they are each shape's own.
 */
import { areAlike } from '../base/alike.ts';
import { textOf, type FixedText } from '../base/growable-bytes.ts';
import { invariant } from '../base/invariant.ts';
import { joinedBytes } from '../base/joined-bytes.ts';
import type { LineTemplate } from '../model/line-template.ts';
import type { LayoutColumn, RelationLayout } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import { endsShape } from './layout-change.ts';
import { LINE, type Operation } from './line-format.ts';
import { LineWriter } from './line-writer.ts';
import { planRows, snapshotColumns, type RowPlan } from './row-plan.ts';
import { RowWriter } from './row-writer.ts';

/** Parts of a line that are the same for every row, escaped once. */
export interface Fragments {
  /** `{"key":"` and the key's first part, which names the table. */
  readonly lineStart: FixedText;
  /** The key's first part alone, escaped for use inside a JSON string. */
  readonly keyStart: FixedText;
  /** From `,"headers":{` to behind the relation. */
  readonly headers: Readonly<Record<Operation, FixedText>>;
}

/** Layouts that are remembered; beyond it they are looked at again. Each partition of a table has its own. */
const PLANS_MAX = 1024;

export class Projection {
  readonly fragments: Fragments;
  readonly snapshotPlan: RowPlan;
  readonly writer = new LineWriter();
  readonly rows = new RowWriter(this.writer);
  private readonly definition: ShapeDefinition;
  private template: LineTemplate | undefined;
  /** By layout id; null for a layout under which the shapes cannot go on. */
  private readonly plans = new Map<number, RowPlan | null>();
  /** By the names of the columns in their order: nearly all partitions of a table share one. */
  private readonly plansByOrder = new Map<string, RowPlan>();

  /** @param definition of any of its shapes. */
  constructor(definition: ShapeDefinition) {
    this.definition = definition;
    this.fragments = fragmentsOf(definition);
    this.snapshotPlan = planRows(definition, snapshotColumns(definition));
  }

  /** Of an unmarked line of the snapshot. */
  get snapshotTemplate(): LineTemplate {
    return (this.template ??= insertTemplate(this.fragments, this.snapshotPlan));
  }

  /** The plan under a layout, which is looked up when it is met for the first time. */
  planOf(layoutId: number, layoutOf: (id: number) => RelationLayout | undefined): RowPlan | null {
    const known = this.plans.get(layoutId);
    if (known !== undefined) return known;
    const layout = layoutOf(layoutId);
    invariant(layout !== undefined, 'the log knows the layout of every change in it');
    const plan = endsShape(layout, this.definition) ? null : this.planFor(layout.columns);
    if (this.plans.size >= PLANS_MAX) this.forgetPlans();
    this.plans.set(layoutId, plan);
    return plan;
  }

  /** Layouts that carry the shapes differ for them in nothing else: the columns that they read have the types that they had. */
  private planFor(columns: readonly LayoutColumn[]): RowPlan {
    const order = JSON.stringify(columns.map(({ name }) => name));
    const plan = this.plansByOrder.get(order) ?? planRows(this.definition, columns);
    this.plansByOrder.set(order, plan);
    return plan;
  }

  private forgetPlans(): void {
    this.plans.clear();
    this.plansByOrder.clear();
  }
}

const SWEEP_COUNT_MIN = 1_000;

/** The projections of the shapes that there are: one whose last shape has gone is forgotten. */
export class Projections {
  private readonly known = new Map<string, WeakRef<Projection>>();
  private sweepCount = SWEEP_COUNT_MIN;
  /** The definition that was asked for last: those of one table share their parts, and many are asked for one after the other. */
  private last: { readonly definition: ShapeDefinition; readonly projection: WeakRef<Projection> } | undefined;

  of(definition: ShapeDefinition): Projection {
    const { last } = this;
    const same = last !== undefined && areProjectedAlike(last.definition, definition) ? last.projection.deref() : undefined;
    if (same !== undefined) return same;
    const projection = this.byKey(definition);
    this.last = { definition, projection: new WeakRef(projection) };
    return projection;
  }

  private byKey(definition: ShapeDefinition): Projection {
    const { relation, columns, selectsAll, primaryKey, reads, dependencies } = definition;
    const key = JSON.stringify([relation, columns, selectsAll, primaryKey, reads, dependencies !== undefined]);
    const known = this.known.get(key)?.deref();
    if (known !== undefined) return known;
    const projection = new Projection(definition);
    this.known.set(key, new WeakRef(projection));
    if (this.known.size >= this.sweepCount) this.sweep();
    return projection;
  }

  /** When their number has doubled since the last time, so that it costs each new one a bounded share. */
  private sweep(): void {
    for (const [key, projection] of this.known) if (projection.deref() === undefined) this.known.delete(key);
    this.sweepCount = Math.max(SWEEP_COUNT_MIN, 2 * this.known.size);
  }
}

function areProjectedAlike(left: ShapeDefinition, right: ShapeDefinition): boolean {
  return areAlike(left.relation, right.relation) && areAlike(left.reads, right.reads) && areAlike(left.columns, right.columns)
    && left.selectsAll === right.selectsAll && areAlike(left.primaryKey, right.primaryKey)
    && (left.dependencies === undefined) === (right.dependencies === undefined);
}

const encoder = new TextEncoder();

function insertTemplate({ lineStart, headers }: Fragments, { key, selected, indexOf }: RowPlan): LineTemplate {
  const labels = new Array<Uint8Array | undefined>(indexOf.size).fill(undefined);
  let last = -1;
  for (const { index, label, firstLabel } of selected) {
    invariant(index > last, 'columns stand in a line in the order in which a query gives them');
    labels[index] = last < 0 ? firstLabel.bytes : label.bytes;
    last = index;
  }
  const end = joinedBytes([encoder.encode('}'), headers.insert.bytes, encoder.encode(LINE.end)]);
  return { start: lineStart.bytes, key, keyEnd: encoder.encode(`${LINE.value}{`), labels, end };
}

function fragmentsOf({ relation: { schema, name } }: ShapeDefinition): Fragments {
  const relation = JSON.stringify([schema, name]);
  const key = JSON.stringify(`${quoted(schema)}.${quoted(name)}`).slice(1, -1);
  const headers = (operation: Operation): FixedText => textOf(`${LINE.headers}${operation}${LINE.relation}${relation}`);
  return {
    lineStart: textOf(`${LINE.start}${key}`),
    keyStart: textOf(key),
    headers: { insert: headers('insert'), update: headers('update'), delete: headers('delete') },
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
