/**
 * Values and casts against Postgres itself: a text that we read as a value of a type is one that Postgres reads, values
 * order and equal each other as it says, and a cast gives what it gives. We may refuse more than Postgres does.
 */
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { castConstant, constantOf } from '../../src/sql/checkers/literals.ts';
import { ArrayLiteral } from '../../src/sql/values/array-literal.ts';
import { arrayOf, isScalar, isTypeName, itemOf, typeNameOf, type TypeName } from '../../src/sql/values/type-names.ts';
import { VALUE_TYPES } from '../../src/sql/values/value-types.ts';
import type { Value } from '../../src/sql/values/values.ts';
import { WhereRefusal } from '../../src/sql/where-refusal.ts';
import { DISPLAY_SETTINGS } from '../support/postgres/display-settings.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { samples } from '../support/where-expressions.ts';

const TEXTS_PER_TYPE = 1500;
/** As `text::type`, or what Postgres calls its error. */
const TRY_CAST = `
  CREATE FUNCTION pg_temp.try_cast(written text, source text, target text) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE outcome text;
  BEGIN
    EXECUTE format('SELECT $1::%s::%s::text', source, target) USING written INTO outcome;
    RETURN outcome;
  EXCEPTION WHEN others THEN
    RETURN 'error';
  END $$`;

let database: TestDatabase;
let session: pg.Client;

beforeAll(async () => {
  database = await createDatabase();
  session = await database.session();
  await session.query(DISPLAY_SETTINGS);
  await session.query(TRY_CAST);
});

afterAll(async () => {
  await database.drop();
});

const types = Object.keys(VALUE_TYPES).filter(isTypeName);
const TARGETS = types;

function valuesOf(type: TypeName): readonly string[] {
  return samples.filter((sample) => sample.type === type).flatMap(({ values, bare = [] }) => [...values, ...bare]);
}

/** A text that is a value of the type, or nearly: cut and put together anew at a few places. */
function nearly(type: TypeName): fc.Arbitrary<string> {
  const character = fc.constantFrom(...' \t\u00a0\u2003\ufeff+-.:,_0159eExTtZzBCinfaby{}');
  const change = fc.tuple(fc.nat(40), fc.nat(2), fc.array(character, { maxLength: 2 }));
  const start = fc.constantFrom(...valuesOf(type), ...EDGES[VALUE_TYPES[type].family]);
  return fc.tuple(start, fc.array(change, { maxLength: 2 })).map(([text, changes]) => {
    return changes.reduce((changed, [at, size, added]) => changed.slice(0, at) + added.join('') + changed.slice(at + size), text);
  });
}

