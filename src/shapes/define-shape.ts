/**
 * From what a client wishes to a shape's definition, against the table as the catalogue knows it. The texts of
 * refusals are part of the wire; the first rule that is broken answers.
 */
import { hasPrimaryKey, keyColumns, type Column, type Relation } from '../model/relation.ts';
import type { ReplicaMode, ShapeDefinition, WhereSource } from '../model/shape.ts';
import type { Where, WhereLanguage } from '../sql/where.ts';

export interface ShapeWish {
  /** Undefined for all columns, or for all queryable ones when these are given. */
  readonly columns: readonly string[] | undefined;
  /** What `columns` may be chosen from. */
  readonly queryableColumns: readonly string[] | undefined;
  readonly where: string | undefined;
  /** Values by number. */
  readonly params: Readonly<Record<string, string>>;
  readonly replica: ReplicaMode;
  readonly log: ShapeDefinition['log'];
}

/** By request parameter. */
export type WishErrors = Readonly<Record<string, readonly string[]>>;

export type DefinedShape = { readonly definition: ShapeDefinition } | { readonly errors: WishErrors };

export function defineShape(relation: Relation, wish: ShapeWish, language: WhereLanguage): DefinedShape {
  const refusal = queryableColumnsRefusal(relation, wish) ?? columnsRefusal(relation, wish);
  if (refusal !== undefined) return { errors: refusal };
  const where = wish.where === undefined ? undefined : language.parse(wish.where, wish.params, relation.columns);
  if (where !== undefined && 'error' in where) return { errors: { [where.field]: [where.error] } };
  const source = where === undefined ? undefined : whereSource(wish, where);
  const named = wish.columns ?? wish.queryableColumns;
  const columns = relation.columns.filter(({ name }) => named === undefined || named.includes(name));
  return {
    definition: {
      relation: { oid: relation.oid, schema: relation.schema, name: relation.name },
      columns: columns.map(({ name }) => name),
      selectsAll: named === undefined,
      primaryKey: primaryKey(relation),
      reads: readColumns(relation, columns, where),
      ...(source === undefined ? {} : { where: source }),
      replica: wish.replica,
      log: wish.log,
    },
  };
}

function queryableColumnsRefusal(relation: Relation, { queryableColumns }: ShapeWish): WishErrors | undefined {
  if (queryableColumns === undefined) return undefined;
  const missing = primaryKey(relation).filter((name) => !queryableColumns.includes(name));
  if (missing.length > 0) {
    return { queryable_columns: [`The list of queryable columns must include all primary key columns, missing: ${missing.join(', ')}`] };
  }
  const unknown = queryableColumns.filter((name) => !hasColumn(relation, name));
  if (unknown.length === 0) return undefined;
  return { queryable_columns: [`The following queryable columns are not found on the table: ${unknown.join(', ')}`] };
}

function columnsRefusal(relation: Relation, { columns, queryableColumns }: ShapeWish): WishErrors | undefined {
  if (columns === undefined) return generatedRefusal(relation, queryableColumns);
  const missing = primaryKey(relation).filter((name) => !columns.includes(name));
  if (missing.length > 0) return { columns: [`The list of columns must include all primary key columns, missing: ${missing.join(', ')}`] };
  const unknown = columns.filter((name) => !(queryableColumns?.includes(name) ?? true) || !hasColumn(relation, name));
  if (unknown.length > 0) return { columns: [`The following columns are not found on the table: ${unknown.join(', ')}`] };
  return generatedRefusal(relation, columns);
}

/** A generated column is not replicated before Postgres 18, so no shape can follow it. */
function generatedRefusal(relation: Relation, named: readonly string[] | undefined): WishErrors | undefined {
  const generated = relation.columns.filter((column) => column.generated && (named?.includes(column.name) ?? true));
  if (generated.length === 0) return undefined;
  const names = generated.map(({ name }) => name).join(', ');
  const advice = ". You can exclude them from the shape by explicitly listing which columns to fetch in the 'columns' query param";
  return { columns: [`The following columns are generated and cannot be included in the shape: ${names}${named === undefined ? advice : ''}`] };
}

function whereSource({ where: text = '', params }: ShapeWish, { canonical }: Where): WhereSource {
  const numbers = Object.keys(params).sort((left, right) => Number(left) - Number(right));
  return { text, params: numbers.map((number) => params[number] ?? ''), canonical };
}

/** What the shape depends on: see `ShapeDefinition.reads`. */
function readColumns(relation: Relation, selected: readonly Column[], where: Where | undefined): ShapeDefinition['reads'] {
  const keys = new Set(keyColumns(relation));
  const isRead = (column: Column, index: number): boolean =>
    keys.has(index) || selected.includes(column) || (where?.columns.includes(column.name) ?? false);
  return relation.columns.filter(isRead).map(({ name, typeOid, typeMod }) => ({ name, typeOid, typeMod }));
}

function primaryKey(relation: Relation): readonly string[] {
  return hasPrimaryKey(relation) ? keyColumns(relation).flatMap((index) => relation.columns[index]?.name ?? []) : [];
}

function hasColumn(relation: Relation, wanted: string): boolean {
  return relation.columns.some(({ name }) => name === wanted);
}
