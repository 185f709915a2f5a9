import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { invariant } from '../../src/base/invariant.ts';
import { loadWhereLanguage, WHERE_BYTES_MAX } from '../../src/sql/where-language.ts';
import type { Where, WhereColumn, WhereLanguage } from '../../src/sql/where.ts';

const columns: readonly WhereColumn[] = [
  ['id', 'int4'], ['large', 'int8'], ['title', 'text'], ['label', 'varchar'], ['padded', 'bpchar'], ['done', 'bool'], ['owner', 'uuid'],
  ['at', 'timestamp'], ['seen', 'timestamptz'], ['day', 'date'], ['price', 'numeric'], ['ratio', 'float4'], ['data', 'jsonb'],
  ['Mixed', 'text'],
].map(([name = '', typeName = '']) => ({ name, typeName, dimensions: 0 }));

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

type Params = Readonly<Record<string, string>>;

function accepted(text: string, params: Params = {}): Where {
  const where = language.parse(text, params, [...columns, { name: 'tags', typeName: 'text', dimensions: 1 }]);
  invariant(!('error' in where), `the language accepts ${text}`);
  return where;
}

describe('refused, in the words of the wire:', () => {
  test.each([
    ['1 x 1', 'At location 17: syntax error at or near "x"'],
    ['id =', 'At location 19: syntax error at end of input'],
    ["id = 'x", `At location 20: unterminated quoted string at or near "'x"`],
    ['1 + 1', 'WHERE clause must return a boolean'],
    ['id', 'WHERE clause must return a boolean'],
    ['id = 1; drop table x', 'unescaped ";" causing statement split'],
    ['id = 1 ORDER BY id', 'malformed query ending with SQL clauses'],
    ['id = 1 GROUP BY id', 'malformed query ending with SQL clauses'],
    ['id = 1 LIMIT 1', 'malformed query ending with SQL clauses'],
    ['id = 1 FOR UPDATE', 'malformed query ending with SQL clauses'],
    ['id = 1 UNION SELECT 1', 'malformed query ending with SQL clauses'],
    ['nope = 1', 'At location 0: unknown reference nope'],
    ['id = 1 AND "Nope" = 1', 'At location 11: unknown reference "Nope"'],
    ['items.id = 1', 'At location 0: unknown reference items.id'],
    ['Mixed = 1', 'At location 0: unknown reference mixed'],
    ['at < now()', 'At location 5: unknown or unsupported function now/0'],
    ['count(id) > 1', 'At location 0: unknown or unsupported function count/1'],
    ['constructor(id)', 'At location 0: unknown or unsupported function constructor/1'],
    ['constructor(title, title)', 'At location 0: unknown or unsupported function constructor/2'],
    ['"__proto__"(id)', 'At location 0: unknown or unsupported function __proto__/1'],
    ["ratio = 'constructor'", 'At location 8: invalid syntax for type float4: constructor'],
    ["at + 'constructor' = at", 'At location 5: invalid syntax for type interval: constructor'],
    ["at + '1 constructor' = at", 'At location 5: invalid syntax for type interval: 1 constructor'],
    ['count(*) > 1', 'At location 0: aggregation is not supported in this context'],
    ['f(VARIADIC tags)', 'At location 0: explicit VARIADIC function calls are not currently supported'],
    ["data @@ '$.a'", 'At location 5: unknown binary operator "@@"'],
    ["data ->> done = 'b'", 'At location 5: Could not select an operator overload'],
    ['!! id = 1', 'At location 0: unknown unary operator "!!"'],
    ["title = 5", 'At location 6: Could not select an operator overload'],
    ["data = '{'", 'At location 7: invalid syntax for type jsonb: {'],
    ["data < '{}'", 'At location 5: the order of jsonb is not supported'],
    ["data || '{}' = data", 'At location 5: Could not select an operator overload'],
    [`data = '${'['.repeat(600)}'`, 'jsonb that nests deeper than 500 levels is not supported'],
    ['at = seen', 'At location 3: Could not select an operator overload'],
    ["id = 'test'", 'At location 5: invalid syntax for type int4: test'],
    ["id = '2147483648'", 'At location 5: invalid syntax for type int4: 2147483648'],
    ["day = 'tomorrow'", 'At location 6: date tomorrow is not supported: it would mean something else every day'],
    ["day = '2023-02-29'", 'At location 6: invalid syntax for type date: 2023-02-29'],
    ["at = '2024-01-01 25:00'", 'At location 5: invalid syntax for type timestamp: 2024-01-01 25:00'],
    ["owner = 'x'", 'At location 8: invalid syntax for type uuid: x'],
    ["id = '1'::interval", 'At location 5: invalid syntax for type interval: 1'],
    ["id = '1'::money", 'At location 8: unsupported type money'],
    ["price = '1'::numeric(2, 1)", 'At location 11: unsupported type numeric with modifiers'],
    ['id::uuid = owner', 'At location 2: unknown cast from type int4 to type uuid'],
    ['data::int4 = id', 'At location 4: unknown cast from type jsonb to type int4'],
    ["id = 'x'::text::int4", 'At location 14: could not cast value x from text to int4'],
    ['id AND done', 'At location 3: int4 is not castable to bool'],
    ['id IS TRUE', 'At location 3: argument of IS TRUE must be bool, not int4'],
    ["id = b'01'", 'At location 5: BitString values are not supported'],
    ["title SIMILAR TO 'x'", 'At location 6: expression ~ of :AEXPR_SIMILAR is not currently supported'],
    ['CASE WHEN id THEN true END', 'At location 5: int4 is not castable to bool'],
    ["CASE WHEN done THEN id ELSE title END = '1'", 'At location 0: CASE types text and int4 cannot be matched'],
    ['at < current_timestamp', 'At location 5: SQLValueFunction is not supported in this context'],
    [`title COLLATE "C" = 'x'`, 'At location 6: CollateClause is not supported in this context'],
    ['EXISTS (SELECT 1)', 'At location 0: Expected a single table reference'],
    ['id = (SELECT 1)', 'At location 5: only `value IN (SELECT ...)` sublinks are supported right now'],
    ['id < ANY (SELECT 1)', 'At location 3: only `value IN (SELECT ...)` sublinks are supported right now'],
    ['id IN (SELECT id FROM t)', 'At location 3: subqueries are not supported yet'],
    ['id + done = 2', 'At location 3: Could not select an operator overload'],
    ['id = 1 / 0', 'At location 7: division by zero'],
    ['id = 2147483647 + 1', 'At location 16: integer out of range'],
    ['ARRAY[1, done] = tags', 'At location 0: ARRAY types int4 and bool cannot be matched'],
    ['coalesce(id, title) = 1', 'At location 0: COALESCE types int4 and text cannot be matched'],
    ['id = ANY (id)', 'At location 3: argument of ANY must be an array'],
    ['id + ALL (tags)', 'At location 3: ANY/ALL requires operator that returns bool'],
    ['lower(id) = 1', 'At location 0: Could not select a function overload for lower(int4)'],
    ['at AT TIME ZONE title = seen', 'At location 3: a time zone must be a constant'],
    ["title LIKE 'x\\'", 'At location 6: invalid pattern of LIKE: x\\'],
    ["title ILIKE 'é%'", 'At location 6: ILIKE é%: a pattern with characters outside ASCII is not supported yet'],
    ["title NOT ILIKE 'aé' ESCAPE 'a'", 'At location 6: ILIKE é: a pattern with characters outside ASCII is not supported yet'],
    ["title ~~* 'É'", 'At location 6: ILIKE É: a pattern with characters outside ASCII is not supported yet'],
    ["id ILIKE 'é'", 'At location 3: Could not select an operator overload'],
    ["title LIKE like_escape('a', '!', 'b')", 'At location 11: unknown or unsupported function like_escape/3'],
    ["title LIKE like_escape('a')", 'At location 11: unknown or unsupported function like_escape/1'],
    ["title LIKE like_escape(DISTINCT 'a', '!')", 'At location 11: aggregation is not supported in this context'],
    ["title = 'ab'::varchar(2)", 'At location 12: unsupported type varchar with modifiers'],
    ["title = CAST($1 AS char(2))", 'At location 8: unsupported type bpchar with modifiers'],
    ["id = '1'::money[]", 'At location 8: unsupported type money[]'],
    ["tags = '1'::text[]", 'At location 7: invalid syntax for type text[]: 1'],
    ["id = '1'::SETOF int", 'At location 8: unsupported type setof int4'],
    ["title = 'x'::public.text", 'At location 11: unsupported type public.text'],
    ['price = 1_000.5', 'At location 8: invalid syntax for type numeric: 1_000.5'],
    ["title = varchar(2) 'ab'", 'At location 8: unsupported type varchar with modifiers'],
    ["title = 'é' AND title = '\0'", 'At location 26: invalid byte sequence for encoding "UTF8": 0x00'],
    ["title = '\0'", 'At location 9: invalid byte sequence for encoding "UTF8": 0x00'],
    ['$1 > 5', 'At location 0: parameter $1 was not provided'],
    ["ratio = ANY ('{1e400}'::numeric[])", expect.stringMatching(/^"10+" is out of range for type double precision$/)],
  ])('%s', (text, error) => {
    expect(language.parse(text, {}, [...columns, { name: 'tags', typeName: 'text', dimensions: 1 }])).toEqual({ error, field: 'where' });
  });

  test.each<[string, Params, string, string]>([
    ['id = $1', { 2: '1' }, 'params', 'Parameters must be numbered sequentially, starting from 1'],
    ['id = $1', { 0: '1' }, 'params', 'Parameters must be numbered sequentially, starting from 1'],
    ['id = $1', { 1: '1', 3: '1' }, 'params', 'Parameters must be numbered sequentially, starting from 1'],
    ['id = $1', { one: '1' }, 'params', 'Parameters can only use numbers as keys'],
    ["$1 > 5 AND $1 + 'test' > 10", { 1: '1' }, 'where', 'At location 16: invalid syntax for type int4: test'],
    ["$1::text = 'a' AND $1::int = 5", { 1: '5' }, 'where', 'type conflict for $1: text and int4'],
    ['id = $1', { 1: 'one' }, 'where', 'At location 5: invalid syntax for type int4: one'],
  ])('%s with parameters %j', (text, params, field, error) => {
    expect(language.parse(text, params, columns)).toEqual({ error, field });
  });

  test('a text that is too large', () => {
    const text = `title = '${'x'.repeat(WHERE_BYTES_MAX)}'`;
    expect(language.parse(text, {}, columns)).toMatchObject({ error: expect.stringContaining('bigger than maximum size') });
  });
});

