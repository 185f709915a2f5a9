import { expect, test } from 'vitest';
import { MemberIndex, memberKey } from '../../src/shapes/member-index.ts';
import { handleOf } from '../support/shapes.ts';

const [A, B, C] = [1, 2, 3].map((index) => memberKey(handleOf(index), 'value')) as [string, string, string];

function held(index: MemberIndex, values: readonly string[]) {
  return values.map((value) => [value, [...index.holdersOf(value)].sort()]);
}

function thrownBy(act: () => void): string {
  try {
    act();
  } catch (error) {
    return String(error);
  }
  return 'nothing';
}

test('a value is held by the columns that list it, one or several, until each takes it out or ends', () => {
  const index = new MemberIndex();
  const [a, b, c] = [A, B, C].map((key) => index.listing(key));
  a?.begin(['1', '2']);
  b?.begin(['2']);
  c?.begin(['2', '3']);
  b?.add('1');
  const before = held(index, ['1', '2', '3', '4']);
  a?.remove('1');
  c?.end(['2', '3']);

  expect({ before, behind: held(index, ['1', '2', '3']) }).toEqual({
    before: [['1', [A, B]], ['2', [A, B, C]], ['3', [C]], ['4', []]],
    behind: [['1', [B]], ['2', [A, B]], ['3', []]],
  });
});

test('a column of many values is asked, and what it listed is listed no more, until it ends', () => {
  const index = new MemberIndex();
  const [a, b] = [A, B].map((key) => index.listing(key));
  a?.begin(['1', '2']);
  b?.begin(['2']);
  a?.beAsked((value) => value !== '2', ['1', '2']);
  const asked = { held: held(index, ['1', '2', '3']), mayHold: ['1', '2', '3'].map((value) => index.mayHold(A, value)) };
  a?.end([]);

  expect({ asked, behind: [held(index, ['1', '2']), index.mayHold(A, '2')] }).toEqual({
    asked: { held: [['1', []], ['2', [B]], ['3', []]], mayHold: [true, false, true] },
    behind: [[['1', []], ['2', [B]]], true],
  });
});

test('what a column does not hold it cannot take from another', () => {
  const index = new MemberIndex();
  const [a, b] = [A, B].map((key) => index.listing(key));
  a?.begin(['1']);
  b?.begin([]);
  b?.remove('1');

  expect(held(index, ['1'])).toEqual([['1', [A]]]);
});

test('a column that is not listed, not yet or not any more, may hold every value', () => {
  const index = new MemberIndex();
  const listing = index.listing(A);
  const seen = [[index.mayHold(A, '1'), index.ends]];
  listing.begin(['2']);
  seen.push([index.mayHold(A, '1'), index.ends]);
  listing.end(['2']);
  seen.push([index.mayHold(A, '1'), index.ends]);

  expect(seen).toEqual([[true, 0], [false, 0], [true, 1]]);
});

test('which columns have ended is known of the last thousand, and of more that nobody knows', () => {
  const index = new MemberIndex();
  for (let ends = 0; ends < 2_500; ends += 1) index.listing(`${ends}`).end([]);

  expect([2_500, 2_498, 1_500, 400].map((ends) => index.endedSince(ends))).toEqual([
    [], ['2498', '2499'], Array.from({ length: 1_000 }, (_, back) => `${1_500 + back}`), undefined,
  ]);
});

test('a column that is listed twice, or asked by two tables, is our bug', () => {
  const index = new MemberIndex();
  const [first, second] = [index.listing(A), index.listing(A)];
  first.begin([]);
  first.beAsked(() => true, []);

  expect([() => second.begin([]), () => second.beAsked(() => true, [])].map(thrownBy)).toEqual([
    expect.stringContaining('is listed once'), expect.stringContaining('is asked by one table'),
  ]);
});
