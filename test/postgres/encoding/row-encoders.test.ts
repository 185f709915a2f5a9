/** What is not a row of the columns that were asked for is refused by both encoders; what is one is read as it is meant. */
import { expect, test } from 'vitest';
import { Change } from '../../../src/model/change.ts';
import { LineEncoder } from '../../../src/postgres/encoding/line-encoder.ts';
import { RowFormatError } from '../../../src/postgres/encoding/row-encoder.ts';
import { RowWriter } from '../../../src/postgres/encoding/row-writer.ts';
import type { Row } from '../../support/actors/changes.ts';
import { texts } from '../../support/postgres/recording-sink.ts';
import { copyLineOf, dataRowOf } from '../../support/postgres/wire-rows.ts';
import { arrayTemplate } from '../../support/shapes/array-template.ts';

const IS_BOOLEAN = [false, true, false];

const ENCODERS = {
  asChange() {
    const encoder = new RowWriter(IS_BOOLEAN);
    const taken = (): unknown => {
      const row = new Change(encoder.take(), 0).new;
      return row && texts(row);
    };
    return { encoder, taken };
  },
  asLine() {
    const encoder = new LineEncoder(arrayTemplate(IS_BOOLEAN.length), IS_BOOLEAN);
    const taken = (): unknown => JSON.parse(Buffer.from(encoder.take().bytes).toString().slice(0, -1));
    return { encoder, taken };
  },
};
type How = 'copyLine' | 'dataRow';
const WAYS = (['asChange', 'asLine'] as const).flatMap((as) => (['copyLine', 'dataRow'] as const).map((how) => ({ as, how })));

/** Strangers around it: a read beyond either end would be noticed. */
function written(as: keyof typeof ENCODERS, how: How, bytes: Buffer): unknown {
  const { encoder, taken } = ENCODERS[as]();
  const around = Buffer.concat([Buffer.from('\t1\n'), bytes, Buffer.from('2\t\n')]);
  encoder[how](around, 3, 3 + bytes.length);
  return taken();
}

test.each(WAYS)('$as, rows of $how', ({ as, how }) => {
  const rows: readonly Row[] = [['a', 't', 'b'], ['', 'f', ''], [null, null, null]];

  const read = rows.map((row) => written(as, how, how === 'copyLine' ? copyLineOf(row) : dataRowOf(row)));

  expect(read).toEqual([['a', 'true', 'b'], ['', 'false', ''], [null, null, null]]);
});

const row = dataRowOf(['a', 't', 'b']);
const REFUSED = [
  ['copyLine', 'a line without its end', Buffer.from('a\tt\tb')],
  ['copyLine', 'a line with too few columns', Buffer.from('a\tt\n')],
  ['copyLine', 'a line with too many columns', Buffer.from('a\tt\tb\tc\n')],
  ['copyLine', 'a line that ends inside an escape', Buffer.from('a\tt\tb\\\n')],
  ['dataRow', 'a row with too few columns', dataRowOf(['a', 't'])],
  ['dataRow', 'a row without even their number', Buffer.from('\0')],
  ['dataRow', 'a row with bytes left over', Buffer.concat([row, Buffer.from('x')])],
] as const;

test.each(REFUSED)('%s refuses %s', (how, _, bytes) => {
  for (const as of ['asChange', 'asLine'] as const) expect(() => written(as, how, bytes)).toThrow(RowFormatError);
});

test.each(['asChange', 'asLine'] as const)('a row that is cut anywhere is refused, %s', (as) => {
  const outcomes = Array.from({ length: row.length }, (_, length) => {
    try {
      return written(as, 'dataRow', row.subarray(0, length));
    } catch (error) {
      return error instanceof RowFormatError;
    }
  });

  expect(new Set(outcomes)).toEqual(new Set([true]));
});

test('what was taken stays as it is while further rows come, until the next is taken', () => {
  const { encoder } = ENCODERS.asLine();
  const add = (id: string): void => {
    const line = copyLineOf([id, 't', 'x'.repeat(3_000)]);
    encoder.copyLine(line, 0, line.length);
  };
  const idsIn = ({ bytes, ends }: ReturnType<typeof encoder.take>): unknown[] =>
    [...ends].map((end, index) => JSON.parse(Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end - 1)).toString())[0]);

  add('1');
  add('2');
  const taken = encoder.take();
  add('3');
  add('4');

  expect([idsIn(taken), encoder.size > 6_000, idsIn(encoder.take()), encoder.size]).toEqual([['1', '2'], true, ['3', '4'], 0]);
});
