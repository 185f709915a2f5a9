/** Random filters over one table that has a column of each type, and random rows for it. Every filter is one that must be accepted. */
import fc from 'fast-check';
import type { Collation } from '../../src/model/collation.ts';
import type { WhereColumn } from '../../src/sql/where.ts';

/** A filter twice: with some constants as parameters, as a client writes it, and with literals only, for Postgres. */
export interface Written {
  readonly text: string;
  readonly params: readonly string[];
  readonly literal: string;
}

interface Sample {
  readonly column: string;
  readonly type: string;
  readonly declared: string;
  /** Texts that are values of the type; near each other, so that comparisons are often close. */
  readonly values: readonly string[];
  /** Columns whose type can be compared with this one. */
  readonly comparable: readonly string[];
  /** Constants written without quotes. */
  readonly bare?: readonly string[];
  /** It is compared for equality only. */
  readonly isUnordered?: true;
}

const NUMBERS = ['small', 'plain', 'other', 'large', 'exact', 'float', 'single'];
const DATES = ['day', 'moment'];
const TEXTS = ['words', 'label', 'padded', 'more', 'tag'];
const words = ['', 'a', 'A', 'ab', 'a b', 'a ', 'a%', 'a_b', 'é', 'É', 'z', 'Z', '\u{1F600}', '\ue000', "it's", 'a\\b', '\n'];
const integers = ['-1', '0', '1', '2', '7', ' 07 ', '+2'];
const moments = [
  '2024-02-29 23:59:59.999999', '2024-03-01', '2024-03-01 00:00:00', '1969-12-31T23:59:59.5', '0044-03-15 12:00:00 BC',
  'infinity', '-infinity', '294276-12-31 23:59:59',
];

