/** Filters that differ in their constants alone: what is told of one without its tree is what comes of it when it is parsed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { partsOf } from '../../src/sql/syntax/text-constants.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where, WhereColumn } from '../../src/sql/where.ts';

const language = await loadWhereLanguage();
const NUMBERS = ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'];
const TYPES = [...NUMBERS, 'text', 'varchar', 'bpchar', 'uuid', 'date', 'bool', 'jsonb', 'timestamptz'];
const COLUMNS: readonly WhereColumn[] = [
  ...TYPES.map((typeName) => ({ name: `a_${typeName}`, typeName, dimensions: 0 })),
  { name: '1000', typeName: 'int4', dimensions: 0 },
  { name: 'labels', typeName: 'mood', dimensions: 0, isEnum: true },
];
const ITEMS = { schema: 'public', name: 'items' };

function parsed(text: string): Where {
  const where = language.parse(text, {}, COLUMNS, undefined, {}, ITEMS);
  invariant(!('error' in where), `a filter of this test is accepted: ${text}`);
  return where;
}

function memberOf(text: string, like = text): Where | undefined {
  const [template, constants] = [partsOf(like)?.template, partsOf(text)?.constants];
  invariant(template !== undefined && constants !== undefined && template === partsOf(text)?.template, 'they differ in constants alone');
  return language.family(template, COLUMNS, {}, ITEMS)?.member(constants, () => parsed(text));
}

/** All that can be asked of it. */
function told(where: Where, rows: readonly (string | null)[]) {
  const { canonical, columns, query, lookups, areLookupsExact, subqueries } = where;
  const looked = lookups?.map((lookup) => ({ ...lookup, key: [lookup.key.name, rows.map((value) => lookup.key.read(() => value))] }));
  return { canonical, columns, query, looked, areLookupsExact, subqueries, truths: rows.map((value) => where.evaluate(() => value)) };
}

test.each([
  ['a_int4 = 17', ['a_int4 = 18', 'a_int4 = 2147483647', 'a_int4 = 1']],
  ['17 = a_int8', ['18 = a_int8']],
  ['a_int2 = 70000', ['a_int2 = 3']],
  ['a_int8 = 3000000000', ['a_int8 = 999999999999999999']],
  ["a_text = 'a'", ["a_text = 'true'", "a_text = ' b '", "a_text = '17'", 'a_text = \'"\\\'']],
  ["a_varchar = 'a'", ["a_varchar = 'b  '"]],
  ["a_text = 'a'::text", ["a_text = 'b'::text"]],
  ["a_uuid = '00000000-0000-4000-8000-000000000000'", ["a_uuid = '{A0000000-0000-4000-8000-00000000000F}'"]],
  ["a_int4 = 17 AND a_text = 'x' AND a_int8 > 5", [
    "a_int4 = 5 AND a_text = 'y' AND a_int8 > 17", "a_int4 = 5 AND a_text = '5' AND a_int8 > 5",
  ]],
  ['a_int4 > 5', ['a_int4 > 6']],
  ['a_int4 > -5', ['a_int4 > -6', 'a_int4 > -2147483647']],
  ['a_int4 = 5 AND a_int8 >= -3000000000', ['a_int4 = 18 AND a_int8 >= -999999999999999999']],
  ['a_int2 <> - -5', ['a_int2 <> - -17']],
  ['a_int8 < -(5)', ['a_int8 < -(17)']],
  ["items.a_text <> 'x'", ["items.a_text <> 'y'"]],
])('what is told of filters like %s is what comes of each when it is parsed', (like, others) => {
  for (const text of [like, ...others]) {
    const member = memberOf(text, like);
    invariant(member !== undefined, 'they are a family');

    const values = ['5', '17', '18', '3'].map((value) => (like.includes('uuid') ? value.padStart(32, '0') : value));
    const rows = [null, ...values];
    expect(told(member, rows)).toEqual(told(parsed(text), rows));
  }
});

test.each([
  'a_numeric = 17', 'a_float4 = 17', 'a_float8 = 17', "a_bpchar = 'a'", "a_date = '2020-01-01'", "a_timestamptz = '2020-01-01'",
  "a_bool = 'true'", "a_int8 = '17'", "a_jsonb = '1'", "labels = 'ok'", 'a_int4 = 17::int8', "a_text = 'a'::varchar(1)", 'a_int4 + 1 = 17',
  'a_int4 = 17 OR a_int4 = 18', 'a_int4 IN (17, 18)', '1 = 1', "a_text LIKE 'a%'", '"1000" = 1000', 'NOT a_int4 = 17',
  'a_int4 = 17 AND a_bool', 'a_int4 IS DISTINCT FROM 17', "a_text = lower('a')", "a_text = btrim('a')", "a_text = 'a'::varchar(36)",
])('%s is parsed by itself', (text) => {
  const template = partsOf(text)?.template;
  invariant(template !== undefined, 'its constants are plain');

  expect(language.family(template, COLUMNS, {}, ITEMS)).toBeUndefined();
});

test('a text with a constant that may be refused is parsed by itself, though its family is known', () => {
  const like = "a_uuid = '00000000-0000-4000-8000-000000000000'";

  expect([memberOf("a_uuid = 'a'", like), memberOf(like, like)?.canonical]).toEqual([undefined, parsed(like).canonical]);
});

test('a number that is of another type with a minus is parsed by itself, though its family is known', () => {
  const [member, like] = ['a_int4 > -2147483648', 'a_int4 > -2147483649'].map((text) => memberOf(text, 'a_int4 > -3000000000'));

  expect([member, like?.canonical]).toEqual([undefined, parsed('a_int4 > -2147483649').canonical]);
});

test('any constants, in any place: what is told is what comes of the whole', () => {
  const integer = fc.integer({ min: 1, max: 2_147_483_647 }).map(String);
  const string = fc.stringMatching(/^[ -&(-~]{1,12}$/).map((text) => `'${text}'`);
  const constants = fc.tuple(integer, string, integer);
  const text = ([first, second, third]: readonly [string, string, string]): string => {
    return `a_int8 = ${first} AND (${second} = a_text AND a_int4 = ${third})`;
  };
  const like = text(['1', "'a'", '1']);

  fc.assert(fc.property(constants, (written) => {
    const member = memberOf(text(written), like);
    const rows = [null, written[0], written[2], written[1].slice(1, -1)].filter((row) => row === null || /^\d+$/.test(row));
    expect(member && told(member, rows)).toEqual(told(parsed(text(written)), rows));
  }), { numRuns: 200 });
});
