/** SpliceSetting: what of a world of shapes never changes. Their definitions and filters, the log that will be, and who makes lines. */
import { Fork } from '../../../src/base/fork.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { SNAPSHOT_END } from '../../../src/model/log-offset.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { RelationLayout } from '../../../src/model/relation.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';
import type { Where, WhereColumn, WhereLanguage } from '../../../src/sql/where.ts';
import { tupleOf, type Row } from '../../support/actors/changes.ts';
import { shapeOf } from '../../support/shapes.ts';
import { membersOf, membersOfRows } from '../../support/shapes/subquery-filter.ts';
import { ModelShapeLogs } from '../../support/storage/model-shape-logs.ts';
import { FIRST_XID } from '../hand-over/hand-over-model.ts';
import { ScriptedLog, type ReadSizes } from '../hand-over/scripted-log.ts';
import { FILTERS, type FilterName } from './splice-filters.ts';
import type { SpliceScript } from './splice-scripts.ts';
import type { KeeperPlan, ShapePlan } from './splice-shapes.ts';

const [INT, TEXT] = [{ oid: 23, name: 'int4' }, { oid: 25, name: 'text' }] as const;
/** By table: its second column is what a filter looks up, or what is selected. */
const COLUMNS = [
  { table: 'parents', column: 'value', type: TEXT },
  { table: 'children', column: 'parent', type: TEXT },
  { table: 'toys', column: 'child', type: INT },
] as const;
const LAYOUTS = COLUMNS.map((_, table) => layoutOf(table));
/** A block ends behind each transaction; none is large. */
const SIZES = { fillBytes: 1, wholeBytesMax: 4_096 };
const READ_SIZES: ReadSizes = { common: SIZES, own: SIZES };
/** Sees what is stored, and nothing of the script. */
const BEFORE: PgSnapshot = { xmin: String(FIRST_XID), xmax: String(FIRST_XID), xip: [], insertLsn: '5' as Lsn };

export interface SettledShape extends ShapePlan {
  readonly definition: ShapeDefinition;
  /** What it asks of the values that it looks up. */
  readonly filter: FilterName | undefined;
  readonly sql: string | undefined;
  readonly where: Where | undefined;
  readonly lines: ChangeConverter;
  /** The inner shape, where it has one. */
  readonly dependsOn: readonly Handle[];
}

export interface SpliceSetting {
  readonly script: SpliceScript;
  readonly log: ScriptedLog;
  /** The inner ones first. */
  readonly shapes: readonly SettledShape[];
  /** As the last checkpoint has them. */
  readonly stored: ModelShapeLogs;
}

/** @param moveOuts of the shapes on which no other depends: one that is followed tells each row that leaves. */
export async function settingOf(
  script: SpliceScript,
  plans: readonly ShapePlan[],
  moveOuts: 'events' | 'deletes',
): Promise<SpliceSetting> {
  const log = await ScriptedLog.make(LAYOUTS, script.transactions, READ_SIZES);
  const language = await loadWhereLanguage();
  const shapes: SettledShape[] = [];
  for (const plan of plans) {
    const isFollowed = plans.some(({ keeper }) => keeper?.follows === plan.handle);
    shapes.push(settled(plan, { script, log, language, shapes, moveOuts: isFollowed ? 'deletes' : moveOuts }));
  }
  const setting = { script, log, shapes };
  return { ...setting, stored: storedShapes(setting) };
}

/** The rows of a table. */
export type RowsOf = (table: number) => readonly Row[];

export function shapeIn({ shapes }: Pick<SpliceSetting, 'shapes'>, handle: Handle): SettledShape {
  const found = shapes.find((each) => each.handle === handle);
  invariant(found !== undefined, `the world has a shape ${handle}`);
  return found;
}

/** What SELECT gives. */
export function selectedRows(setting: Pick<SpliceSetting, 'shapes'>, handle: Handle, rowsOf: RowsOf): readonly Row[] {
  const { table, keeper, filter } = shapeIn(setting, handle);
  if (keeper === undefined || filter === undefined) return rowsOf(table);
  const selected = new Set(selectedValues(setting, keeper, rowsOf));
  return rowsOf(table).filter(([, left = null]) => FILTERS[filter].takes(left, selected));
}

