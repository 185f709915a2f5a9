/**
 * StoredFilter: the filter of a definition that was stored, without the catalogue: what it reads is in the definition, with types.
 *
 * The version that stored it may have taken more than this one does, or have understood it otherwise. Then no line of its log could
 * be gone on with, and no request would be led to it.
 */
import type { Dependency, ShapeDefinition, WhereSource } from '../model/shape.ts';
import type { FamilyLanguage, FilterFamily } from '../sql/filter-family.ts';
import { quoteRelation } from '../sql/identifiers.ts';
import { typeNameOf } from '../sql/values/type-names.ts';
import type { ExplainLanguage, WhereExplanation } from '../sql/where-explanation.ts';
import type { SubquerySource, SubqueryTables, Where, WhereColumn, WhereLanguage } from '../sql/where.ts';

/** `where` is undefined for every row; `error` says why this version does not take the filter as it was stored. */
export type StoredFilter = { readonly where: Where | undefined } | { readonly error: string };

export function storedFilter(definition: ShapeDefinition, language: WhereLanguage): StoredFilter {
  const { where, dependencies = [] } = definition;
  if (where === undefined) return { where: undefined };
  const parsed = language.parse(...written(definition, where));
  if ('error' in parsed) return { error: parsed.error };
  const { canonical, subqueries: { sources } = { sources: [] } } = parsed;
  const isAsStored = canonical === where.canonical && sources.length === dependencies.length && sources.every(selects(dependencies));
  return isAsStored ? { where: parsed } : { error: 'it is understood otherwise than before' };
}

/** Of all that differ from this one in the constants of their text alone. It has no subqueries, and no parameters. */
export function storedFamily(definition: ShapeDefinition, template: string, language: FamilyLanguage): FilterFamily | undefined {
  const { where } = definition;
  if (where === undefined) return undefined;
  const [, , columns, , rules, table] = written(definition, where);
  return language.family(template, columns, rules, table);
}

/** For who asks about one row: what the filter comes to in it. Undefined for every row. */
export function storedExplanation(
  definition: ShapeDefinition,
  language: ExplainLanguage,
): WhereExplanation | { readonly error: string } | undefined {
  return definition.where && language.explanation(...written(definition, definition.where));
}

function written(definition: ShapeDefinition, where: WhereSource): Parameters<WhereLanguage['parse']> {
  const zones = new Map(Object.entries(where.zones ?? {}));
  const params = Object.fromEntries(where.params.map((value, index) => [String(index + 1), value]));
  const inner = innerShapes(definition);
  const tables: SubqueryTables = (table) => {
    return inner.filter(({ relation }) => quoteRelation(relation) === quoteRelation(table)).flatMap(storedColumns);
  };
  const rules = { collation: where.collation, zones: (name: string) => zones.get(name), version: where.version };
  return [where.text, params, storedColumns(definition), tables, rules, definition.relation];
}

/** At every depth. */
function innerShapes({ dependencies = [] }: ShapeDefinition): readonly ShapeDefinition[] {
  return dependencies.flatMap(({ shape }) => [shape, ...innerShapes(shape)]);
}

function selects(dependencies: readonly Dependency[]): (source: SubquerySource, number: number) => boolean {
  return ({ table, column }, number) => {
    const dependency = dependencies[number];
    return dependency?.column === column && quoteRelation(dependency.shape.relation) === quoteRelation(table);
  };
}

/** One of an unknown type is taken for an enum, which it was if it was accepted as one. */
function storedColumns({ reads, where }: ShapeDefinition): readonly WhereColumn[] {
  return reads.map(({ name, typeOid }) => {
    const [typeName, collation] = [typeNameOf(typeOid), where?.collations?.[name]];
    const type = { typeName: typeName ?? `oid ${typeOid}`, dimensions: 0, isEnum: typeName === undefined };
    return { name, ...type, ...(collation === undefined ? {} : { collation }) };
  });
}
