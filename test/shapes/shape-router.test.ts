import { describe, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { CHANGE_KINDS } from '../../src/model/change.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import type { LogBlock } from '../../src/model/transaction.ts';
import { changesByTransaction } from '../../src/shapes/routed-changes.ts';
import { routeWhole } from '../support/route-whole.ts';
import { ShapeRouter } from '../../src/shapes/shape-router.ts';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where } from '../../src/sql/where.ts';
import { blockOf, placedTransaction, transactionOf, type RowChange } from '../support/actors/changes.ts';
import { handleOf, itemsLayout, shapeOf, whereOf, type ShapeWish } from '../support/shapes.ts';

const AT = { xid: 7, lsn: '100' };
const ownedBy = (owner: string): ShapeWish => ({ where: { column: 'owner', equals: owner } });

function routerOf(wishes: readonly ShapeWish[], layouts: readonly RelationLayout[] = [itemsLayout]): ShapeRouter {
  const router = new ShapeRouter((id) => layouts.find((layout) => layout.id === id));
  wishes.forEach((wish, index) => router.add(handleOf(index), shapeOf(wish), whereOf(wish)));
  return router;
}

function handlesFor(router: ShapeRouter, changes: readonly RowChange[], layoutId = 1): readonly string[] {
  return routeWhole(router, blockOf([transactionOf(AT, changes, layoutId)])).flatMap((layer) => [...layer.keys()]).sort();
}

/** Where the shape's filter cannot be looked up, only evaluated. */
function unlookable(wish: ShapeWish): Where | undefined {
  const where = whereOf(wish);
  return where && { ...where, lookups: undefined };
}

test('a row reaches the shapes that hold its value, and those without a filter', () => {
  const router = routerOf([ownedBy('a'), ownedBy('b'), {}]);
  expect(handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'b'] }])).toEqual([handleOf(1), handleOf(2)]);
});

test('an update reaches the shapes of its old and of its new value', () => {
  const router = routerOf([ownedBy('a'), ownedBy('b'), ownedBy('c')]);
  const update: RowChange = { kind: 'update', old: ['1', 't', 'a'], new: ['1', 't', 'b'] };
  expect(handlesFor(router, [update])).toEqual([handleOf(0), handleOf(1)]);
});

test('a row costs as much among 1,000 shapes as its own shapes do', () => {
  const router = routerOf(Array.from({ length: 1000 }, (_, index) => ownedBy(`owner ${index}`)));
  const handles = handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'owner 700'] }]);
  expect({ handles, evaluations: router.evaluations }).toEqual({ handles: [handleOf(700)], evaluations: 1 });
});

test('a shape that is added looks at the layouts of its own table, whatever other tables were changed before', () => {
  const looks = new Map<string, number>();
  const layouts = Array.from({ length: 100 }, (_, id): RelationLayout => {
    const layout = { ...itemsLayout, id, oid: 5000 + id, name: `table_${id}` };
    return {
      ...layout,
      get oid() {
        looks.set(layout.name, (looks.get(layout.name) ?? 0) + 1);
        return layout.oid;
      },
    };
  });
  const router = routerOf([], layouts);
  for (const { id } of layouts) handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'a'] }], id);
  looks.clear();

  router.add(handleOf(1), shapeOf({}, { ...itemsLayout, oid: 5007, name: 'table_7' }), undefined);

  expect([...looks.keys()]).toEqual(['table_7']);
});

test('of many layouts the oldest are forgotten, and a shape that is added looks at none of these', () => {
  const looks = new Set<number>();
  const layouts = Array.from({ length: 4_097 }, (_, id): RelationLayout => ({
    ...itemsLayout,
    id,
    get oid() {
      looks.add(id);
      return itemsLayout.oid;
    },
  }));
  const router = routerOf([], layouts);
  for (const { id } of layouts) router.shapesOn([id]);
  looks.clear();

  router.add(handleOf(0), shapeOf({}), undefined);

  expect([...looks]).toEqual([4_096]);
});

