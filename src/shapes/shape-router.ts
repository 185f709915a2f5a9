/**
 * ShapeRouter: finds the shapes that a change may concern.
 *
 * It may name a shape too many, never one too few: a shape that misses a change is wrong for ever. So what cannot be
 * decided is routed: a filter that throws, a truncate, a gap, a table that is not what it was when the shape was defined.
 *
 * A change is looked up by the values of the columns that filters hold equal to constants, or look for among what a subquery
 * selects; only the filters found there are evaluated, and those that have no such look-up. So what a row costs depends on the
 * shapes that it concerns, not on the shapes that there are.
 */
import { invariant } from '../base/invariant.ts';
import { CHANGE_KINDS, type Change, type Tuple } from '../model/change.ts';
import type { RelationLayout } from '../model/relation.ts';
import type { Handle, ShapeDefinition } from '../model/shape.ts';
import type { LogBlock } from '../model/transaction.ts';
import { canonicalValue } from '../sql/values/canonical-value.ts';
import { typeNameOf } from '../sql/values/type-names.ts';
import type { Lookup, Membership, Where } from '../sql/where.ts';
import { ChangeCursor } from './change-cursor.ts';
import { endsShape } from './layout-change.ts';
import { MemberIndex, memberKey } from './member-index.ts';
import type { BlockRouter, Layer, RoutedChanges } from './router.ts';
import { SubqueryIndex } from './subquery-index.ts';

interface RoutedShape {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  readonly where: Where | undefined;
  /** The inner shapes, in the order of the definition's dependencies. */
  readonly dependsOn: readonly Handle[];
  /** How many shapes lie one under another below it: they take a block before it. */
  readonly depth: number;
  /** What its subqueries may select, now or at a version that somebody still looks at. Undefined where it has none. */
  readonly isMember: Membership | undefined;
  /** Layouts under which the shape cannot go on: kept here so that its removal touches nothing else. */
  readonly endedBy: Set<LayoutPlan>;
  /** Triples, as `RoutedChanges` has them; emptied after each block. */
  readonly changes: number[];
}

/** The shapes of one table. */
interface TableShapes {
  readonly all: Set<RoutedShape>;
  /** By column and type, then by canonical value. */
  readonly equalities: Map<string, EqualityIndex>;
  /** Likewise, by what subqueries select. */
  readonly subqueries: Map<string, SubqueryIndex<RoutedShape>>;
  /** Those without a look-up. */
  readonly others: Set<RoutedShape>;
}

interface EqualityIndex {
  readonly column: string;
  readonly typeName: string;
  readonly shapes: Map<string, Set<RoutedShape>>;
}

interface LayoutPlan {
  readonly layout: RelationLayout;
  readonly indexOf: ReadonlyMap<string, number>;
  /** Shapes that a change under this layout ends: each gets to see it. */
  readonly ended: Set<RoutedShape>;
}

/** A block that is being routed. */
interface Routing {
  readonly cursor: ChangeCursor;
  readonly touched: Set<RoutedShape>;
}

type Text = (column: string) => string | null;

/** Changes looked at, filters evaluated and shapes found in one step: about a millisecond. Sockets and files have a turn between two. */
const STEP_WORK_MAX = 4096;

/** Layouts that are remembered; beyond it they are compared with the shapes again. */
const PLANS_MAX = 4096;

export class ShapeRouter implements BlockRouter {
  private readonly shapes = new Map<Handle, RoutedShape>();
  private readonly tables = new Map<number, TableShapes>();
  /** Shapes by the name of their table, which outlives its oid. */
  private readonly named = new Map<string, Set<RoutedShape>>();
  private readonly plans = new Map<number, LayoutPlan>();
  /** By the oid and by the name of their table: a shape that is added looks at no others. */
  private readonly plansOf = new Map<number | string, Set<LayoutPlan>>();
  private evaluationCount = 0;
  private underWay: Routing | undefined;

  constructor(
    private readonly layoutOf: (id: number) => RelationLayout | undefined,
    private readonly members = new MemberIndex(),
  ) {}

  /** How often a filter was evaluated so far: what routing cost. */
  get evaluations(): number {
    return this.evaluationCount;
  }

