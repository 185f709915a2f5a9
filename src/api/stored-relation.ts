/**
 * A table as a stored shape has it in its record: the columns that it reads, with the names and types that they had. It answers for the
 * catalogue while Postgres has not been reached yet, and to those alone who hold the handle of that shape: what they read they may read on.
 *
 * That is enough to tell whether a request means that shape, and too little to make another of: whether a column is an enum, the order of
 * columns that several of its shapes read, and what the catalogue has besides is guessed, or not known.
 */
import type { Column, Relation } from '../model/relation.ts';
import { definitionKey, type ShapeDefinition } from '../model/shape.ts';
import { requiredColumns } from '../shapes/altered-table.ts';
import { quoteRelation, type RelationName } from '../sql/identifiers.ts';
import { typeNameOf } from '../sql/values/type-names.ts';

/** The same objects for the same definition: what is worked out from them is kept by these. */
const known = new WeakMap<ShapeDefinition, ReadonlyMap<string, Relation>>();

/** @returns undefined for a table that the shape does not read, or of whose types an older version has kept too little. */
export function storedRelation(definition: ShapeDefinition, table: RelationName): Relation | undefined {
  const relations = known.get(definition) ?? relationsOf(definition);
  known.set(definition, relations);
  return relations.get(quoteRelation(table));
}

/** @param guessed worked out from the tables of `stored`. @returns whether it is the same shape. */
export function isGuessOf(guessed: ShapeDefinition, stored: ShapeDefinition): boolean {
  return definitionKey(inNoOrder(guessed)) === definitionKey(inNoOrder(stored));
}

function inNoOrder(definition: ShapeDefinition): ShapeDefinition {
  const reads = [...definition.reads].sort((left, right) => (left.name < right.name ? -1 : 1));
  const dependencies = definition.dependencies?.map((dependency) => ({ ...dependency, shape: inNoOrder(dependency.shape) }));
  return { ...definition, reads, ...(dependencies === undefined ? {} : { dependencies }) };
}

function relationsOf(definition: ShapeDefinition): ReadonlyMap<string, Relation> {
  const relations = new Map<string, Relation>();
  for (const each of withInner(definition)) {
    const name = quoteRelation(each.relation);
    const [before, own] = [relations.get(name), relationOf(each)];
    if (own === undefined) return new Map();
    relations.set(name, before === undefined ? own : joined(before, own));
  }
  return relations;
}

/** At every depth: a filter may look values up in the table of the shape itself. */
function withInner(definition: ShapeDefinition): readonly ShapeDefinition[] {
  return [definition, ...(definition.dependencies ?? []).flatMap(({ shape }) => withInner(shape))];
}

function relationOf(definition: ShapeDefinition): Relation | undefined {
  const { relation, reads, where, facts } = definition;
  const required = requiredColumns(definition);
  const columns = reads.flatMap(({ name, typeOid, typeMod }): Column[] => {
    const builtin = typeNameOf(typeOid);
    const [typeName, dimensions] = facts?.types?.[name] ?? [builtin, 0];
    if (typeName === undefined || typeName.endsWith('[]')) return [];
    const [pkIndex, collation] = [definition.primaryKey.indexOf(name), where?.collations?.[name]];
    return [{
      name, typeOid, typeMod, typeName, dimensions, notNull: required.has(name), generated: false,
      ...(pkIndex === -1 ? {} : { pkIndex }),
      ...(builtin === undefined ? { isEnum: true } : {}), // If a filter has been accepted that reads it, it was one.
      ...(collation === undefined ? {} : { collation }),
    }];
  });
  if (columns.length < reads.length) return undefined;
  return {
    ...relation, columns,
    ...(where?.collation === undefined ? {} : { collation: where.collation }),
    ...(where?.version === undefined ? {} : { version: where.version }),
  };
}

/** Each reads its own columns, in the order of the table: which of both orders goes between which is not known. */
function joined(left: Relation, right: Relation): Relation {
  const others = right.columns.filter(({ name }) => !left.columns.some((column) => column.name === name));
  const columns = left.columns.map((column) => ({ ...right.columns.find(({ name }) => name === column.name), ...column }));
  return { ...right, ...left, columns: [...columns, ...others] };
}
