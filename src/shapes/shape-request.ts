/**
 * From what a client asked for and what the table is to the definition of a shape, or to the request's mistakes, in
 * the words of the wire. The first stage that fails answers; so the columns are looked at before the filter.
 */
import { invariant } from '../base/invariant.ts';
import { followedColumns } from '../model/followed-columns.ts';
import { keyColumns, hasPrimaryKey, type Column, type LayoutColumn, type Relation } from '../model/relation.ts';
import type { Dependency, ReplicaMode, ShapeDefinition } from '../model/shape.ts';
import type { TimeZone } from '../model/time-zone.ts';
import { factsOf } from './altered-table.ts';
import { parseColumnList, quoteIdentifier, quoteRelation, type RelationName } from '../sql/identifiers.ts';
import type { SubquerySource, SubqueryTables, TimeZones, Where, WhereColumn, WhereLanguage } from '../sql/where.ts';

export interface ShapeRequest {
  /** Identifiers separated by commas; blank is absent. */
  readonly columns?: string | undefined;
  /** Blank is absent. */
  readonly where?: string | undefined;
  /** By number; read only when there is a filter. */
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly replica: ReplicaMode;
  readonly log: ShapeDefinition['log'];
  /** Read only when the filter has a subquery. */
  readonly moveOuts?: 'events' | 'deletes' | undefined;
}

/** A definition is stored, and with it those of all that it depends on. */
const FILTER_CHARACTERS_MAX = 8_388_608;
const TOO_LARGE =
  `WHERE clause with its values, and those of its subqueries, is bigger than maximum size of ${FILTER_CHARACTERS_MAX} characters`;

/** A table that a subquery of the filter selects from; or why it cannot be served, in the words of the wire. */
export type InnerTable = { readonly name: RelationName } & ({ readonly relation: Relation } | { readonly error: string });

/** By field; the body of a 400 has them under `errors`. */
export type RequestErrors = Readonly<Record<string, readonly string[]>>;

/** `zone`: a time zone of which nothing was known; with its rules there may be no mistake. */
export interface Mistaken {
  readonly errors: RequestErrors;
  readonly zone?: string;
}

export interface DefinedShape {
  readonly definition: ShapeDefinition;
  /** The filter of `definition`, parsed. */
  readonly where: Where | undefined;
}

/**
 * @param inner the tables that `language.tablesIn` finds in the filter.
 * @param zones what is known of time zones: each is asked for until it is.
 */
export function defineShape(
  request: ShapeRequest,
  relation: Relation,
  language: WhereLanguage,
  inner: readonly InnerTable[] = [],
  zones: TimeZones = () => undefined,
): DefinedShape | Mistaken {
  const { published, columns } = tableForm(relation);
  const selected = selectColumns(present(request.columns), relation, published);
  if ('error' in selected) return { errors: { columns: [selected.error] } };
  const unservable = inner.find((table) => 'error' in table);
  if (unservable !== undefined) return { errors: { where: [unservable.error] } };
  const relations = relationsOf(inner);
  const text = present(request.where);
  const tables: SubqueryTables = (name) => {
    const table = relations.get(quoteRelation(name));
    return table && tableForm(table).columns;
  };
  const named = new Map<string, TimeZone>();
  const zoneOf: TimeZones = (name) => {
    const zone = zones(name);
    if (typeof zone === 'object') named.set(name, zone);
    return zone;
  };
  const rules = { collation: relation.collation, zones: zoneOf, version: relation.version };
  const where = text === undefined ? undefined : language.parse(text, request.params ?? {}, columns, tables, rules, relation);
  if (where !== undefined && 'error' in where) {
    const { error, field, zone } = where;
    return { errors: { [field]: [error] }, ...(zone === undefined ? {} : { zone }) };
  }
  const dependencies: Dependency[] = [];
  for (const source of where?.subqueries?.sources ?? []) {
    const shape = defineInner(source, request.params ?? {}, inner, language, zones);
    if ('errors' in shape) return { errors: { where: Object.values(shape.errors).flat() } };
    dependencies.push({ shape: shape.definition, column: source.column });
  }
  const definition = definitionOf(request, relation, selected, where, named, dependencies);
  return filterCharacters(definition) > FILTER_CHARACTERS_MAX ? { errors: { where: [TOO_LARGE] } } : { definition, where };
}

