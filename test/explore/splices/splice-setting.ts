/** SpliceSetting: what of a world of two shapes never changes. Their definitions and filter, the log that will be, and who makes lines. */
import { consumerOf, materializerOf } from '../../../src/actors/shape-processes.ts';
import { invariant } from '../../../src/base/invariant.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { RelationLayout } from '../../../src/model/relation.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';
import type { Where } from '../../../src/sql/where.ts';
import { tupleOf, type Row } from '../../support/actors/changes.ts';
import { shapeOf } from '../../support/shapes.ts';
import { membersOf, membersOfRows } from '../../support/shapes/subquery-filter.ts';
import { ModelShapeLogs } from '../../support/storage/model-shape-logs.ts';
import { Fork } from '../../../src/base/fork.ts';
import { SNAPSHOT_END } from '../../../src/model/log-offset.ts';
import { FIRST_XID } from '../hand-over/hand-over-model.ts';
import { ScriptedLog, type ReadSizes } from '../hand-over/scripted-log.ts';
import { FILTERS, type FilterName } from './splice-filters.ts';
import type { SpliceScript } from './splice-scripts.ts';

export const INNER = '1-1' as Handle;
export const OUTER = '2-2' as Handle;
export const COLUMN = 'value';
export const NAMES = {
  inner: consumerOf(INNER),
  outer: consumerOf(OUTER),
  materializer: materializerOf(INNER, COLUMN),
} as const;

const PARENTS_LAYOUT = layoutOf(4711, 'parents', COLUMN);
const CHILDREN_LAYOUT = layoutOf(4712, 'children', 'parent');
/** A block ends behind each transaction; none is large. */
const SIZES = { fillBytes: 1, wholeBytesMax: 4_096 };
const READ_SIZES: ReadSizes = { common: SIZES, own: SIZES };
/** Sees what is stored, and nothing of the script. */
const BEFORE: PgSnapshot = { xmin: String(FIRST_XID), xmax: String(FIRST_XID), xip: [], insertLsn: '5' as Lsn };

export interface SpliceSetting {
  readonly script: SpliceScript;
  readonly log: ScriptedLog;
  readonly where: Where;
  readonly inner: ShapeDefinition;
  readonly outer: ShapeDefinition;
  readonly lines: { readonly inner: ChangeConverter; readonly outer: ChangeConverter };
  /** As the last checkpoint has them. */
  readonly stored: ModelShapeLogs;
}

export async function settingOf(script: SpliceScript, moveOuts: 'events' | 'deletes'): Promise<SpliceSetting> {
  const log = await ScriptedLog.make([PARENTS_LAYOUT, CHILDREN_LAYOUT], script.transactions, READ_SIZES);
  const { sql } = FILTERS[script.filter];
  const where = await parsed(sql);
  const inner = shapeOf({}, PARENTS_LAYOUT);
  const outer: ShapeDefinition = {
    ...shapeOf({}, CHILDREN_LAYOUT),
    where: { text: sql, params: [], canonical: where.canonical },
    dependencies: [{ shape: inner, column: COLUMN }],
    ...(moveOuts === 'deletes' ? { moveOuts } : {}),
  };
  const layout = (id: number): RelationLayout | undefined => log.layoutOf(id);
  const lines = {
    inner: new ChangeConverter(inner, undefined, layout),
    outer: new ChangeConverter(outer, where, layout, undefined, (text) => text),
  };
  const setting = { script, log, where, inner, outer, lines };
  return { ...setting, stored: storedShapes(setting) };
}

/** Both shapes have their snapshots, and stand at the beginning of the log. */
function storedShapes({ script, log, inner, outer, lines }: Omit<SpliceSetting, 'stored'>): ModelShapeLogs {
  const values = script.parents.map(([, value]) => value ?? null);
  const shapes = new ModelShapeLogs(log.endOf(0).through);
  const parents = shapes.create(INNER, inner);
  const children = shapes.create(OUTER, outer, [INNER]);
  parents.takeSnapshot(BEFORE, script.parents.map((row) => lines.inner.snapshotLine(tupleOf(row)).slice()));
  children.beginViews([SNAPSHOT_END]);
  const isMember = membersOf(membersOfRows(values));
  const taken = childrenIn(script.filter, script.children, values);
  children.takeSnapshot(BEFORE, taken.map((row) => lines.outer.snapshotLine(tupleOf(row), isMember).slice()));
  for (const shape of [parents, children]) shape.publish(shapes.position);
  return shapes;
}

/** What SELECT gives. */
export function childrenIn(filter: FilterName, children: readonly Row[], values: readonly (string | null)[]): readonly Row[] {
  const selected = new Set(values);
  return children.filter(([, parent = null]) => FILTERS[filter].takes(parent, selected));
}

async function parsed(filter: string): Promise<Where> {
  const language = await loadWhereLanguage();
  const columns = ['id', 'parent'].map((name, index) => ({ name, typeName: ['int4', 'text'][index] ?? '', dimensions: 0 }));
  const where = language.parse(filter, {}, columns, () => [{ name: COLUMN, typeName: 'text', dimensions: 0 }]);
  invariant(!('error' in where), 'the filter of this world is accepted');
  return where;
}

/** @param id of the layout in the log: the tables come in the order of their oids. */
function layoutOf(oid: number, name: string, column: string): RelationLayout {
  return {
    id: oid - 4710,
    oid,
    schema: 'public',
    name,
    columns: [
      { name: 'id', typeOid: 23, typeMod: -1 },
      { name: column, typeOid: 25, typeMod: -1 },
    ],
  };
}

export function copyOf(shapes: ModelShapeLogs): ModelShapeLogs {
  return shapes.clone(new Fork());
}