test('a text may be as large as the limit in bytes, and no larger', () => {
  const text = `title = '${'é'.repeat((WHERE_BYTES_MAX - 10) / 2)}'`;
  const texts = [text, `${text} `].map((written) => language.parse(written, {}, columns));
  expect(texts.map((where) => ('error' in where ? where.error : where.columns))).toEqual([
    ['title'],
    'WHERE clause is bigger than maximum size of 65536 bytes',
  ]);
});

test('as many alternatives as fit are one filter', () => {
  const where = accepted(Array.from({ length: WHERE_BYTES_MAX / 8 }, (_, at) => `id=${at % 7}`).join(' OR '));
  expect(['6', '7'].map((id) => where.evaluate(() => id))).toEqual([true, false]);
});

test.each<[string, string, string | undefined]>([
  ['padded = $1', `${' '.repeat(1_000_000)}x`, undefined],
  ["padded = $1::text::bpchar", `${' '.repeat(1_000_000)}x`, undefined],
  ['$1::float8 = 1', `${'1'.repeat(1_000_000)}x`, 'invalid syntax for type float8'],
  ['price = $1', `${'1'.repeat(1_000_000)}x`, 'invalid syntax for type numeric'],
  ['at = $1', `2024-01-01${' '.repeat(1_000_000)}x`, 'invalid syntax for type timestamp'],
])('%s with a value of a million characters is decided in linear time', (text, value, error) => {
  const where = language.parse(text, { 1: value }, columns);
  expect('error' in where ? where.error : undefined).toEqual(error === undefined ? undefined : expect.stringContaining(error));
});