/** As they are stored with it: those of its subqueries too, so what stands in the innermost of them counts at each level. */
function filterCharacters({ where, dependencies = [] }: ShapeDefinition): number {
  const texts = where === undefined ? [] : [where.text, where.canonical, ...where.params];
  const inner = dependencies.reduce((sum, { shape }) => sum + filterCharacters(shape), 0);
  return texts.reduce((sum, { length }) => sum + length, inner);
}

/**
 * The shape that a client would get who asks for what the subquery reads, and where that depends on others in turn, to be told of each row
 * that leaves: whoever follows the values of a column goes by rows, not by tags.
 */
function defineInner(
  { table, column, where, parameters }: SubquerySource,
  params: Readonly<Record<string, string>>,
  tables: readonly InnerTable[],
  language: WhereLanguage,
  zones: TimeZones,
): ReturnType<typeof defineShape> {
  const relation = relationsOf(tables).get(quoteRelation(table));
  invariant(relation !== undefined, 'a subquery was accepted against the columns of its table');
  const followed = followedColumns(column).map(({ name }) => name);
  const columns = [...new Set([...primaryKeyOf(relation), ...followed])].map(quoteIdentifier).join(',');
  // Each definition is stored, and one filter can have a hundred subqueries: so it keeps the texts that it names and no others.
  const count = Math.max(0, ...parameters);
  const named = Array.from({ length: count }, (_, index) => [index + 1, parameters.includes(index + 1) ? (params[index + 1] ?? '') : '']);
  const request: ShapeRequest = { columns, where, params: Object.fromEntries(named), replica: 'default', log: 'full', moveOuts: 'deletes' };
  return defineShape(request, relation, language, tables, zones);
}

function relationsOf(tables: readonly InnerTable[]): ReadonlyMap<string, Relation> {
  return new Map(tables.flatMap((table) => ('relation' in table ? [[quoteRelation(table.name), table.relation]] : [])));
}

/** What is told of a table that the catalogue does not have. */
export function unknownTable(name: RelationName): string {
  return `Table ${quoteRelation(name)} does not exist. If the table name contains capitals or special characters you must quote it.`;
}

type Selection = { readonly names: ReadonlySet<string>; readonly selectsAll: boolean } | { readonly error: string };

function selectColumns(list: string | undefined, relation: Relation, published: readonly Column[]): Selection {
  const generated = relation.columns.filter((column) => !published.includes(column)).map(({ name }) => name);
  if (list === undefined) {
    if (generated.length === 0) return { names: new Set(relation.columns.map(({ name }) => name)), selectsAll: true };
    return {
      error:
        `${generatedText(generated)}. You can exclude them from the shape ` +
        "by explicitly listing which columns to fetch in the 'columns' query param",
    };
  }
  const parsed = parseColumnList(list);
  if ('error' in parsed) return parsed;
  const names = new Set(parsed.value);
  const missing = primaryKeyOf(relation).filter((name) => !names.has(name));
  if (missing.length > 0) return { error: `The list of columns must include all primary key columns, missing: ${missing.join(', ')}` };
  const unknown = notFound(parsed.value, relation);
  if (unknown.length > 0) return { error: `The following columns are not found on the table: ${unknown.join(', ')}` };
  const unpublished = generated.filter((name) => names.has(name));
  return unpublished.length > 0 ? { error: generatedText(unpublished) } : { names, selectsAll: false };
}

/** A name given a second time is not found either: as the service does whose wire this is. */
function notFound(names: readonly string[], relation: Relation): readonly string[] {
  const left = new Set(relation.columns.map(({ name }) => name));
  return names.filter((name) => !left.delete(name));
}

function generatedText(names: readonly string[]): string {
  return `The following columns are generated and cannot be included in the shape: ${names.join(', ')}`;
}

function definitionOf(
  request: ShapeRequest,
  relation: Relation,
  selected: Exclude<Selection, { error: string }>,
  where: Where | undefined,
  zones: ReadonlyMap<string, TimeZone>,
  dependencies: readonly Dependency[],
): ShapeDefinition {
  const { relation: named, columns, primaryKey, reads, facts } = partsOf(request, relation, selected, where?.columns ?? []);
  return {
    relation: named,
    columns,
    selectsAll: selected.selectsAll,
    primaryKey,
    reads,
    ...(facts === undefined ? {} : { facts }),
    ...(where === undefined ? {} : { where: whereSource(request, relation, where, zones) }),
    replica: request.replica,
    log: request.log,
    ...(dependencies.length === 0 ? {} : { dependencies, ...(request.moveOuts === 'deletes' ? { moveOuts: request.moveOuts } : {}) }),
  };
}

