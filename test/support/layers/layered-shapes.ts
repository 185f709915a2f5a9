/** LayeredShapes: two tables, and shapes of both that look up what others select, one or two below each other. */
import type { Column, Relation } from '../../../src/model/relation.ts';
import { definitionKey, type ShapeDefinition } from '../../../src/model/shape.ts';
import { defineShape } from '../../../src/shapes/shape-request.ts';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';

export const language = await loadWhereLanguage();

const INT4 = { typeOid: 23, typeName: 'int4' };
const TEXT = { typeOid: 25, typeName: 'text' };

export const PARENTS = relationOf(1, 'parents', [columnOf('id', INT4, 0), columnOf('value', TEXT)]);
export const CHILDREN = relationOf(2, 'children', [columnOf('id', INT4, 0), columnOf('parent', INT4), columnOf('note', TEXT)]);
export const TABLES = [PARENTS, CHILDREN];

const HAS_PARENT = "parent IN (SELECT id FROM parents WHERE value = '1')";

/** What clients ask for. The first two have one inner shape, the fifth has two; those behind it depend on shapes that depend on others. */
export const OUTER_SHAPES: readonly ShapeDefinition[] = [
  childrenWhere("parent IN (SELECT id FROM parents WHERE value = '1')", 'events'),
  childrenWhere("parent IN (SELECT id FROM parents WHERE value = '1')", 'deletes'),
  childrenWhere("parent IN (SELECT id FROM parents WHERE value = '1') AND note = 'a'", 'deletes'),
  childrenWhere("parent IN (SELECT id FROM parents WHERE value = '1' OR value = '2') OR note = 'b'", 'events'),
  childrenWhere(
    "(parent IN (SELECT id FROM parents WHERE value = '1') AND note = 'a') OR parent IN (SELECT id FROM parents WHERE value = '2')",
    'events',
  ),
  childrenWhere(`id IN (SELECT parent FROM children WHERE ${HAS_PARENT})`, 'events'),
  childrenWhere(`parent IN (SELECT id FROM parents WHERE id IN (SELECT parent FROM children WHERE note = 'a'))`, 'deletes'),
  childrenWhere(`id NOT IN (SELECT parent FROM children WHERE ${HAS_PARENT} OR parent IS NULL) AND note <> 'c'`, 'events'),
  childrenWhere("parent NOT IN (SELECT id FROM parents WHERE id NOT IN (SELECT parent FROM children WHERE note = 'a'))", 'events'),
  childrenWhere(`${HAS_PARENT} OR id IN (SELECT id FROM children WHERE ${HAS_PARENT} AND note = 'b')`, 'events'),
];

/** Those on which they depend, at any depth, each once. */
export const INNER_SHAPES: readonly ShapeDefinition[] = [
  ...new Map(OUTER_SHAPES.flatMap(innerOf).map((shape) => [definitionKey(shape), shape] as const)).values(),
];

/** All that a client can ask for: the outer ones first. */
export const SHAPES = [...OUTER_SHAPES, ...INNER_SHAPES];

function innerOf({ dependencies = [] }: ShapeDefinition): readonly ShapeDefinition[] {
  return dependencies.flatMap(({ shape }) => [shape, ...innerOf(shape)]);
}

export function childrenWhere(where: string, moveOuts: 'events' | 'deletes'): ShapeDefinition {
  const inner = TABLES.map((relation) => ({ name: relation, relation }));
  const defined = defineShape({ where, replica: 'default', log: 'full', moveOuts }, CHILDREN, language, inner);
  if ('errors' in defined) throw new Error(JSON.stringify(defined.errors));
  return defined.definition;
}

function relationOf(oid: number, name: string, columns: readonly Column[]): Relation {
  return { oid, schema: 'public', name, columns };
}

function columnOf(name: string, type: Pick<Column, 'typeOid' | 'typeName'>, pkIndex?: number): Column {
  const key = pkIndex === undefined ? { notNull: false } : { notNull: true, pkIndex };
  return { name, ...type, typeMod: -1, dimensions: 0, generated: false, ...key };
}