/** The scanner takes the square of their length: many seconds, which no machine makes up for. */
test.each([
  ['plus signs', `id = ${'+'.repeat(60_000)}1`, 'At location 5: too many operator signs in a row'],
  ['signs in many runs', `id = 1${` ${'+'.repeat(2000)}`.repeat(30)}`, 'At location 10012: too many operator signs in a row'],
  ['comments that end', `done ${'/*+*/'.repeat(12_000)}`, 'At location 5: too many operator signs in a row'],
])('%s are refused at once', (_, text, error) => {
  const startMs = systemClock.nowMs();
  const answer = language.parse(text, {}, columns);
  expect({ answer, isPrompt: systemClock.nowMs() - startMs < 5_000 }).toEqual({ answer: { error, field: 'where' }, isPrompt: true });
});

describe('what is large or grows is decided in bounded time:', () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [index + 1, 'x']));
  const list = Object.keys(many).map((number) => `$${number}`).join(',');
  const TOO_MUCH_HELD = 'constants of more than 10000 characters are held to patterns';
  const TOO_LONG = 'a constant is longer than 1048576 characters';
  test.each<[string, string, Params, string | undefined]>([
    ['ten thousand parentheses', `${'('.repeat(10_000)}done${')'.repeat(10_000)}`, {}, 'expression nests deeper than 500 levels'],
    ['a filter of 64 kB, no byte less', `id = 1${' OR id = 1'.repeat(6553)}`, {}, undefined],
    ['a filter of 64 kB that is one word', 'x'.repeat(65_536), {}, 'unknown reference xxx'],
    ['groups without end that repeat themselves', 'title ~ $1', { 1: '(a*)*'.repeat(20_000) }, 'is not supported'],
    ['ten thousand brackets of an expression', 'title ~ $1', { 1: '('.repeat(10_000) }, 'is not supported'],
    ['ten thousand parameters in a list', `title IN (${list})`, many, undefined],
    ['ten thousand parameters in an array', `title = ANY (ARRAY[${list}])`, many, undefined],
    ['an array of half a million items', 'tags = $1', { 1: `{${'a,'.repeat(500_000)}a}` }, undefined],
    ['half a million braces', 'tags = $1', { 1: '{'.repeat(500_000) }, 'invalid syntax for type text[]'],
    ['an interval of a million blanks', 'at + $1 = at', { 1: `${' '.repeat(1_000_000)}x` }, 'invalid syntax for type interval'],
    ['a million digits', '$1::float4 = 1', { 1: `16777217.${'0'.repeat(1_000_000)}1` }, undefined],
    ['a text that is replaced by itself', "replace(replace($1, 'x', $1), 'x', $1) = title", { 1: 'x'.repeat(300) }, TOO_LONG],
    ['a text put together of long ones', `concat(${'$1,'.repeat(20)}$1) = title`, { 1: 'x'.repeat(100_000) }, TOO_LONG],
    ['numbers that grow', `'1'${"::numeric * '1e16000'".repeat(9)}::numeric = price`, {}, 'value overflows numeric format'],
    ['conditions of conditions', Array.from({ length: 3000 }, () => '(id=1)=(id=2)').join(' AND '), {}, undefined],
    ['a pattern of half a million wildcards', 'title LIKE $1', { 1: '%a'.repeat(500_000) }, undefined],
    ['a long array that is named often', Array.from({ length: 4000 }, () => 'id = ANY($1)').join(' OR '), {
      1: `{${'1,'.repeat(300_000)}1}`,
    }, 'long parameters are named too often'],
    ['a long constant beside LIKE', '$1 LIKE $2', { 1: 'a'.repeat(100_000), 2: `${'%a'.repeat(50_000)}b` }, TOO_MUCH_HELD],
    ['a constant beside LIKE, often', Array.from({ length: 4000 }, () => '$1 LIKE $2').join(' OR '), {
      1: 'a'.repeat(9000), 2: `${'%a'.repeat(4000)}b`,
    }, TOO_MUCH_HELD],
    ['a constant beside many patterns', '$1 LIKE ANY ($2)', { 1: 'a'.repeat(9000), 2: `{${'%a%ab,'.repeat(10_000)}a}` }, TOO_MUCH_HELD],
    ['a constant beside a regular expression', "$1 ~ '(a{1,100}){3}b'", { 1: 'a'.repeat(20_000) }, TOO_MUCH_HELD],
    ['a constant beside LIKE within conditions', `${'('.repeat(150)}done AND $1 LIKE $2${')=done'.repeat(150)}`, {
      1: 'a'.repeat(9000), 2: `${'%a'.repeat(4000)}b`,
    }, undefined],
  ])('%s', (_, text, params, error) => {
    const startMs = systemClock.nowMs();
    const where = language.parse(text, params, [...columns, { name: 'tags', typeName: 'text', dimensions: 1 }]);
    expect({ error: 'error' in where ? where.error : undefined, isPrompt: systemClock.nowMs() - startMs < 10_000 }).toEqual({
      error: error === undefined ? undefined : expect.stringContaining(error),
      isPrompt: true,
    });
  });

  test('a regular expression that could be tried in endless ways, on a text that almost matches', () => {
    const where = accepted("title ~ '^((a|a)*|a+)*$'");
    const startMs = systemClock.nowMs();
    const truth = where.evaluate(() => `${'a'.repeat(100_000)}b`);
    expect({ truth, isPrompt: systemClock.nowMs() - startMs < 10_000 }).toEqual({ truth: false, isPrompt: true });
  });

  test('a jsonb of thousands of items, each of which is looked for', () => {
    const items = JSON.stringify(Array.from({ length: 10_000 }, (_, at) => at));
    const where = accepted(`data @> '${items}'`);
    const startMs = systemClock.nowMs();
    const truth = where.evaluate(() => items);
    expect({ truth, isPrompt: systemClock.nowMs() - startMs < 2000 }).toEqual({ truth: true, isPrompt: true });
  });

  test.each([
    ['jsonb', "data = '1'", `"${'a\\n'.repeat(10_000_000)}"`],
    ['bytea', "bytes = ''", `\\x${'ab'.repeat(20_000_000)}`],
  ])('a %s of many megabytes in a row', (_, text, value) => {
    const where = language.parse(text, {}, [...columns, { name: 'bytes', typeName: 'bytea', dimensions: 0 }]);
    expect('evaluate' in where && where.evaluate(() => value)).toBe(false);
  });

  test('a pattern that a row gives, on a text that almost matches', () => {
    const where = accepted('title LIKE label');
    const startMs = systemClock.nowMs();
    const truth = where.evaluate((column) => (column === 'title' ? 'a'.repeat(100_000) : `${'%a'.repeat(2000)}b`));
    expect({ truth, isPrompt: systemClock.nowMs() - startMs < 10_000 }).toEqual({ truth: false, isPrompt: true });
  });
});

