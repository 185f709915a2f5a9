/** What shapes of one table share, and what they must not. */
import { describe, expect, test } from 'vitest';
import type { RelationLayout } from '../../src/model/relation.ts';
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

test('a definition that is asked for behind another of its table gets what its own would be', () => {
  const wishes: readonly ShapeWish[] = [{}, { columns: ['id', 'title'] }, { columns: ['id'] }];
  const other = { ...itemsLayout, oid: 99 };
  const asked = [...wishes, ...wishes.toReversed(), ...wishes].flatMap((wish) => [shapeOf(wish), shapeOf(wish, other)]);
  const projections = new Projections();
  const found = asked.map((definition) => projections.of(definition));

  const different = [...new Set(found)];
  expect(found.map((projection) => different.indexOf(projection))).toEqual([0, 1, 2, 3, 4, 5, 4, 5, 2, 3, 0, 1, 0, 1, 2, 3, 4, 5]);
});

test('definitions that differ in any part that makes their lines share none, whichever is asked for first', () => {
  const plain = shapeOf({ columns: ['id', 'title'] });
  const unlike = [
    { ...plain, selectsAll: true },
    { ...plain, primaryKey: ['id', 'title'] },
    { ...plain, reads: itemsLayout.columns },
    { ...plain, dependencies: [{ shape: plain, column: 'id' }] },
  ];
  const shared = unlike.flatMap((other) => [[plain, other], [other, plain]]).map((definitions) => {
    const projections = new Projections();
    return new Set(definitions.map((definition) => projections.of(definition))).size;
  });

  expect(shared).toEqual(shared.map(() => 2));
});

describe('of the layouts of partitions', () => {
  const columns = [itemsLayout.columns, itemsLayout.columns.toReversed()] as const;
  const partition = (id: number): RelationLayout => {
    return { ...itemsLayout, id, oid: id, links: [{ child: id, parent: itemsLayout.oid, since: 7 }], columns: columns[id === 2 ? 1 : 0] };
  };

  test('those that have their columns in one order share a plan', () => {
    const projection = new Projections().of(shapeOf({}));
    const [first, turned, last] = [1, 2, 3].map((id) => projection.planOf(id, partition));

    expect([turned === first, last === first, turned?.indexOf.get('owner')]).toEqual([false, true, 0]);
  });

  test('a bounded number is remembered, and looked at again otherwise', () => {
    const projection = new Projections().of(shapeOf({}));
    const looked: number[] = [];
    const layoutOf = (id: number): RelationLayout => {
      looked.push(id);
      return partition(id);
    };
    for (let id = 1; id <= 1_025; id += 1) projection.planOf(id, layoutOf);
    looked.length = 0;
    for (const id of [1_025, 1]) projection.planOf(id, layoutOf);

    expect(looked).toEqual([1]);
  });
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
