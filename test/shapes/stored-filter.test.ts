/** What this version makes of the filters that another one stored. */
import { expect, test } from 'vitest';
import type { Relation } from '../../src/model/relation.ts';
import type { ShapeDefinition } from '../../src/model/shape.ts';
import { invariant } from '../../src/base/invariant.ts';
import { defineShape } from '../../src/shapes/shape-request.ts';
import { storedFilter } from '../../src/shapes/stored-filter.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';

const language = await loadWhereLanguage();
const items: Relation = {
  oid: 1,
  schema: 'public',
  name: 'items',
  columns: [{ name: 'id', typeName: 'int4', typeOid: 23, typeMod: -1, dimensions: 0, notNull: true, generated: false, pkIndex: 0 }],
};
const SUBQUERY = 'id IN (SELECT id FROM items WHERE id > 7)';

function definitionOf(where: string): ShapeDefinition {
  const defined = defineShape({ where, replica: 'default', log: 'full' }, items, language, [{ name: items, relation: items }]);
  invariant('definition' in defined, 'the filters of this test are accepted');
  return defined.definition;
}

function alternatives(count: number): string {
  return Array.from({ length: count }, (_, id) => `id = ${id}`).join(' OR ');
}

const stored = definitionOf(SUBQUERY);
const { dependencies = [] } = stored;
const byParts = definitionOf('(id, id) NOT IN (SELECT id, id FROM items)');
/** As it was before the name of what is followed said how it is looked up. */
const unsaid = { ...byParts, dependencies: byParts.dependencies?.map((each) => ({ ...each, column: '[["id"],["id"]]' })) ?? [] };
/** Each of the alternatives holds all of the subqueries. */
const many = `${[1, 2, 3, 4].map((id) => `id IN (SELECT id FROM items WHERE id > ${id})`).join(' AND ')} AND (${alternatives(76)})`;
const OTHERWISE = { error: 'it is understood otherwise than before' };

test.each<[string, ShapeDefinition, unknown]>([
  ['that names a subquery at more places than it may', { ...stored, where: { text: many, params: [], canonical: many } }, {
    error: expect.stringContaining('(304 subquery positions exceeds limit of 300)') as unknown,
  }],
  ['of a column that it does not read', { ...stored, reads: [] }, { error: 'At location 0: unknown reference id' }],
  ['that is written otherwise to be compared', { ...stored, where: { text: SUBQUERY, params: [], canonical: SUBQUERY } }, OTHERWISE],
  ['without a shape behind its subquery', { ...stored, dependencies: [] }, { error: expect.stringContaining('unknown') as unknown }],
  ['that does not say that it looks row values up by their parts', unsaid, OTHERWISE],
  ['with a shape too many', { ...definitionOf('id > 7'), dependencies }, OTHERWISE],
  ['that looks up another column', { ...stored, dependencies: dependencies.map((each) => ({ ...each, column: 'size' })) }, OTHERWISE],
])('a stored filter %s is not taken any more', (_, definition, refused) => {
  expect(storedFilter(definition, language)).toEqual(refused);
});

test('a stored filter finds the columns that are qualified by its own table', () => {
  const within = 'EXISTS (SELECT 1 FROM items q WHERE q.id = p.id)';
  const definition = definitionOf(`EXISTS (SELECT 1 FROM items AS p WHERE p.id = items.id AND ${within})`);
  const [inner] = definition.dependencies ?? [];
  invariant(inner !== undefined, 'the filter has a subquery');

  const restored = [definition, inner.shape].map((each) => storedFilter(each, language));

  expect(restored).toEqual([definition, inner.shape].map(({ where }) => {
    return { where: expect.objectContaining({ canonical: where?.canonical }) as unknown };
  }));
});