  /**
   * A handle that is already there is an error of ours.
   *
   * @param where the filter of `definition`, parsed; undefined for every row.
   * @param dependsOn the inner shapes, in the order of the definition's dependencies.
   */
  add(handle: Handle, definition: ShapeDefinition, where: Where | undefined, dependsOn: readonly Handle[] = []): void {
    invariant(!this.shapes.has(handle), 'a handle is added to the router once');
    const shape = this.newShape(handle, definition, where, dependsOn);
    this.shapes.set(handle, shape);
    const table = entryOf(this.tables, definition.relation.oid, newTable);
    table.all.add(shape);
    const lookups = lookupsOf(shape);
    if (lookups === undefined) table.others.add(shape);
    else for (const lookup of lookups) this.addLookup(table, shape, lookup);
    const name = nameOf(definition.relation);
    entryOf(this.named, name, newSet).add(shape);
    for (const identity of [definition.relation.oid, name]) {
      for (const plan of this.plansOf.get(identity) ?? []) markIfEnded(plan, shape);
    }
  }

  /** Costs what the shape itself is worth, whatever number of others there are. An unknown handle changes nothing. */
  remove(handle: Handle): void {
    const shape = this.shapes.get(handle);
    if (shape === undefined) return;
    this.shapes.delete(handle);
    for (const plan of shape.endedBy) plan.ended.delete(shape);
    const { relation } = shape.definition;
    removeFrom(this.named, nameOf(relation), shape);
    const table = this.tables.get(relation.oid);
    if (table === undefined) return;
    table.all.delete(shape);
    table.others.delete(shape);
    for (const lookup of lookupsOf(shape) ?? []) removeLookup(table, shape, lookup);
    if (table.all.size === 0) this.tables.delete(relation.oid);
  }

  /**
   * Routes as this one does, also what is under way. What it remembers of layouts it finds again.
   *
   * @param members those of the copy: they say the same.
   */
  clone(members = this.members): ShapeRouter {
    const copy = new ShapeRouter(this.layoutOf, members);
    for (const { handle, definition, where, dependsOn } of this.shapes.values()) copy.add(handle, definition, where, dependsOn);
    if (this.underWay !== undefined) copy.underWay = copy.copyOf(this.underWay, this.shapes);
    return copy;
  }

  begin(block: LogBlock): void {
    invariant(this.underWay === undefined, 'one block is routed at a time');
    this.underWay = { cursor: new ChangeCursor(block), touched: new Set() };
  }

  /** Inner shapes first: a layer for each depth that the block touches. */
  step(): readonly Layer[] | undefined {
    const { underWay } = this;
    invariant(underWay !== undefined, 'a block was begun');
    const { cursor, touched } = underWay;
    for (let work = 0; work < STEP_WORK_MAX; ) {
      const change = cursor.next();
      if (change === undefined) return this.finish(touched);
      const before = this.evaluationCount;
      const found = this.shapesFor(change);
      for (const shape of found) {
        shape.changes.push(cursor.transaction, cursor.fragment, cursor.start);
        touched.add(shape);
      }
      work += 1 + found.size + this.evaluationCount - before;
    }
    return undefined;
  }

  /** The shapes that changes of these layouts may concern, whatever is in them. */
  shapesOn(layoutIds: Iterable<number>): ReadonlySet<Handle> {
    const found = new Set<Handle>();
    for (const id of layoutIds) {
      const { layout, ended } = this.planOf(id);
      for (const { handle } of ended) found.add(handle);
      for (const { handle } of this.tables.get(layout.oid)?.all ?? []) found.add(handle);
    }
    return found;
  }

  /** @param living the shapes of the original: one that was touched may have been removed since. */
  private copyOf({ cursor, touched }: Routing, living: ReadonlyMap<Handle, RoutedShape>): Routing {
    const copies = new Set<RoutedShape>();
    for (const shape of touched) {
      const own = living.get(shape.handle) === shape ? this.shapes.get(shape.handle) : undefined;
      const copy = own ?? this.newShape(shape.handle, shape.definition, shape.where, shape.dependsOn);
      for (const each of shape.changes) copy.changes.push(each);
      copies.add(copy);
    }
    return { cursor: cursor.clone(), touched: copies };
  }

  private finish(touched: ReadonlySet<RoutedShape>): readonly Layer[] {
    this.underWay = undefined;
    const layers = new Map<number, Map<Handle, RoutedChanges>>();
    for (const { handle, depth, changes } of touched) {
      entryOf(layers, depth, () => new Map<Handle, RoutedChanges>()).set(handle, { changes: Uint32Array.from(changes.splice(0)) });
    }
    return [...layers].sort(([left], [right]) => left - right).map(([, layer]) => layer);
  }