export const samples: readonly Sample[] = [
  {
    column: 'small', type: 'int2', declared: 'int2',
    values: [...integers, '-32768', '32767'],
    comparable: NUMBERS, bare: ['1', '-1', '40000', '1.0', '0.5'],
  },
  {
    column: 'plain', type: 'int4', declared: 'int4',
    values: [...integers, '2147483647'],
    comparable: NUMBERS, bare: ['1', '2', '-2147483648', '3000000000', '2.00'],
  },
  { column: 'other', type: 'int4', declared: 'int4', values: integers, comparable: NUMBERS, bare: ['0', '7'] },
  {
    column: 'large', type: 'int8', declared: 'int8',
    values: [...integers, '9007199254740993', '9007199254740992', '-9223372036854775808'],
    comparable: NUMBERS, bare: ['9007199254740993', '1e0', '9223372036854775807'],
  },
  {
    column: 'exact', type: 'numeric', declared: 'numeric',
    values: ['1.0', '1', '1.000000000000000000001', '-0.5', '1e-3', '9007199254740993', 'NaN', '0', '-7.50'],
    comparable: NUMBERS, bare: ['1', '1.00', '0.001', '-7.5'],
  },
  {
    column: 'float', type: 'float8', declared: 'float8',
    values: ['1', '1.1', '-0', '0', '1e300', '9007199254740992', 'NaN', 'Infinity', '-Infinity', '0.1', '5e-324'],
    comparable: NUMBERS, bare: ['1.1', '0.1', '9007199254740993', '0'],
  },
  {
    column: 'single', type: 'float4', declared: 'float4',
    values: ['1', '1.1', '-0', '1e38', '16777216', 'NaN', 'Infinity', '-Infinity', '0.1', '1e-45'],
    comparable: NUMBERS, bare: ['1.1', '0.1', '16777217', '0'],
  },
  { column: 'words', type: 'text', declared: 'text COLLATE "C"', values: words, comparable: TEXTS },
  { column: 'label', type: 'varchar', declared: 'varchar(8) COLLATE "C"', values: words, comparable: TEXTS },
  { column: 'more', type: 'text', declared: 'text COLLATE "C"', values: words, comparable: TEXTS },
  {
    column: 'padded', type: 'bpchar', declared: 'char(4) COLLATE "C"',
    values: ['', 'a', 'a   ', 'ab', 'a b', 'é', 'Z'],
    comparable: TEXTS,
  },
  { column: 'tag', type: 'name', declared: 'name', values: ['', 'a', 'A', 'ab', 'é', 'a b', '\u{1F600}'.repeat(16)], comparable: TEXTS },
  {
    column: 'flag', type: 'bool', declared: 'bool',
    values: ['t', 'false', 'YES', 'off', '1'],
    comparable: ['flag'], bare: ['true', 'FALSE'],
  },
  {
    column: 'name', type: 'uuid', declared: 'uuid',
    values: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11', '{00000000-0000-0000-0000-000000000000}'],
    comparable: ['name'],
  },
  {
    column: 'day', type: 'date', declared: 'date',
    values: ['2024-02-29', '2024-03-01', '1969-12-31', '0044-03-15 BC', 'infinity', '-infinity', '4713-01-01 BC', '5874897-12-31'],
    comparable: DATES,
  },
  { column: 'moment', type: 'timestamp', declared: 'timestamp', values: [...moments, '2024-03-01 05:00:00+05'], comparable: DATES },
  {
    column: 'instant', type: 'timestamptz', declared: 'timestamptz',
    values: [...moments, '2024-03-01T01:00:00+01:00', '2024-03-01 00:00:00Z', '2024-02-29 19:00:00.5-0500'],
    comparable: ['instant'],
  },
  {
    column: 'clock', type: 'time', declared: 'time',
    values: ['00:00:00', '23:59:59.999999', '24:00:00', '12:30', '08:00:00.5'],
    comparable: ['clock'],
  },
  {
    column: 'span', type: 'interval', declared: 'interval',
    values: [
      '1 mon', '30 days', '720:00:00', '-1 day +02:03:04.5', '1 year 2 mons', '00:00:00.000001', 'P1Y2M3DT4H5M6.7S', 'PT-0.5S', '-5 days',
      '1 week ago', '08:30', '178000000 years', '-178000000 years 1 mon', 'infinity',
    ],
    comparable: ['span'],
  },
  {
    column: 'numbers', type: 'int4[]', declared: 'int4[]',
    values: ['{}', '{1}', '{1,2}', '{2,1,NULL}', '{NULL}', '[2:3]={1,2}', '{{1,2},{3,4}}', '{-2147483648,2147483647}'],
    comparable: ['numbers'],
  },
  {
    column: 'tags', type: 'text[]', declared: 'text[] COLLATE "C"',
    values: ['{}', '{a}', '{a,b}', '{"",NULL}', '{"NULL","a\\"b","c,d"}', '{{a},{b}}', '{é,É}', '{" a",a\\ b}'],
    comparable: ['tags'],
  },
  {
    column: 'raw', type: 'bytea', declared: 'bytea',
    values: ['\\x', '\\x00ff', '\\xDEAD be', 'a', 'é', 'a\\\\b', '\\001'],
    comparable: ['raw'],
  },
  {
    column: 'doc', type: 'jsonb', declared: 'jsonb', isUnordered: true,
    values: [
      'null', 'true', '1', '1.0', '-0', '1e3', '"a"', '"é\\n\\u001f"', '[]', '{}', '[1, "a", null]', '[[1], {"a": 1}]', '{"a": 1}',
      '{"a": 1.00, "b": null}', '{"b": [1, 2, {"c": "d"}], "aa": {"a": "1"}, "a": "a"}', '["a", "b", "a"]', '"1"', '[1]',
    ],
    comparable: ['doc'],
  },
];

export const C: Collation = { name: 'C', order: 'bytes', cases: 'ascii', isDeterministic: true };

function isCollated(typeName: string): boolean {
  return ['text', 'varchar', 'bpchar', 'name'].includes(typeName);
}

export const sampleColumns: readonly WhereColumn[] = samples.map(({ column, type }) => {
  const typeName = type.replace('[]', '');
  return { name: column, typeName, dimensions: type === typeName ? 0 : 1, ...(isCollated(typeName) ? { collation: C } : {}) };
});

