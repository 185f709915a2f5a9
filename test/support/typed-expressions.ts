/**
 * Random expressions of any type, made of templates: `({int4} + {int4})` is an int4 for any two of them. Every template is a form
 * that must be accepted; what its values are, errors included, Postgres says.
 */
import fc from 'fast-check';
import { daytimes, momentSpellings } from './moment-spellings.ts';
import { samples } from './where-expressions.ts';

type Type =
  | 'bool' | 'int2' | 'int4' | 'int8' | 'numeric' | 'float4' | 'float8' | 'text' | 'varchar' | 'bpchar' | 'name' | 'uuid'
  | 'date' | 'time' | 'timestamp' | 'timestamptz' | 'interval' | 'bytea' | 'jsonb' | 'int4[]' | 'text[]' | 'numeric[]';

const ANY: readonly Type[] = [
  'bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'name', 'uuid',
  'date', 'time', 'timestamp', 'timestamptz', 'interval', 'bytea', 'jsonb', 'int4[]', 'text[]',
];
const SCALARS = ANY.filter((type) => !type.endsWith('[]'));
/** Those that have an order here. */
const ORDERED = ANY.filter((type) => type !== 'jsonb');
const COMPARISONS = ['=', '<>', '<', '>', '<=', '>='];

const forEach = <Item>(items: readonly Item[], template: (item: Item) => readonly string[]): readonly string[] => items.flatMap(template);

const CLOCK_UNITS = ['microseconds', 'milliseconds', 'second', 'minute', 'hour', 'epoch'];
const DATE_UNITS = [
  'day', 'week', 'month', 'quarter', 'year', 'decade', 'century', 'millennium', 'isoyear', 'dow', 'isodow', 'doy', 'julian', 'epoch',
];
const MOMENT_UNITS = [...CLOCK_UNITS, ...DATE_UNITS];
const SPAN_UNITS = ['day', 'month', 'year', 'decade', 'century', 'millennium'];
const CUT_UNITS = ['us', 'msecs', 'sec', 'min', 'hr', 'd', 'week', 'mons', 'qtr', 'yrs', 'decs', 'c', 'Millennium'];