  private shapesFor(change: Change): ReadonlySet<RoutedShape> {
    const plan = this.planOf(change.layoutId);
    const table = this.tables.get(plan.layout.oid);
    if (table === undefined) return plan.ended;
    const { kind, old, new: current } = change;
    if (kind === CHANGE_KINDS.truncate || kind === CHANGE_KINDS.gap) return new Set([...table.all, ...plan.ended]);
    const found = new Set(plan.ended);
    if (old !== undefined) this.collect(table, textOf(old, plan), found);
    if (current !== undefined) this.collect(table, textOf(current, plan), found);
    return found;
  }

  private collect(table: TableShapes, text: Text, found: Set<RoutedShape>): void {
    for (const index of table.equalities.values()) {
      for (const shape of candidates(index, text)) this.collectIfTaken(shape, text, found);
    }
    for (const index of table.subqueries.values()) {
      for (const shape of selected(index, text)) this.collectIfTaken(shape, text, found);
    }
    for (const shape of table.others) this.collectIfTaken(shape, text, found);
  }

  private collectIfTaken(shape: RoutedShape, text: Text, found: Set<RoutedShape>): void {
    if (found.has(shape)) return;
    if (shape.where === undefined || this.mayTake(shape, shape.where, text)) found.add(shape);
  }

  private mayTake(shape: RoutedShape, where: Where, text: Text): boolean {
    this.evaluationCount += 1;
    try {
      return where.evaluate(text, shape.isMember) === true;
    } catch {
      // Whatever it was: the shape itself will meet it when it converts the change, and fail alone.
      return true;
    }
  }

  private newShape(
    handle: Handle,
    definition: ShapeDefinition,
    where: Where | undefined,
    dependsOn: readonly Handle[],
  ): RoutedShape {
    const isMember: Membership = (subquery, value) => {
      const key = keyOf(definition, dependsOn, subquery);
      return key === undefined || this.members.mayHold(key, value);
    };
    return {
      handle, definition, where, dependsOn, depth: depthOf(definition), endedBy: new Set(), changes: [],
      isMember: definition.dependencies === undefined ? undefined : isMember,
    };
  }

  private addLookup(table: TableShapes, shape: RoutedShape, lookup: PlacedLookup): void {
    if (lookup.kind === 'constants') return addEqualities(table, shape, lookup);
    const { column, typeName, key } = lookup;
    const make = () => new SubqueryIndex<RoutedShape>(column, typeName, this.members);
    entryOf(table.subqueries, equalityKey(column, typeName), make).add(key, shape);
  }

  private planOf(layoutId: number): LayoutPlan {
    const known = this.plans.get(layoutId);
    if (known !== undefined) return known;
    const layout = this.layoutOf(layoutId);
    invariant(layout !== undefined, 'the log knows the layout of every change in it');
    const indexOf = new Map(layout.columns.map(({ name }, index) => [name, index]));
    if (this.plans.size >= PLANS_MAX) this.forgetPlans();
    const plan: LayoutPlan = { layout, indexOf, ended: new Set() };
    for (const shape of this.tables.get(layout.oid)?.all ?? []) markIfEnded(plan, shape);
    for (const shape of this.named.get(nameOf(layout)) ?? []) markIfEnded(plan, shape);
    this.plans.set(layoutId, plan);
    for (const identity of [layout.oid, nameOf(layout)]) entryOf(this.plansOf, identity, () => new Set<LayoutPlan>()).add(plan);
    return plan;
  }

  /** The shapes that they ended still know them, and are about to be removed. */
  private forgetPlans(): void {
    this.plans.clear();
    this.plansOf.clear();
  }
}

function depthOf({ dependencies = [] }: ShapeDefinition): number {
  return dependencies.length === 0 ? 0 : 1 + Math.max(...dependencies.map(({ shape }) => depthOf(shape)));
}

/** The name of what the subquery selects; undefined when we were not told where that is kept. */
function keyOf(definition: ShapeDefinition, dependsOn: readonly Handle[], subquery: number): string | undefined {
  const [inner, dependency] = [dependsOn[subquery], definition.dependencies?.[subquery]];
  return inner === undefined || dependency === undefined ? undefined : memberKey(inner, dependency.column);
}

