/** What shapes of one table share, and what they must not. */
import { expect, test } from 'vitest';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { Projections } from '../../src/shapes/projection.ts';
import { tupleOf } from '../support/actors/changes.ts';
import { itemsLayout, shapeOf, type ShapeWish } from '../support/shapes.ts';

test('shapes that differ in filter or replica mode share one, and no others', () => {
  const projections = new Projections();
  const definitions = [
    shapeOf({}),
    shapeOf({ where: { column: 'owner', equals: 'x' } }),
    shapeOf({ replica: 'full' }),
    shapeOf({ columns: ['id', 'title'] }),
    shapeOf({}, { ...itemsLayout, oid: 99 }),
  ];
  const [first, ...others] = definitions.map((definition) => projections.of(definition));

  expect(others.map((other) => other === first)).toEqual([true, true, false, false]);
});

const wishes: readonly ShapeWish[] = [{}, { where: { column: 'owner', equals: 'x' } }];

test('a line that broke off in one shape leaves nothing in the next of another', () => {
  const projections = new Projections();
  const [broken, whole] = wishes.map((wish) => {
    const definition = shapeOf(wish);
    return new ChangeConverter(definition, undefined, () => itemsLayout, projections.of(definition));
  });
  const row = tupleOf(['1', 'a', null]);
  expect(() => broken?.snapshotLine(tupleOf(['1']))).toThrow();

  expect(whole?.snapshotLine(row)).toEqual(new ChangeConverter(shapeOf({}), undefined, () => itemsLayout).snapshotLine(row));
});