test('a string of signs is a string', () => {
  expect(accepted(`title = '${'='.repeat(4400)}'`).evaluate(() => '='.repeat(4400))).toBe(true);
});

describe('a long text that does not fall into tokens is refused, in the words of the wire:', () => {
  const padding = 'id = 1 OR '.repeat(200);
  test.each([
    ["'x", `At location 2015: unterminated quoted string at or near "'x"`],
    ['"x', 'At location 2015: unterminated quoted identifier at or near ""x"'],
    ['1x', 'At location 2015: trailing junk after numeric literal at or near "1x"'],
    ['$a$ x', 'At location 2015: unterminated dollar-quoted string at or near "$a$ x"'],
    ['/* x', 'At location 2015: unterminated /* comment at or near "/* x"'],
    ["E'\\u12'", 'At location 2017: invalid Unicode escape'],
  ])('%s', (end, error) => {
    expect(language.parse(`${padding}${end}`, {}, columns)).toEqual({ error, field: 'where' });
  });
});

test('a text of any pieces is a filter or a mistake of its writer, never a fault of ours', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'id',
      'title',
      'price',
      'done',
      'tags',
      '1',
      '1.',
      '.5',
      '1e9',
      '0x',
      "'a'",
      "'",
      '"',
      '"id"',
      '$1',
      '$a$',
      '$',
      "E'\\u1'",
      "U&'\\0041'",
      "b'1'",
    ),
    fc.constantFrom(
      '=',
      '<>',
      '(',
      ')',
      '[',
      ']',
      ',',
      ';',
      '::int4',
      '::numeric',
      'AND',
      'OR',
      'NOT',
      'IN',
      'IS NULL',
      'LIKE',
      'BETWEEN',
      'CASE',
      'WHEN',
      'END',
      'ANY',
      'SELECT',
      'FROM',
      'WHERE',
      'id IN (SELECT id FROM items WHERE',
      'UNION',
    ),
    fc.constantFrom('+', '-', '*', '/', '--', '/*', '*/', '||', '~', '@', '\n', '\t', '\0', '\u00a0', 'é', '\ud800', '𝒳'),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom(1, 1, 60), (pieces, times) => {
      const where = language.parse(Array.from({ length: times }, () => pieces.join(' ')).join(' '), { 1: '5' }, columns, () => columns);
      return 'canonical' in where || 'error' in where;
    }),
    { numRuns: 2000 },
  );
});

