/** Which rows of a filter with a subquery are taken where one of its terms has an error: those of the filter, whoever evaluates it. */
import { expect, test } from 'vitest';
import { invariant, InvariantError } from '../../src/base/invariant.ts';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { Change } from '../../src/model/change.ts';
import { isSameMarks } from '../../src/shapes/row-marks.ts';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import { transactionOf, type Row } from '../support/actors/changes.ts';
import { itemsLayout, shapeOf } from '../support/shapes.ts';
import { membersOf } from '../support/shapes/subquery-filter.ts';

const columns = ['id', 'title', 'owner'].map((name) => ({ name, typeName: name === 'id' ? 'int4' : 'text', dimensions: 0 }));

/** Of an insert: how many lines it becomes, or the error. */
async function told(filter: string, row: Row): Promise<unknown> {
  const where = (await loadWhereLanguage()).parse(filter, {}, columns, () => columns);
  invariant(!('error' in where), 'the filter is accepted');
  const lines = new ChangeConverter(shapeOf({}), where, () => itemsLayout, undefined, (value) => value);
  const transaction = transactionOf({ xid: 7, lsn: '100' }, [{ kind: 'insert', new: row }]);
  const [fragment = new Uint8Array()] = transaction.fragments;
  const converted = lines.convert(transaction, [new Change(fragment, 0)], undefined, membersOf(['ann']));
  return converted.outcome === 'lines' ? converted.lines.length : converted;
}

const DIVIDING = 'owner IN (SELECT owner FROM owners) AND 100 / id > 10';
const FAILED = { outcome: 'filterFailed', error: expect.any(EvaluationError) as unknown };

test.each<[string, string, Row, unknown]>([
  ['is left out, where the filter stops before it', DIVIDING, ['0', 't', 'bob'], 0],
  ['is an error, where the filter comes to it', DIVIDING, ['0', 't', 'ann'], FAILED],
  ['is an error, where another term takes the row', 'owner IN (SELECT owner FROM owners) OR 100 / id > 10', ['0', 't', 'ann'], FAILED],
  ['is taken, where there is none in it', DIVIDING, ['2', 't', 'ann'], 1],
])('a row in which a term has an error %s', async (_, filter, row, expected) => {
  expect(await told(filter, row)).toEqual(expected);
});

test('all terms together may cost a row as much as one may', async () => {
  const terms = Array.from({ length: 10 }, (_, index) => `reverse(title) = '${index}'`);
  const row: Row = ['1', 't'.repeat(4_000_000), 'ann'];
  const outcomes = [3, 10].map((count) => told(`owner IN (SELECT owner FROM owners) OR ${terms.slice(0, count).join(' OR ')}`, row));

  expect(await Promise.all(outcomes)).toEqual([1, FAILED]);
});

test('marks are the same where both the tags and the conditions are', () => {
  const marks = { tags: ['a'], active: [true, false] };
  const others = [{ ...marks }, { ...marks, tags: ['b'] }, { ...marks, active: [true, true] }, { ...marks, active: [true] }];
  expect(others.map((other) => isSameMarks(marks, other))).toEqual([true, false, false, false]);
});

test('a value that cannot be read is an error of ours, where the filter stops before it too', async () => {
  await expect(told(DIVIDING, ['x', 't', 'bob'])).rejects.toThrow(InvariantError);
});