test('a block of many changes is routed in steps, and a copy made between two goes on alike', () => {
  const router = routerOf([{}, ownedBy('a'), ownedBy('b')]);
  const owners = ['a', 'c'];
  const rows = Array.from({ length: 10_000 }, (_, index): RowChange => ({ kind: 'insert', new: ['1', 't', owners[index % 2] ?? null] }));
  router.begin(blockOf([transactionOf(AT, rows)]));
  const first = router.step();
  const copy = router.clone();
  router.remove(handleOf(0));

  const [shrunk, whole] = [router, copy].map(stepsOf);

  expect({ first, whole, shrunk }).toMatchObject({
    first: undefined,
    whole: { steps: 9, counts: { [handleOf(0)]: 10_000, [handleOf(1)]: 5_000 } },
    shrunk: { counts: { [handleOf(1)]: 5_000 } },
  });
});

test('a step ends with fewer changes where their values are long', async () => {
  const columns = itemsLayout.columns.map(({ name }) => ({ name, typeName: 'text', dimensions: 0 }));
  const where = (await loadWhereLanguage()).parse("upper(title) = 'X'", {}, columns);
  invariant(!('error' in where), 'the filter is accepted');
  const steps = [10, 100_000].map((length) => {
    const router = new ShapeRouter(() => itemsLayout);
    router.add(handleOf(0), shapeOf({}), where);
    router.begin(blockOf([transactionOf(AT, Array.from({ length: 20 }, () => ({ kind: 'insert', new: ['1', 't'.repeat(length), 'a'] })))]));
    return stepsOf(router).steps;
  });

  expect(steps).toEqual([1, 21]);
});

test('a copy made while a block is routed goes on alike where a shape has begun anew meanwhile', () => {
  const router = routerOf([{}]);
  const rows = Array.from({ length: 10_000 }, (): RowChange => ({ kind: 'insert', new: ['1', 't', 'a'] }));
  router.begin(blockOf([transactionOf(AT, rows)]));
  router.step();
  router.remove(handleOf(0));
  router.add(handleOf(0), shapeOf({}), undefined);
  const copy = router.clone();

  expect(stepsOf(copy)).toEqual(stepsOf(router));
});

/** How many steps it still took, and how many changes each shape was then given. */
function stepsOf(router: ShapeRouter) {
  for (let steps = 1; ; steps += 1) {
    const layers = router.step();
    if (layers === undefined) continue;
    const counts = layers.flatMap((layer) => Array.from(layer, ([handle, { changes }]) => [handle, changes.length / 3]));
    return { steps, counts: Object.fromEntries(counts) };
  }
}

test('a shape gets of each block what is in that block', () => {
  const router = routerOf([{}]);
  const routed = [1, 2].map(() => {
    router.begin(blockOf([transactionOf(AT, [{ kind: 'truncate' }])]));
    return stepsOf(router).counts;
  });

  expect(routed).toEqual([{ [handleOf(0)]: 1 }, { [handleOf(0)]: 1 }]);
});

test('a shape gets its own changes of a block, in the order of the log', () => {
  const router = routerOf([ownedBy('a')]);
  const block = blockOf([
    transactionOf({ xid: 1, lsn: '10' }, [{ kind: 'insert', new: ['1', 't', 'b'] }, { kind: 'insert', new: ['2', 't', 'a'] }]),
    transactionOf({ xid: 2, lsn: '20' }, [{ kind: 'delete', old: ['2', 't', 'a'] }]),
  ]);
  const routed = routeWhole(router, block)[0]?.get(handleOf(0));
  const found = [...changesByTransaction(block, routed ?? { changes: new Uint32Array() })].map(({ transaction, changes }) => ({
    xid: transaction.xid,
    changes: changes.map(({ kind, position }) => [kind, position]),
  }));
  expect(found).toEqual([
    { xid: 1, changes: [[CHANGE_KINDS.insert, 2]] },
    { xid: 2, changes: [[CHANGE_KINDS.delete, 0]] },
  ]);
});