describe('values that a short text makes many or long', () => {
  const REFUSAL = 'WHERE clause with its values is bigger than maximum size of 1048576 characters';
  test.each<[string, string, Params]>([
    ['a long parameter that is named often', Array.from({ length: 20 }, () => 'title=$1').join(' OR '), { 1: 'x'.repeat(100_000) }],
    ['numbers with thousands of decimals', `price IN (${Array.from({ length: 4000 }, () => "'1e-16000'").join(',')})`, {}],
  ])('%s are refused', (_, text, params) => {
    expect(language.parse(text, params, columns)).toEqual({ error: REFUSAL, field: 'where' });
  });

  test('may fill a request', () => {
    const params = Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [index + 1, 'x'.repeat(20)]));
    const where = accepted(`title IN (${Object.keys(params).map((number) => `$${number}`).join(',')})`, params);
    expect(where.evaluate(() => 'x'.repeat(20))).toBe(true);
  });
});

describe('a text that nests too deeply', () => {
  test.each<[string, string]>([
    ['parentheses', `${'('.repeat(2000)}done${')'.repeat(2000)}`],
    ['NOT', `${'NOT '.repeat(7600)}done`],
    ['a chain of operators', `title${'||title'.repeat(9000)} = 'x'`],
    ['a chain of tests', `done${' IS TRUE'.repeat(7600)}`],
    ['BETWEEN across its AND', `id${' IS NULL BETWEEN 1 AND 2'.repeat(2500)}`],
    ['tests between the bounds of BETWEEN', `done${`${' IS NULL'.repeat(60)} BETWEEN done AND done`.repeat(90)}`],
    ['CASE', `${'CASE WHEN '.repeat(3000)}done${' THEN done END'.repeat(1500)}`],
    ['comments', `done ${'/*'.repeat(16_000)} ${'*/'.repeat(16_000)}`],
    ['comments behind a string of their ends', `title = '${'*/'.repeat(2000)}' ${'/*'.repeat(1000)}`],
    ['comments without an end', `title = 'é' ${'/*'.repeat(32_000)}`],
    ['UNION across commas', `id IN (SELECT 1${' UNION SELECT 1, 1'.repeat(3000)})`],
    ['NOT, behind a string with a control character', `title = '\u0001' AND ${'NOT '.repeat(7600)}done`],
    ['a chain of operators, and a control character in a name', `"\u001f" = title${'||title'.repeat(9000)}`],
  ])('by %s is refused before the parser can overflow', (_, text) => {
    const where = language.parse(text, {}, columns);
    expect('error' in where && where.error.replace(/\d+/, 'n')).toBe('At location n: expression nests deeper than 500 levels');
  });

  test('is not one with many comments side by side, nor one whose strings hold their marks', () => {
    const texts = [`done${' /* /* a */ b */'.repeat(2000)}`, `title LIKE '/*/*/*' AND title <> '${'*/'.repeat(2000)}'`];
    expect(texts.map((text) => accepted(text).columns)).toEqual([['done'], ['title']]);
  });

  test.each<[string, string]>([
    ['operators on constants', `${Array.from({ length: 900 }, () => '1').join(' + ')} = 900`],
    ['operators on columns', `${Array.from({ length: 900 }, () => 'id').join(' - ')} < 0`],
    ['alternatives that calculate', Array.from({ length: 3000 }, (_, at) => `id + ${at} = 2`).join(' OR ')],
    ['bounds', Array.from({ length: 2000 }, () => 'id BETWEEN 1 AND 9').join(' AND ')],
  ])('is not a chain of %s', (_, text) => {
    expect(accepted(text).evaluate(() => '1')).toBe(true);
  });

  test('is not one that lists thousands of values or alternatives', () => {
    const list = accepted(`id IN (${Array.from({ length: 9000 }, (_, id) => id).join(', ')})`);
    const alternatives = accepted(Array.from({ length: 3000 }, (_, id) => `id = ${id}`).join(' OR '));
    expect([list, alternatives].map(({ evaluate }) => evaluate(() => '2999'))).toEqual([true, true]);
  });
});