/** Where a type ends, and where one that reads too freely would go on. */
const EDGES: Readonly<Record<(typeof VALUE_TYPES)[TypeName]['family'], readonly string[]>> = {
  bool: ['tr', 'y', 'ye', 'n', 'o', 'of', 'on', 'fals'],
  number: [
    '32768', '-32769', '-2147483649', '9223372036854775808', '-9223372036854775809', '1.', '.5', '.', 'e5', '1e', '1e16383', '1e16384',
    '1e-16383', '5.1e-16383', '1e131071', '-inf', '+Infinity', 'nan', '-nan', '1e+05', '0e99999', '12345678901234567890.123456789',
  ],
  float: [
    '1e308', '1e309', '1e-324', '1e-400', '2.5e-324', '0e-999', '0.0000', '-0.0', '.', '1.e5',
    '-inf', 'infinity', 'nan', '-nan', '+nan',
  ],
  text: ['ab'],
  bytes: ['\\x', '\\x0', '\\xz0', '\\xAB cd', '\\x\\', '\\000', '\\400', '\\', '\\\\', 'é', 'a\\1'],
  json: [
    '', ' ', '01', '1.', '.5', '1e5', '-0', '+1', 'nul', '"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\x"', '[1,]', '[,]', '{"a":1,}',
    '{"a":1,"a":2}', '{"b":1,"aa":2,"a":3}', '{a:1}', '{"a" 1}', '[1 2]', ' [ 1 , 2 ] ', '"\t"', '[[[]]]', 'null null',
  ],
  padded: ['a', 'a ', '   '],
  uuid: ['a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11'],
  date: [
    '2023-02-29', '2100-02-29', '2000-02-29', '2024-02-30', '2024-04-31', '2024-13-01', '2024-00-10', '2024-10-00', '0000-01-01',
    '0001-01-01', '0001-01-01 BC', '4714-11-24 BC', '4714-11-23 BC', '12345-01-01', '5874898-01-01', '294277-01-01 00:00',
    '2024-02-29 24:00:00', '2024-02-29 23:60', '2024-02-29 23:59:60', '2024-02-29 1:00', '2024-02-29T10:00:00.1234567',
    '2024-02-29 10:00 +15:59', '2024-02-29 10:00 +16:00', '2024-02-29 10:00-08:30:15',
  ],
  time: ['24:00:00', '24:00:00.000001', '23:60', '23:59:60', '1:00', '10:00:00.1234567', '10:00 PM', '10', 'allballs'],
  interval: [
    '1 day 1 day', '1.5 days', '1 hour 02:00', '5', '@ 1 minute ago', '1 mon -1 day', '-1:00', '25:61', 'P1W', 'P', 'PT', 'PT1H-2M', 'P1DT',
    'PT-1.5S', '2147483647 months', '2147483648 months', '3000000 hours', '1 microsecond',
    '0.000001 sec', '1 century 1 decade', '-infinity',
  ],
  array: [
    '{', '}', '{,}', '{a,}', '{{}}', '{{1},{2,3}}', '{1}}', '[1:2]={1}', '[0:1]={1,2}', '[-1]={}', '{"1"}', '{nUll}', '{ 1 , 2 }', '{1 2}',
  ],
  instant: [
    '294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59-01', '4714-11-24 00:00:00+00 BC', '4714-11-24 00:00:00+01 BC',
    '2024-02-29 10:00 z', '2024-02-29 10:00+0530', '2024-02-29 10:00+05:60', '2024-02-29 10:00:00 +1', '2024-02-29 10:00:00.5 -15:59:59 BC',
  ],
};

const LONGEST = [
  `0.${'0'.repeat(16_382)}1`, `0.${'0'.repeat(16_383)}1`, `${'9'.repeat(131_072)}.5`, '9'.repeat(131_073), `${'9'.repeat(120_000)}e16000`,
];

/** Groups of equal values, in order, each as the places of its texts. */
function grouped(type: TypeName, texts: readonly string[]): readonly (readonly number[])[] {
  const { parse, compare } = VALUE_TYPES[type];
  const values = texts.flatMap((text, place): { value: Value; place: number }[] => {
    const value = parse(text);
    return value === undefined ? [] : [{ value, place }];
  });
  values.sort((left, right) => compare(left.value, right.value) || left.place - right.place);
  const groups: { value: Value; places: number[] }[] = [];
  for (const { value, place } of values) {
    const last = groups.at(-1);
    if (last !== undefined && compare(last.value, value) === 0) last.places.push(place);
    else groups.push({ value, places: [place] });
  }
  return ordered(type, groups.map(({ places }) => places));
}

/** Of jsonb the order is not ours: groups of equal values stand as they were met. */
function ordered(type: TypeName, groups: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return (itemOf(type) ?? type) === 'jsonb' ? [...groups].sort(([left = 0], [right = 0]) => left - right) : groups;
}

test('a type is known by the oid that Postgres has for it', async () => {
  const { rows } = await session.query<{ oid: number }>('SELECT name::regtype::oid::int AS oid FROM unnest($1::text[]) AS name', [types]);

  expect(rows.map(({ oid }) => typeNameOf(oid)).sort()).toEqual([...types].sort());
});

