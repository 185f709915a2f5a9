/** Shapes on one small table, for tests that are about something else than how a shape is asked for. */
import type { FoundTable } from '../../src/model/found-table.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import type { Handle, ShapeDefinition } from '../../src/model/shape.ts';
import { valueKey } from '../../src/sql/lookups/lookup-keys.ts';
import type { TypeName } from '../../src/sql/values/type-names.ts';
import type { LookupKey, Where } from '../../src/sql/where.ts';

export const itemsLayout: RelationLayout = {
  id: 1,
  oid: 4711,
  schema: 'public',
  name: 'items',
  columns: [
    { name: 'id', typeOid: 23, typeMod: -1 },
    { name: 'title', typeOid: 25, typeMod: -1 },
    { name: 'owner', typeOid: 25, typeMod: -1 },
  ],
};

export interface ShapeWish {
  readonly columns?: readonly string[];
  readonly primaryKey?: readonly string[];
  readonly replica?: ShapeDefinition['replica'];
  /** The simplest filter: a text column equal to a constant. */
  readonly where?: { readonly column: string; readonly equals: string };
}

/** As the catalogue has a table of this layout. */
export function foundTable({ id: _, ...layout }: RelationLayout): FoundTable {
  const plain = { version: 700, notNull: false, collation: 0, isMissing: false, defaultOid: null, types: null };
  const facts = (number: number) => ({ ...plain, number });
  const columns = layout.columns.map((column, at) => ({ ...column, pkIndex: at === 0 ? 0 : null, facts: facts(at + 1) }));
  return { ...layout, files: '16384', columns };
}

export function shapeOf(wish: ShapeWish, layout: RelationLayout = itemsLayout): ShapeDefinition {
  const { primaryKey = ['id'], replica = 'default', where } = wish;
  const columns = wish.columns ?? layout.columns.map(({ name }) => name);
  const read = new Set([...columns, ...primaryKey, ...(where === undefined ? [] : [where.column])]);
  const text = where === undefined ? undefined : `${where.column} = '${where.equals}'`;
  return {
    relation: { oid: layout.oid, schema: layout.schema, name: layout.name },
    columns,
    selectsAll: wish.columns === undefined,
    primaryKey,
    reads: layout.columns.filter(({ name }) => primaryKey.length === 0 || read.has(name)),
    ...(text === undefined ? {} : { where: { text, params: [], canonical: text } }),
    replica,
    log: 'full',
  };
}

export function whereOf({ where }: ShapeWish): Where | undefined {
  if (where === undefined) return undefined;
  const { column, equals } = where;
  return {
    canonical: `${column} = '${equals}'`,
    columns: [column],
    query: { sql: `"${column}" = $1::text`, params: [equals] },
    evaluate: (text) => (text(column) === null ? null : text(column) === equals),
    lookups: [{ kind: 'some', key: columnKey(column), values: [equals] }],
  };
}

export function columnKey(name: string, type: TypeName = 'text'): LookupKey {
  return valueKey({ kind: 'column', name, type });
}

export function handleOf(index: number): Handle {
  return `${index}-1` as Handle;
}
