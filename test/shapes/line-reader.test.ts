/** The reader of lines against their writer: what comes out is what went in, and everything else is refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Change } from '../../src/model/change.ts';
import { UnreadableEntryError } from '../../src/model/log-entry.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import type { RowValues } from '../../src/model/row-values.ts';
import type { LoggedTransaction } from '../../src/model/transaction.ts';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { followedWord } from '../../src/model/followed-columns.ts';
import { LineReader } from '../../src/shapes/line-reader.ts';
import { transactionOf, tupleOf, type Row, type RowChange } from '../support/actors/changes.ts';
import { shapeOf } from '../support/shapes.ts';
import { moveOf } from '../support/shapes/member-move.ts';
import { movedLine } from '../support/shapes/moved-lines.ts';
import { isEqual, isIn, membersOf, subqueryFilter } from '../support/shapes/subquery-filter.ts';

const layout: RelationLayout = {
  id: 1,
  oid: 4711,
  schema: 'pub"lic',
  name: 'ta/"ble}}',
  columns: [
    { name: 'id', typeOid: 23, typeMod: -1 },
    { name: 'te"xt', typeOid: 25, typeMod: -1 },
    { name: 'te', typeOid: 25, typeMod: -1 },
    { name: '","value":', typeOid: 16, typeMod: -1 },
  ],
};
const names = layout.columns.map(({ name }) => name);
const TRANSACTION = { xid: 4_294_967_295, lsn: '18446744073709551615' };

interface Shape {
  readonly replica: 'default' | 'full';
  readonly columns: readonly string[];
  readonly primaryKey: readonly string[];
}

function converterOf(shape: Shape): ChangeConverter {
  return new ChangeConverter(shapeOf(shape, layout), undefined, () => layout);
}

function linesOf(shape: Shape, changes: readonly RowChange[]): readonly Uint8Array[] {
  const transaction = transactionOf(TRANSACTION, changes);
  const converted = converterOf(shape).convert(transaction, changesOf(transaction));
  return converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => bytes) : [];
}

function changesOf({ fragments }: LoggedTransaction): readonly Change[] {
  const found: Change[] = [];
  for (const fragment of fragments)
    for (let at = 0; at < fragment.length; at = found.at(-1)?.end ?? 0) found.push(new Change(fragment, at));
  return found;
}

/** By a parser that knows nothing of how lines are written. */
function parsed(line: Uint8Array, column: string): RowValues {
  const { key, value, headers } = JSON.parse(Buffer.from(line).toString());
  return { operation: headers.operation, key, value: value[column], xids: headers.txids ?? [], isLast: headers.last === true };
}

const oddTexts = ['', '"', '\\', '\\"}', '{}', ',', 'null', '\u0000\n', 'é\u{1F600}', 'x'.repeat(100)];
const text = fc.oneof(fc.constantFrom(...oddTexts), fc.string({ unit: 'binary' }));
const value = fc.option(text);
const row: fc.Arbitrary<Row> = fc.tuple<(string | null)[]>(
  fc.constantFrom('1', '2', '3/"'),
  value,
  value,
  fc.option(fc.constantFrom('t', 'f')),
);
const change: fc.Arbitrary<RowChange> = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), new: row }),
  fc.record({ kind: fc.constant('update' as const), old: row, new: row }),
  fc.record({ kind: fc.constant('delete' as const), old: row }),
);
const shapes: fc.Arbitrary<Shape> = fc.record({
  replica: fc.constantFrom('default', 'full'),
  columns: fc.constantFrom(names, ['id'], ['id', '","value":']),
  primaryKey: fc.constantFrom(['id'], [], ['te', 'id']),
});

test('what was written of any changes is read', () => {
  const property = fc.property(shapes, fc.array(change, { maxLength: 6 }), fc.constantFrom(...names, 'none'), (shape, changes, column) => {
    const lines = linesOf(shape, changes);
    const reader = new LineReader(column);

    expect(lines.map((line) => reader.read(line))).toEqual(lines.map((line) => parsed(line, column)));
  });
  fc.assert(property, { numRuns: 1000 });
});

test('what was written of any row of a snapshot is read', () => {
  const all: Shape = { replica: 'default', columns: names, primaryKey: ['id'] };
  const property = fc.property(row, fc.constantFrom(...names), (values, column) => {
    const line = converterOf(all).snapshotLine(tupleOf(values));

    expect(new LineReader(column).read(line)).toEqual({
      operation: 'insert',
      key: parsed(line, column).key,
      value: values[names.indexOf(column)],
      xids: [],
      isLast: false,
    });
  });
  fc.assert(property);
});

test('of several columns each is read, and one that is followed twice is read twice', () => {
  const several = fc.array(fc.constantFrom(...names, 'none'), { minLength: 2, maxLength: 4 });
  const property = fc.property(shapes, fc.array(change, { maxLength: 6 }), several, (shape, changes, followed) => {
    const lines = linesOf(shape, changes);
    const reader = new LineReader(followedWord(followed.map((name) => ({ name, casts: [] }))));

    expect(lines.map((line) => reader.read(line).value)).toEqual(
      lines.map((line) => followed.map((column) => parsed(line, column).value)),
    );
  });
  fc.assert(property);
});

const WHOLE: Shape = { replica: 'full', columns: names, primaryKey: ['id'] };
const ROW: Row = ['1', 'a', null, 't'];

test('of an update of a key the old row and the new one are read, and which of them was the last', () => {
  const lines = linesOf(WHOLE, [{ kind: 'update', old: ROW, new: ['2', 'b', null, 't'] }]);
  const reader = new LineReader('te"xt');

  expect(lines.map((line) => reader.read(line))).toMatchObject([
    { operation: 'delete', value: 'a', xids: [TRANSACTION.xid], isLast: false },
    { operation: 'insert', value: 'b', xids: [TRANSACTION.xid], isLast: true },
  ]);
});

