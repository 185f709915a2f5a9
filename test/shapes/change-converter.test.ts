import { describe, expect, test } from 'vitest';
import { Change, GAP_CAUSES } from '../../src/model/change.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import { changesByTransaction } from '../../src/shapes/routed-changes.ts';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { snapshotColumns } from '../../src/shapes/row-plan.ts';
import { blockOf, placedTransaction, transactionOf, tupleOf, type RowChange } from '../support/actors/changes.ts';
import { itemsLayout, shapeOf, whereOf, type ShapeWish } from '../support/shapes.ts';

const AT = { xid: 7, lsn: '100' };
const decoder = new TextDecoder();

function linesFor(wish: ShapeWish, changes: readonly RowChange[], layout: RelationLayout = itemsLayout): unknown {
  const transaction = transactionOf(AT, changes);
  const [fragment = new Uint8Array()] = transaction.fragments;
  const all: Change[] = [];
  for (let start = 0; start < fragment.length; start = all.at(-1)?.end ?? 0) all.push(new Change(fragment, start));
  const lines = new ChangeConverter(shapeOf(wish, layout), whereOf(wish), () => layout);
  const converted = lines.convert(transaction, all);
  if (converted.outcome !== 'lines') return converted.outcome === 'end' ? converted.why : converted.error;
  return Array.from(converted.lines, ({ position, bytes }) => ({ position, ...JSON.parse(decoder.decode(bytes)) }));
}

const ITEM = '"public"."items"';
const headers = (operation: string, position: number, more: object = {}): object => ({
  operation, relation: ['public', 'items'], txids: [7], lsn: '100', op_position: position, ...more,
});

describe('replica default', () => {
  test('tells all of an insert, the key and the changed columns of an update, the key of a delete', () => {
    const lines = linesFor({}, [
      { kind: 'insert', new: ['1', 'a', null] },
      { kind: 'update', old: ['1', 'a', null], new: ['1', 'b', null] },
      { kind: 'delete', old: ['1', 'b', null] },
    ]);
    expect(lines).toEqual([
      { position: 0, key: `${ITEM}/"1"`, value: { id: '1', title: 'a', owner: null }, headers: headers('insert', 0) },
      { position: 2, key: `${ITEM}/"1"`, value: { id: '1', title: 'b' }, headers: headers('update', 2) },
      { position: 4, key: `${ITEM}/"1"`, value: { id: '1' }, headers: headers('delete', 4, { last: true }) },
    ]);
  });

  test('splits an update of the key into a delete and an insert', () => {
    const lines = linesFor({}, [{ kind: 'update', old: ['1', 'a', 'x'], new: ['2', 'a', 'x'] }]);
    expect(lines).toEqual([
      { position: 0, key: `${ITEM}/"1"`, value: { id: '1' }, headers: headers('delete', 0, { key_change_to: `${ITEM}/"2"` }) },
      {
        position: 1, key: `${ITEM}/"2"`, value: { id: '2', title: 'a', owner: 'x' },
        headers: headers('insert', 1, { key_change_from: `${ITEM}/"1"`, last: true }),
      },
    ]);
  });
});

describe('replica full', () => {
  test('tells whole rows, and of an update what the changed columns were', () => {
    const lines = linesFor({ replica: 'full' }, [
      { kind: 'update', old: ['1', 'a', 'x'], new: ['1', 'b', 'x'] },
      { kind: 'delete', old: ['1', 'b', 'x'] },
    ]);
    expect(lines).toEqual([
      {
        position: 0, key: `${ITEM}/"1"`, value: { id: '1', title: 'b', owner: 'x' }, old_value: { title: 'a' },
        headers: headers('update', 0),
      },
      { position: 2, key: `${ITEM}/"1"`, value: { id: '1', title: 'b', owner: 'x' }, headers: headers('delete', 2, { last: true }) },
    ]);
  });
});

test('what a crash left of a transaction is in no line of the next one', () => {
  const converter = new ChangeConverter(shapeOf({}), undefined, () => itemsLayout);
  const transaction = transactionOf(AT, [{ kind: 'insert', new: ['1', 'a', null] }]);
  const [fragment = new Uint8Array()] = transaction.fragments;
  const change = new Change(fragment, 0);
  const whole = converter.convert(transaction, [change]);
  const broken = function* (): Generator<Change> {
    yield change;
    throw new Error('a crash in the middle');
  };
  const crash = crashOf(() => converter.convert(transaction, broken()));

  expect({ crash, next: converter.convert(transaction, [change]) }).toEqual({ crash: 'a crash in the middle', next: whole });
});

