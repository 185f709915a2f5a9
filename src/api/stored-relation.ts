/**
 * A table as a stored shape has it in its record: the columns that it reads, with the names and types that they had. It answers for the
 * catalogue while Postgres has not been reached yet, and to those alone who hold the handle of that shape: what they read they may read on.
 */
import type { Column, Relation } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
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

function relationsOf(definition: ShapeDefinition): ReadonlyMap<string, Relation> {
  const read = new Map<string, Relation[]>();
  for (const each of withInner(definition)) {
    const name = quoteRelation(each.relation);
    const own = relationOf(each);
    if (own === undefined) return new Map();
    read.set(name, [...(read.get(name) ?? []), own]);
  }
  const relations = new Map<string, Relation>();
  for (const [name, parts] of read) {
    const whole = joined(parts);
    if (whole === undefined) return new Map();
    relations.set(name, whole);
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

/**
 * Each reads its own columns, in the order of the table, and must find them in that order again: it is a part of what a shape is.
 *
 * @returns undefined for those that cannot be of one table.
 */
function joined(parts: readonly Relation[]): Relation | undefined {
  const order = commonOrder(parts.map(({ columns }) => columns.map(({ name }) => name)));
  const all = parts.flatMap(({ columns }) => columns);
  const columns = order?.map((name) => all.filter((column) => column.name === name).reduceRight(over));
  return columns && { ...parts.reduceRight(over), columns };
}

/** What the second one says counts. */
function over<Said extends object>(before: Said, said: Said): Said {
  return { ...before, ...said };
}

/** An order in which the names of each list stand as they do there. Which of two comes first that are in no list together nobody asks. */
function commonOrder(lists: readonly (readonly string[])[]): readonly string[] | undefined {
  const order: string[] = [];
  for (let left = lists; left.some(({ length }) => length > 0); ) {
    const next = left.flatMap(([first]) => first ?? []).find((name) => left.every((list) => list.indexOf(name) <= 0));
    if (next === undefined) return undefined;
    order.push(next);
    left = left.map((list) => (list[0] === next ? list.slice(1) : list));
  }
  return order;
}
