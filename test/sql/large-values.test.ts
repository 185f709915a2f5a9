/** Filters over values of megabytes: each is told of a row, or has an error in it, and takes neither all time nor all memory. */
import { beforeAll, describe, expect, test } from 'vitest';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereColumn, WhereLanguage } from '../../src/sql/where.ts';
import { withinBounds } from '../../src/sql/work.ts';
import { C } from '../support/where-expressions.ts';

const MEGABYTE = 1_000_000;
const COLUMNS: readonly WhereColumn[] = [
  { name: 'words', typeName: 'text', dimensions: 0, collation: C },
  { name: 'pattern', typeName: 'text', dimensions: 0, collation: C },
  { name: 'doc', typeName: 'jsonb', dimensions: 0 },
  { name: 'other', typeName: 'jsonb', dimensions: 0 },
  { name: 'numbers', typeName: 'int4', dimensions: 1 },
  { name: 'tags', typeName: 'text', dimensions: 1, collation: C },
  { name: 'raw', typeName: 'bytea', dimensions: 0 },
];
let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

/** What it is of a row, or the error that it has there. */
function told(text: string, row: Readonly<Record<string, string>>): unknown {
  const where = language.parse(text, {}, COLUMNS, undefined, { collation: C });
  if ('error' in where) return where;
  try {
    return where.evaluate((column) => row[column] ?? null);
  } catch (error) {
    return error instanceof EvaluationError ? [error.code, error.message] : error;
  }
}

const TOO_LONG = ['54000', 'text is too long'];

test.each([
  ['texts', `${'words || '.repeat(600)}words = 'x'`],
  ['arguments', `concat(${'words, '.repeat(600)}words) = 'x'`],
  ['items', `ARRAY[${'words, '.repeat(600)}words]::text = 'x'`],
  ['texts whose characters are counted', `length(${'words || '.repeat(300)}words) = 3`],
])('to join more %s than a filter may is an error of the row', (_, text) => {
  expect(told(text, { words: 'z'.repeat(MEGABYTE) })).toEqual(TOO_LONG);
});

test.each([
  ['length(words || words || words) = 6000000', true],
  ["right(reverse(words || 'ab'), 3) = '\u{1F600}\u{1F600}\u{1F600}'", true],
  ["left(reverse(words || 'ab'), 3) = 'ba\u{1F600}'", true],
  ["right(words || 'ab', 3) = '\u{1F600}ab'", true],
  ["left(words, -1999998) = '\u{1F600}\u{1F600}'", true],
  ["substring(words || 'xyz', 2000000, 3) = '\u{1F600}xy'", true],
  ["btrim(words || 'a' || words, '\u{1F600}') = 'a'", true],
])('two million characters of two units each are taken as characters: %s', (text, truth) => {
  expect(told(text, { words: '\u{1F600}'.repeat(2 * MEGABYTE) })).toBe(truth);
});

test('a long literal is found in a long text, wherever it would have to stand', () => {
  const words = 'a'.repeat(MEGABYTE);
  expect(['', 'b'].map((end) => told(`words LIKE '%${'a'.repeat(30_000)}b%'`, { words: words + end }))).toEqual([false, true]);
});

test('a pattern that would be held to a text for minutes is an error of the row', () => {
  const words = 'a'.repeat(MEGABYTE);
  expect([
    told('words LIKE pattern', { words, pattern: `%${'_a'.repeat(5000)}b%` }),
    told(`words ~ '${'a?'.repeat(300)}b'`, { words }),
  ]).toEqual([
    ['54000', 'a text and its LIKE pattern are too long'],
    ['54000', 'a text and its regular expression are too long'],
  ]);
});

test('a jsonb holds another by its single items however many there are, and what would take minutes is an error', () => {
  const documentOf = (item: (number: number) => unknown, count: number): string => {
    return JSON.stringify(Array.from({ length: count }, (_, number) => item(number)));
  };
  expect([
    told('doc @> doc', { doc: documentOf((number) => `v${number}`, 50_000) }),
    told(`doc @> '${documentOf((a) => ({ a }), 4000)}'`, { doc: documentOf((b) => ({ a: -1, b }), 50_000) }),
    told('doc @> doc', { doc: documentOf((number) => [number], 5000) }),
  ]).toEqual([true, false, ['54000', 'a jsonb has too many items to be compared']]);
});

test('a long value is read once for a row, however often it is asked for', () => {
  const doc = `[${'0,'.repeat(300_000)}0]`;
  expect(told(`${"doc -> 1 = '1' OR ".repeat(1500)}doc -> 0 = '0'`, { doc })).toBe(true);
});

