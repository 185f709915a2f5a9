/** What is taken out of a text for a constant, and which texts are left to the parser: each for a rule of Postgres's scanner. */
import { describe, expect, test } from 'vitest';
import { partsOf } from '../../src/sql/syntax/text-constants.ts';

test.each([
  ["a = 17 AND b='x y'", ['17', 'x y']],
  ['a=1+2', ['1', '2']],
  ["a IN (3000000000,'b')", ['3000000000', 'b']],
  ['a_1 = 5', ['5']],
  ['"1" = 5', ['5']],
  ['$1 = 5', ['5']],
  ["a = ''", []],
  ['a = 0 OR a = 007', []],
  ["a = 'x' AND b = 'y'", ['x', 'y']],
  ["tags && ARRAY['b']", ['b']],
])('the constants of %s are taken out of it, each at its place', (text, values) => {
  const parts = partsOf(text);
  const placed = parts?.constants.map(({ start, length }) => text.slice(start, start + length));

  expect(parts?.constants.map(({ value }) => value)).toEqual(values);
  expect(placed).toEqual(parts?.constants.map(({ kind, value }) => (kind === 'string' ? `'${value}'` : value)));
});

describe('it is not certain what the constants are', () => {
  test.each([
    ['a comment to the end', 'a = 5 -- 6'],
    ['a comment behind an operator', 'a = 5 +-- 6'],
    ['a comment in brackets', 'a = 5 /* 6 */'],
    ['a number with a fraction', 'a = 5.5'],
    ['a number that ends in a point', 'a = 5. '],
    ['a fraction alone', 'a = .5'],
    ['a number that runs on into a word', 'a = 5e3'],
    ['a number that runs on into a string', "a = 5'x'"],
    ['a number that runs on into a name', 'a = 5"x"'],
    ['a number that runs on into dollars', 'a = 5$1'],
    ['a parameter that runs on', 'a = $1x'],
    ['dollars', 'a = $$5$$'],
    ['a dollar', 'a = $ 5'],
    ['a string that goes on behind a line', "a = 'x'\n'y'"],
    ['a quote in a string', "a = 'it''s'"],
    ['escapes', "a = E'x'"],
    ['an escaped alphabet', "a = U&'x'"],
    ['a string right behind a name', `a = "b"'x'`],
    ['a number right behind a string', "a = 'x'5"],
    ['a string without an end', "a = 'x"],
    ['a line in a string', "a = 'x\ny'"],
    ['what is not ASCII, in a string', "a = 'é'"],
    ['what is not ASCII, in a name', 'é = 5'],
    ['what is not ASCII, and looks like a space', 'a =\u00a05'],
    ['a sign of nothing', 'a = 5 \\'],
    ['a mark of ours', 'a = 5 \u0001'],
  ])('where there is %s', (_, text) => {
    expect(partsOf(text)).toBeUndefined();
  });
});