describe('the canonical form', () => {
  test.each([
    ['id=1 and title = \'x\'', 'id = 1  AND\n"title" = \'x\' -- the same'],
    ['id = 07', "id = '7'"],
    ["owner = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "owner = 'a0eebc999c0b4ef8bb6d6bb9bd380a11'"],
    ["seen > '2024-01-01T02:00:00+02'", "seen > '2024-01-01 00:00:00'"],
    ['(((done)))', 'done'],
    ["title LIKE 'a!%' ESCAPE '!'", "title LIKE 'a\\%'"],
    ['id != 5', 'id <> 5'],
  ])('of %s is that of %s', (left, right) => {
    expect(accepted(left).canonical).toBe(accepted(right).canonical);
  });

  test('does not tell a parameter from a literal, nor one numbering from another', () => {
    const texts = [accepted("id = 5 AND title = 'x'"), accepted('id = $2 AND title = $1', { 1: 'x', 2: '5' })];
    expect(new Set(texts.map(({ canonical }) => canonical)).size).toBe(1);
  });

  test.each([
    ["title = 'a'", "title = 'A'"],
    ['id = 1 OR (id = 2 AND done)', '(id = 1 OR id = 2) AND done'],
    ["title = 'text \"x\"'", 'title = \'x\''],
    ["title LIKE '%'", "title LIKE '\\%'"],
    ["1 / id = ANY ('{NULL}')", '1 / id IN (NULL)'],
    ["title = ''", 'title = NULL'],
    ["(price * 1.0)::text = 'x'", "(price * 1.00)::text = 'x'"],
  ])('of %s is not that of %s', (left, right) => {
    expect(accepted(left).canonical).not.toBe(accepted(right).canonical);
  });
});

test('no text of a client gets into the query', () => {
  const where = accepted(`"Mixed" = 'x''; drop table y' AND id BETWEEN 1 AND $1`, { 1: '7' });
  expect({ ...where.query, columns: where.columns }).toEqual({
    sql: '(("Mixed" = $1::text) AND (("id" >= $2::int4) AND ("id" <= $3::int4)))',
    params: ["x'; drop table y", '1', '7'],
    columns: ['Mixed', 'id'],
  });
});

test('parameters are numbered by value, not by text', () => {
  const params = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [index + 1, String(index)]));
  expect(accepted('id = $12 OR id = $2', params).query.params).toEqual(['11', '1']);
});

