/** Two updates of one row as one line, by lines as the writer of lines makes them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Change } from '../../src/model/change.ts';
import { UnreadableEntryError } from '../../src/model/log-entry.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { LineReader } from '../../src/shapes/line-reader.ts';
import { RowLineFolder } from '../../src/shapes/row-line-folder.ts';
import { transactionOf, type Row } from '../support/actors/changes.ts';
import { shapeOf } from '../support/shapes.ts';

const layout: RelationLayout = {
  id: 1,
  oid: 4711,
  schema: 'pub"lic',
  name: 'ta/"ble}}',
  columns: ['id', 'te"xt', 'te', '","value":'].map((name) => ({ name, typeOid: 25, typeMod: -1 })),
};
const folder = new RowLineFolder();

/** What takes a row through `rows`, a transaction for each step. */
function updatesOf(replica: 'default' | 'full', rows: readonly Row[]): Uint8Array[] {
  const converter = new ChangeConverter(shapeOf({ replica }, layout), undefined, () => layout);
  return rows.slice(1).flatMap((row, index) => {
    const before = rows[index] as Row;
    const transaction = transactionOf({ xid: 700 + index, lsn: String(10 + index) }, [{ kind: 'update', old: before, new: row }]);
    const converted = converter.convert(transaction, transaction.fragments.map((fragment) => new Change(fragment, 0)));
    return converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => new Uint8Array(bytes)) : [];
  });
}

const cell = fc.constantFrom(null, '', '1', '"},"headers":', '\\', 'ä€😀');

test.each(['default', 'full'] as const)('with replica=%s, what is joined says what all said, and is the last of them', (replica) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 3, maxLength: 6 }), (cells) => {
      const rows = cells.map((values): Row => ['k/"', ...values]);
      const lines = updatesOf(replica, rows);
      const [first] = lines;
      if (first === undefined) return;
      const folded = lines.slice(1).reduce((earlier, later) => folder.fold(earlier, later), first);
      const told = lines.map((line) => JSON.parse(Buffer.from(line).toString()));
      const found = JSON.parse(Buffer.from(folded).toString());

      expect(found).toEqual({
        ...told.at(-1),
        value: Object.assign({}, ...told.map(({ value }) => value)),
        ...(replica === 'full' ? { old_value: Object.assign({}, ...told.map(({ old_value: old }) => old).reverse()) } : {}),
      });
      expect(new LineReader('te').read(folded)).toMatchObject({ operation: 'update', isLast: true });
      expect(folder.read(folded)).toEqual(folder.read(first));
    }),
  );
});

test('a line tells its row, what became of it and by which conditions, and an event or a control none', () => {
  const marks = ',"tags":["a/b"],"removed_tags":[],"active_conditions":[true,false]';
  const lines = [
    '{"key":"a\\"","value":{"id":"1"},"headers":{"operation":"insert","relation":["s","t"],"key_change_from":"b","txids":[7]}}',
    '{"key":"b","value":{"id":"1"},"headers":{"operation":"delete","relation":["s","t"],"key_change_to":"a\\"","txids":[7]}}',
    `{"key":"b","value":{},"headers":{"operation":"update","relation":["s","t"]${marks},"txids":[7]}}`,
    '{"headers":{"event":"move-out","patterns":[]}}',
    '{"headers":{"control":"snapshot-end"}}',
  ];
  expect(lines.map((line) => folder.read(Buffer.from(line)))).toEqual([
    { key: '"a\\""', operation: 'insert', marks: '' },
    { key: '"b"', operation: 'delete', marks: '' },
    { key: '"b"', operation: 'update', marks },
    undefined,
    undefined,
  ]);
});

test.each(['"a"', '{"key":"a"}', '{"key":"a","value":{"id":1},"headers":{}}', '{"key":"a","value":{},"headers":{"operation":"merge"'])(
  'what is no line of ours is refused: %s',
  (line) => {
    expect(() => folder.read(Buffer.from(line))).toThrow(UnreadableEntryError);
  },
);
