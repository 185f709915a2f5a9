import { expect, test } from 'vitest';
import { invariant } from '../../../src/base/invariant.ts';
import { DefinitionParts } from '../../../src/model/definition-parts.ts';
import type { Relation } from '../../../src/model/relation.ts';
import { ShapeFilters } from '../../../src/service/wiring/shape-filters.ts';
import { defineShape, type DefinedShape } from '../../../src/shapes/shape-request.ts';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';
import { countingLanguage } from '../../support/shapes/counting-language.ts';

const language = await loadWhereLanguage();
const items: Relation = {
  oid: 1,
  schema: 'public',
  name: 'items',
  columns: [
    { name: 'id', typeName: 'int4', typeOid: 23, typeMod: -1, dimensions: 0, notNull: true, generated: false, pkIndex: 0 },
    { name: 'tags', typeName: 'text', typeOid: 1009, typeMod: -1, dimensions: 1, notNull: true, generated: false },
  ],
};

/** Of the language itself, how many filters were parsed. */
function counted() {
  const { language: counting, parsed } = countingLanguage(language);
  return { parsed, filters: new ShapeFilters(counting) };
}

function made(where: string, params: Readonly<Record<string, string>> = {}): DefinedShape & Required<Pick<DefinedShape, 'where'>> {
  const inner = [{ name: items, relation: items }];
  const defined = defineShape({ where, params, replica: 'default', log: 'full' }, items, language, inner);
  invariant('definition' in defined, 'the filters of this test are accepted');
  return defined;
}

test.each<[string, Readonly<Record<string, string>>]>([
  ['id = 7', {}],
  ['id = $1 OR id = $2', { 1: '7', 2: '8' }],
  ["tags @> '{a,b}' AND id IN (1, 2)", {}],
])('that with which a definition was made, %s, is not parsed again, and is what it would be', (text, params) => {
  const { parsed, filters } = counted();
  const { definition, where } = made(text, params);
  invariant(where !== undefined, 'there is a filter');
  filters.keep(definition, where);
  const copy = new DefinitionParts().shared({ ...definition, reads: [...definition.reads] });

  const kept = [filters.faultOf(copy), filters.of(copy)];

  const again = counted().filters.of(definition);
  const { canonical, query, columns, lookups } = again ?? {};
  const looked = lookups?.map((lookup) => ({ ...lookup, key: lookup.key.name }));
  expect({ kept, parsed, means: { canonical, query, columns, looked } }).toEqual({
    kept: [undefined, where],
    parsed: [],
    means: {
      canonical: where.canonical, query: where.query, columns: where.columns,
      looked: where.lookups?.map((lookup) => ({ ...lookup, key: lookup.key.name })),
    },
  });
});

test('one with a subquery is parsed as it is stored', () => {
  const { parsed, filters } = counted();
  const { definition, where } = made('id IN (SELECT id FROM items WHERE id > 7)');
  invariant(where !== undefined, 'there is a filter');

  filters.keep(definition, where);
  const stored = filters.of(definition);

  expect([parsed.length, stored === where, stored?.canonical]).toEqual([1, false, where.canonical]);
});

test('each is parsed once, and those of which a thousand others came since are let go', () => {
  const { parsed, filters } = counted();
  const [first, ...others] = Array.from({ length: 1_001 }, (_, id) => made(`id IN (${id}, 0)`).definition);
  invariant(first !== undefined, 'there is a first one');

  for (const definition of [first, first, ...others, first]) filters.faultOf(definition);

  expect([parsed.length, parsed.filter((text) => text === 'id IN (0, 0)').length]).toEqual([1_002, 2]);
});

test('of filters that are very long few are kept', () => {
  const { parsed, filters } = counted();
  const list = Array.from({ length: 10_000 }, (_, id) => String(id)).join();
  const [first, ...others] = Array.from({ length: 12 }, (_, id) => made(`id IN (${id},${list})`).definition);
  invariant(first !== undefined, 'there is a first one');

  for (const definition of [first, first, ...others, first]) filters.faultOf(definition);

  expect(parsed.length).toBe(13);
});