test('order and ILIKE on texts use the collation "C" on both sides', () => {
  const where = accepted("title < 'a' OR title ILIKE 'C_'");
  expect({ sql: where.query.sql, truth: ['B', 'b', 'cé', 'CÉ', 'é'].map((title) => where.evaluate(() => title)) }).toEqual({
    sql: '(("title" COLLATE "C" < $1::text) OR ("title" COLLATE "C" ILIKE $2::text))',
    truth: [true, false, true, true, false],
  });
});

describe('text follows the collation of its column:', () => {
  const bytes = { name: 'C.UTF-8', order: 'bytes', cases: 'unicode', isDeterministic: true } as const;
  const german = { name: 'de-x-icu', order: 'language', cases: 'unknown', isDeterministic: true } as const;
  const voices: readonly WhereColumn[] = [
    ['plain', bytes], ['german', german], ['english', { ...german, name: 'en_US.UTF-8', cases: 'unicode' } as const],
    ['loose', { ...german, name: 'loose', isDeterministic: false }], ['tags', german], ['called', german],
  ].map(([name, collation]) => {
    return { name, typeName: name === 'called' ? 'name' : 'text', dimensions: name === 'tags' ? 1 : 0, collation } as WhereColumn;
  });

  test.each([
    ["plain ~ '\\d'", 'At location 6: the regular expression \\d is not supported'],
    ["german ~ '\\d'", 'At location 7: the regular expression \\d under the collation de-x-icu is not supported'],
    ["german < 'a'", 'At location 7: the order of text under the collation de-x-icu is not supported'],
    ["plain BETWEEN 'a' AND english", 'At location 6: the order of text under the collation en_US.UTF-8 is not supported'],
    ["greatest(plain, german) = 'a'", 'At location 0: the order of text under the collation de-x-icu is not supported'],
    ["plain || german >= 'a'", 'At location 16: the order of text under the collation de-x-icu is not supported'],
    ["'a' <= ALL (tags)", 'At location 4: the order of text under the collation de-x-icu is not supported'],
    ["called < 'a'", 'At location 7: the order of text under the collation de-x-icu is not supported'],
    ["tags < '{a}'", 'At location 5: the order of text under the collation de-x-icu is not supported'],
    ["german ILIKE 'a'", 'At location 7: ILIKE under the collation de-x-icu is not supported'],
    ["plain ILIKE '\u10d0'", 'At location 6: the case of U+10D0 depends on the version of Unicode'],
    ["upper(german) = 'A'", 'At location 0: upper under the collation de-x-icu is not supported'],
    ["loose = 'a'", 'At location 6: text under the nondeterministic collation loose is not supported'],
  ])('%s is refused', (text, error) => {
    expect(language.parse(text, {}, voices, undefined, { collation: bytes })).toEqual({ error, field: 'where' });
  });

  test.each([
    ["plain ILIKE 'é%'", 'Éa', true],
    ["lower(english) = lower('É')", 'é', true],
    ["upper(plain) = 'ΣΊΣΥΦΟΣ'", 'σίσυφος', true],
    ["plain > 'Z'", 'a', true],
    ["german = 'a' AND german <> 'A' AND german LIKE '_'", 'a', true],
  ])('%s takes %s', (text, value, truth) => {
    const where = language.parse(text, {}, voices, undefined, { collation: bytes });
    expect('error' in where ? where.error : where.evaluate(() => value)).toBe(truth);
  });

  test('a letter whose case depends on the version of Unicode is an error', () => {
    const where = language.parse("lower(plain) = 'a'", {}, voices);
    expect(() => 'evaluate' in where && where.evaluate(() => '\u10d0')).toThrow('the case of U+10D0 depends on the version of Unicode');
  });
});