test('drops an update that changed no selected column, and marks the line before it as the last', () => {
  const lines = linesFor({ columns: ['id', 'title'] }, [
    { kind: 'insert', new: ['1', 'a', 'x'] },
    { kind: 'update', old: ['1', 'a', 'x'], new: ['1', 'a', 'y'] },
  ]);
  expect(lines).toEqual([
    { position: 0, key: `${ITEM}/"1"`, value: { id: '1', title: 'a' }, headers: headers('insert', 0, { last: true }) },
  ]);
});

test('an update across the border of the filter is an insert or a delete', () => {
  const lines = linesFor({ where: { column: 'owner', equals: 'me' } }, [
    { kind: 'update', old: ['1', 'a', 'you'], new: ['1', 'a', 'me'] },
    { kind: 'update', old: ['1', 'a', 'me'], new: ['1', 'a', null] },
    { kind: 'update', old: ['3', 'a', 'you'], new: ['3', 'b', 'you'] },
  ]);
  expect(lines).toEqual([
    { position: 0, key: `${ITEM}/"1"`, value: { id: '1', title: 'a', owner: 'me' }, headers: headers('insert', 0) },
    { position: 2, key: `${ITEM}/"1"`, value: { id: '1' }, headers: headers('delete', 2, { last: true }) },
  ]);
});

test('an update that changes the key and leaves the filter is a delete of the old key alone', () => {
  const lines = linesFor({ where: { column: 'owner', equals: 'me' } }, [
    { kind: 'update', old: ['1', 'a', 'me'], new: ['2', 'a', 'you'] },
  ]);
  expect(lines).toEqual([
    { position: 0, key: `${ITEM}/"1"`, value: { id: '1' }, headers: headers('delete', 0, { last: true }) },
  ]);
});

describe('a table without a primary key', () => {
  test('names a row by all its columns and tells every update as a pair', () => {
    const lines = linesFor({ primaryKey: [], columns: ['title'] }, [
      { kind: 'update', old: ['1', 'a', null], new: ['1', 'a', ''] },
    ]);
    expect(lines).toEqual([
      {
        position: 0, key: `${ITEM}/"1"/"a"/_`, value: { title: 'a' },
        headers: headers('delete', 0, { key_change_to: `${ITEM}/"1"/"a"/""` }),
      },
      {
        position: 1, key: `${ITEM}/"1"/"a"/""`, value: { title: 'a' },
        headers: headers('insert', 1, { key_change_from: `${ITEM}/"1"/"a"/_`, last: true }),
      },
    ]);
  });

  test('drops an update that changed nothing', () => {
    const row = ['1', 'a', null];
    expect(linesFor({ primaryKey: [] }, [{ kind: 'update', old: row, new: row }])).toEqual([]);
  });
});

test('doubles slashes in keys, escapes what JSON must, and keeps the order of the key', () => {
  const lines = linesFor({ primaryKey: ['title', 'id'] }, [{ kind: 'insert', new: ['1', 'a/b"c\\/é\n', null] }]);
  expect(lines).toMatchObject([{ key: `${ITEM}/"a//b"c\\//é\n"/"1"`, value: { title: 'a/b"c\\/é\n' } }]);
});

test.each(GAP_CAUSES)('a gap (%s) ends the shape, whatever lines came before it', (cause) => {
  expect(linesFor({}, [{ kind: 'insert', new: ['1', 'a', null] }, { kind: 'gap', cause }])).toBe(cause);
});

test('a truncate ends the shape', () => {
  expect(linesFor({}, [{ kind: 'insert', new: ['1', 'a', null] }, { kind: 'truncate' }])).toBe('truncate');
});

const retyped = { ...itemsLayout, columns: itemsLayout.columns.map((column) => ({ ...column, typeMod: 12 })) };
const widened = { ...itemsLayout, columns: [...itemsLayout.columns, { name: 'more', typeOid: 25, typeMod: -1 }] };

test.each([
  ['a shape that selects all, by a new column', {}, widened, 'schemaChanged'],
  ['no shape that names its columns, by a new column', { columns: ['id', 'title'] }, widened, 'lines'],
  ['a shape, by a type that changed', { columns: ['id'] }, retyped, 'schemaChanged'],
  ['a shape, by a table renamed', {}, { ...itemsLayout, name: 'things' }, 'schemaChanged'],
  ['a shape, by a table made anew', {}, { ...itemsLayout, oid: 99 }, 'schemaChanged'],
])('a relation change ends %s', (_, wish: ShapeWish, layout: RelationLayout, outcome) => {
  const row = layout.columns.map(() => '1');
  const transaction = transactionOf(AT, [{ kind: 'insert', new: row }]);
  const lines = new ChangeConverter(shapeOf(wish, itemsLayout), undefined, () => layout);
  const converted = lines.convert(transaction, [new Change(transaction.fragments[0] ?? new Uint8Array(), 0)]);
  expect(converted.outcome === 'end' ? converted.why : converted.outcome).toBe(outcome);
});