test('of a transaction on several tables each shape gets the changes of its own, and nobody those of a table without shapes', () => {
  const layouts = [itemsLayout, { ...itemsLayout, id: 2, oid: 99, name: 'lists' }, { ...itemsLayout, id: 3, oid: 98, name: 'others' }];
  const router = routerOf([{}], layouts);
  router.add(handleOf(1), { ...shapeOf({}), relation: { oid: 99, schema: 'public', name: 'lists' } }, undefined);
  const changes = [3, 1, 2, 1].map((layoutId, index) => ({ kind: 'insert', new: ['1', 't', 'a'], layoutId, position: 2 * index }) as const);
  const block = blockOf([placedTransaction(AT, changes)]);
  const routed = Array.from(routeWhole(router, block)[0] ?? [], ([handle, found]) => [
    handle, [...changesByTransaction(block, found)].flatMap((part) => part.changes.map(({ position }) => position)),
  ]);

  expect(Object.fromEntries(routed)).toEqual({ [handleOf(0)]: [2, 6], [handleOf(1)]: [4] });
});

describe('what cannot be decided is routed', () => {
  const thrower = (error: Error): ShapeRouter => {
    const router = routerOf([]);
    const evaluate = (): never => {
      throw error;
    };
    router.add(handleOf(0), shapeOf({}), { canonical: '', columns: [], query: { sql: '', params: [] }, lookups: undefined, evaluate });
    return router;
  };
  const insert: RowChange = { kind: 'insert', new: ['1', 't', 'b'] };

  test('a filter that has an error in the row; but one that is broken is our bug, and ends who asked it', () => {
    const erroneous = thrower(new EvaluationError('22012', 'division by zero'));
    const broken = thrower(new RangeError('no'));
    expect(handlesFor(erroneous, [insert])).toEqual([handleOf(0)]);
    expect(() => handlesFor(broken, [insert])).toThrow(RangeError);
  });

  test('a row of which a key has an error; but one that is broken is our bug, too', () => {
    const looking = (error: Error): ShapeRouter => {
      const read = (): never => {
        throw error;
      };
      const router = routerOf([]);
      const lookups: Where['lookups'] = [{ kind: 'some', key: { name: 'broken', read }, values: ['a'] }];
      const where = { canonical: '', columns: [], query: { sql: '', params: [] }, lookups, evaluate: () => true };
      router.add(handleOf(0), shapeOf({}), where);
      return router;
    };
    expect(handlesFor(looking(new EvaluationError('22012', 'division by zero')), [insert])).toEqual([handleOf(0)]);
    expect(() => handlesFor(looking(new RangeError('no')), [insert])).toThrow(RangeError);
  });

  test.each<RowChange>([{ kind: 'truncate' }, { kind: 'gap', cause: 'transactionTooLarge' }])('a $kind', (change) => {
    expect(handlesFor(routerOf([ownedBy('a'), {}]), [change])).toEqual([handleOf(0), handleOf(1)]);
  });

  test('a table that is not what it was', () => {
    const widened = { ...itemsLayout, id: 2, columns: [...itemsLayout.columns, { name: 'more', typeOid: 25, typeMod: -1 }] };
    const router = routerOf([ownedBy('a'), { columns: ['id'] }, { ...ownedBy('a'), columns: ['id'] }], [itemsLayout, widened]);
    const handles = handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'b', null] }], 2);
    expect(handles).toEqual([handleOf(0), handleOf(1)]);
  });

  test('a column of a filter that is gone', () => {
    const narrowed = { ...itemsLayout, id: 2, columns: itemsLayout.columns.slice(0, 2) };
    const router = routerOf([{ ...ownedBy('a'), columns: ['id'] }], [itemsLayout, narrowed]);
    expect(handlesFor(router, [{ kind: 'insert', new: ['1', 't'] }], 2)).toEqual([handleOf(0)]);
  });

  test('another table of the same name', () => {
    const router = routerOf([ownedBy('a')], [{ ...itemsLayout, oid: 99 }]);
    expect(handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'b'] }])).toEqual([handleOf(0)]);
  });

  test('to shapes added after the relation changed, too', () => {
    const renamed = { ...itemsLayout, name: 'things' };
    const router = routerOf([], [renamed]);
    handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'b'] }]);
    router.add(handleOf(0), shapeOf(ownedBy('a')), whereOf(ownedBy('a')));
    expect(handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'b'] }])).toEqual([handleOf(0)]);
  });
});

