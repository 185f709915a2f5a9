/**
 * What the protocol's own description of the WHERE language lists (its types, operators, functions and casts), each for each of its types.
 * A form is an expression of the columns in `protocolColumns`; none of them has an error in the row.
 */
import type { WhereColumn } from '../../../src/sql/where.ts';
import { C } from './things.ts';

const VALUES = {
  bool: ['t', 'f'], int2: ['2', '5'], int4: ['7', '3'], int8: ['11', '9007199254740993'], numeric: ['1.50', '2.25'],
  float4: ['0.5', '3'], float8: ['2.5', '0.1'], text: ['Ab c', 'b'], varchar: ['x', 'Ab c'], bpchar: ['ab  ', 'b   '], name: ['n', 'b'],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000000'], date: ['2024-02-29', '2024-03-01'],
  time: ['10:30:00', '23:59:59.5'], timestamp: ['2024-02-29 10:30:00', '2023-12-31 00:00:00.25'],
  timestamptz: ['2024-02-29 10:30:00+00', '2024-07-01 23:00:00+00'], interval: ['P1M2D', 'PT1H30M'],
} as const;

type Type = keyof typeof VALUES;

const TYPES = Object.keys(VALUES) as readonly Type[];
const INTEGERS: readonly Type[] = ['int2', 'int4', 'int8'];
const NUMBERS: readonly Type[] = [...INTEGERS, 'numeric', 'float4', 'float8'];
const TEXTS: readonly Type[] = ['text', 'varchar', 'bpchar', 'name'];
const MOMENTS: readonly Type[] = ['date', 'timestamp', 'timestamptz', 'time'];
const ORDERED: readonly Type[] = [...NUMBERS, ...TEXTS, 'uuid', ...MOMENTS];
const CASTS = [...TYPES.filter((type) => !['numeric', 'bpchar', 'name'].includes(type)), 'bytea', 'jsonb'];
const COMPARISONS = ['=', '<>', '!=', '<', '>', '<=', '>='];
const ZONES = [
  'UTC', 'Europe/Berlin', '+02:30', 'EST', 'PST', 'CEST', 'MSK', 'UTC-2', 'EST5EDT', 'XYZ3ABC,M3.2.0,M11.1.0',
].map((zone) => `'${zone}'`);
const TEXT_OF: Readonly<Record<string, string>> = { bytea: '\\x61', jsonb: '{"a": 1}' };

/** As they stand in the row: of each type two values and an array of them, and an enum. */
const ROW: readonly (readonly [name: string, type: string, text: string])[] = [
  ...TYPES.flatMap((type) => [
    [`${type}_a`, type, VALUES[type][0]] as const, [`${type}_b`, type, VALUES[type][1]] as const,
    [`${type}_s`, `${type}[]`, `{${VALUES[type].map((text) => `"${text}"`).join(',')}}`] as const,
  ]),
  ['grid', 'int4[]', '{{1,2,3},{4,5,6}}'], ['mood_a', 'protocol_mood', 'sad'], ['mood_b', 'protocol_mood', 'ok'],
];

export const protocolColumns: readonly WhereColumn[] = ROW.map(([name, type]) => ({
  name, typeName: type.replace('[]', ''), dimensions: type.endsWith('[]') ? 1 : 0,
  ...(type === 'protocol_mood' ? { isEnum: true } : {}),
  ...(TEXTS.some((text) => type.startsWith(text)) ? { collation: C } : {}),
}));

const texts: ReadonlyMap<string, string> = new Map(ROW.map(([name, , text]) => [name, text]));

export function protocolText(column: string): string | null {
  return texts.get(column) ?? null;
}

export const createProtocolRow = `
  CREATE TYPE protocol_mood AS ENUM ('sad', 'ok');
  CREATE TABLE protocol_row (${ROW.map(([name, type]) => {
    const declared = type.replace('bpchar', 'char(4)');
    return `${name} ${declared}${/^(?:text|varchar|bpchar)/.test(type) ? ' COLLATE "C"' : ''}`;
  }).join(', ')});
  INSERT INTO protocol_row VALUES (${ROW.map(([, , text]) => `'${text}'`).join(', ')})`;

