/** A request is understood by what a stored shape says of its tables as it was by the catalogue. */
import { beforeAll, expect, test } from 'vitest';
import { isGuessOf, storedRelation } from '../../src/api/stored-relation.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { Column, Relation } from '../../src/model/relation.ts';
import type { ShapeDefinition } from '../../src/model/shape.ts';
import { schemaHeader } from '../../src/shapes/schema-header.ts';
import { defineShape, type ShapeRequest } from '../../src/shapes/shape-request.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereLanguage } from '../../src/sql/where.ts';

let language: WhereLanguage;
beforeAll(async () => {
  language = await loadWhereLanguage();
});

const collation = { name: 'C', order: 'bytes', cases: 'ascii', isDeterministic: true } as const;

const PLAIN = { version: 700, collation: 0, isMissing: false, defaultOid: null, types: null } as const;

type Spelled = readonly [name: string, typeName: string, typeOid: number, more?: Partial<Column>];

function relation(name: string, columns: readonly Spelled[]): Relation {
  return {
    oid: 4000 + name.length, schema: 'public', name, files: '1', collation,
    columns: columns.map(([column, typeName, typeOid, more], index) => ({
      name: column, typeName, typeOid, typeMod: -1, dimensions: 0, notNull: false, generated: false,
      facts: { ...PLAIN, number: index + 1, notNull: more?.notNull === true }, ...more,
    })),
  };
}

const items = relation('items', [
  ['title', 'varchar', 1043, { notNull: true, collation }],
  ['id', 'int4', 23, { pkIndex: 0, notNull: true }],
  ['tags', 'text', 1009, { dimensions: 2, collation }],
  ['mood', 'mood', 16_400, { isEnum: true }],
  ['parent', 'int4', 23],
  ['doc', 'json', 114],
]);
const parents = relation('parents', [['id', 'int4', 23, { pkIndex: 0, notNull: true }], ['name', 'text', 25, { collation }]]);

function define(request: Partial<ShapeRequest>, tables: (name: 'items' | 'parents') => Relation | undefined): ShapeDefinition {
  const [outer, inner] = [tables('items'), tables('parents')];
  invariant(outer !== undefined, 'there is a table');
  const subqueried = [outer, ...(inner === undefined ? [] : [inner])].map((table) => ({ name: table, relation: table }));
  const defined = defineShape({ replica: 'default', log: 'full', ...request }, outer, language, subqueried);
  invariant('definition' in defined, 'it is no mistake');
  return defined.definition;
}

test.each<readonly [string, Partial<ShapeRequest>]>([
  ['all columns', {}],
  ['some columns and a filter of others', { columns: 'id,doc', where: `title > 'a' AND mood = 'glad' AND tags @> '{x}'` }],
  ['a subquery', { where: `mood = 'glad' AND parent IN (SELECT id FROM parents WHERE name > 'a')` }],
  ['a subquery on the table itself that reads a column between', {
    columns: 'id,doc', where: `parent IN (SELECT parent FROM items WHERE mood = 'glad')`,
  }],
  ['subqueries that each read columns between those of the others', {
    columns: 'id', where: `parent IN (SELECT parent FROM items WHERE doc IS NULL AND id IN (SELECT parent FROM items WHERE mood = 'glad'))`,
  }],
  ['a subquery on the table itself', { columns: 'id,title', where: `parent IN (SELECT id FROM items WHERE mood = 'glad')` }],
])('with %s it is the same shape, of columns that are told alike', (_, request) => {
  const made = define(request, (name) => (name === 'items' ? items : parents));

  const stored = JSON.parse(JSON.stringify(made)) as ShapeDefinition;
  const asked = define(request, (name) => storedRelation(stored, { schema: 'public', name }));

  const [own] = [storedRelation(stored, items)];
  expect([isGuessOf(asked, stored), own && schemaHeader(own, made.columns)]).toEqual([true, schemaHeader(items, made.columns)]);
});

test.each<readonly [string, Partial<ShapeRequest>, string]>([
  ['an array', { columns: 'id,tags' }, 'tags'],
  ['a type that somebody made', { columns: 'id,mood' }, 'mood'],
  ['one that a subquery on the same table reads', { columns: 'id', where: `parent IN (SELECT id FROM items WHERE mood = 'glad')` }, 'mood'],
])('where an older version kept too little of %s, nothing is guessed of the table', (_, request, column) => {
  const made = define(request, () => items);
  const forget = ({ facts, ...definition }: ShapeDefinition): ShapeDefinition => {
    const { [column]: _unknown, ...types } = facts?.types ?? {};
    const dependencies = definition.dependencies?.map((dependency) => ({ ...dependency, shape: forget(dependency.shape) }));
    return { ...definition, ...(facts && { facts: { ...facts, types } }), ...(dependencies && { dependencies }) };
  };

  expect([storedRelation(made, items), storedRelation(forget(made), items)]).toEqual([expect.anything(), undefined]);
});