test('a shape that was removed gets nothing, the others what they got', () => {
  const router = routerOf([ownedBy('a'), ownedBy('a'), {}, {}], [itemsLayout, { ...itemsLayout, id: 2, oid: 99 }]);
  routeWhole(router, everything());
  router.remove(handleOf(0));
  router.remove(handleOf(2));
  router.remove(handleOf(77));
  expect({
    handles: routeWhole(router, everything()).flatMap((layer) => [...layer.keys()]),
    concerned: [...router.shapesOn([itemsLayout.id])],
  }).toEqual({
    handles: [handleOf(1), handleOf(3)],
    concerned: [handleOf(1), handleOf(3)],
  });
});

test('a shape that was removed gets nothing of a table that takes the name of its own afterwards', () => {
  const router = routerOf([{}], [itemsLayout, { ...itemsLayout, id: 2, oid: 99 }]);
  router.remove(handleOf(0));
  expect(handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'a'] }], 2)).toEqual([]);
});

/** An insert, a truncate, and an insert under a layout that ends every shape. */
function everything(): LogBlock {
  const row = ['1', 't', 'a'];
  return blockOf([
    placedTransaction(AT, [
      { kind: 'insert', new: row, layoutId: 1, position: 0 },
      { kind: 'truncate', layoutId: 1, position: 2 },
      { kind: 'insert', new: row, layoutId: 2, position: 4 },
    ]),
  ]);
}

test('a table without shapes is none of its concern', () => {
  const router = routerOf([ownedBy('a')]);
  router.remove(handleOf(0));
  expect({ handles: handlesFor(router, [{ kind: 'truncate' }]), concerned: [...router.shapesOn([itemsLayout.id])] }).toEqual({
    handles: [],
    concerned: [],
  });
});

test('a large transaction may concern each shape on its tables, whatever its filter, and each that a layout of it ends', () => {
  const router = routerOf(
    [ownedBy('a'), ownedBy('b')],
    [itemsLayout, { ...itemsLayout, id: 2, oid: 99 }, { ...itemsLayout, id: 3, oid: 98, name: 'other' }],
  );

  expect([[1], [2], [3], [3, 1]].map((layouts) => [...router.shapesOn(layouts)])).toEqual([
    [handleOf(0), handleOf(1)],
    [handleOf(0), handleOf(1)],
    [],
    [handleOf(0), handleOf(1)],
  ]);
});

test('filters without a look-up are asked, each once per row', () => {
  const router = new ShapeRouter(() => itemsLayout);
  ['a', 'b', 'c'].forEach((owner, index) => router.add(handleOf(index), shapeOf(ownedBy(owner)), unlookable(ownedBy(owner))));
  const handles = handlesFor(router, [{ kind: 'insert', new: ['1', 't', 'b'] }]);
  expect({ handles, evaluations: router.evaluations }).toEqual({ handles: [handleOf(1)], evaluations: 3 });
});