test.each(types)('what we read as %s Postgres reads too, in the same order', async (type) => {
  const seen = fc.sample(nearly(type), { numRuns: TEXTS_PER_TYPE, seed: 1999_12_31 });
  const ours = [...new Set([...seen, ...valuesOf(type), ...LONGEST])].filter((text) => VALUE_TYPES[type].parse(text) !== undefined);
  const valid = await session.query<{ text: string }>(
    `SELECT text FROM unnest($1::text[]) WITH ORDINALITY AS given (text, place)
     WHERE pg_input_is_valid(text, $2) ORDER BY place`, [ours, type],
  );
  const known = valid.rows.map(({ text }) => text);
  const collation = VALUE_TYPES[type].family === 'text' || VALUE_TYPES[type].family === 'padded' ? 'COLLATE "C"' : '';
  const theirs = await session.query<{ places: number[] }>(
    `SELECT array_agg((place - 1)::int ORDER BY place) AS places FROM unnest($1::text[]) WITH ORDINALITY AS given (text, place)
     GROUP BY text::${type} ${collation} ORDER BY text::${type} ${collation}`, [known],
  );

  const canonical = new Set(known.map((text) => VALUE_TYPES[type].canonical(VALUE_TYPES[type].parse(text) ?? '')));
  const groups = grouped(type, known);
  expect({ unreadable: ours.filter((text) => !known.includes(text)), groups, canonical: canonical.size }).toEqual({
    unreadable: [],
    groups: ordered(type, theirs.rows.map(({ places }) => places)),
    canonical: groups.length,
  });
});

const TEXTS: readonly TypeName[] = ['text', 'varchar', 'bpchar', 'name'];
const NUMBERS: readonly TypeName[] = ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'];

/** The types that values of a type become. Arrays become arrays as their items do, and text; a text may be the text of anything. */
const CASTS: Readonly<Record<string, readonly TypeName[]>> = {
  bool: ['bool', 'int4', ...TEXTS],
  int2: [...NUMBERS, ...TEXTS],
  int4: ['bool', ...NUMBERS, ...TEXTS],
  int8: [...NUMBERS, ...TEXTS],
  numeric: [...NUMBERS, ...TEXTS],
  float4: [...NUMBERS, ...TEXTS],
  float8: [...NUMBERS, ...TEXTS],
  uuid: ['uuid', ...TEXTS],
  date: ['date', 'timestamp', ...TEXTS],
  time: ['time', 'interval', ...TEXTS],
  timestamp: ['timestamp', 'date', 'time', ...TEXTS],
  timestamptz: ['timestamptz', ...TEXTS],
  interval: ['interval', 'time', ...TEXTS],
  bytea: ['bytea', ...TEXTS],
  jsonb: ['jsonb', ...TEXTS],
};

function castsOf(from: TypeName): readonly TypeName[] {
  if (TEXTS.includes(from)) return TARGETS;
  const item = itemOf(from);
  return item === undefined ? (CASTS[from] ?? []) : [...castsOf(item).filter(isScalar).map(arrayOf), ...TEXTS];
}

test.each(types)('a cast from %s gives what it gives in Postgres, or is refused', async (from) => {
  const texts = textsOf(from);
  const pairs = texts.flatMap((text) => TARGETS.map((to) => ({ text, to })));
  const { rows } = await session.query<{ outcome: string | null }>(
    `SELECT pg_temp.try_cast(text, $3, target) AS outcome
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given (text, target, place) ORDER BY place`,
    [pairs.map(({ text }) => text), pairs.map(({ to }) => to), from],
  );

  const unlike = pairs.flatMap(({ text, to }, index) => {
    const cast = castOf(from, text, to);
    const outcome = rows[index]?.outcome ?? null;
    const [ours, theirs] = [cast, outcome === 'error' || outcome === null ? undefined : VALUE_TYPES[to].parse(outcome)];
    return ours === undefined || (theirs !== undefined && VALUE_TYPES[to].compare(ours, theirs) === 0) ? [] : [{ text, to, ours, outcome }];
  });
  const made = TARGETS.filter((to) => pairs.some((pair) => pair.to === to && castOf(from, pair.text, to) !== undefined));
  expect({ unlike, made: new Set(made) }).toEqual({ unlike: [], made: new Set(castsOf(from)) });
});

/** A text may be the text of anything. */
function textsOf(type: TypeName): readonly string[] {
  const item = itemOf(type);
  if (item !== undefined) return textsOf(item).map((text) => String(new ArrayLiteral([text])));
  return TEXTS.includes(type) ? types.flatMap(valuesOf) : valuesOf(type);
}

/** @returns undefined for what is refused. */
function castOf(from: TypeName, text: string, to: TypeName): Value | undefined {
  const constant = constantOf(from, text);
  if (constant === undefined) return undefined;
  try {
    return castConstant(constant, to, undefined).value ?? undefined;
  } catch (refusal) {
    if (refusal instanceof WhereRefusal) return undefined;
    throw refusal;
  }
}