/** By the type that they give. A type in braces stands for any expression of it. */
const TEMPLATES: Readonly<Partial<Record<Type, readonly string[]>>> = {
  bool: [
    ...forEach(ORDERED, (type) => forEach(COMPARISONS, (sign) => [`({${type}} ${sign} {${type}})`])),
    '({jsonb} = {jsonb})', '({jsonb} <> {jsonb})',
    ...forEach(['@>', '<@'], (sign) => [`({jsonb} ${sign} {jsonb})`, `(doc ${sign} {document})`, `(doc ${sign} {document})`]),
    '({jsonb} ? {text})', "({jsonb} ? 'a')", '(doc ?| {text[]})', "(doc ?& '{a,b}')",
    ...forEach(COMPARISONS, (sign) => [
      `({int4} ${sign} {int8})`, `({int2} ${sign} {numeric})`, `({int4} ${sign} {float8})`, `({numeric} ${sign} {float4})`,
      `({date} ${sign} {timestamp})`, `({text} ${sign} {varchar})`, `({text} ${sign} {bpchar})`, `({name} ${sign} {text})`,
      `({time} ${sign} {interval})`,
      `({int4} ${sign} ANY ({int4[]}))`, `({int4} ${sign} ALL ({int4[]}))`, `({text} ${sign} ANY ({text[]}))`,
      `({varchar} ${sign} ALL ({text[]}))`, `({int8} ${sign} ANY ({int4[]}))`, `({int4} ${sign} ALL ({numeric[]}))`,
    ]),
    ...forEach(ANY, (type) => [
      `({${type}} IS NULL)`, `({${type}} IS DISTINCT FROM {${type}})`, `({${type}} IS NOT DISTINCT FROM {${type}})`,
      `({${type}} IN ({${type}}, {${type}}))`, `({${type}} NOT IN ({${type}}, {${type}}, NULL))`,
    ]),
    ...forEach(ORDERED, (type) => [
      `({${type}} BETWEEN {${type}} AND {${type}})`, `({${type}} NOT BETWEEN SYMMETRIC {${type}} AND {${type}})`,
    ]),
    ...forEach(Array.from({ length: 12 }), () => [
      '({bool} AND {bool})', '({bool} OR {bool})', '(NOT {bool})', '({bool} IS TRUE)', '({bool} IS NOT FALSE)', '({bool} IS UNKNOWN)',
    ]),
    ...forEach(['text', 'varchar', 'bpchar', 'name'], (type) => [
      `({${type}} LIKE {pattern})`, `({${type}} NOT ILIKE {pattern})`, `({${type}} ILIKE {text})`, `({${type}} !~~ {varchar})`,
    ]),
    ...forEach(['text', 'varchar', 'bpchar', 'name'], (type) => forEach(['~', '!~', '~*', '!~*'], (sign) => [
      `({${type}} ${sign} {expression})`,
    ])),
    '({text} LIKE ANY ({text[]}))', '({text} NOT ILIKE ALL ({text[]}))', "({text} LIKE {pattern} ESCAPE '!')",
    '(like({text}, {pattern}))', "({text} LIKE (words || '\\'))", "({text} ILIKE ('_%' || more || '\\'))",
    ...forEach(['@>', '<@', '&&'], (sign) => [`({int4[]} ${sign} {int4[]})`, `({text[]} ${sign} {text[]})`, `({int4[]} ${sign} '{1,2}')`]),
    'starts_with({text}, {text})', '({int4})::bool',
  ],
  int2: [
    '({int2} + {int2})', '({int2} * {int2})', '({int2} / {int2})', '(- {int2})', '({int2} & {int2})', '({int4})::int2',
    '({int2} % {int2})',
  ],
  int4: [
    '({int4} + {int4})', '({int4} - {int4})', '({int4} * {int4})', '({int4} / {int4})', '({int4} % {int4})', '({int2} + {int4})',
    '(- {int4})', '(+ {int4})', '(@ {int4})', '(~ {int4})', '({int4} & {int4})', '({int4} | {int4})', '({int4} # {int4})',
    "({int4} + '7')", '({bool})::int4', '({numeric})::int4', '({float8})::int4', '({text})::int4', '({int8})::int4',
    '({date} - {date})', '({int4[]})[{int4}]', '({int4[]})[1]', 'array_ndims({text[]})', 'array_length({int4[]}, 1)',
    'length({text})', 'length({bpchar})', 'cardinality({int4[]})', 'abs({int4})', 'mod({int4}, {int4})', 'strpos({text}, {text})',
    'position({text} IN {text})',
  ],
  int8: [
    'NULLIF({int8}, {int4})',
    '({int8} + {int8})', '({int8} - {int4})', '({int8} * {int2})', '({int8} / {int8})', '(- {int8})', '({int8} # {int8})',
    '({int4})::int8', '({numeric})::int8',
  ],
  numeric: [
    'round({numeric})', 'round({numeric}, ({int4} % 9))', 'trunc({numeric}, ({int2} % 30)::int4)', 'trunc({numeric})', 'ceil({numeric})',
    'ceiling({numeric})', 'floor({numeric})', 'sign({numeric})', 'round({int4}, {int2} % 5)', 'abs({numeric})',
    ...forEach(MOMENT_UNITS, (unit) => [`extract(${unit} FROM {timestamp})`, `extract(${unit} FROM {timestamptz})`]),
    ...forEach(DATE_UNITS, (unit) => [`extract(${unit} FROM {date})`]),
    ...forEach(CLOCK_UNITS, (unit) => [`extract(${unit} FROM {time})`, `extract(${unit} FROM {interval})`]),
    ...forEach(SPAN_UNITS, (unit) => [`extract(${unit} FROM {interval})`]),
    'NULLIF({int4}, {numeric})', 'NULLIF({numeric}, {int8})',
    "extract('SECONDS' FROM {timestamp})", "extract(week FROM (words || 'infinity')::timestamp)",
    '({numeric} + {numeric})', '({numeric} - {int4})', '({numeric} * {numeric})', '({numeric} / {numeric})', '({int8} / {numeric})',
    '({numeric} % {numeric})', '(- {numeric})', '(@ {numeric})', '({int4})::numeric', '({float8})::numeric', '({float4})::numeric',
    '({text})::numeric', '(({int2} * 0.25) ^ ({int2} % 5))', '({int4} ^ 2.0)', "(({int2} * 0.1) ^ '-3')", 'power({int2} * 1.5, 20)',
    'pow(1.5, {int2})', '(({int4} * 0.37) ^ 0.5)', '(1.0001 ^ ({int2} * 0.3))', 'power(@ {numeric}, 0.7)', "(0.37 ^ ({int4} / '7.0'))",
    "({numeric} ^ 'NaN')", "('-Infinity' ^ {numeric})", '(0.0 ^ {numeric})',
  ],
  float4: [
    '({float4} + {float4})', '({float4} * {float4})', '({float4} / {float4})', '({float8})::float4', '({int8})::float4',
    '({numeric})::float4',
  ],
  float8: [
    'round({float8})', 'trunc({float8})', 'ceil({float8})', 'ceiling({float8})', 'floor({float8})', 'sign({float8})', 'round({int4})',
    'round({int2} * 0.5::float8)', 'NULLIF({int4}, {float8})', 'NULLIF({float8}, {numeric})', 'NULLIF({float4}, {int4})',
    ...forEach(MOMENT_UNITS, (unit) => [`date_part('${unit}', {timestamp})`, `date_part('${unit}', {timestamptz})`]),
    ...forEach(CLOCK_UNITS, (unit) => [`date_part('${unit}', {time})`, `date_part('${unit}', {interval})`]),
    ...forEach([...DATE_UNITS, 'hour'], (unit) => [`date_part('${unit}', {date})`]),
    ...forEach(SPAN_UNITS, (unit) => [`date_part('${unit}', {interval})`]),
    '({float8} + {float8})', '({float8} - {int4})', '({float8} * {float8})', '({float8} / {float8})', '({float4} * {float8})',
    '({float4} / {int4})', '(|/ {float8})', '(@ {float8})', '(- {float8})', '({float4})::float8', '({int8})::float8', '({numeric})::float8',
    '({int2} ^ 2)', "({int2} ^ '3')", '(2 ^ {int2})',
    '({float8} ^ {float8})', 'power(@ {float8}, {float8} / 50)', '(({int2} * 0.1::float8) ^ ({int4} * 0.01::float8))',
    'pow({float4}, {int2} % 30)',
    "(1.0000001 ^ {float8})", 'power({float8}, 0)', '(4::float8 ^ (- abs({int2} % 9)))', "({float8} ^ 'Infinity')",
  ],
  text: [
    '({text} || {text})', '({text} || {varchar})', '({text} || {int4})', '({bool} || {text})', "({bpchar} || 'x')", "({numeric} || '')",
    'lower({text})', 'upper({varchar})', 'concat({text}, {int4}, {bool}, {bpchar})', "concat({float8}, ' ', {timestamp})",
    ...forEach(ANY, (type) => [`({${type}})::text`]),
    'NULLIF({varchar}, {text})', 'NULLIF({bpchar}, {text})', 'NULLIF({text}, {name})', 'NULLIF({varchar}, {varchar})',
    'btrim({text})', "ltrim({text}, 'ab')", "rtrim({text}, ' ')", 'trim({text})', 'substring({text}, {int2})',
    'substr({text}, {int4}, {int4})',
    'left({text}, {int2})', 'right({text}, {int2})', 'replace({text}, {text}, {text})', 'reverse({text})', '({text[]})[{int2}]',
    '({jsonb} ->> {int4})', "({jsonb} ->> 'a')", '({jsonb} ->> {text})', "(doc -> 'aa' ->> 'a')",
    ...forEach(
      [
        ['bool', 'bool'], ['int2', 'int2'], ['int4', 'int4'], ['int8', 'int8'], ['float4', 'float4'], ['float8', 'float8'],
        ['text', 'text'], ['varchar', 'varchar'], ['bpchar', 'bpchar'], ['name', 'name'], ['numeric', 'numeric_'],
        ['uuid', 'uuid_'], ['date', 'date_'],
        ['time', 'time_'], ['timestamp', 'timestamp_'], ['timestamptz', 'timestamptz_'], ['interval', 'interval_'],
        ['bytea', 'bytea'], ['jsonb', 'jsonb_'], ['text[]', 'array_'],
      ],
      ([type, name]) => [`${name}out({${type}})::text`],
    ),
  ],
  varchar: ['({text})::varchar', '({int4})::varchar'],
  bpchar: ['({text})::bpchar'],
  name: ['({text})::name', 'NULLIF({name}, {text})', 'NULLIF({name}, {varchar})'],
  uuid: ['({text})::uuid'],
  bytea: ['({text})::bytea', "(words || '\\134')::bytea", "('\\x0' || {text})::bytea"],
  jsonb: [
    '({jsonb} -> {int4})', "({jsonb} -> 'a')", '({jsonb} -> {text})', "(doc -> 'b' -> {int2})", '({text})::jsonb',
    '(doc)::text::jsonb', "('[' || small || ']')::jsonb", "('{\"' || lower(more) || '\": 1}')::jsonb",
  ],
  date: [
    '({date} + {int4})', '({int2} + {date})', '({date} - {int4})', '({timestamp})::date', "(words || '2024-02-29')::date",
    '({moment})::date', '(left(words, 0) || {moment})::date',
  ],
  time: [
    '({time} + {interval})', '({interval} + {time})', '({time} - {interval})', '({timestamp})::time', '({interval})::time',
    '({daytime})::time', '(left(words, 0) || {daytime})::time',
  ],
  timestamp: [
    ...forEach(CUT_UNITS, (unit) => [`date_trunc('${unit}', {timestamp})`]), 'date_trunc({text}, {timestamp})',
    '({date} + {interval})', '({interval} + {date})', '({date} - {interval})', '({date} + {time})', '({timestamp} + {interval})',
    '({timestamp} - {interval})', '({date})::timestamp', "({timestamptz} AT TIME ZONE 'UTC')", '({timestamptz} AT TIME ZONE {zone})',
    '({moment})::timestamp', '(left(words, 0) || {moment})::timestamp',
  ],
  timestamptz: [
    ...forEach(CUT_UNITS, (unit) => [`date_trunc('${unit}', {timestamptz})`, `date_trunc('${unit}', {date})`]),
    '({timestamptz} + {interval})', '({timestamptz} - {interval})', "({timestamp} AT TIME ZONE 'UTC')",
    'timezone({zone}, {timestamp})', '({moment})::timestamptz', '(left(words, 0) || {moment})::timestamptz',
  ],
  interval: [
    ...forEach(CUT_UNITS, (unit) => (unit.startsWith('w') ? [] : [`date_trunc('${unit}', {interval})`])), "date_trunc('hour', {time})",
    '({interval} + {interval})', '({interval} - {interval})', '({timestamp} - {timestamp})', '({timestamptz} - {timestamptz})',
    '({time} - {time})', '({interval} * {float8})', '({float8} * {interval})', '({interval} / {float8})', '({interval} * {int4})',
    '(- {interval})',
    "(words || '1.5 days')::interval", "('-' || small || '.07 years 2.3 weeks')::interval", "('P0.7M' || 'T1.25H')::interval",
    'justify_days({interval})', 'justify_hours({interval})', 'justify_interval({interval})', '({time})::interval',
  ],
  'int4[]': [
    'ARRAY[{int4}, {int4}]', 'ARRAY[{int2}, {int4}, NULL]', '({int4[]} || {int4[]})', '({int4[]} || {int4})', '({int2} || {int4[]})',
    '({int4[]})[{int2}:{int2}]', '({int4[]})[:{int2}]', '({int4[]})[{int2}:]', '({int4[]})[:]', '({int4[]})[{int2}:][1:{int2}]',
    '({int4[]})[{int2}][:]', 'array_append({int4[]}, {int4})', 'array_prepend({int4}, {int4[]})', 'array_cat({int4[]}, {int4[]})',
    'ARRAY[[{int4}, 1], [2, {int4}]]', 'ARRAY[{int4[]}, {int4[]}]', 'ARRAY[]::int4[]', "ARRAY['1', {int4}]",
  ],
  'text[]': [
    'ARRAY[{text}, {text}]', "ARRAY['a', NULL]", '({text[]} || {text[]})', '({text[]} || {text})', "array_append({text[]}, 'x')",
    '({int4[]})::text[]', 'ARRAY[{text[]}, {text[]}]', '({text[]})[{int2}:{int2}]', '({text[]})[2:][:]',
  ],
  'numeric[]': ['ARRAY[{numeric}, {int4}]', '({int4[]})::numeric[]', 'ARRAY[1, 2.50, {numeric}]'],
};
const OF_ANY: readonly string[] = [
  'NULLIF({T}, {T})',
  'coalesce({T}, {T})', 'coalesce(NULL, {T}, {T})', '(CASE WHEN {bool} THEN {T} ELSE {T} END)',
  '(CASE WHEN {bool} THEN {T} WHEN {bool} THEN NULL END)',
  '(CASE {int4} WHEN {int2} THEN {T} WHEN 1 THEN {T} ELSE {T} END)', "(CASE (words || {text}) WHEN 'a' THEN {T} WHEN NULL THEN {T} END)",
];
const OF_SCALARS: readonly string[] = ['greatest({T}, {T}, NULL)', 'least({T}, {T})'];

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const PATTERNS = ['%', '_', 'a%', '%b', 'A_', 'a\\%', '', '%a%b%', '_%', 'é%'].map(quoted);
const EXPRESSIONS = [
  'a', '^a', 'b$', '^$', '^a*$', 'a.b', '.', '^.$', '^.{2,3}$', '[a-c]+', '^[^a]', '(a|b)+$', '^(?:a|b c|A){1,2}.?$', '\\.', '%',
  '^(a?){3}$', 'a{2}', '^(a|ab)(c|bcd)?$', '(a*)*b', '\\\\', '^[A-Z0-9 ]{0,4}$', '_|\\*', 'x{0}',
  '\\d', '^\\w+?\\s', '[^[:alpha:]\\d]',
].map(quoted);
const DOCUMENTS = [
  '[]', '{}', '1', '"a"', '["a"]', '[1]', '[1, 1.0]', '{"a": 1}', '{"a": {}}', '{"b": [{}]}', '{"b": [2]}', '[[1.0]]', '[{"a": 1}, [1]]',
  'null', '{"b": null}', '{"aa": {"a": "1"}, "a": "a"}',
].map(quoted);
const ZONES = [
  "'utc'::text", "'+02'", "'-05:30'", "'UTC+3:15:7'", "'gmt-14'", "'Etc/GMT+12'", "'etc/gmt-14'", "'Etc/Greenwich'", "'+167:59:59'",
  "'Europe/Berlin'", "'america/new_york'", "'CET-1CEST,M3.5.0,M10.5.0/3'", "'Australia/Lord_Howe'", "'Africa/Casablanca'", "'EST5EDT'",
  "'PST'", "'MSK'", "'est'", "'VET'", "'Asia/Kolkata'", "'Pacific/Apia'", "'Nowhere'", "'05:30'::interval", "'-08:00:15'::interval",
  "'1 day'::interval", 'span',
];