describe('a partition', () => {
  const [root, middle, leaf] = ([['root', 1], ['middle', 2], ['leaf', 3]] as const).map(([name, oid]): RelationLayout => {
    return { ...itemsLayout, id: oid, oid, name };
  }) as [RelationLayout, RelationLayout, RelationLayout];
  const links = [{ child: 3, parent: 2, since: 7 }, { child: 2, parent: 1, since: 6 }];
  const linked: RelationLayout = { ...leaf, id: 4, links };
  const row: RowChange = { kind: 'insert', new: ['1', 't', 'a'] };

  function routerOn(layouts: readonly RelationLayout[], wish: ShapeWish = {}): ShapeRouter {
    const router = new ShapeRouter((id) => layouts.find((layout) => layout.id === id));
    [root, middle, leaf].forEach((layout, index) => router.add(handleOf(index), shapeOf(wish, layout), whereOf(wish)));
    return router;
  }

  test('its rows reach the shapes of each table above it, and those of a table without links its own alone', () => {
    const routed = [3, 4].map((layoutId) => handlesFor(routerOn([leaf, linked]), [row], layoutId));
    expect(routed).toEqual([[handleOf(2)], [handleOf(0), handleOf(1), handleOf(2)]]);
  });

  test('each of these is asked by its own filter, also where the columns come in another order', () => {
    const turned = { ...linked, columns: linked.columns.toReversed() };
    const router = routerOn([turned], ownedBy('a'));
    router.add(handleOf(3), shapeOf(ownedBy('b'), root), whereOf(ownedBy('b')));
    const inserts = ['a', 'b'].map((owner): RowChange => ({ kind: 'insert', new: [owner, 't', '1'] }));
    expect(inserts.map((insert) => handlesFor(router, [insert], 4))).toEqual([[0, 1, 2].map(handleOf), [handleOf(3)]]);
  });

  const undecidable: readonly RowChange[] = [{ kind: 'truncate' }, { kind: 'gap', cause: 'replicaIdentity' }];
  test.each(undecidable)('a $kind of it concerns all of them', (change) => {
    expect(handlesFor(routerOn([linked], ownedBy('b')), [change], 4)).toEqual([0, 1, 2].map(handleOf));
  });

  test('whose columns do not fit ends the shapes above it, also those that are added later', () => {
    const narrow = { ...linked, columns: linked.columns.slice(0, 2) };
    const router = routerOn([narrow], { ...ownedBy('b'), columns: ['id'] });
    const before = handlesFor(router, [{ kind: 'insert', new: ['1', 't'] }], 4);
    router.add(handleOf(3), shapeOf({ ...ownedBy('b'), columns: ['id'] }, root), whereOf(ownedBy('b')));
    const after = handlesFor(router, [{ kind: 'insert', new: ['1', 't'] }], 4);
    const all = [0, 1, 2, 3].map(handleOf);
    expect([before, after, [...router.shapesOn([4])].sort()]).toEqual([all.slice(0, 3), all, all]);
  });

  test('is judged once for all shapes above it that differ in their filter alone', () => {
    const looks = [1, 1_000].map((count) => {
      let looked = 0;
      const seen = { ...linked, get columns() { looked += 1; return linked.columns; } };
      const router = new ShapeRouter(() => seen);
      for (let index = 0; index < count; index += 1) {
        router.add(handleOf(index), shapeOf(ownedBy(`${index}`), root), whereOf(ownedBy(`${index}`)));
      }
      handlesFor(router, [row], 4);
      return looked;
    });
    expect(looks[1]).toBe(looks[0]);
  });

  test('ends a step where the shapes above it stand on much that must be judged', () => {
    const leaves = [4, 5, 6].map((id): RelationLayout => ({ ...linked, id, oid: id }));
    const router = new ShapeRouter((id) => leaves.find((layout) => layout.id === id));
    for (let index = 0; index < 5_000; index += 1) {
      router.add(handleOf(index), shapeOf(ownedBy('b'), { ...root, name: `root ${index}` }), whereOf(ownedBy('b')));
    }
    router.begin(blockOf(leaves.map(({ id }) => transactionOf({ xid: id, lsn: `${id}` }, [row], id))));
    expect(stepsOf(router)).toEqual({ steps: 4, counts: {} });
  });

  test('a copy of the router knows of it too', () => {
    expect(handlesFor(routerOn([linked]).clone(), [row], 4)).toEqual([0, 1, 2].map(handleOf));
  });
});
