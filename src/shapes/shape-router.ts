/**
 * ShapeRouter: finds the shapes that a change may concern.
 *
 * It may name a shape too many, never one too few: a shape that misses a change is wrong for ever. So what cannot be
 * decided is routed: a filter that throws, a truncate, a gap, a table that is not what it was when the shape was defined.
 *
 * A change is looked up by what filters hold equal to constants, look for in an array, or look for among what a subquery selects: the
 * keys of its rows. Only the filters found there are evaluated, and those that have no such look-up. So what a row costs depends on
 * the shapes that it concerns and on the keys that there are, not on the shapes.
 */
import { invariant } from '../base/invariant.ts';
import { CHANGE_KINDS, type Change, type Tuple } from '../model/change.ts';
import type { RelationLayout } from '../model/relation.ts';
import type { Handle, ShapeDefinition } from '../model/shape.ts';
import type { LogBlock } from '../model/transaction.ts';
import { EvaluationError } from '../sql/evaluation-error.ts';
import type { ColumnText, Membership, Where } from '../sql/where.ts';
import { stepsSpent } from '../sql/work.ts';
import { ChangeCursor } from './change-cursor.ts';
import { Footings, tableName, type Footing } from './footings.ts';
import type { PlacedLookup } from './key-index.ts';
import { endingOf } from './layout-change.ts';
import { MemberIndex, memberKey } from './member-index.ts';
import type { BlockRouter, Layer, RoutedChanges } from './router.ts';
import { TableShapes } from './table-shapes.ts';

interface RoutedShape {
  readonly handle: Handle;
  /** By all that is known here, each row that it is found for may be one of its rows: it is not looked at, for it is cold, among many. */
  readonly isDecided: boolean;
  /** How many shapes lie one under another below it: they take a block before it. */
  readonly depth: number;
  readonly definition: ShapeDefinition;
  /** With which it is looked up; undefined where there are none that every row of it satisfies. */
  readonly lookups: readonly PlacedLookup[] | undefined;
  /** Left out where nothing but the lookups is asked: a parsed filter is many times as large. */
  readonly where: Where | undefined;
  /** The inner shapes, in the order of the definition's dependencies. */
  readonly dependsOn: readonly Handle[];
  /** What its subqueries may select, now or at a version that somebody still looks at. Undefined where it has none. */
  readonly isMember: Membership | undefined;
}

interface LayoutPlan {
  readonly layout: RelationLayout;
  readonly indexOf: ReadonlyMap<string, number>;
  /** The oids of the tables that it is a partition of: its rows are theirs. */
  readonly above: readonly number[];
  readonly ends: (definition: ShapeDefinition) => boolean;
  /** What a change under this layout ends: each of the shapes gets to see it. */
  readonly ended: Set<Footing<RoutedShape>>;
}

/** A block that is being routed. */
interface Routing {
  readonly cursor: ChangeCursor;
  /** Triples, as `RoutedChanges` has them. Kept here, for a shape among many is cold: nothing is written to it. */
  readonly touched: Map<RoutedShape, number[]>;
}

/**
 * Changes looked at, keys of rows read, filters evaluated, shapes found and footings judged in one step, and what the filters spent: about
 * a millisecond. Sockets and files have a turn between two.
 */
const STEP_WORK_MAX = 4096;
/** What filters spend is counted more finely: in so many steps as one evaluation that spends nothing takes. */
const SPENT_STEPS_PER_WORK = 5;

/** Layouts that are remembered; beyond it they are compared with the shapes again. */
const PLANS_MAX = 4096;