function leafOf(type: Type): fc.Arbitrary<string> {
  const ofType = samples.filter((sample) => sample.type === type);
  const literals = ofType.flatMap(({ values }) => values).map((value) => `${quoted(value)}::${type}`);
  const columns = ofType.map(({ column }) => column);
  const some = literals.length === 0 ? [`NULL::${type}`, `'{}'::${type}`] : literals;
  return fc.oneof(
    ...(columns.length === 0 ? [] : [{ weight: 4, arbitrary: fc.constantFrom(...columns) }]),
    { weight: 2, arbitrary: fc.constantFrom(...some) },
    fc.constant(`NULL::${type}`),
  );
}

/** An expression of the type, of templates within templates down to `depth`. */
export function expressionOf(type: Type, depth: number): fc.Arbitrary<string> {
  if (depth === 0) return leafOf(type);
  const templates = [
    ...(TEMPLATES[type] ?? []),
    ...OF_ANY.map((template) => template.replaceAll('{T}', `{${type}}`)),
    ...(type.endsWith('[]') || type === 'jsonb' ? [] : OF_SCALARS.map((template) => template.replaceAll('{T}', `{${type}}`))),
  ];
  const ofTemplate = fc.constantFrom(...templates).chain((template) => filled(template, depth));
  return fc.oneof({ weight: 1, arbitrary: leafOf(type) }, { weight: 6, arbitrary: ofTemplate });
}