const pairs = (types: readonly Type[]) => types.flatMap((left) => types.map((right) => [`${left}_a`, `${right}_b`] as const));
const quoted = (type: Type) => `'${VALUES[type][1]}'`;

function comparisons(): readonly string[] {
  const compared = [...pairs(NUMBERS), ...pairs(TEXTS), ...['uuid', ...MOMENTS].map((type) => [`${type}_a`, `${type}_b`] as const)];
  const equated = ['bool_', 'interval_', 'mood_'].map((name) => [`${name}a`, `${name}b`]);
  return [
    ...compared.flatMap(([left, right]) => COMPARISONS.map((sign) => `${left} ${sign} ${right}`)),
    ...ORDERED.flatMap((type) => COMPARISONS.flatMap((sign) => [`${type}_a ${sign} ${quoted(type)}`, `${quoted(type)} ${sign} ${type}_a`])),
    ...COMPARISONS.flatMap((sign) => [`date_a ${sign} timestamp_b`, `timestamp_b ${sign} date_a`]),
    ...[...equated, ...TYPES.map((type) => [`${type}_s`, `${type}_s`])].flatMap(([left, right]) => {
      return [`${left} = ${right}`, `${left} <> ${right}`];
    }),
    "bool_a = 't'", "'1 mon' <> interval_a", "mood_a::text = 'sad'", "mood_a::text IN ('ok', 'sad')", "upper(mood_a::text) LIKE 'S%'",
  ];
}

function logic(): readonly string[] {
  const tests = ['TRUE', 'FALSE', 'UNKNOWN', 'NULL'].flatMap((test) => [`IS ${test}`, `IS NOT ${test}`]);
  return [
    'bool_a AND bool_b', 'bool_a OR bool_b', 'NOT bool_a', 'bool_a AND NULL', 'NOT (bool_b OR NULL)',
    ...tests.map((test) => `bool_a ${test}`),
    ...tests.map((test) => `(int4_a > 3) ${test}`),
    ...TYPES.flatMap((type) => [`${type}_a`, `${type}_s`].flatMap((column) => [
      `${column} IS NULL`, `${column} IS NOT NULL`, `${column} IS DISTINCT FROM ${column}`, `${column} IS NOT DISTINCT FROM ${column}`,
      `${column} IS DISTINCT FROM NULL`,
    ])),
    'mood_a IS NULL', 'mood_a IS DISTINCT FROM mood_b',
  ];
}

function arithmetic(): readonly string[] {
  return [
    ...NUMBERS.flatMap((type) => ['+', '-', '@'].map((sign) => `${sign} ${type}_a`)),
    ...pairs(NUMBERS).flatMap(([left, right]) => ['+', '-', '*', '/'].map((sign) => `${left} ${sign} ${right}`)),
    ...NUMBERS.flatMap((type) => ['+', '-', '*', '/'].map((sign) => `${type}_a ${sign} ${quoted(type)}`)),
    ...pairs(NUMBERS).filter(([, right]) => right !== 'int8_b').map(([left, right]) => `${left} ^ ${right}`),
    ...NUMBERS.flatMap((type) => [`|/ ${type}_a`, `power(${type}_a, 2)`, `${type}_a ^ 0.5`, `sqrt(${type}_a::float8)`]),
    ...pairs(INTEGERS).flatMap(([left, right]) => ['&', '|', '#'].map((sign) => `${left} ${sign} ${right}`)),
    ...INTEGERS.map((type) => `~ ${type}_a`),
  ];
}