/** What is the same in all definitions that select and filter by the same columns of a table. */
type Parts = Pick<ShapeDefinition, 'relation' | 'columns' | 'primaryKey' | 'reads' | 'facts'>;

/** What is worked out of a table once, however many shapes are asked for. */
interface TableForm {
  readonly published: readonly Column[];
  /** As filters see them. */
  readonly columns: readonly WhereColumn[];
  /** By the columns that are asked for, as they are written, and by those that the filter reads; the first ones go first. */
  readonly parts: Map<string, Parts>;
}

/** A catalogue gives another object when anything of a table is another. */
const forms = new WeakMap<Relation, TableForm>();
/** Of one table: a service may be asked for as many as it has columns, and more. */
const PARTS_MAX = 100;

function tableForm(relation: Relation): TableForm {
  const known = forms.get(relation);
  if (known !== undefined) return known;
  const published = relation.columns.filter(({ generated }) => !generated);
  const form = { published, columns: published.map(whereColumn), parts: new Map<string, Parts>() };
  forms.set(relation, form);
  return form;
}

function partsOf(
  { columns }: ShapeRequest,
  relation: Relation,
  selected: Exclude<Selection, { error: string }>,
  filtered: readonly string[],
): Parts {
  const { parts, published } = tableForm(relation);
  const key = JSON.stringify([present(columns) ?? null, filtered]);
  const known = parts.get(key);
  if (known !== undefined) return known;
  const made = newParts(relation, published, selected.names, filtered);
  parts.set(key, made);
  const [oldest] = parts.size > PARTS_MAX ? parts.keys() : [];
  if (oldest !== undefined) parts.delete(oldest);
  return made;
}

function newParts(relation: Relation, published: readonly Column[], selected: ReadonlySet<string>, filtered: readonly string[]): Parts {
  const primaryKey = primaryKeyOf(relation);
  const read = new Set([...selected, ...primaryKey, ...filtered]);
  const reads = published.filter(({ name }) => primaryKey.length === 0 || read.has(name));
  const facts = factsOf(relation, reads, filtered);
  return {
    relation: { oid: relation.oid, schema: relation.schema, name: relation.name },
    columns: published.map(({ name }) => name).filter((name) => selected.has(name)),
    primaryKey,
    reads: reads.map(layoutColumn),
    ...(facts === undefined ? {} : { facts }),
  };
}

function whereSource(
  { where: text = '', params = {} }: ShapeRequest,
  { columns, collation, version }: Relation,
  where: Where,
  zones: ReadonlyMap<string, TimeZone>,
): NonNullable<ShapeDefinition['where']> {
  const ordered = Object.entries(params).sort(([left], [right]) => Number(left) - Number(right));
  const read = columns.filter(({ name }) => where.columns.includes(name));
  const collations = read.flatMap((column) => (column.collation === undefined ? [] : [[column.name, column.collation] as const]));
  return {
    text, params: ordered.map(([, value]) => value), canonical: where.canonical,
    ...(collations.length === 0 ? {} : { collations: Object.fromEntries(collations) }),
    ...(collation === undefined ? {} : { collation }),
    ...(version === undefined ? {} : { version }),
    ...(zones.size === 0 ? {} : { zones: Object.fromEntries(zones) }),
  };
}

function primaryKeyOf(relation: Relation): readonly string[] {
  if (!hasPrimaryKey(relation)) return [];
  return keyColumns(relation).flatMap((index) => relation.columns[index]?.name ?? []);
}

function layoutColumn({ name, typeOid, typeMod }: Column): LayoutColumn {
  return { name, typeOid, typeMod };
}

/** As filters see it. */
export function whereColumn({ name, typeName, dimensions, isEnum, collation }: Column): WhereColumn {
  return { name, typeName, dimensions, isEnum: isEnum === true, ...(collation === undefined ? {} : { collation }) };
}

/** Empty or white space only means absent. */
function present(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}