function filled(template: string, depth: number): fc.Arbitrary<string> {
  const places = [...template.matchAll(/\{([a-z][a-z0-9]*(?:\[\])?)\}/g)].map(([, name = '']) => name);
  const parts = places.map((name) => partOf(name, depth - 1));
  return fc.tuple(...parts).map((written) => {
    let at = 0;
    return template.replaceAll(/\{[a-z][a-z0-9]*(?:\[\])?\}/g, () => written[at++] ?? '');
  });
}

function partOf(name: string, depth: number): fc.Arbitrary<string> {
  if (name === 'pattern') return fc.constantFrom(...PATTERNS);
  if (name === 'expression') return fc.constantFrom(...EXPRESSIONS);
  if (name === 'document') return fc.constantFrom(...DOCUMENTS);
  if (name === 'moment') return momentSpellings.map(quoted);
  if (name === 'daytime') return daytimes.map(quoted);
  if (name === 'zone') return fc.constantFrom(...ZONES);
  const type = [...ANY, 'numeric[]' as const].find((known) => known === name);
  return type === undefined ? fc.constant(name) : expressionOf(type, depth);
}

export const typedExpressions: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...SCALARS, ...ANY), fc.integer({ min: 1, max: 5 }))
  .chain(([type, depth]) => expressionOf(type, depth));