function ofTexts(): readonly string[] {
  const likes = ['LIKE', 'ILIKE', 'NOT LIKE', 'NOT ILIKE', '~~', '~~*', '!~~', '!~~*'];
  return [
    ...pairs(TEXTS).map(([left, right]) => `${left} || ${right}`),
    ...TYPES.flatMap((type) => [`text_a || ${type}_a`, `${type}_a || text_b`]),
    ...TEXTS.flatMap((type) => [`${type}_a || 'x'`, `lower(${type}_a)`, `upper(${type}_a)`, `like(${type}_a, 'A%')`]),
    ...TEXTS.flatMap((type) => likes.flatMap((sign) => [
      `${type}_a ${sign} 'a%'`, `${type}_a ${sign} text_b`, `${type}_a ${sign} varchar_b`,
    ])),
    `concat(${TYPES.map((type) => `${type}_a`).join(', ')}, NULL)`, ...TYPES.map((type) => `concat(${type}_a, ${type}_s)`),
  ];
}

function sets(): readonly string[] {
  return [
    ...TYPES.flatMap((type) => [
      `${type}_a IN (${type}_b, ${quoted(type)}, NULL)`, `${type}_a NOT IN (${quoted(type)})`, `${type}_a = ANY (${type}_s)`,
      `${type}_a <> ALL (${type}_s)`, `${type}_a = ANY ('{}')`, `${type}_a <> ALL (NULL)`,
    ]),
    ...ORDERED.flatMap((type) => ['BETWEEN', 'NOT BETWEEN', 'BETWEEN SYMMETRIC', 'NOT BETWEEN SYMMETRIC'].flatMap((between) => [
      `${type}_a ${between} ${type}_b AND ${type}_a`, `${type}_a ${between} ${quoted(type)} AND NULL`,
    ])),
    ...ORDERED.flatMap((type) => COMPARISONS.flatMap((sign) => [`${type}_a ${sign} ANY (${type}_s)`, `${type}_a ${sign} ALL (${type}_s)`])),
    ...['LIKE', 'ILIKE', 'NOT LIKE', 'NOT ILIKE'].flatMap((like) => [`text_a ${like} ANY (text_s)`, `varchar_a ${like} ALL ('{a%,%b}')`]),
  ];
}

function conditionals(): readonly string[] {
  return [
    ...TYPES.flatMap((type) => [`coalesce(NULL, ${type}_a, ${quoted(type)})`, `coalesce(${type}_s, '{}')`]),
    ...ORDERED.flatMap((type) => ['greatest', 'least'].map((name) => `${name}(${type}_a, ${type}_b, NULL)`)),
    'coalesce(int2_a, int4_a, int8_a)', 'greatest(int4_a, numeric_a)', 'least(float4_a, float8_b)', 'greatest(bpchar_a, text_b)',
  ];
}

function times(): readonly string[] {
  const moments = ['date', 'timestamp', 'timestamptz', 'time'];
  return [
    ...['int2_a', 'int4_a', "'3'::int4", '7'].flatMap((days) => [`date_a + ${days}`, `${days} + date_a`, `date_a - ${days}`]),
    'date_a - date_b', "date_a - '2024-01-01'", 'date_a + time_a', 'time_a + date_a',
    ...moments.flatMap((type) => [
      `${type}_a + interval_a`, `interval_b + ${type}_a`, `${type}_a - interval_b`, `${type}_a + '1 day'::interval`,
    ]),
    ...['timestamp', 'timestamptz', 'time', 'interval'].map((type) => `${type}_a - ${type}_b`), 'interval_a + interval_b',
    ...NUMBERS.flatMap((type) => [`interval_a * ${type}_a::float8`, `${type}_a::float8 * interval_b`]), 'interval_a * 2',
    'interval_b / 2.5::float8',
    ...['days', 'hours', 'interval'].flatMap((unit) => [`justify_${unit}(interval_a * 40)`, `justify_${unit}('35 days 49:00')`]),
    ...[...ZONES, "'2 hours'::interval"].flatMap((zone) => ['timestamp_a', 'timestamptz_a'].flatMap((moment) => [
      `${moment} AT TIME ZONE ${zone}`, `timezone(${zone}, ${moment})`,
    ])),
  ];
}

