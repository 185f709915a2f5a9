/** Filters of many stored definitions: each is what it would be by itself, and those that are alike are parsed a few times only. */
import { expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import type { Relation } from '../../src/model/relation.ts';
import type { ShapeDefinition } from '../../src/model/shape.ts';
import { defineShape } from '../../src/shapes/shape-request.ts';
import { storedFilter, type StoredFilter } from '../../src/shapes/stored-filter.ts';
import { StoredFilters } from '../../src/shapes/stored-filters.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import { countingLanguage } from '../support/shapes/counting-language.ts';

const language = await loadWhereLanguage();
const plain = { typeMod: -1, dimensions: 0, notNull: true, generated: false } as const;
const items: Relation = {
  oid: 1,
  schema: 'public',
  name: 'items',
  columns: [
    { ...plain, name: 'id', typeName: 'int4', typeOid: 23, pkIndex: 0 },
    { ...plain, name: 'title', typeName: 'text', typeOid: 25 },
  ],
};

function counted() {
  const { language: counting, parsed } = countingLanguage(language);
  return { parsed, filters: new StoredFilters(counting) };
}

function definitionOf(where: string, params: Readonly<Record<string, string>> = {}, relation = items): ShapeDefinition {
  const defined = defineShape({ where, params, replica: 'default', log: 'full' }, relation, language, [{ name: relation, relation }]);
  invariant('definition' in defined, 'the filters of this test are accepted');
  return structuredClone(defined.definition);
}

function told(filter: StoredFilter) {
  if ('error' in filter || filter.where === undefined) return filter;
  const { canonical, columns, query, lookups, areLookupsExact } = filter.where;
  return { canonical, columns, query, areLookupsExact, looked: lookups?.map((lookup) => ({ ...lookup, key: lookup.key.name })) };
}

test('of many that differ in their constants alone one is parsed, and what is told of the others is what they are', () => {
  const { parsed, filters } = counted();
  const definitions = [5, 6, 7, 6, 8].map((id) => definitionOf(`id = ${id} AND title = 'of ${id}'`));

  const found = definitions.map((definition) => filters.of(definition));
  const before = [...parsed];

  expect({ before, found: found.map(told) }).toEqual({
    before: ["id = 5 AND title = 'of 5'"], found: definitions.map((definition) => told(storedFilter(definition, language))),
  });
});

test('a row that very many are asked about has none of them parsed but the first', () => {
  const { parsed, filters } = counted();
  const numbers = Array.from({ length: 100 }, (_, index) => index + 1);
  const definitions = numbers.map((number) => definitionOf(`id > -${number} AND title = 'of ${number}'`));
  const row: Readonly<Record<string, string>> = { id: '-50', title: 'of 51' };

  const taking = definitions.filter((definition) => {
    const filter = filters.of(definition);
    return 'where' in filter && filter.where?.evaluate((column) => row[column] ?? null) === true;
  });

  expect({ taking, parsed }).toEqual({ taking: [definitions[50]], parsed: ["id > -1 AND title = 'of 1'"] });
});

test('a filter that is understood otherwise than it was stored is refused, also where those like it are not', () => {
  const { filters } = counted();
  const definitions = [5, 6, 7].map((id) => definitionOf(`id = ${id}`));
  const [, , last] = definitions;
  invariant(last?.where !== undefined, 'it has a filter');
  const otherwise = { ...last, where: { ...last.where, canonical: '("id" = int4 "8")' } };

  expect([...definitions, otherwise].map((definition) => 'error' in filters.of(definition))).toEqual([false, false, false, true]);
});

test('what another table, other columns, parameters or subqueries make of the same text is their own', () => {
  const { filters } = counted();
  const bigger = { ...items, oid: 2, columns: items.columns.map((column) => ({ ...column, typeName: 'int8', typeOid: 20 })) };
  const changed = { ...items, columns: bigger.columns };
  const relations = [items, items, bigger, items, changed, items, bigger, changed];
  const definitions = relations.map((relation) => definitionOf('id = 5', {}, relation));
  const others = [
    definitionOf('id = $1', { 1: '5' }), definitionOf('id = $1', { 1: '6' }), definitionOf('id = $1', { 1: '7' }),
    ...[5, 6, 7].map((id) => definitionOf(`id IN (SELECT id FROM items WHERE id = ${id})`)),
    definitionOf('id > 5 OR id < 3'), definitionOf('id > 6 OR id < 2'), definitionOf('id > 7 OR id < 1'),
  ];
  const all = [...definitions, ...others];
  const canonical = (filter: StoredFilter) => ('error' in filter ? filter : filter.where?.canonical);

  expect(all.map((definition) => canonical(filters.of(definition)))).toEqual(all.map(({ where }) => where?.canonical));
});