const declarations = samples.map(({ column, declared }) => `${column} ${declared}`);
export const createSamples = `CREATE TABLE samples (id int PRIMARY KEY, ${declarations.join(', ')})`;

/** A row's values as Postgres reads them, in the order of `samples`. */
export const rowArbitrary: fc.Arbitrary<readonly (string | null)[]> = fc.tuple(
  ...samples.map(({ values }) => fc.option(fc.constantFrom(...values), { freq: 6, nil: null })),
);

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const plain = (text: string): Written => ({ text, params: [], literal: text });

/** Puts parts together; parameters are numbered in the order of the parts. */
function written(strings: TemplateStringsArray, ...parts: readonly Written[]): Written {
  let text = strings[0] ?? '';
  let literal = text;
  const params: string[] = [];
  parts.forEach((part, index) => {
    const shift = params.length;
    const rest = strings[index + 1] ?? '';
    text += part.text.replaceAll(/\$(\d+)/g, (_, number: string) => `$${Number(number) + shift}`) + rest;
    literal += part.literal + rest;
    params.push(...part.params);
  });
  return { text, params, literal };
}

function constantOf(sample: Sample): fc.Arbitrary<Written> {
  const value = fc.constantFrom(...sample.values);
  return fc.oneof(
    value.map((text) => plain(quoted(text).replaceAll('$', ''))),
    value.map((text) => ({ text: '$1', params: [text], literal: quoted(text) })),
    value.map((text) => plain(`${quoted(text)}::${sample.type}`)),
    ...(sample.bare === undefined ? [] : [fc.constantFrom(...sample.bare).map(plain)]),
    { weight: 1, arbitrary: fc.constant(plain('NULL')) },
  );
}

const sampleArbitrary = fc.constantFrom(...samples);
const operator = fc.constantFrom('=', '<>', '!=', '<', '>', '<=', '>=').map(plain);
const equality = fc.constantFrom('=', '<>', '!=').map(plain);
const not = fc.constantFrom('', 'NOT ').map(plain);

/** The other side may be a column of another type; `IN` lists take the type of all their constants together, so those are of one. */
const comparison = sampleArbitrary.chain((sample) => {
  const column = plain(sample.column);
  const otherColumn = fc.constantFrom(...sample.comparable).map(plain);
  const other = fc.oneof(constantOf(sample), otherColumn);
  const list = fc
    .tuple(fc.array(constantOf(sample), { minLength: 1, maxLength: 4 }), fc.array(otherColumn, { maxLength: 2 }))
    .map(([constants, columns]) => [...constants, ...columns].reduce((before, item) => written`${before}, ${item}`));
  const signs = sample.isUnordered === true ? equality : operator;
  return fc.oneof(
    fc.tuple(signs, other).map(([sign, right]) => written`${column} ${sign} ${right}`),
    fc.tuple(signs, constantOf(sample)).map(([sign, left]) => written`${left} ${sign} ${column}`),
    fc.tuple(not, other).map(([negation, right]) => written`${column} IS ${negation}DISTINCT FROM ${right}`),
    ...(sample.isUnordered === true ? [] : [
      fc.tuple(not, fc.constantFrom('', 'SYMMETRIC ').map(plain), constantOf(sample), other).map(
        ([negation, symmetric, low, high]) => written`${column} ${negation}BETWEEN ${symmetric}${low} AND ${high}`,
      ),
    ]),
    fc.tuple(not, list).map(([negation, items]) => written`${column} ${negation}IN (${items})`),
  );
});

const ascii = ['%', '_', 'a', 'b', ' ', '\\%', '\\_', '\\\\', 'A', '!%'];
const likeOf = (keyword: string, pieces: readonly string[]) => {
  const pattern = fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map((parts) => parts.join(''));
  return fc.tuple(fc.constant(plain(keyword)), pattern);
};
const like = fc
  .tuple(
    fc.constantFrom(...TEXTS).map(plain), not,
    fc.oneof(likeOf('LIKE', [...ascii, 'é', '\u{1F600}']), likeOf('ILIKE', ascii)),
    fc.boolean(), fc.boolean(),
  )
  .map(([column, negation, [keyword, text], asParameter, escaped]) => {
    const whole = escaped ? text.replaceAll('\\', '') + (text.endsWith('!') ? 'x' : '') : text;
    const right = asParameter ? { text: '$1', params: [whole], literal: quoted(whole) } : plain(quoted(whole));
    const escape = plain(escaped ? " ESCAPE '!'" : '');
    return written`${column} ${negation}${keyword} ${right}${escape}`;
  });