describe('an enum', () => {
  const moods: readonly WhereColumn[] = ['mood', 'other'].map((name) => ({ name, typeName: 'mood', dimensions: 0, isEnum: true }));

  test('is compared by its text, or with another of its type', () => {
    const where = language.parse("mood::text = 'sad' AND mood = other AND mood IS DISTINCT FROM NULL::text::bool::text", {}, moods);
    expect('error' in where ? where.error : undefined).toBe('At location 45: Could not select an operator overload');
    const alike = language.parse("mood::text = 'sad' AND mood = other", {}, moods);
    expect('evaluate' in alike && [['sad', 'sad'], ['sad', 'glad']].map(([mood, other]) =>
      alike.evaluate((name) => (name === 'mood' ? (mood ?? null) : (other ?? null))))).toEqual([true, false]);
  });

  test.each([
    'mood < other', "mood < 'sad'", "mood < ANY ('{sad}')", 'mood = size', "mood IN ('sad', other)",
  ])('has no order here, and is compared with its own kind alone: %s is refused', (text) => {
    const columns = [...moods, { name: 'size', typeName: 'size', dimensions: 0, isEnum: true }];
    expect(language.parse(text, {}, columns)).toEqual({ error: 'At location 5: Could not select an operator overload', field: 'where' });
  });

  test('is compared with labels, which Postgres is given without a type, so that it says which there are', () => {
    const where = language.parse("mood = 'sad' OR mood IN ('ok', NULL) OR mood <> ALL ($1)", { 1: '{sad,happy}' }, moods);
    const truths = ['sad', 'ok', 'happy'].map((mood) => ('error' in where ? where.error : where.evaluate(() => mood)));
    expect({ query: 'error' in where ? undefined : where.query, truths }).toEqual({
      query: { sql: '(("mood" = $1) OR ("mood" = ANY ($2)) OR ("mood" <> ALL ($3)))', params: ['sad', '{ok,NULL}', '{sad,happy}'] },
      truths: [true, true, null],
    });
  });
});

test('the normal text of a filter is that of the builds before', () => {
  const texts = [
    "id=1 AND title IN ('a', NULL, label) OR NOT done", "price BETWEEN 1.50 AND large", "title ILIKE 'a%' AND padded > 'b '",
    "seen IS NOT DISTINCT FROM '2024-01-01 00:00Z' AND (done IS UNKNOWN) IS NULL",
  ];
  expect(texts.map((text) => accepted(text).canonical)).toEqual([
    '((("id" = int4 "1") AND (("title" IN (text "a", text NULL)) OR ("title" = "label"))) OR (NOT "done"))',
    '(("price" >= numeric "1.5") AND ("price" <= "large"))',
    '(("title" COLLATE "C" ILIKE text "a%") AND ("padded" COLLATE "C" > bpchar "b"))',
    '((NOT ("seen" IS DISTINCT FROM timestamptz "1704067200000000")) AND (("done" IS UNKNOWN) IS NULL))',
  ]);
});

test.each([
  ["price + 1.0 = price", 'price + 1.00 = price'],
  ["at + '1 mon'::interval = at", "at + '30 days'::interval = at"],
  ["concat(title, padded) = 'a'", 'concat(title, padded::text) = \'a\''],
])('what is calculated with is told apart by what its text shows: %s and %s', (left, right) => {
  expect(accepted(left).canonical).not.toBe(accepted(right).canonical);
});

test('a value that is none of its type is thrown, never taken for false', () => {
  expect(() => accepted('id = 1').evaluate(() => 'x')).toThrow('a text that Postgres wrote for type int4 is one of its values');
});
