import { describe, expect, test } from 'vitest';
import { parseColumnList, parseRelationName, quoteRelation } from '../../src/sql/identifiers.ts';

const longest = 'x'.repeat(63);

describe('a table', () => {
  test.each([
    ['items', { schema: 'public', name: 'items' }],
    ['Sales.Items', { schema: 'sales', name: 'items' }],
    ['"Sales"."a.b"', { schema: 'Sales', name: 'a.b' }],
    ['"say ""hi"""', { schema: 'public', name: 'say "hi"' }],
    ['_val1d_schëmaΦ$.Φtàble', { schema: '_val1d_schëmaΦ$', name: 'Φtàble' }],
    [longest, { schema: 'public', name: longest }],
  ])('%s is read', (text, value) => {
    expect(parseRelationName(text)).toEqual({ value });
  });

  test.each([
    ['.invalid', 'Invalid zero-length delimited identifier'],
    ['""', 'Invalid zero-length delimited identifier'],
    ['a.b.c', 'Invalid relation identifier, too many delimiters: a.b.c'],
    ['1a', 'Invalid unquoted identifier contains special characters: 1a'],
    ['a b', 'Invalid unquoted identifier contains special characters: a b'],
    ['"a"b"', 'Invalid identifier with unescaped quote: a"b'],
    ['"', 'Invalid unquoted identifier contains special characters: "'],
    [`${longest}x`, 'Identifier is too long (max length is 63)'],
    [`"${longest}x"`, 'Identifier is too long (max length is 63)'],
  ])('%s is refused', (text, error) => {
    expect(parseRelationName(text)).toEqual({ error });
  });

  test('is quoted so that it means itself', () => {
    expect(quoteRelation({ schema: 'a.b', name: 'say "hi"' })).toBe('"a.b"."say ""hi"""');
  });
});

describe('a list of columns', () => {
  test.each([
    ['id,Title', ['id', 'title']],
    ['"id","a,b"', ['id', 'a,b']],
  ])('%s is read', (text, value) => {
    expect(parseColumnList(text)).toEqual({ value });
  });

  test.each([
    [',,,', 'Invalid zero-length delimited identifier'],
    ['foo,', 'Invalid zero-length delimited identifier'],
    ['id, name', 'Invalid unquoted identifier contains special characters:  name'],
    ['"id,"name"', 'Invalid unquoted identifier contains special characters: "id'],
  ])('%s is refused', (text, error) => {
    expect(parseColumnList(text)).toEqual({ error });
  });
});