const likeNothing = fc
  .tuple(not, fc.constantFrom('NULL', "'a' ESCAPE NULL", "NULL ESCAPE '!'").map(plain))
  .map(([negation, right]) => written`${plain('words')} ${negation}LIKE ${right}`);
const flag = fc.constantFrom('flag', 'true', 'false', 'NULL', "'yes'::bool").map(plain);
const nullTest = fc.tuple(sampleArbitrary, not).map(([{ column }, negation]) => written`${plain(column)} IS ${negation}NULL`);

function conditionOf(depth: number): fc.Arbitrary<Written> {
  const leaf = fc.oneof({ weight: 6, arbitrary: comparison }, { weight: 2, arbitrary: like }, likeNothing, nullTest, flag);
  if (depth === 0) return leaf;
  const inner = conditionOf(depth - 1);
  const test = fc.constantFrom('TRUE', 'FALSE', 'UNKNOWN', 'NULL').map(plain);
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 2, arbitrary: fc.tuple(inner, inner).map(([left, right]) => written`(${left}) AND (${right})`) },
    { weight: 2, arbitrary: fc.tuple(inner, inner, inner).map(([a, b, c]) => written`(${a}) OR (${b}) OR (${c})`) },
    inner.map((part) => written`NOT (${part})`),
    fc.tuple(inner, not, test).map(([part, negation, truth]) => written`(${part}) IS ${negation}${truth}`),
  );
}

export const whereArbitrary: fc.Arbitrary<Written> = fc.integer({ min: 0, max: 3 }).chain(conditionOf);

/** Columns whose values a subquery can select for each other. */
const FAMILIES: readonly (readonly string[])[] = [
  ['small', 'plain', 'other', 'large', 'exact'], ['words', 'label', 'more', 'tag'], ['padded'], ['flag'], ['name'], DATES,
  ['instant'], ['single', 'float'], ['clock'], ['span'],
];
export const createParents = createSamples.replace('samples', 'parents');

const subquery = fc.constantFrom(...FAMILIES).chain((family) => {
  const column = fc.constantFrom(...family).map(plain);
  const filter = fc.option(conditionOf(1), { nil: undefined });
  return fc.tuple(column, column, filter).map(([left, selected, where]) => {
    const from = written`${left} IN (SELECT ${selected} FROM parents`;
    return where === undefined ? written`${from})` : written`${from} WHERE /* é ) */ ${where} -- )\n)`;
  });
});

/** Values of other kinds than the left side has: Postgres casts one of them to compare them, or the filter does. */
const castSubquery = fc
  .tuple(
    fc.constantFrom(
      ['plain', 'float'], ['float', 'large'], ['single', 'float'], ['exact', 'float'], ['padded', 'words'], ['label', 'padded'],
      ['tag', 'more'],
      ['plain::text', 'words'], ['words', 'other::text'], ['small', 'flag::int4'], ['exact', 'large::numeric'], ['upper(words)', 'label'],
      ['plain::int8 + 1', 'other'], ['day::text', 'moment::text'], ['coalesce(label, words)', 'padded::text'], ['flag', 'plain::bool'],
    ),
    fc.option(conditionOf(1), { nil: undefined }),
  )
  .map(([[left = '', selected = ''], where]) => {
    const from = written`${plain(left)} IN (SELECT ${plain(selected)} FROM parents`;
    return where === undefined ? written`${from})` : written`${from} WHERE ${where})`;
  });