test('of a shape with subqueries rows are read as of any other, whatever path they came', () => {
  const filter = subqueryFilter(['id', 'te"xt'], [[isIn('id', 0)], [isEqual('te"xt', 'b')]]);
  const definition = { ...shapeOf(WHOLE, layout), dependencies: [{ shape: shapeOf({}), column: 'id' }] };
  const converter = new ChangeConverter(definition, filter, () => layout, undefined, (namespaced) => namespaced);
  const isMember = membersOf(['1', '2']);
  const changes: readonly RowChange[] = [
    { kind: 'update', old: ROW, new: ['1', 'b', null, 't'] },
    { kind: 'update', old: ROW, new: ['2', 'b', null, 't'] },
    { kind: 'delete', old: ROW },
  ];
  const transaction = transactionOf(TRANSACTION, changes);
  const converted = converter.convert(transaction, changesOf(transaction), undefined, isMember);
  const streamed = converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => bytes.slice()) : [];
  const entered = movedLine(converter, tupleOf(ROW), { before: membersOf([]), after: isMember }, 'events') ?? new Uint8Array();
  const lines = [...streamed, converter.snapshotLine(tupleOf(ROW), isMember), entered];
  const reader = new LineReader('te"xt');

  expect(lines.map((line) => reader.read(line))).toEqual(lines.map((line) => parsed(line, 'te"xt')));
});

test('of rows that moved together the last one says so, and by which transactions', () => {
  const definition = { ...shapeOf(WHOLE, layout), dependencies: [{ shape: shapeOf({}), column: 'id' }], moveOuts: 'deletes' as const };
  const converter = new ChangeConverter(definition, subqueryFilter(['id'], [[isIn('id', 0)]]), () => layout);
  const [none, one] = [membersOf([]), membersOf(['1'])];
  const lines = [{ before: one, after: none }, { before: none, after: one }]
    .map((views) => movedLine(converter, tupleOf(ROW), views, 'rows'))
    .filter((line) => line !== undefined);
  const ended = lines.map((line) => converter.lastMovedLine(line, [moveOf([], ['1'], [12]), moveOf([], [], [7])]));
  const reader = new LineReader('te"xt');

  expect([...lines, ...ended].map((line) => reader.read(line))).toMatchObject([
    { operation: 'delete', xids: [], isLast: false }, { operation: 'insert', value: ROW[1], xids: [], isLast: false },
    { operation: 'delete', xids: [7, 12], isLast: true }, { operation: 'insert', value: ROW[1], xids: [7, 12], isLast: true },
  ]);
});

test('a line that lacks its end, or has more behind it, is refused', () => {
  const [line = new Uint8Array()] = linesOf(WHOLE, [{ kind: 'update', old: ROW, new: ['1', 'b\\', null, 't'] }]);
  const reader = new LineReader('te');
  const cuts = Array.from({ length: line.length }, (_, size) => line.subarray(0, size));

  const outcomes = [...cuts, Buffer.concat([line, line])].map((bytes) => outcomeOf(() => reader.read(bytes)));

  expect(new Set(outcomes)).toEqual(new Set(['UnreadableEntryError']));
});

test.each([
  ['white space', '{"key": "k","value":{},"headers":{"operation":"insert","relation":["s","t"]}}'],
  ['another order', '{"value":{},"key":"k","headers":{"operation":"insert","relation":["s","t"]}}'],
  ['an operation that nobody knows', '{"key":"k","value":{},"headers":{"operation":"merge","relation":["s","t"]}}'],
  ['a value that is no string', '{"key":"k","value":{"a":1},"headers":{"operation":"insert","relation":["s","t"]}}'],
  ['a string that is none', '{"key":"\\x","value":{},"headers":{"operation":"insert","relation":["s","t"]}}'],
  ['no number', '{"key":"k","value":{},"headers":{"operation":"insert","relation":["s","t"],"txids":[],"lsn":"1","op_position":0}}'],
  ['the last row of no transaction', '{"key":"k","value":{},"headers":{"operation":"insert","relation":["s","t"],"last":true}}'],
  [
    'a list of conditions that goes on with none',
    '{"key":"k","value":{},"headers":{"operation":"insert","relation":["s","t"],"tags":["1"],"active_conditions":[true,]}}',
  ],
  ['a list of tags without conditions', '{"key":"k","value":{},"headers":{"operation":"insert","relation":["s","t"],"tags":["1"]}}'],
])('%s is refused', (_, line) => {
  expect(() => new LineReader('a').read(Buffer.from(line))).toThrow(UnreadableEntryError);
});

test.each([
  ['a control', '{"headers":{"control":"snapshot-end"}}'],
  ['a move of rows', '{"headers":{"event":"move-in","patterns":[],"txids":[]}}'],
])('%s is refused in words', (_, line) => {
  expect(() => new LineReader('a').read(Buffer.from(line))).toThrow('it is an event or a control, where a row was to be read');
});

test('a byte that is another one is refused, or it was in a text', () => {
  const [line = new Uint8Array()] = linesOf(WHOLE, [{ kind: 'insert', new: ROW }]);
  const reader = new LineReader('te');
  const property = fc.property(fc.nat(line.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
    const damaged = Uint8Array.from(line);
    damaged[at] = (damaged[at] ?? 0) ^ flip;

    expect(outcomeOf(() => reader.read(damaged))).toMatch(/^(read|UnreadableEntryError)$/);
  });
  fc.assert(property, { numRuns: 1000 });
});

function outcomeOf(reading: () => RowValues): string {
  try {
    reading();
    return 'read';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