type Constants = Extract<Lookup, { kind: 'constants' }>;
type PlacedLookup = Constants | { readonly kind: 'subquery'; readonly column: string; readonly typeName: string; readonly key: string };

/** Undefined when some row may satisfy none that we can look up. */
function lookupsOf(shape: RoutedShape): readonly PlacedLookup[] | undefined {
  const { where, definition } = shape;
  if (where?.equality !== undefined) return [{ kind: 'constants', ...where.equality }];
  const placed = where?.lookups?.map((lookup): PlacedLookup | undefined => {
    if (lookup.kind === 'constants') return lookup;
    const typeOid = definition.reads.find(({ name }) => name === lookup.column)?.typeOid;
    const [typeName, key] = [typeOid === undefined ? undefined : typeNameOf(typeOid), keyOf(definition, shape.dependsOn, lookup.subquery)];
    return typeName === undefined || key === undefined ? undefined : { kind: 'subquery', column: lookup.column, typeName, key };
  });
  const found = placed?.filter((lookup) => lookup !== undefined);
  return found?.length === placed?.length ? found : undefined;
}

function markIfEnded(plan: LayoutPlan, shape: RoutedShape): void {
  if (!endsShape(plan.layout, shape.definition)) return;
  plan.ended.add(shape);
  shape.endedBy.add(plan);
}

function textOf(tuple: Tuple, { indexOf }: LayoutPlan): Text {
  return (column) => {
    const index = indexOf.get(column);
    invariant(index !== undefined, 'a filter whose column is gone is not asked');
    return tuple.text(index);
  };
}

/** The shapes that hold the index's column equal to its value in this row; all of them when the value cannot be read. */
function candidates(index: EqualityIndex, text: Text): Iterable<RoutedShape> {
  const value = lookedUp(index, text);
  if (value === undefined) return [...index.shapes.values()].flatMap((found) => [...found]);
  return value === null ? [] : (index.shapes.get(value) ?? []);
}

/** Likewise of those that look for it among what a subquery selects. */
function selected(index: SubqueryIndex<RoutedShape>, text: Text): Iterable<RoutedShape> {
  const value = lookedUp(index, text);
  if (value === undefined) return index.all();
  return value === null ? [] : index.of(value);
}

/** Undefined when the value cannot be read. */
function lookedUp({ column, typeName }: { readonly column: string; readonly typeName: string }, text: Text): string | null | undefined {
  try {
    const value = text(column);
    return value === null ? null : canonicalValue(typeName, value);
  } catch {
    return undefined;
  }
}

function addEqualities(table: TableShapes, shape: RoutedShape, { column, typeName, values }: Constants): void {
  const index = entryOf(table.equalities, equalityKey(column, typeName), () => ({
    column,
    typeName,
    shapes: new Map<string, Set<RoutedShape>>(),
  }));
  for (const value of values) entryOf(index.shapes, value, newSet).add(shape);
}

function removeLookup(table: TableShapes, shape: RoutedShape, lookup: PlacedLookup): void {
  if (lookup.kind === 'constants') return removeEqualities(table, shape, lookup);
  const key = equalityKey(lookup.column, lookup.typeName);
  const index = table.subqueries.get(key);
  index?.remove(lookup.key, shape);
  if (index?.isEmpty === true) table.subqueries.delete(key);
}

function removeEqualities(table: TableShapes, shape: RoutedShape, { column, typeName, values }: Constants): void {
  const key = equalityKey(column, typeName);
  const index = table.equalities.get(key);
  if (index === undefined) return;
  for (const value of values) removeFrom(index.shapes, value, shape);
  if (index.shapes.size === 0) table.equalities.delete(key);
}

function equalityKey(column: string, typeName: string): string {
  return JSON.stringify([column, typeName]);
}

function nameOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return JSON.stringify([schema, name]);
}

function newTable(): TableShapes {
  return { all: new Set(), equalities: new Map(), subqueries: new Map(), others: new Set() };
}

function newSet(): Set<RoutedShape> {
  return new Set();
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function removeFrom<Key>(map: Map<Key, Set<RoutedShape>>, key: Key, shape: RoutedShape): void {
  const shapes = map.get(key);
  shapes?.delete(shape);
  if (shapes?.size === 0) map.delete(key);
}