/** Row values of two columns or three; equal ones are few, so the columns have few values. */
const ROW_PARTS = [
  ['plain', 'other'], ['flag', 'flag'], ['small', 'large'], ['label', 'more'], ['plain', 'exact'], ['day', 'moment'], ['other', 'float'],
];
const rowSubquery = fc
  .tuple(
    fc.array(fc.constantFrom(...ROW_PARTS), { minLength: 2, maxLength: 3 }),
    fc.constantFrom('', 'ROW'),
    fc.option(conditionOf(1), { nil: undefined }),
  )
  .map(([parts, row, where]) => {
    const [left, selected] = [0, 1].map((side) => plain(parts.map((part) => part[side]).join(', ')));
    const from = written`${plain(row)}(${left ?? plain('')}) IN (SELECT ${selected ?? plain('')} FROM parents`;
    return where === undefined ? written`${from})` : written`${from} WHERE ${where})`;
  });
const anySubquery = fc.oneof({ weight: 3, arbitrary: subquery }, { weight: 2, arbitrary: rowSubquery }, castSubquery);

const AND_MORE = ['p.flag', 'p.plain > 3 AND (p.words IS NOT NULL OR p.flag)', "p.label <> ') AND p.id'"].map(plain);

const existenceOfFlag = fc.constantFrom('p.flag = samples.flag', '(samples.small) = (p.other)').map(plain);

/** Its equality in front of the rest, behind it, or alone; with NOT, too. */
const existence = fc.constantFrom(...FAMILIES).chain((family) => {
  const column = fc.constantFrom(...family).map(plain);
  const equality = fc.tuple(column, column, fc.boolean()).map(([outer, inner, isTurned]) => {
    return isTurned ? written`(samples.${outer}) = p.${inner}` : written`(p.${inner} = public.samples.${outer})`;
  });
  const rest = fc.oneof(fc.constantFrom(...AND_MORE), conditionOf(1).map((where) => written`(/* é ) */ ${where} -- )\n)`));
  const filter = fc.oneof(
    equality,
    fc.tuple(equality, existenceOfFlag).map(([equal, flagged]) => written`(${equal} AND ${flagged})`),
    fc.tuple(equality, rest, existenceOfFlag).map(([equal, more, flagged]) => written`((${equal}) AND ${more}) AND (${flagged})`),
    fc.tuple(equality, rest).map(([equal, more]) => written`${equal} AND ${more}`),
    fc.tuple(rest, equality, rest).map(([before, equal, more]) => written`(${before} AND ${equal}) AND ${more}`),
  );
  return fc.tuple(not, filter).map(([negation, where]) => written`${negation}EXISTS (SELECT * FROM parents AS p WHERE ${where})`);
});

const testedSubquery = fc
  .tuple(anySubquery, not, fc.constantFrom('TRUE', 'FALSE', 'UNKNOWN', 'NULL').map(plain))
  .map(([part, negation, truth]) => written`(${part}) IS ${negation}${truth}`);

/** As a filter may have them: below AND, OR and NOT, and in tests of a truth; in those for unknown by themselves. */
function joined(depth: number): fc.Arbitrary<Written> {
  if (depth === 0) return fc.oneof({ weight: 3, arbitrary: anySubquery }, { weight: 2, arbitrary: existence }, testedSubquery);
  const part = fc.oneof({ weight: 3, arbitrary: joined(depth - 1) }, conditionOf(1));
  const test = fc.constantFrom('TRUE', 'FALSE').map(plain);
  return fc.oneof(
    joined(depth - 1),
    joined(depth - 1).map((negatedPart) => written`NOT (${negatedPart})`),
    fc.tuple(joined(depth - 1), not, test).map(([tested, negation, truth]) => written`(${tested}) IS ${negation}${truth}`),
    fc.tuple(joined(depth - 1), part).map(([left, right]) => written`(${left}) AND (${right})`),
    fc.tuple(part, joined(depth - 1)).map(([left, right]) => written`(${left}) OR (${right})`),
  );
}

export const whereWithSubqueries: fc.Arbitrary<Written> = fc.integer({ min: 0, max: 3 }).chain(joined);
