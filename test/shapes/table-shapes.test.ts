/** What a row costs, by the look-ups of the shapes: which shapes are found at all, the filter index says with whole filters. */
import { expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import type { PlacedLookup } from '../../src/shapes/key-index.ts';
import { MemberIndex } from '../../src/shapes/member-index.ts';
import { TableShapes } from '../../src/shapes/table-shapes.ts';
import { itemsKey } from '../../src/sql/lookups/lookup-keys.ts';
import { columnKey } from '../support/shapes.ts';

interface Shape {
  readonly name: string;
}

type Lookups = readonly PlacedLookup[];

function tagsOf(...values: readonly string[]): Lookups {
  const key = itemsKey({ kind: 'column', name: 'tags', type: 'text[]' });
  invariant(key !== undefined, 'an array has items');
  return [{ kind: 'every', key, values }];
}

function namesOf(shapes: TableShapes<Shape>, tags: string): readonly string[] {
  const names: string[] = [];
  shapes.find((column) => (column === 'tags' ? tags : null), false, ({ name }) => void names.push(name));
  return names.sort();
}

test('who looks for several items is found by the one for which the fewest look', () => {
  const shapes = new TableShapes<Shape>(new MemberIndex());
  shapes.add({ name: 'common' }, tagsOf('new'));
  shapes.add({ name: 'red' }, tagsOf('new', 'red'));
  shapes.add({ name: 'blue' }, tagsOf('blue', 'new'));

  const found = ['{new}', '{new,red}', '{blue}', '{}'].map((tags) => namesOf(shapes, tags));

  expect(found).toEqual([['common'], ['common', 'red'], ['blue'], []]);
});

test('a key that no shape is looked up by any more is read of no row, and a shape that was removed is not found', () => {
  const shapes = new TableShapes<Shape>(new MemberIndex());
  const held: readonly (readonly [Shape, Lookups | undefined])[] = [
    [{ name: 'tagged' }, tagsOf('new', 'red')],
    [{ name: 'owned' }, [{ kind: 'some', key: columnKey('owner'), values: ['ann'] }]],
    [{ name: 'open' }, undefined],
  ];
  for (const [shape, lookups] of held) shapes.add(shape, lookups);

  const left = held.map(([shape, lookups]) => {
    shapes.remove(shape, lookups);
    return { keys: shapes.keyCount, found: namesOf(shapes, '{new,red}') };
  });

  expect(left).toEqual([{ keys: 1, found: ['open'] }, { keys: 0, found: ['open'] }, { keys: 0, found: [] }]);
});