test('a survivor finds its columns where the new layout has them', () => {
  const moved = { ...itemsLayout, id: 2, columns: [...itemsLayout.columns].reverse() };
  const transaction = placedTransaction(AT, [
    { kind: 'insert', new: ['1', 'a', null], layoutId: 1, position: 0 },
    { kind: 'insert', new: [null, 'b', '2'], layoutId: 2, position: 2 },
  ]);
  const [fragment = new Uint8Array()] = transaction.fragments;
  const first = new Change(fragment, 0);
  const lines = new ChangeConverter(shapeOf({ columns: ['id', 'title'] }), undefined, (id) => (id === 1 ? itemsLayout : moved));
  const converted = lines.convert(transaction, [first, new Change(fragment, first.end)]);
  expect(texts(converted)).toMatchObject([{ value: { id: '1', title: 'a' } }, { value: { id: '2', title: 'b' } }]);
});

function texts(converted: ReturnType<ChangeConverter['convert']>): unknown {
  return converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => JSON.parse(decoder.decode(bytes))) : converted;
}

describe('the snapshot', () => {
  test('tells a row as an insert without a place in the log', () => {
    const line = new ChangeConverter(shapeOf({}), undefined, () => itemsLayout).snapshotLine(tupleOf(['1', 'a', null]));
    expect(JSON.parse(decoder.decode(line))).toEqual({
      key: `${ITEM}/"1"`, value: { id: '1', title: 'a', owner: null },
      headers: { operation: 'insert', relation: ['public', 'items'] },
    });
  });

  test('needs the selected columns, and all of a table without a primary key', () => {
    const named = (wish: ShapeWish): readonly string[] => snapshotColumns(shapeOf(wish)).map(({ name }) => name);
    expect([
      named({ columns: ['id', 'title'], where: { column: 'owner', equals: 'me' } }),
      named({ columns: ['title'], primaryKey: [] }),
    ]).toEqual([['id', 'title'], ['id', 'title', 'owner']]);
  });

  test('gives a boolean key the text of the stream', () => {
    const layout = { ...itemsLayout, columns: [{ name: 'id', typeOid: 16, typeMod: -1 }] };
    const lines = new ChangeConverter(shapeOf({}, layout), undefined, () => layout);
    const { fragments, ...at } = transactionOf(AT, [{ kind: 'insert', new: ['t'] }]);
    const replicated = texts(lines.convert({ ...at, fragments }, [new Change(fragments[0] ?? new Uint8Array(), 0)]));
    const snapshot = JSON.parse(decoder.decode(lines.snapshotLine(tupleOf(['true']))));
    const key = `${ITEM}/"t"`;
    expect([snapshot, replicated]).toMatchObject([{ key }, [{ key }]]);
  });
});

test('a block is cut into its transactions', () => {
  const block = blockOf([
    transactionOf({ xid: 1, lsn: '10' }, [{ kind: 'insert', new: ['1', 'a', null] }, { kind: 'truncate' }]),
    transactionOf({ xid: 2, lsn: '20' }, [{ kind: 'truncate' }]),
  ]);
  const parts = [...changesByTransaction(block, { changes: Uint32Array.from([0, 0, 0, 1, 0, 0]) })];
  expect(parts.map(({ transaction, changes }) => [transaction.xid, changes.map(({ kind }) => kind)])).toEqual([[1, [1]], [2, [4]]]);
});

function crashOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

test('a row of a partition is told under the name of the table that the shape is of, whatever the order of its columns', () => {
  const links = [{ child: 9, parent: itemsLayout.oid, since: 1 }];
  const leaf: RelationLayout = { ...itemsLayout, oid: 9, name: 'items_1', columns: itemsLayout.columns.toReversed(), links };
  const [fragment = new Uint8Array()] = transactionOf(AT, [{ kind: 'insert', new: ['x', 'a', '1'] }]).fragments;
  const told = [leaf, { ...leaf, links: [] }].map((layout) => {
    const converted = new ChangeConverter(shapeOf({}), undefined, () => layout).convert(transactionOf(AT, []), [new Change(fragment, 0)]);
    return converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => JSON.parse(decoder.decode(bytes))) : converted;
  });

  expect(told).toEqual([
    [{ key: `${ITEM}/"1"`, value: { id: '1', title: 'a', owner: 'x' }, headers: headers('insert', 0, { last: true }) }],
    { outcome: 'end', why: 'schemaChanged' },
  ]);
});
