/**
 * The clauses of the WHERE language, under the headings of docs/where.md: what each of its forms is of the row in `things.ts`. Each
 * value is Postgres's as well.
 */

export interface Clause {
  readonly heading: string;
  readonly says: string;
  /** Each with what it is. */
  readonly forms: readonly (readonly [form: string, truth: boolean | null])[];
}

const types = ['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'text', 'varchar', 'uuid', 'date', 'time', 'timestamp', 'timestamptz'];

export const CLAUSES: readonly Clause[] = [
  {
    heading: 'Types',
    says: 'a column of every type is compared with a literal without a type',
    forms: [
      ["flag = 't'", true], ["small = '2'", true], ["id = '7'", true], ["large = '9007199254740993'", true], ["price = '1.5'", true],
      ["single = '0.1'", true], ["ratio = '0.5'", true], ["title = 'Ab c'", true], ["label = 'x'", true], ["padded = 'ab'", true],
      ["tag = 'n'", true], ["owner = 'A0EEBC999C0B4EF8BB6D6BB9BD380A11'", true], ["day = '2024-02-29'", true], ["clock = '10:30'", true],
      ["at = '2024-02-29T10:30'", true], ["seen = '2024-02-29 11:30+01'", true], ["span = '32 days'", true], ["numbers = '{1,2,3}'", true],
      ["raw = '\\x00FF'", true], [`data = '{"a":1.0}'`, true],
    ],
  },
  {
    heading: 'Types',
    says: 'a date and a time are written in every way that does not depend on settings',
    forms: [
      ...[
        '2024-Feb-29', 'Feb 29, 2024', '29 february 2024', '2024/2/29', '20240229', 'J2460370', '2024-02-29 10:00 PM', '2024-02-29 24:00',
      ].map((day) => [`day = '${day}'`, true] as const),
      ["'epoch' < day", true], ["'infinity' > day", true], ["day > '0044-03-15 BC'", true], ["clock = '10:29:60'", true],
      ["clock = '10:30 AM'", true], ["clock < '24:00'", true], ["at = '20240229T103000'", true], ["at < '2024-02-29 24:00:00'", true],
      ["at > '2024-02-28 23:59:60'", true], ["seen = '2024-02-29 5:30:00 AM -5'", true],
    ],
  },
  {
    heading: 'Types',
    says: 'an enum is its label as text, and is compared with labels',
    forms: [
      ["mood::text = 'sad'", true], ['mood = feeling', true], ['mood <> feeling', false], ["mood = 'sad'", true], ["'ok' <> mood", true],
      ["mood IN ('ok', 'happy')", false], ["mood NOT IN ('ok', NULL)", null], ["mood = ANY ('{sad,ok}')", true],
      ["mood <> ALL ('{sad}')", false], ["mood IS DISTINCT FROM 'sad'", false], ["'ok' IS DISTINCT FROM mood", true],
      ['mood IS NOT DISTINCT FROM NULL', false], ["mood IS NOT DISTINCT FROM 'sad'", true],
    ],
  },
  { heading: 'Types', says: 'a column of any type is asked for NULL', forms: [['place IS NULL', false], ['place IS NOT NULL', true]] },
  {
    heading: 'Types',
    says: 'a value is cast to each of the types',
    forms: [
      ...types.map((type) => [`NULL::${type} IS NULL`, true] as const),
      ["'\\x61'::bytea = raw", false], ["'[1]'::jsonb = data", false], ["'1 day'::interval = span", false],
      ["'{1,2,3}'::int4[] = numbers", true],
      ["'{a,b}'::text[] = tags", true], ['NULL::bytea[] IS NULL', true],
    ],
  },
  {
    heading: 'Types',
    says: 'a narrow type is taken for a wider one',
    forms: [
      ['small = id', false], ['id < large', true], ['large > price', true], ['price > ratio', true], ['single = ratio', false],
      ['label = title', false], ["padded = 'ab'::text", true], ['tag = title', false], ['day < at', true],
    ],
  },
  {
    heading: 'Types',
    says: 'a cast that is written is made between truth and numbers, through text, and item by item',
    forms: [
      ['flag::int4 = 1', true], ['id::bool', true], ['id::text = \'7\'', true], ["'8'::text::int4 = id", false],
      ['title::varchar = title', true],
      ["mood::text || '' = 'sad'", true], ["numbers::text[] = '{1,2,3}'", true], ["tags::varchar[] = '{a,b}'", true],
    ],
  },
  {
    heading: 'Conditions',
    says: 'values of one family are compared',
    forms: [
      ['id = 7', true], ['id <> 7', false], ['id != 8', true], ['id < 8', true], ['id > 8', false], ['id <= 7', true], ['id >= 8', false],
      ["title < 'B'", true], ["owner > '00000000-0000-0000-0000-000000000000'", true], ["day >= '2024-03-01'", false],
      ["clock < '10:30:00.000001'", true], ["at > 'infinity'", false], ["seen >= '-infinity'", true], ['flag = true', true],
      ["span <> '1 mon'", true], ['numbers = ARRAY[1,2,3]', true], ['numbers <> ARRAY[1,2]', true],
    ],
  },
  {
    heading: 'Conditions',
    says: 'AND, OR and NOT have three values, and NULL leaves the row out',
    forms: [
      ['flag AND nothing = 1', null], ['NOT flag AND nothing = 1', false], ['flag OR nothing = 1', true], ['NOT flag OR nothing = 1', null],
      ['NOT nothing = 1', null], ['nothing = NULL', null],
    ],
  },
  {
    heading: 'Conditions',
    says: 'NULL and truth are tested',
    forms: [
      ['nothing IS NULL', true], ['id IS NOT NULL', true], ['flag IS TRUE', true], ['flag IS NOT TRUE', false], ['flag IS FALSE', false],
      ['flag IS NOT FALSE', true], ['(nothing = 1) IS UNKNOWN', true], ['(nothing = 1) IS NOT UNKNOWN', false],
      ['nothing IS DISTINCT FROM 1', true], ['nothing IS NOT DISTINCT FROM NULL', true],
    ],
  },
  {
    heading: 'Conditions',
    says: 'a value stands in a list, between bounds, and beside the items of an array',
    forms: [
      ['id IN (1, 7)', true], ['id NOT IN (1, NULL)', null], ['id BETWEEN 1 AND 7', true], ['id NOT BETWEEN 8 AND 9', true],
      ['id BETWEEN SYMMETRIC 9 AND 1', true], ['id NOT BETWEEN SYMMETRIC 9 AND 1', false], ['small = ANY (numbers)', true],
      ['id > ALL (numbers)', true], ["id = ANY ('{}')", false], ["nothing = ALL ('{}'::int4[])", true], ['id = ANY (NULL::int4[])', null],
      ["title LIKE ANY ('{x,A%}')", true],
    ],
  },
  {
    heading: 'Conditions',
    says: 'a text is held to a pattern',
    forms: [
      ["title LIKE 'Ab%'", true], ["title NOT LIKE 'ab%'", true], ["title ILIKE 'aB_c'", true], ["title NOT ILIKE 'AB%'", false],
      ["title ~~ '%c'", true], ["title !~~ '%c'", false], ["title ~~* '%C'", true], ["title !~~* '%C'", false],
      ["title LIKE 'Ab! c' ESCAPE '!'", true], ["like(title, 'A%')", true],
    ],
  },
  {
    heading: 'Conditions',
    says: 'a text is held to a regular expression that does not depend on a locale',
    forms: [
      ["title ~ '^A.*c$'", true], ["title !~ '[a-c] c'", false], ["title ~* '^aB'", true], ["title !~* '(x|y)+'", true],
      ["padded ~ '^ab  $'", true], ["title ~ NULL", null],
    ],
  },
  {
    heading: 'Conditions',
    says: 'a regular expression has classes under C, and lazy quantifiers',
    forms: [
      ["title ~ '^\\w+\\s\\S$'", true], ["title ~ '\\d'", false], ["title ~ '^[[:upper:]][^\\d]+?$'", true],
      ["title ~* '^[[:upper:]]{2}'", true],
    ],
  },
  {
    heading: 'Values',
    says: 'numbers are calculated with',
    forms: [
      ['+ id = 7', true], ['- id = -7', true], ['id + 1 = 8', true], ['id - 1.5 = 5.5', true], ['id * 2 = 14', true], ['id / 2 = 3', true],
      ['ratio / 2 = 0.25', true], ['price ^ 2 = 2.25', true], ['id ^ 2 = 49', true],
      ["(2 ^ 0.3::float8)::text = '1.2311444133449163'", true], ['|/ 49.0 = id', true], ['@ (- id) = 7', true],
    ],
  },
  {
    heading: 'Values',
    says: 'whole numbers have bits',
    forms: [['id & 3 = 3', true], ['id | 8 = 15', true], ['id # 2 = 5', true], ['~ id = -8', true], ['small & 2::int2 = 2', true]],
  },
  {
    heading: 'Values',
    says: 'texts are put together and have two cases',
    forms: [
      ["title || '!' = 'Ab c!'", true], ["lower(title) = 'ab c'", true], ["upper(title) = 'AB C'", true],
      ["concat(title, NULL, id, flag) = 'Ab c7t'", true],
    ],
  },
  {
    heading: 'Values',
    says: 'a value is chosen among several',
    forms: [['coalesce(nothing, id) = 7', true], ['greatest(1, id, nothing) = 7', true], ['least(id, 1) = 1', true]],
  },
  {
    heading: 'Values',
    says: 'the value behind the first condition that is true is taken',
    forms: [
      ['CASE WHEN nothing = 1 THEN 1 WHEN flag THEN 2 ELSE 1 / small END = 2', true], ['CASE WHEN NOT flag THEN 1 END IS NULL', true],
      ["CASE id WHEN 6 THEN 'six' WHEN small + 5 THEN 'seven' END = 'seven'", true], ['CASE WHEN flag THEN 1 ELSE 2.5 END = price', false],
      ["CASE mood WHEN 'sad' THEN flag END", true],
    ],
  },
  {
    heading: 'Values',
    says: 'dates, times and intervals are calculated with',
    forms: [
      ["day + 1 = '2024-03-01'", true], ["1 + day = '2024-03-01'", true], ["day - 1 = '2024-02-28'", true],
      ["day - '2024-02-01' = 28", true],
      ['day + clock = at', true], ["day + '1 day'::interval = '2024-03-01'", true], ["at + span = '2024-03-31 10:30'", true],
      ["seen - '1 hour'::interval = '2024-02-29 09:30Z'", true], ["clock + '1 hour'::interval = '11:30'", true],
      ["at - '2024-02-28' = '1 day 10:30'", true], ["span + '1 day' = '33 days'", true],
      ["span * 2 = '2 mons 4 days'", true], ["span * 0.5::float8 = '16 days'", true],
      ["justify_days('35 days') = '1 mon 5 days'", true], ["justify_hours('25:00') = '1 day 01:00'", true],
      ["justify_interval('1 mon -1 hour') = '29 days 23:00'", true],
    ],
  },
  {
    heading: 'Values',
    says: 'a moment is seen in a zone',
    forms: [
      ["at AT TIME ZONE 'UTC' = seen", true], ["timezone('UTC', seen) = at", true],
      ["at AT TIME ZONE '-02:00' = '2024-02-29 08:30Z'", true],
      ["at AT TIME ZONE '02:00'::interval = '2024-02-29 08:30Z'", true], ["seen AT TIME ZONE 'Etc/GMT+5' = '2024-02-29 05:30'", true],
      ["seen AT TIME ZONE 'Europe/Berlin' = '2024-02-29 11:30'", true], ["timezone('america/new_york', at) = '2024-02-29 15:30Z'", true],
      ["at AT TIME ZONE 'CET-1CEST,M3.5.0,M10.5.0/3' = '2024-02-29 09:30Z'", true], ["seen AT TIME ZONE 'PST' = '2024-02-29 02:30'", true],
      ["seen AT TIME ZONE 'est' = '2024-02-29 05:30'", true], ["at AT TIME ZONE 'MSK' = '2024-02-29 07:30Z'", true],
      ["timezone('MSK', at - '11 years'::interval) = '2013-02-28 06:30Z'", true],
      ["(at + '1 mon'::interval) AT TIME ZONE ('Europe/' || 'Berlin') = '2024-03-29 09:30Z'", true],
    ],
  },
  {
    heading: 'Values',
    says: 'a text is trimmed and cut as the grammar spells it',
    forms: [
      ["trim(both 'Ac' FROM title) = 'b '", true], ["trim(leading 'A' FROM title) = 'b c'", true],
      ["trim(trailing FROM title) = title", true], ["trim(FROM title) = title", true], ["substring(title FROM 2 FOR 2) = 'b '", true],
      ["substring(title FROM 4) = 'c'", true],
      ["substring(title FOR 2) = 'Ab'", true], ["position('c' IN title) = 4", true], ["position('x' IN title) = 0", true],
    ],
  },
  {
    heading: 'Values',
    says: 'a value is nothing where it equals another',
    forms: [
      ['NULLIF(id, 7) IS NULL', true], ['NULLIF(id, 8) = 7', true], ["NULLIF(title, '') = title", true],
      ['NULLIF(nothing, 1) IS NULL', true], ['NULLIF(id, nothing) = 7', true], ["NULLIF(padded, 'ab') IS NULL", true],
      ["NULLIF(id, 1.5)::text = '7'", true],
      ["NULLIF(flag, false)", true],
    ],
  },
  {
    heading: 'Values',
    says: 'a number is rounded, and has a sign',
    forms: [
      ['round(price) = 2', true], ['round(ratio) = 0', true], ["round(price, 1)::text = '1.5'", true],
      ['round(large, -3) = 9007199254741000', true],
      ['trunc(price) = 1', true], ["trunc(price, 3)::text = '1.500'", true], ['trunc(-1.5::float8) = -1', true],
      ['ceil(price) = 2', true], ['ceiling(-price) = -1', true], ['floor(-price) = -2', true], ['floor(ratio) = 0', true],
      ['sign(-price) = -1', true], ['sign(ratio) = 1', true], ['round(nothing) IS NULL', true],
    ],
  },
  {
    heading: 'Values',
    says: 'a moment and an interval are cut to a unit',
    forms: [
      ["date_trunc('hour', at) = '2024-02-29 10:00'", true], ["date_trunc('week', seen) = '2024-02-26'", true],
      ["date_trunc('quarter', day) = '2024-01-01 00:00Z'", true], ["date_trunc('MONTH', span) = '1 mon'", true],
      ["date_trunc('century', at) = '2001-01-01'", true], ["date_trunc('minute', clock) = '10:30'", true],
    ],
  },
  {
    heading: 'Values',
    says: 'a date, a time and an interval have fields',
    forms: [
      ['extract(year FROM day) = 2024', true], ["extract(second FROM at)::text = '0.000000'", true], ['extract(dow FROM seen) = 4', true],
      ['extract(week FROM day) = 9', true], ['extract(minute FROM clock) = 30', true], ['extract(month FROM span) = 1', true],
      ["extract(julian FROM day)::text = '2460370'", true], ['extract(epoch FROM seen) = 1709202600', true],
      ["date_part('doy', at) = 60", true], ["date_part('epoch', span)::text = '2764800'", true],
      ["extract(month FROM 'infinity'::date) IS NULL", true],
    ],
  },
  {
    heading: 'Values',
    says: 'an interval is read with its fractions',
    forms: [
      ["'1.5 days'::interval = '36:00'", true], ["'0.5 years'::interval = '6 mons'", true],
      ["'P0.5W'::interval = '3 days 12:00'", true],
    ],
  },
  {
    heading: 'Values',
    says: 'arrays are compared, joined, asked and cut',
    forms: [
      ["numbers @> '{1,3}'", true], ["'{1}' <@ numbers", true], ['numbers && ARRAY[9]', false], ["numbers || 4 = '{1,2,3,4}'", true],
      ["array_cat(tags, '{c}') = '{a,b,c}'", true], ["array_append(tags, 'c') = '{a,b,c}'", true],
      ["array_prepend('c', tags) = '{c,a,b}'", true],
      ['array_ndims(grid) = 2', true], ['numbers[2] = 2', true], ['grid[2][3] = 6', true], ['numbers[9] IS NULL', true],
      ["numbers[2:3] = '{2,3}'", true], ["numbers[:2] = '{1,2}'", true], ["numbers[2:] = '{2,3}'", true], ["numbers[:] = '{1,2,3}'", true],
      ["grid[2:][1:2] = '{{4,5}}'", true], ["grid[:1][2] = '{{1,2}}'", true], ['ARRAY[1, id] = ARRAY[small - 1, 7]', true],
    ],
  },
  {
    heading: 'Values',
    says: 'jsonb has members and items, and holds others',
    forms: [
      ["data -> 'a' = '1'", true], ["data ->> 'a' = '1'", true], ["data -> 'b' IS NULL", true], ['data -> 0 IS NULL', true],
      ["data @> '{}'", true], [`'{"a":1.0}' <@ data`, true], [`data @> '{"a":2}'`, false], ["data ? 'a'", true], ["data ?| '{b,a}'", true],
      ["data ?& '{b,a}'", false], ["'[1,2]'::jsonb -> -1 = '2'", true], [`'["a"]'::jsonb @> '"a"'`, true],
      [`'[["a"]]'::jsonb @> '["a"]'`, false], [`'{"a":["b"]}'::jsonb @> '{"a":"b"}'`, false], [`'[{"a":1}]'::jsonb @> '{"a":1}'`, false],
      ["data ?& '{a,NULL}'", true], [`'{"null":1}'::jsonb ?| '{NULL}'`, false],
    ],
  },
  {
    heading: 'Values',
    says: "a type's name, and its output function, are functions",
    forms: [
      ["int2('2') = small", true], ["int4('7') = id", true], ["int8('7') = id", true], ["float8('0.5') = ratio", true],
      ["text('x') = label", true],
      ["uuid('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11') = owner", true], ["date('2024-02-29') = day", true], ["bool('t')", true],
      ["int4out(id)::text = '7'", true], ["boolout(flag)::text = 't'", true], ["numeric_out(price)::text = '1.50'", true],
      ["date_out(day)::text = '2024-02-29'", true], ["array_out(tags)::text = '{a,b}'", true],
      ["uuid_out(owner)::text = owner::text", true],
    ],
  },
  {
    heading: 'How a filter is read',
    says: 'operators are joined in long chains',
    forms: [
      [`${Array.from({ length: 400 }, () => 'id').join(' + ')} = 2800`, true],
      [Array.from({ length: 400 }, () => 'NOT flag').join(' OR '), false],
    ],
  },
];