export class ShapeRouter implements BlockRouter {
  private readonly shapes = new Map<Handle, RoutedShape>();
  private readonly tables = new Map<number, TableShapes<RoutedShape>>();
  private readonly footings = new Footings<RoutedShape>();
  private readonly plans = new Map<number, LayoutPlan>();
  /** By the oid and by the name of their table: a shape that is added looks at no others. */
  private readonly plansOf = new Map<number | string, Set<LayoutPlan>>();
  /** Layouts under which shapes cannot go on: kept so that the last one's removal touches nothing else. */
  private readonly endedBy = new Map<Footing<RoutedShape>, Set<LayoutPlan>>();
  private evaluationCount = 0;
  private keyCount = 0;
  private judgementCount = 0;
  private foundCount = 0;
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
    this.enter(this.newShape(handle, definition, where, dependsOn));
  }

  private enter(shape: RoutedShape): void {
    const { handle, definition, lookups } = shape;
    this.shapes.set(handle, shape);
    this.tableOf(definition).add(shape, lookups);
    const footing = this.footings.add(shape, definition);
    if (footing === undefined) return;
    for (const identity of [definition.relation.oid, tableName(definition.relation)]) {
      for (const plan of this.plansOf.get(identity) ?? []) this.judge(plan, footing);
    }
  }

  /** Costs what the shape itself is worth, whatever number of others there are. An unknown handle changes nothing. */
  remove(handle: Handle): void {
    const shape = this.shapes.get(handle);
    if (shape === undefined) return;
    this.shapes.delete(handle);
    const { definition: { relation } } = shape;
    const left = this.footings.remove(shape, shape.definition);
    if (left !== undefined) {
      for (const plan of this.endedBy.get(left) ?? []) plan.ended.delete(left);
      this.endedBy.delete(left);
    }
    const table = this.tables.get(relation.oid);
    table?.remove(shape, shape.lookups);
    if (table?.all.size === 0) this.tables.delete(relation.oid);
  }

  /**
   * Routes as this one does, also what is under way. What it remembers of layouts it finds again.
   *
   * @param members those of the copy: they say the same.
   */
  clone(members = this.members): ShapeRouter {
    const copy = new ShapeRouter(this.layoutOf, members);
    for (const shape of this.shapes.values()) copy.enter(copy.renewed(shape));
    if (this.underWay !== undefined) copy.underWay = copy.copyOf(this.underWay, this.shapes);
    return copy;
  }

  begin(block: LogBlock): void {
    invariant(this.underWay === undefined, 'one block is routed at a time');
    this.underWay = { cursor: new ChangeCursor(block), touched: new Map() };
  }

  /** Inner shapes first: a layer for each depth that the block touches. */
  step(): readonly Layer[] | undefined {
    const { underWay } = this;
    invariant(underWay !== undefined, 'a block was begun');
    const { cursor, touched } = underWay;
    for (let work = 0; work < STEP_WORK_MAX; ) {
      const change = cursor.next();
      if (change === undefined) return this.finish(touched);
      const before = this.workDone();
      this.route(change, underWay);
      work += 1 + this.workDone() - before;
    }
    return undefined;
  }

  /** The shapes that changes of these layouts may concern, whatever is in them. */
  shapesOn(layoutIds: Iterable<number>): ReadonlySet<Handle> {
    const footings = new Set<Footing<RoutedShape>>();
    const oids = new Set<number>();
    for (const id of layoutIds) {
      const { layout, above, ended } = this.planOf(id);
      for (const footing of ended) footings.add(footing);
      for (const oid of [layout.oid, ...above]) oids.add(oid);
    }
    const found = new Set<Handle>();
    for (const { shapes } of footings) for (const { handle } of shapes) found.add(handle);
    for (const oid of oids) for (const { handle } of this.tables.get(oid)?.all ?? []) found.add(handle);
    return found;
  }

  /** @param living the shapes of the original: one that was touched may have been removed since. */
  private copyOf({ cursor, touched }: Routing, living: ReadonlyMap<Handle, RoutedShape>): Routing {
    const copies = new Map<RoutedShape, number[]>();
    for (const [shape, changes] of touched) {
      const own = living.get(shape.handle) === shape ? this.shapes.get(shape.handle) : undefined;
      copies.set(own ?? this.renewed(shape), [...changes]);
    }
    return { cursor: cursor.clone(), touched: copies };
  }

  private workDone(): number {
    return this.evaluationCount + this.keyCount + this.judgementCount + this.foundCount + stepsSpent() / SPENT_STEPS_PER_WORK;
  }

  private finish(touched: ReadonlyMap<RoutedShape, number[]>): readonly Layer[] {
    this.underWay = undefined;
    const layers = new Map<number, Map<Handle, RoutedChanges>>();
    for (const [{ handle, depth }, changes] of touched) {
      entryOf(layers, depth, () => new Map<Handle, RoutedChanges>()).set(handle, { changes: Uint32Array.from(changes) });
    }
    return [...layers].sort(([left], [right]) => left - right).map(([, layer]) => layer);
  }

  private route(change: Change, routing: Routing): void {
    const plan = this.planOf(change.layoutId);
    for (const { shapes } of plan.ended) for (const shape of shapes) this.touch(shape, routing);
    this.routeTo(plan.layout.oid, change, plan, routing);
    for (const oid of plan.above) this.routeTo(oid, change, plan, routing);
  }

  private routeTo(oid: number, change: Change, plan: LayoutPlan, routing: Routing): void {
    const table = this.tables.get(oid);
    if (table === undefined) return;
    const { kind, old, new: current } = change;
    if (kind === CHANGE_KINDS.truncate || kind === CHANGE_KINDS.gap) {
      for (const shape of table.all) this.touch(shape, routing);
      return;
    }
    if (old !== undefined) this.routeRow(old, table, plan, routing);
    if (current !== undefined) this.routeRow(current, table, plan, routing);
  }

  private routeRow(row: Tuple, table: TableShapes<RoutedShape>, plan: LayoutPlan, routing: Routing): void {
    const text = textOf(row, plan);
    this.keyCount += table.keyCount;
    table.find(text, plan.ended.size > 0, (shape) => this.touch(shape, routing, text));
  }

  /** The change at which the cursor stands may concern it. @param text of a row that it has yet to take; left out where it must see it. */
  private touch(shape: RoutedShape, { cursor, touched }: Routing, text?: ColumnText): void {
    const changes = touched.get(shape);
    if (changes !== undefined && endsAt(changes, cursor)) return;
    if (text !== undefined && !this.mayTake(shape, text)) return;
    this.foundCount += 1;
    if (changes === undefined) touched.set(shape, [cursor.transaction, cursor.fragment, cursor.start]);
    else changes.push(cursor.transaction, cursor.fragment, cursor.start);
  }

  private mayTake(shape: RoutedShape, text: ColumnText): boolean {
    if (shape.isDecided) return true;
    const { where, isMember } = shape;
    if (where === undefined) return true;
    this.evaluationCount += 1;
    try {
      const { subqueries } = where;
      return (subqueries === undefined ? where.evaluate(text, isMember) : subqueries.mayTake(text, isMember)) === true;
    } catch (error) {
      if (error instanceof EvaluationError) return true; // The shape itself will meet it when it converts the change, and end alone.
      throw error;
    }
  }

  private newShape(
    handle: Handle,
    definition: ShapeDefinition,
    where: Where | undefined,
    dependsOn: readonly Handle[],
  ): RoutedShape {
    const lookups = lookupsOf(where, definition, dependsOn);
    const isDecided = where === undefined || (lookups !== undefined && where.areLookupsExact === true);
    return {
      handle, isDecided, depth: depthOf(definition), definition, dependsOn,
      lookups: lookups && this.tableOf(definition).sharing(lookups),
      where: isDecided ? undefined : where,
      isMember: this.membershipOf(definition, dependsOn),
    };
  }

  /** Of another router. */
  private renewed(shape: RoutedShape): RoutedShape {
    return { ...shape, isMember: this.membershipOf(shape.definition, shape.dependsOn) };
  }

  private membershipOf(definition: ShapeDefinition, dependsOn: readonly Handle[]): Membership | undefined {
    if (definition.dependencies === undefined) return undefined;
    return (subquery, value) => {
      const key = keyOf(definition, dependsOn, subquery);
      return key === undefined || this.members.mayHold(key, value);
    };
  }

  private tableOf({ relation }: ShapeDefinition): TableShapes<RoutedShape> {
    return entryOf(this.tables, relation.oid, () => new TableShapes<RoutedShape>(this.members));
  }

  private planOf(layoutId: number): LayoutPlan {
    const known = this.plans.get(layoutId);
    if (known !== undefined) return known;
    const layout = this.layoutOf(layoutId);
    invariant(layout !== undefined, 'the log knows the layout of every change in it');
    const indexOf = new Map(layout.columns.map(({ name }, index) => [name, index]));
    if (this.plans.size >= PLANS_MAX) this.forgetPlans();
    const above = (layout.links ?? []).map(({ parent }) => parent);
    const plan: LayoutPlan = { layout, indexOf, above, ends: endingOf(layout), ended: new Set() };
    this.plans.set(layoutId, plan);
    for (const identity of [layout.oid, tableName(layout), ...above]) {
      for (const footing of this.footings.of(identity)) this.judge(plan, footing);
      entryOf(this.plansOf, identity, () => new Set<LayoutPlan>()).add(plan);
    }
    return plan;
  }

  private judge(plan: LayoutPlan, footing: Footing<RoutedShape>): void {
    this.judgementCount += 1;
    if (!plan.ends(footing.definition)) return;
    plan.ended.add(footing);
    entryOf(this.endedBy, footing, () => new Set<LayoutPlan>()).add(plan);
  }

  /** The shapes that they ended are about to be removed. */
  private forgetPlans(): void {
    this.plans.clear();
    this.plansOf.clear();
    this.endedBy.clear();
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

/** Undefined when some row may satisfy none that we can look up. */
function lookupsOf(
  where: Where | undefined,
  definition: ShapeDefinition,
  dependsOn: readonly Handle[],
): readonly PlacedLookup[] | undefined {
  const placed = where?.lookups?.map((lookup): PlacedLookup | undefined => {
    if (lookup.kind !== 'subquery') return lookup;
    const members = keyOf(definition, dependsOn, lookup.subquery);
    return members === undefined ? undefined : { kind: 'subquery', key: lookup.key, members };
  });
  const found = placed?.filter((lookup) => lookup !== undefined);
  return found?.length === placed?.length ? found : undefined;
}

/** The last of these triples is the change at which the cursor stands. */
function endsAt(changes: readonly number[], { transaction, fragment, start }: ChangeCursor): boolean {
  const { length } = changes;
  return changes[length - 1] === start && changes[length - 2] === fragment && changes[length - 3] === transaction;
}

function textOf(tuple: Tuple, { indexOf }: LayoutPlan): ColumnText {
  return (column) => {
    const index = indexOf.get(column);
    invariant(index !== undefined, 'a filter whose column is gone is not asked');
    return tuple.text(index);
  };
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