test('an array of more items than are read is an error of the row', () => {
  const numbers = `{${'0,'.repeat(MEGABYTE)}0}`;
  expect(told('1 = ANY (numbers)', { numbers })).toEqual(['54000', 'an array of more than 1000000 items is not supported']);
});

test('subscripts of an array are read up to the last one of Postgres', () => {
  expect([
    told('numbers[2147483646] = 2', { numbers: '[2147483645:2147483646]={1,2}' }),
    told('numbers[-2147483648] = 1', { numbers: '[-2147483648:-2147483647]={1,2}' }),
    told("numbers = '[2147483646:2147483647]={1,2}'", {}),
  ]).toEqual([true, true, { error: 'At location 10: invalid syntax for type int4[]: [2147483646:2147483647]={1,2}', field: 'where' }]);
});

test.each([
  ['a jsonb', "doc ->> 0 = 'x'", { doc: `["${'z'.repeat(20 * MEGABYTE)}"]` }],
  ['escapes of a jsonb', "doc ->> 0 = 'x'", { doc: `["${'\\n'.repeat(10 * MEGABYTE)}"]` }],
  ['an item', "tags[1] = 'x'", { tags: `{${'z'.repeat(20 * MEGABYTE)}}` }],
  ['an item in quotes', "tags[1] = 'x'", { tags: `{"${'z '.repeat(10 * MEGABYTE)}"}` }],
  ['bytes', "raw = '\\x00'", { raw: `\\x${'00'.repeat(10 * MEGABYTE)}` }],
] as const)('twenty million characters of %s are read', (_, text, row) => {
  expect(told(text, row)).toBe(false);
});

describe('what costs little by itself may not be asked too often of one row:', () => {
  const [words, doc] = ['z'.repeat(MEGABYTE), `[${'0,'.repeat(200_000)}0]`];
  const often = (part: string): string => Array.from({ length: Math.floor(60_000 / (part.length + 4)) }, () => part).join(' OR ');

  test.each([
    ['a pattern', "words LIKE '%b%b'", { words }, 'a text and its LIKE pattern are too long'],
    ['a pattern without case', "words ILIKE 'b'", { words }],
    ['a regular expression', "words ~ 'b'", { words }],
    ['a function', "reverse(words) = 'b'", { words }],
    ['an equality of documents', "doc = '1'", { doc }],
    ['the holding of a document', "doc @> '[2]'", { doc }, 'a jsonb has too many items to be compared'],
    ['a member of an array', '1 < ANY (numbers)', { numbers: `{${'0,'.repeat(200_000)}0}` }],
    ['items of arrays', "tags && '{b}'", { tags: `{${'a,'.repeat(200_000)}a}` }],
    ['documents in turn', "doc ? 'a' OR other ? 'a'", { doc, other: `${doc} ` }],
  ])('%s', (_, part, row: Readonly<Record<string, string>>, why = 'a filter has too much to do in one row') => {
    const before = process.cpuUsage();
    const answer = told(often(part), row);
    expect({ answer, isQuick: process.cpuUsage(before).user < 30_000_000 }).toEqual({ answer: ['54000', why], isQuick: true });
  });
});

test.each([
  ['float8', 'ratio ^ 0.5::float8 = 2'],
  ['numeric, with a whole exponent', 'ratio ^ 20000 = 2'],
  ['numeric, with another one', 'ratio ^ 0.25 = 2'],
])('powers of %s are work as well', (type, filter) => {
  const where = language.parse(filter, {}, [{ name: 'ratio', typeName: type.split(',')[0] ?? type, dimensions: 0 }]);
  let asked = 0;
  const ask = withinBounds(() => {
    for (; asked < 200_000; asked += 1) if (!('error' in where)) where.evaluate(() => '2.5');
  });

  expect(() => ask(undefined, undefined)).toThrow('a filter has too much to do in one row');
});

test('a row has the same fate whatever was asked before it', () => {
  const row = { doc: `"${'z'.repeat(3.8 * MEGABYTE)}"`, other: `"${'y'.repeat(3.8 * MEGABYTE)}"` };
  const turns = Array.from({ length: 11 }, (_, index) => (index % 2 === 0 ? "doc ? 'a'" : "other ? 'a'")).join(' OR ');
  const too = ['54000', 'a filter has too much to do in one row'];
  const first = told(turns, row);
  told("doc ? 'a'", row);

  expect([first, told(turns, row)]).toEqual([too, too]);
});

test('each row may cost as much as the one before it', () => {
  const where = language.parse("words LIKE '%a_b'", {}, COLUMNS, undefined, { collation: C });
  const words = 'a'.repeat(5 * MEGABYTE);
  const answers = Array.from({ length: 3 }, () => ('error' in where ? where : where.evaluate(() => words)));
  expect(answers).toEqual(answers.map(() => false));
});