function arrays(): readonly string[] {
  return [
    ...TYPES.flatMap((type) => [`${type}_s`].flatMap((array) => [
      ...['||', '@>', '<@', '&&'].map((sign) => `${array} ${sign} ${array}`), `${array} || ${type}_a`, `${type}_a || ${array}`,
      `array_cat(${array}, ${array})`, `array_append(${array}, ${type}_a)`, `array_prepend(${type}_a, ${array})`, `array_ndims(${array})`,
      `${array}[1]`, `${array}[int4_b]`, `${array}[1:2]`, `${array}[2:]`, `${array}[:1]`, `${array}[:]`, `ARRAY[${type}_a, ${type}_b]`,
      `ARRAY[${type}_a, ${quoted(type)}, NULL]`, `ARRAY[]::${type}[] || ${array}`, `${array} = '{}'`, `${array} @> '{}'`,
    ])),
    'grid[2][3]', 'grid[2:2][1:2]', 'grid[1:][2]', 'ARRAY[[1, 2], [3, 4]]', 'array_ndims(grid)', 'ARRAY[int2_a, int4_a, numeric_a]',
  ];
}

function casts(): readonly string[] {
  return [
    ...TYPES.flatMap((type) => [`${type}_a::text`, `${type}_s::text`, `${type}_a::varchar`,
    `${type}_a::text::${type === 'numeric' ? 'text' : type}`]),
    ...CASTS.flatMap((type) => {
      const text = TEXT_OF[type] ?? VALUES[type as Type][0];
      return [
        `'${text}'::${type}`, `CAST('${text}' AS ${type})`, `('${text}'::text)::${type}`, `NULL::${type}[]`,
        ...(type === 'jsonb' ? [] : [`(ARRAY['${text}', NULL]::text[])::${type}[]`, `"${type}"('${text}')`]),
      ];
    }),
    ...INTEGERS.flatMap((from) => NUMBERS.filter((type) => type !== 'numeric').map((to) => `${from}_a::${to}`)),
    ...NUMBERS.flatMap((from) => NUMBERS.filter((to) => to !== 'numeric').flatMap((to) => [`${from}_a::${to}`, `${from}_s[1:1]::${to}[]`])),
    'bool_a::int4', 'int4_a::bool', 'bool_s::int4[]', 'int4_s::bool[]', 'mood_a::text', 'date_a::timestamp', 'timestamp_a::date',
    'timestamp_a::time',
    'time_a::interval', 'interval_b::time', 'varchar_a::text', 'bpchar_a::text', 'name_a::text', "text_a::text::varchar",
    'text_s::varchar[]',
  ];
}

function typeFunctions(): readonly string[] {
  const outs: readonly (readonly [string, string])[] = [
    ['bool', 'boolout'], ['int2', 'int2out'], ['int4', 'int4out'], ['int8', 'int8out'], ['float4', 'float4out'], ['float8', 'float8out'],
    ['numeric', 'numeric_out'], ['text', 'textout'], ['varchar', 'varcharout'], ['bpchar', 'bpcharout'], ['name', 'nameout'],
    ['uuid', 'uuid_out'], ['date', 'date_out'], ['time', 'time_out'], ['timestamp', 'timestamp_out'], ['timestamptz', 'timestamptz_out'],
    ['interval', 'interval_out'],
  ];
  return [...outs.map(([type, name]) => `${name}(${type}_a)::text`), ...TYPES.map((type) => `array_out(${type}_s)::text`)];
}

/** Each once. */
export const PROTOCOL_FORMS: readonly string[] = [...new Set([
  ...comparisons(), ...logic(), ...arithmetic(), ...ofTexts(), ...sets(), ...conditionals(), ...times(), ...arrays(), ...casts(),
  ...typeFunctions(),
])];
