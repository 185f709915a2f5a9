/** Expressions against Postgres itself: in every row each has the value that Postgres gives it, to the letter, or both have an error. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openJudge, type Judge } from '../support/expression-judge.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { typedExpressions } from '../support/typed-expressions.ts';

const EXPRESSIONS = 1000;
/** Further ones are the judge's, `npm run judge`. */
const SEED = 1;

let database: TestDatabase;
let judge: Judge;

beforeAll(async () => {
  database = await createDatabase();
  judge = await openJudge(database);
});

afterAll(async () => {
  await database.drop();
});

/** What it and we saw differently once. */
test.each([
  '(single / 7::float4)::text',
  "('9007199254740985'::float8)::numeric",
  '(1e23::float8 + float)::text',
  '((numbers)[1:2])[(more)::int4]',
  '(float)::int4 <> ALL (NULL::int4[])',
  '((plain <> ALL (NULL::int4[])))::int4 - (day - day)',
  '(small + day) IN (day, NULL)',
  'ARRAY[numbers, NULL::int4[]]',
  "ARRAY[numbers, '[2:3]={1,2}']",
  "array_cat(ARRAY[numbers, numbers], '{1,2}')",
  "timezone('1 day'::interval, moment)",
  "timezone('-08:00:15.5'::interval, moment)",
  "moment + '3 years -3000 days'::interval",
  "moment + (span * float)",
  "(words LIKE more || '\\')",
  "((day + plain) IN ((day - NULL::int4), coalesce(NULL::date, NULL, day - NULL::int4)))",
  '((day + plain) IN (NULL, NULL))',
  "(numbers && (ARRAY[ARRAY[1, 2], numbers]) AND 'a' LIKE 'b')",
  '((day + plain) IN (day - NULL::int4, NULL::date))',
  '(plain / 0) + NULL',
  '((NULL BETWEEN 7 AND plain))::int4 % other',
  "coalesce(NULL, 1, (words)::int4)",
  "(numbers || NULL::int4)",
  "plain + 2147483647 <> ALL ('{NULL}'::int4[])",
  "plain + 2147483647 = ANY ('{NULL}'::int4[])",
  'plain + 2147483647 IN (NULL)',
  "left(left(words, CASE ('2024-02-29'::timestamptz)::text WHEN 'a' THEN small END), small / (plain - plain))",
  "left(left(words, CASE concat(NULL::int4) WHEN 'a' THEN small END), small / (plain - plain))",
  "left(left(words, CASE date_out('2024-02-29')::text WHEN 'a' THEN small END), small / (plain - plain))",
  "left(left(words, CASE '2024-02-29'::timestamptz + '1 day'::interval WHEN 'infinity' THEN small END), small / (plain - plain))",
  "left(left(words, CASE ('{1}'::text)::int4[] WHEN '{2}' THEN small END), small / (plain - plain))",
  "left(left(words, CASE (NULL::timestamptz)::text WHEN 'a' THEN small END), small / (plain - plain))",
  "words IN (concat('a'), 'b', NULL)",
  "date_trunc('c', instant) NOT IN (date_trunc('c', day + 2147483647), date_trunc('c', '2024-02-29'::timestamptz), NULL)",
  'numbers NOT IN (ARRAY[small % 0], ARRAY[]::int4[], NULL)',
  "numbers IN (ARRAY[1 / small], '{}', '{1}')",
  ...['timezone', 'timezone_hour', 'timezone_minute'].map((unit) => `extract(${unit} FROM seen)`),
  "extract(quarter FROM '14 mons'::interval)",
  "date_trunc('week', '4713-01-01 BC'::date + plain)",
  "date_trunc('millennium', '4713-01-01 BC'::date + plain)",
  "date_part('epoch', '294276-12-31 23:59:59.999999'::timestamp - (plain % 3) * '1 microsecond'::interval)",
  "date_part('second', '-00:00:01.1'::interval * small)",
  'round(-0.5::float8 * small)',
  'round(99999.5, -small % 9)',
  'NULLIF(NULL::int4, 1 / (plain - plain))',
  'NULLIF(1 / (plain - plain), NULL::int4)',
  "left(left(words, NULLIF(small, NULL)), small / (plain - plain))",
  "left(left(words, NULLIF(NULL, small)), small / (plain - plain))",
  "left(left(words, NULLIF(1, 1)), small / (plain - plain))",
  'NULLIF(day, moment)',
  'NULLIF(padded, label)',
  'NULLIF(label, padded)',
  'octet_length(padded)',
  "CASE '1' WHEN plain THEN 1 END",
  "CASE '1' WHEN words THEN 1 END",
  'plain + 2147483647 = ANY (ARRAY[NULL::int4])',
])('%s is to us what it is to Postgres', async (expression) => {
  expect((await judge.judge(expression)).mismatches).toEqual([]);
});

test('what is printed of a condition takes the rows that the condition takes', async () => {
  const property = fc.asyncProperty(typedExpressions, async (expression) => {
    const taken = await judge.taken(`(${expression}) IS NOT NULL AND (${expression}) IS NOT DISTINCT FROM (${expression})`);
    expect(taken?.printed).toEqual(taken?.written);
  });
  await fc.assert(property, { numRuns: EXPRESSIONS / 4, seed: SEED });
});

test('an expression has the value that Postgres gives it, or an error where Postgres has one', async () => {
  const property = fc.asyncProperty(typedExpressions, async (expression) => {
    const { mismatches } = await judge.judge(expression);
    expect(mismatches).toEqual([]);
  });
  await fc.assert(property, { numRuns: EXPRESSIONS, seed: SEED });
});
