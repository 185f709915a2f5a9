/** The lines of a shape whose filter has subqueries, clause by clause. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Change } from '../../src/model/change.ts';
import type { ShapeDefinition } from '../../src/model/shape.ts';
import { tagHashOf } from '../../src/service/wiring/tag-hash.ts';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { EVENT_PATTERNS_MAX } from '../../src/shapes/move-event.ts';
import { snapshotColumns } from '../../src/shapes/row-plan.ts';
import type { TagPattern } from '../../src/shapes/row-tags.ts';
import type { Membership } from '../../src/sql/where.ts';
import { transactionOf, tupleOf, type Row, type RowChange } from '../support/actors/changes.ts';
import { handleOf, itemsLayout, shapeOf, type ShapeWish } from '../support/shapes.ts';
import { moveOf } from '../support/shapes/member-move.ts';
import { movedLine } from '../support/shapes/moved-lines.ts';
import { isEqual, isIn, membersOf, subqueryFilter } from '../support/shapes/subquery-filter.ts';

const OWNED_OR_NEWS = subqueryFilter(['owner', 'title'], [[isIn('owner', 0)], [isEqual('title', 'news')]]);
const ITEM = '"public"."items"';
const TABLE = { relation: ['public', 'items'] };
const [SELECTED, NOBODY] = [membersOf(['ann', 'ben']), membersOf([])];

type Wish = ShapeWish & Pick<ShapeDefinition, 'moveOuts'>;

function definitionOf({ moveOuts, ...wish }: Wish): ShapeDefinition {
  const definition = { ...shapeOf(wish), reads: itemsLayout.columns, dependencies: [{ shape: shapeOf({}), column: 'id' }] };
  return moveOuts === undefined ? definition : { ...definition, moveOuts };
}

function converterOf(wish: Wish = {}): ChangeConverter {
  return new ChangeConverter(definitionOf(wish), OWNED_OR_NEWS, () => itemsLayout, undefined, (namespaced) => `<${namespaced}>`);
}

function streamed(changes: readonly RowChange[], wish: Wish = {}, isMember: Membership = SELECTED): readonly unknown[] {
  const transaction = transactionOf({ xid: 7, lsn: '100' }, changes);
  const [fragment = new Uint8Array()] = transaction.fragments;
  const all: Change[] = [];
  for (let start = 0; start < fragment.length; start = all.at(-1)?.end ?? 0) all.push(new Change(fragment, start));
  const converted = converterOf(wish).convert(transaction, all, undefined, isMember);
  return converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => parsed(bytes)) : [converted];
}

function parsed(bytes: Uint8Array | undefined): unknown {
  return bytes && JSON.parse(Buffer.from(bytes).toString());
}

function keyOf(line: Uint8Array | undefined): unknown {
  return (parsed(line) as { readonly key: string }).key;
}

function operationOf(line: Uint8Array | undefined): string | undefined {
  return (parsed(line) as { readonly headers: { readonly operation: string } } | undefined)?.headers.operation;
}

function patternsOf(event: Uint8Array): readonly TagPattern[] {
  return (parsed(event) as { readonly headers: { readonly patterns: readonly TagPattern[] } }).headers.patterns;
}

function placed(position: number, more: object = {}): object {
  return { ...TABLE, txids: [7], lsn: '100', op_position: position, ...more };
}

const ANNS: Row = ['1', 'a', 'ann'];

describe('on the stream', () => {
  test('an insert has a tag for each disjunct and a condition for each position', () => {
    expect(streamed([{ kind: 'insert', new: ANNS }])).toEqual([
      {
        key: `${ITEM}/"1"`,
        value: { id: '1', title: 'a', owner: 'ann' },
        headers: { operation: 'insert', tags: ['<v:ann>/', '/1'], active_conditions: [true, false], ...placed(0, { last: true }) },
      },
    ]);
  });

  test('a delete has those of the row that goes', () => {
    expect(streamed([{ kind: 'delete', old: ['1', 'news', 'cid'] }])).toMatchObject([
      { value: { id: '1' }, headers: { operation: 'delete', tags: ['<v:cid>/', '/1'], active_conditions: [false, true] } },
    ]);
  });

  test('an update has the new ones, and the tags that are no longer there', () => {
    expect(streamed([{ kind: 'update', old: ANNS, new: ['1', 'a', 'ben'] }])).toMatchObject([
      {
        value: { id: '1', owner: 'ben' },
        headers: { operation: 'update', tags: ['<v:ben>/', '/1'], removed_tags: ['<v:ann>/'], active_conditions: [true, false] },
      },
    ]);
  });

  test('an update that took no tag away says so', () => {
    expect(streamed([{ kind: 'update', old: ANNS, new: ['1', 'news', 'ann'] }])).toMatchObject([
      { headers: { tags: ['<v:ann>/', '/1'], removed_tags: [], active_conditions: [true, true] } },
    ]);
  });

  test.each([
    ['tags', ['1', 'a', 'ben'], { tags: ['<v:ben>/', '/1'], removed_tags: ['<v:ann>/'], active_conditions: [true, false] }],
    ['conditions', ['1', 'news', 'ann'], { tags: ['<v:ann>/', '/1'], removed_tags: [], active_conditions: [true, true] }],
  ] as const)('an update that changed nothing but %s is told, with the key alone', (_, row, marks) => {
    const lines = streamed([{ kind: 'update', old: ANNS, new: row }], { columns: ['id'] });

    expect(lines).toEqual([
      { key: `${ITEM}/"1"`, value: { id: '1' }, headers: { operation: 'update', ...marks, ...placed(0, { last: true }) } },
    ]);
  });

  test('an update that changed neither columns nor marks is not told', () => {
    expect(streamed([{ kind: 'update', old: ANNS, new: ['1', 'b', 'ann'] }], { columns: ['id'] })).toEqual([]);
  });

  test('a change of the key is a delete with the old tags and an insert with the new ones', () => {
    expect(streamed([{ kind: 'update', old: ANNS, new: ['2', 'a', 'ben'] }])).toMatchObject([
      { headers: { operation: 'delete', key_change_to: `${ITEM}/"2"`, tags: ['<v:ann>/', '/1'], active_conditions: [true, false] } },
      { headers: { operation: 'insert', key_change_from: `${ITEM}/"1"`, tags: ['<v:ben>/', '/1'], active_conditions: [true, false] } },
    ]);
  });

  test.each([
    ['comes in', 'insert', ['1', 'a', 'cid'], ANNS, ['<v:ann>/', '/1']],
    ['goes out', 'delete', ANNS, ['1', 'a', null], ['<v:ann>/', '/1']],
  ] as const)('a row that %s by an update is an %s', (_, operation, old, row, tags) => {
    expect(streamed([{ kind: 'update', old, new: row }])).toMatchObject([
      { headers: { operation, tags, active_conditions: [true, false], op_position: 0 } },
    ]);
  });

  test('rows that no disjunct takes are not told: NULL is no member', () => {
    expect(streamed([{ kind: 'insert', new: ['1', null, null] }, { kind: 'delete', old: ['2', 'a', 'cid'] }])).toEqual([]);
  });

  test('it is a mistake not to say what the subqueries select', () => {
    const transaction = transactionOf({ xid: 7, lsn: '100' }, [{ kind: 'insert', new: ANNS }]);
    const [fragment = new Uint8Array()] = transaction.fragments;

    expect(() => converterOf().convert(transaction, [new Change(fragment, 0)])).toThrow('together with what they select');
  });
});

describe('from a query', () => {
  test('it needs all columns that the filter reads, also those that are not selected', () => {
    expect(snapshotColumns(definitionOf({ columns: ['id'] }))).toEqual(itemsLayout.columns);
  });

  test('a row of the snapshot has tags and conditions, and no transaction', () => {
    expect(parsed(converterOf().snapshotLine(tupleOf(ANNS), SELECTED))).toEqual({
      key: `${ITEM}/"1"`,
      value: { id: '1', title: 'a', owner: 'ann' },
      headers: { operation: 'insert', ...TABLE, tags: ['<v:ann>/', '/1'], active_conditions: [true, false] },
    });
  });

  test('a row that a move brings in says so', () => {
    expect(parsed(movedLine(converterOf({ columns: ['id'] }), tupleOf(ANNS), { before: NOBODY, after: SELECTED }, 'events'))).toEqual({
      key: `${ITEM}/"1"`,
      value: { id: '1' },
      headers: { operation: 'insert', ...TABLE, is_move_in: true, tags: ['<v:ann>/', '/1'], active_conditions: [true, false] },
    });
  });

  test.each([
    [ANNS, [], ['ann'], ['insert', 'insert']],
    [ANNS, ['ann'], [], [undefined, 'delete']],
    [ANNS, ['ann'], ['ann', 'ben'], [undefined, undefined]],
    [ANNS, [], ['ben'], [undefined, undefined]],
    [['1', 'news', 'ann'], ['ann'], [], [undefined, 'update']],
  ] as const)('of the row %j, from %j to %j, is told by events and by rows: %j', (row, before, after, told) => {
    const operations = (['events', 'rows'] as const).map((teller) => {
      return operationOf(movedLine(converterOf(), tupleOf(row), { before: membersOf(before), after: membersOf(after) }, teller));
    });

    expect(operations).toEqual(told);
  });

  test.each([
    ['default', { value: { id: '1' } }],
    ['full', { value: { id: '1', title: 'news', owner: 'ann' }, old_value: {} }],
  ] as const)('a row that stays for another reason is an update that tells its marks, with replica %s', (replica, values) => {
    const row = tupleOf(['1', 'news', 'ann']);

    expect(parsed(movedLine(converterOf({ replica }), row, { before: NOBODY, after: SELECTED }, 'rows'))).toEqual({
      key: `${ITEM}/"1"`,
      ...values,
      headers: { operation: 'update', ...TABLE, tags: ['<v:ann>/', '/1'], removed_tags: [], active_conditions: [true, true] },
    });
  });

  test('a row that goes has the marks that it had', () => {
    expect(parsed(movedLine(converterOf(), tupleOf(ANNS), { before: SELECTED, after: NOBODY }, 'rows'))).toEqual({
      key: `${ITEM}/"1"`,
      value: { id: '1' },
      headers: { operation: 'delete', ...TABLE, tags: ['<v:ann>/', '/1'], active_conditions: [true, false] },
    });
  });
});

test('a line at which its filter throws leaves nothing in the one behind it', () => {
  const converter = converterOf();
  const isMember = (): never => {
    throw new Error('no such version');
  };
  expect(() => converter.snapshotLine(tupleOf(ANNS), isMember)).toThrow('no such version');

  expect(parsed(converter.snapshotLine(tupleOf(ANNS), SELECTED))).toMatchObject({ key: `${ITEM}/"1"` });
});

test('rows of a shape with subqueries cannot be written without tags', () => {
  expect(() => new ChangeConverter(definitionOf({}), OWNED_OR_NEWS, () => itemsLayout)).toThrow(
    'rows of a shape with subqueries have tags',
  );
});

describe('a move', () => {
  test('is one event that names the rows by their tags', () => {
    expect(parsed(converterOf().moveEvent('move-out', [moveOf(['ben', 'ann'], [], [7, 9])], 0))).toEqual({
      headers: { event: 'move-out', patterns: [{ pos: 0, value: '<v:ben>' }, { pos: 0, value: '<v:ann>' }], txids: [7, 9] },
    });
  });

  test('of more values than one line may name is several events, which together name each once', () => {
    const values = Array.from({ length: 2 * EVENT_PATTERNS_MAX + 1 }, (_, index) => `v${index}`);
    const events = [0, 1, 2, 3].map((index) => converterOf().moveEvent('move-in', [moveOf([], values)], index));
    const told = events.flatMap((event) => (event === undefined ? [] : [patternsOf(event)]));

    expect({ counts: told.map(({ length }) => length), values: told.flat().map(({ value }) => value) }).toEqual({
      counts: [EVENT_PATTERNS_MAX, EVENT_PATTERNS_MAX, 1],
      values: values.map((value) => `<v:${value}>`),
    });
  });

  test('is not told when nothing moved', () => {
    expect(converterOf().moveEvent('move-in', [moveOf([], [])], 0)).toBeUndefined();
  });
});

describe('for clients that know no tags', () => {
  const wish = { moveOuts: 'deletes' } as const;

  test('lines have none', () => {
    const lines = streamed([{ kind: 'insert', new: ANNS }, { kind: 'update', old: ANNS, new: ['1', 'a', 'ben'] }], wish);

    expect(lines).toEqual([
      { key: `${ITEM}/"1"`, value: { id: '1', title: 'a', owner: 'ann' }, headers: { operation: 'insert', ...placed(0) } },
      { key: `${ITEM}/"1"`, value: { id: '1', owner: 'ben' }, headers: { operation: 'update', ...placed(2, { last: true }) } },
    ]);
  });

  test('an update that changed nothing but tags is not told', () => {
    expect(streamed([{ kind: 'update', old: ANNS, new: ['1', 'a', 'ben'] }], { ...wish, columns: ['id'] })).toEqual([]);
  });

  test('a row that a move brings in is an insert as any other, and one that it takes away is a delete; no event tells the move', () => {
    const converter = converterOf(wish);

    expect({
      snapshot: parsed(converter.snapshotLine(tupleOf(ANNS), SELECTED)),
      entered: parsed(movedLine(converter, tupleOf(ANNS), { before: NOBODY, after: SELECTED }, 'rows')),
      left: parsed(movedLine(converter, tupleOf(ANNS), { before: SELECTED, after: NOBODY }, 'rows')),
      event: parsed(converter.moveEvent('move-in', [moveOf([], ['ann'])], 0)),
    }).toEqual({
      snapshot: { key: `${ITEM}/"1"`, value: { id: '1', title: 'a', owner: 'ann' }, headers: { operation: 'insert', ...TABLE } },
      entered: { key: `${ITEM}/"1"`, value: { id: '1', title: 'a', owner: 'ann' }, headers: { operation: 'insert', ...TABLE } },
      left: { key: `${ITEM}/"1"`, value: { id: '1' }, headers: { operation: 'delete', ...TABLE } },
      event: undefined,
    });
  });
});

test('rows that are alike in a table without a primary key have one key on every path, and each is told, as by a plain shape', () => {
  const keyless = { ...definitionOf({ primaryKey: [] }), columns: ['id', 'title', 'owner'] };
  const { dependencies: _, ...plain } = keyless;
  const hash = (text: string): string => text;
  const dependent = new ChangeConverter(keyless, OWNED_OR_NEWS, () => itemsLayout, undefined, hash);
  const alone = new ChangeConverter(plain, undefined, () => itemsLayout);
  const twice = (line: () => Uint8Array | undefined): readonly unknown[] => [keyOf(line()), keyOf(line())];
  const logged = (converter: ChangeConverter): readonly unknown[] => {
    const transaction = transactionOf({ xid: 7, lsn: '100' }, [{ kind: 'insert', new: ANNS }, { kind: 'insert', new: ANNS }]);
    const [fragment = new Uint8Array()] = transaction.fragments;
    const first = new Change(fragment, 0);
    const converted = converter.convert(transaction, [first, new Change(fragment, first.end)], undefined, SELECTED);
    return converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => keyOf(bytes)) : [converted];
  };
  const told = [
    twice(() => alone.snapshotLine(tupleOf(ANNS))),
    logged(alone),
    twice(() => dependent.snapshotLine(tupleOf(ANNS), SELECTED)),
    twice(() => movedLine(dependent, tupleOf(ANNS), { before: NOBODY, after: SELECTED }, 'events')),
    logged(dependent),
  ];

  const key = `${ITEM}/"1"/"a"/"ann"`;
  expect(told).toEqual(told.map(() => [key, key]));
});

test('a tag is the MD5 of the service, the handle and the value', () => {
  const expected = createHash('md5').update(`single_stack${handleOf(1)}v:7`).digest('hex');

  expect([tagHashOf(handleOf(1))('v:7'), tagHashOf(handleOf(2))('v:7') === expected]).toEqual([expected, false]);
});
