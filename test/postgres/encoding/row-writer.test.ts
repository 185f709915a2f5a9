/** What is not a row of the columns that were asked for is refused; what is one is read as it is meant. */
import { expect, test } from 'vitest';
import { Change } from '../../../src/model/change.ts';
import { RowFormatError, RowWriter } from '../../../src/postgres/encoding/row-writer.ts';
import { texts } from '../../support/postgres/recording-sink.ts';

/** Strangers around it: a read beyond either end would be noticed. */
function written(how: 'copyLine' | 'dataRow', bytes: Buffer): unknown {
  const writer = new RowWriter([false, true, false]);
  const around = Buffer.concat([Buffer.from('\t1\n'), bytes, Buffer.from('2\t\n')]);
  writer[how](around, 3, 3 + bytes.length);
  const row = new Change(writer.out.take(), 0).new;
  return row && texts(row);
}

function dataRow(...values: readonly (string | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(values.length);
  const fields = values.map((value) => {
    const size = Buffer.alloc(4);
    size.writeInt32BE(value === null ? -1 : value.length);
    return Buffer.concat([size, Buffer.from(value ?? '')]);
  });
  return Buffer.concat([count, ...fields]);
}

test.each([
  ['a\tt\tb\n', ['a', 'true', 'b']],
  ['\tf\t\n', ['', 'false', '']],
  ['\\N\t\\N\t\\N\n', [null, null, null]],
])('a line of COPY, %j', (line, row) => {
  expect(written('copyLine', Buffer.from(line))).toEqual(row);
});

test.each([
  [['a', 't', 'b'], ['a', 'true', 'b']],
  [['', 'f', ''], ['', 'false', '']],
  [[null, null, null], [null, null, null]],
])('a row of a portal, %j', (values, row) => {
  expect(written('dataRow', dataRow(...values))).toEqual(row);
});

const row = dataRow('a', 't', 'b');
test.each([
  ['copyLine', 'a line without its end', Buffer.from('a\tt\tb')],
  ['copyLine', 'a line with too few columns', Buffer.from('a\tt\n')],
  ['copyLine', 'a line with too many columns', Buffer.from('a\tt\tb\tc\n')],
  ['copyLine', 'a line that ends inside an escape', Buffer.from('a\tt\tb\\\n')],
  ['dataRow', 'a row with too few columns', dataRow('a', 't')],
  ['dataRow', 'a row without even their number', Buffer.from('\0')],
  ['dataRow', 'a row with bytes left over', Buffer.concat([row, Buffer.from('x')])],
] as const)('%s refuses %s', (how, _, bytes) => {
  expect(() => written(how, bytes)).toThrow(RowFormatError);
});

test('a row that is cut anywhere is refused', () => {
  const outcomes = Array.from({ length: row.length }, (_, length) => {
    try {
      return written('dataRow', row.subarray(0, length));
    } catch (error) {
      return error instanceof RowFormatError;
    }
  });

  expect(new Set(outcomes)).toEqual(new Set([true]));
});