/** Those that should be kept, one for each row. */
export function selectedValues(
  setting: Pick<SpliceSetting, 'shapes'>,
  { follows, column }: KeeperPlan,
  rowsOf: RowsOf,
): readonly (string | null)[] {
  return selectedRows(setting, follows, rowsOf).map(([id = null, value = null]) => (column === 'id' ? id : value));
}

interface Around {
  readonly script: SpliceScript;
  readonly log: ScriptedLog;
  readonly language: WhereLanguage;
  /** Those before it. */
  readonly shapes: readonly SettledShape[];
  readonly moveOuts: 'events' | 'deletes';
}

/** The script's filter is that of the shape whose inner one has none. */
function settled(plan: ShapePlan, { script, log, language, shapes, moveOuts }: Around): SettledShape {
  const layout = (id: number): RelationLayout | undefined => log.layoutOf(id);
  const whole = shapeOf({}, LAYOUTS[plan.table]);
  const { keeper } = plan;
  if (keeper === undefined) {
    const lines = new ChangeConverter(whole, undefined, layout);
    return { ...plan, definition: whole, filter: undefined, sql: undefined, where: undefined, lines, dependsOn: [] };
  }
  const inner = shapeIn({ shapes }, keeper.follows);
  const filter = inner.filter === undefined ? script.filter : 'in';
  const sql = FILTERS[filter].sql(columnOf(plan.table), selectOf(inner, keeper.column));
  const where = parsed(language, plan.table, sql);
  const definition: ShapeDefinition = {
    ...whole,
    where: { text: sql, params: [], canonical: where.canonical },
    dependencies: [{ shape: inner.definition, column: keeper.column }],
    ...(moveOuts === 'deletes' ? { moveOuts } : {}),
  };
  const lines = new ChangeConverter(definition, where, layout, undefined, (text) => text);
  return { ...plan, definition, filter, sql, where, lines, dependsOn: [inner.handle] };
}

function selectOf({ table, sql }: SettledShape, column: string): string {
  return `SELECT ${column} FROM ${COLUMNS[table]?.table}${sql === undefined ? '' : ` WHERE ${sql}`}`;
}

/**
 * All shapes have their snapshots, and stand at the beginning of the log.
 *
 * @param below those whose place counts where a shape tells its own.
 */
export function storedShapes(
  setting: Omit<SpliceSetting, 'stored'>,
  below = (shape: SettledShape): readonly Handle[] => shape.dependsOn,
): ModelShapeLogs {
  const { script, log } = setting;
  const logs = new ModelShapeLogs(log.endOf(0).through);
  const rowsOf: RowsOf = (table) => script.rows[table] ?? [];
  for (const each of setting.shapes) {
    const { handle, definition, keeper, lines } = each;
    const shape = logs.create(handle, definition, below(each));
    const isMember = keeper && membersOf(membersOfRows(selectedValues(setting, keeper, rowsOf)));
    if (keeper !== undefined) shape.beginViews([SNAPSHOT_END]);
    shape.takeSnapshot(BEFORE, selectedRows(setting, handle, rowsOf).map((row) => lines.snapshotLine(tupleOf(row), isMember).slice()));
    shape.publish(shape.position);
  }
  return logs;
}

function parsed(language: WhereLanguage, table: number, filter: string): Where {
  const where = language.parse(filter, {}, columnsOf(table), ({ name }) => columnsOf(COLUMNS.findIndex((each) => each.table === name)));
  invariant(!('error' in where), 'the filters of this world are accepted');
  return where;
}

function columnsOf(table: number): readonly WhereColumn[] {
  const types = [INT.name, COLUMNS[table]?.type.name ?? ''];
  return ['id', columnOf(table)].map((name, index) => ({ name, typeName: types[index] ?? '', dimensions: 0 }));
}

function columnOf(table: number): string {
  return COLUMNS[table]?.column ?? '';
}

/** The tables come in the order of their oids. */
function layoutOf(table: number): RelationLayout {
  const { table: name = '', column = '', type = TEXT } = COLUMNS[table] ?? {};
  return {
    id: table + 1,
    oid: 4711 + table,
    schema: 'public',
    name,
    columns: [
      { name: 'id', typeOid: INT.oid, typeMod: -1 },
      { name: column, typeOid: type.oid, typeMod: -1 },
    ],
  };
}

export function copyOf(shapes: ModelShapeLogs): ModelShapeLogs {
  return shapes.clone(new Fork());
}
