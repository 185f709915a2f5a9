/** Filters that differ in their constants alone: their trees are made without the parser, and are the parser's to the last place. */
import fc from 'fast-check';
import { loadModule, type Node } from 'libpg-query';
import { beforeAll, describe, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { statementsOf } from '../../src/sql/syntax/grammar.ts';
import { KnownClauses } from '../../src/sql/syntax/known-clauses.ts';
import { WhereRefusal } from '../../src/sql/where-refusal.ts';

const PREFIX = 'SELECT 1 WHERE ';

beforeAll(loadModule);

/** As the language reads a text by itself. */
function parse(text: string): Node {
  const [only, ...others] = statementsOf(`${PREFIX}${text}`);
  const clause = only?.stmt !== undefined && 'SelectStmt' in only.stmt ? only.stmt.SelectStmt.whereClause : undefined;
  if (clause === undefined || others.length > 0) throw new WhereRefusal('no filter');
  return clause;
}

/** @returns the tree, or why there is none. */
function outcome(read: () => Node): unknown {
  try {
    return read();
  } catch (error) {
    invariant(error instanceof WhereRefusal, 'a text is refused, and nothing else goes wrong');
    return error.message;
  }
}

function counted(): { readonly clauses: KnownClauses; readonly parses: () => number } {
  let parses = 0;
  const clauses = new KnownClauses(PREFIX.length, (text) => {
    parses += 1;
    return parse(text);
  });
  return { clauses, parses: () => parses };
}

/** How often the parser is asked for the fourth text and those behind it. */
function parsesOfLater(texts: readonly string[]): number {
  const { clauses, parses } = counted();
  for (const text of texts.slice(0, 3)) outcome(() => clauses.clauseOf(text));
  const before = parses();
  for (const text of texts.slice(3)) outcome(() => clauses.clauseOf(text));
  return parses() - before;
}

const VALUES = [7, 12, 345, 1, 22, 999_999_999, 2_147_483_647];

describe('the parser is not asked for what differs in constants alone', () => {
  test.each<[string, (value: number) => string]>([
    ['a number', (value) => `owner = ${value}`],
    ['a large number', (value) => `owner = 9999${value % 1000}0000000`],
    ['a string', (value) => `name = 'no. ${value}\\'`],
    ['strings beside numbers', (value) => `name <> 'x${value}' AND (id < ${value} OR kind IN (${value}, 2, 3))`],
    ['a cast', (value) => `owner = '${value}'::int8 AND day > date '2020-01-${value}'`],
    ['a difference', (value) => `owner - ${value} > 1`],
    ['parameters', () => 'owner = $1 AND kind = $2'],
    ['a subquery', (value) => `owner IN (SELECT id FROM owners WHERE kind = ${value} AND name LIKE '%${value}' ESCAPE 'x')`],
    ['an item of a list', (value) => `tags[${value}] = "Name ""1""" AND tags && ARRAY['a${value}', 'b']`],
  ])('%s', (_, text) => {
    expect(parsesOfLater(VALUES.map(text))).toBe(0);
  });
});

describe('the parser is asked each time for what is not certain', () => {
  test.each<[string, (value: number) => string]>([
    ['a negative number', (value) => `owner = -${value}`],
    ['a number that decides a type', (value) => `ratio::float(${value}) = 1`],
    ['a number with a fraction', (value) => `price = ${value}.5`],
    ['a fraction alone', (value) => `price = .${value}`],
    ['an exponent', (value) => `price = 1e${value}`],
    ['a number in another base', (value) => `owner = 0x${value}`],
    ['grouped digits', (value) => `owner = 1_${value}`],
    ['escapes', (value) => `name = E'${value}\\n'`],
    ['an escaped alphabet', (value) => `name = U&'${value}\\0041'`],
    ['bits', (value) => `name = B'${value}'`],
    ['a national string', (value) => `name = n'${value}'`],
    ['a string that goes on behind a line', (value) => `name = '${value}'\n'b'`],
    ['a quote in a string', (value) => `name = 'it''s ${value}'`],
    ['dollar quotes', (value) => `name = $$${value}$$`],
    ['tagged dollar quotes', (value) => `name = $x$${value}$x$`],
    ['a comment in brackets', (value) => `owner = /* ' */ ${value}`],
    ['a comment to the end', (value) => `owner = ${value} -- '`],
    ['what is not ASCII', (value) => `name = 'é${value}'`],
    ['a name that is not ASCII', (value) => `é = ${value}`],
    ['what is no filter', (value) => `owner = = ${value}`],
    ['another clause', (value) => `owner = ${value} LIMIT 1; SELECT`],
    ['a long text', (value) => `owner = ${value} AND name = '${'x'.repeat(1000)}'`],
  ])('%s', (_, text) => {
    expect(parsesOfLater(VALUES.map(text))).toBeGreaterThanOrEqual(VALUES.length - 3);
  });
});

test('templates that nobody has asked for in a long time are forgotten', () => {
  const { clauses, parses } = counted();
  const ask = (column: string) => [1, 2, 3].forEach((value) => clauses.clauseOf(`${column} = ${value}`));
  ask('first');
  for (let index = 0; index < 300; index += 1) ask(`column_${index}`);
  const before = parses();

  ask('first');

  expect(parses() - before).toBe(3);
});

test('long templates are forgotten sooner', () => {
  const { clauses, parses } = counted();
  const ask = (column: string) => [1, 2, 3].forEach((value) => clauses.clauseOf(`${column} = ${value} OR ${'x = y OR '.repeat(70)} x`));
  ask('first');
  for (let index = 0; index < 40; index += 1) ask(`column_${index}`);
  const before = parses();

  ask('first');

  expect(parses() - before).toBe(3);
});

/** Of a tree: counts how often something of it is looked at. */
function watched(part: unknown, looked: () => void): unknown {
  if (typeof part !== 'object' || part === null) return part;
  return new Proxy(part, {
    get(target, name) {
      looked();
      return watched(Reflect.get(target, name), looked);
    },
  });
}

/** How often something of the trees is looked at, until a filter that nests so deep has a template. */
function looksAt(depth: number): number {
  let looks = 0;
  const clauses = new KnownClauses(PREFIX.length, (text) => watched(parse(text), () => (looks += 1)) as Node);
  const text = `a = ${'-(1 + '.repeat(depth)}a${')'.repeat(depth)}`;
  for (let times = 0; times < 3; times += 1) clauses.clauseOf(text);
  return looks;
}

test('what a template takes grows as the text does, however deep that nests', () => {
  expect(looksAt(80) / looksAt(40)).toBeLessThan(2.5);
});

test('each tree is of its own', () => {
  const { clauses } = counted();
  const [, , third, fourth] = ['a = 1', 'a = 2', 'a = 3', 'a = 4'].map((text) => clauses.clauseOf(text));
  expect([third, fourth]).toEqual([parse('a = 3'), parse('a = 4')]);
});

test.each(['2147483647', '2147483648', '999999999999999999', '1000000000000000000', '0', '007', "''", "'it''s'"])(
  'where others differ in a constant alone, %s in its place has the tree that the parser gives',
  (constant) => {
    const { clauses } = counted();
    for (const other of ['1', '2', '3000000000', '4000000000', "'x'", "'y'"]) clauses.clauseOf(`a = ${other} OR b`);
    expect(clauses.clauseOf(`a = ${constant} OR b`)).toEqual(parse(`a = ${constant} OR b`));
  },
);

/** Stands for a constant of its kind. */
type Hole = 'number' | 'string';
type Piece = string | { readonly hole: Hole };

const NUMBER: Piece = { hole: 'number' };
const STRING: Piece = { hole: 'string' };

/** What the grammar has a use for, in the neighbourhood of constants. */
const { expression } = fc.letrec<{ expression: Piece[]; value: Piece[]; condition: Piece[] }>((tie) => ({
  value: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Piece[]>([NUMBER], [STRING], ['owner'], ['"Na me"'], ['t.name'], ['$1']) },
    { weight: 2, arbitrary: fc.constantFrom<Piece[]>(
      ['- ', NUMBER], ['-', NUMBER], ['+', NUMBER], [STRING, '::int4'], ['date ', STRING], ['interval ', STRING, ' day'], ['NULL'],
      ['interval(', NUMBER, ') ', STRING], ['CAST(', STRING, ' AS varchar(', NUMBER, '))'], ['x::float(', NUMBER, ')'],
      ['x::numeric(', NUMBER, ',', NUMBER, ')'], ['E', STRING], ['U&', STRING], [STRING, ' ', STRING], [STRING, '\n', STRING],
      ['$$', STRING, '$$'], [NUMBER, '.', NUMBER], [NUMBER, 'e', NUMBER], ['.', NUMBER], ['/*', STRING, '*/', NUMBER], ['TRUE'],
      ['extract(', STRING, ' FROM day)'], ['tags[', NUMBER, ':', NUMBER, ']'], ['int8 ', STRING], ["b'1'"], ['0'], ["''"], ['007'],
      ['x::bit(', NUMBER, ')'], ['x::time(', NUMBER, ') with time zone'], ['substring(name from ', NUMBER, ' for ', NUMBER, ')'],
      ['JSON_VALUE(data, ', STRING, ' RETURNING int4 DEFAULT ', NUMBER, ' ON EMPTY)'], ['name COLLATE "C"'],
      ['xmlparse(content ', STRING, ')'],
    ) },
    fc.tuple(fc.constantFrom('lower', 'abs', 'coalesce'), tie('value'), tie('value')).map(([name, left, right]) => {
      return [`${name}(`, ...left, ', ', ...right, ')'];
    }),
    fc.tuple(tie('value'), fc.constantFrom('+', ' - ', '-', '*', '||', '->>', ' % ', '&', '@-'), tie('value'))
      .map(([left, sign, right]) => ['(', ...left, sign, ...right, ')']),
    fc.array(tie('value'), { minLength: 1, maxLength: 3 }).map((items) => ['ARRAY[', ...items.flatMap((item) => [...item, ', ']), '1]']),
    fc.tuple(tie('condition'), tie('value')).map(([when, then]) => ['CASE WHEN ', ...when, ' THEN ', ...then, ' ELSE ', NUMBER, ' END']),
  ),
  condition: fc.oneof(
    fc.tuple(tie('value'), fc.constantFrom('=', ' = ', '<>', '>=', ' LIKE ', ' ILIKE ', ' ~ ', ' @> ', ' IS DISTINCT FROM '), tie('value'))
      .map(([left, sign, right]) => [...left, sign, ...right]),
    fc.tuple(tie('value'), tie('value'), tie('value')).map(([of, low, high]) => [...of, ' BETWEEN ', ...low, ' AND ', ...high]),
    fc.tuple(tie('value'), fc.array(tie('value'), { minLength: 1, maxLength: 4 })).map(([of, items]) => {
      return [...of, ' IN (', ...items.flatMap((item, at) => [at === 0 ? '' : ', ', ...item]), ')'];
    }),
    fc.tuple(tie('value'), tie('condition')).map(([of, where]) => [...of, ' NOT IN (SELECT id FROM "Owners" o WHERE ', ...where, ')']),
    tie('value').map((of) => [...of, ' LIKE ', STRING, ' ESCAPE ', STRING]),
    tie('value').map((of) => [...of, ' = ANY (', STRING, '::int4[])']),
  ),
  expression: fc.oneof(
    { depthSize: 'small' },
    tie('condition'),
    fc.tuple(tie('expression'), fc.constantFrom(' AND ', ' OR ', '\n\tand not '), tie('expression')).map(([left, word, right]) => {
      return ['(', ...left, word, ...right, ')'];
    }),
  ),
}));

/** Whatever may stand beside whatever. */
const soup = fc.array(fc.oneof(
  fc.constantFrom<Piece>(NUMBER, STRING, ' ', ' ', ' = ', 'a', ' AND ', '(', ')', '-', '+'),
  fc.constantFrom<Piece>(
    "'", '"', '$', '$1', '$$', 'E', 'U&', '&', '.', ',', '--', '/*', '*/', '\n', '\\', ';', '::', ':', '[', ']', '0', '_', 'é', '\0',
    '\u0001', '\u0003', '@', '?', "''", "' '", 'x', 'e', 'UESCAPE', '\u00a0', '\r', '\v', '\f',
  ),
), { minLength: 1, maxLength: 9 }).map((pieces): Piece[] => ['a = ', ...pieces]);

const CONSTANTS: Readonly<Record<Hole, fc.Arbitrary<string>>> = {
  number: fc.oneof(
    fc.nat(12).map(String), fc.nat({ max: 3_000_000_000 }).map(String), fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
    fc.constantFrom('0', '00', '01', '2147483647', '2147483648', '999999999999999999', '9223372036854775808', '24', '25', '53', '54'),
  ),
  string: fc.oneof(
    fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('', "it''s", '\\', '\\0041', '{1,2}', '12', '%a_', '\n', '--', '/*', '$1', '"', 'a', 'bc'),
  ).map((text) => `'${text}'`),
};

/** Of one text: those of its constants that were tried, several times over. */
const fillings = fc.tuple(
  fc.oneof({ weight: 3, arbitrary: expression }, { weight: 1, arbitrary: soup }),
  fc.infiniteStream(CONSTANTS.number),
  fc.infiniteStream(CONSTANTS.string),
).map(([pieces, numbers, strings]) => {
  return Array.from({ length: 6 }, () => pieces.map((piece) => {
    return typeof piece === 'string' ? piece : (piece.hole === 'number' ? numbers : strings).next().value;
  }).join(''));
});

test('whatever a filter is made of, its tree is that of the parser, or what the parser says against it', () => {
  fc.assert(fc.property(fillings, (texts) => {
    const { clauses } = counted();
    const twice = [...texts, ...texts];
    expect(twice.map((text) => outcome(() => clauses.clauseOf(text)))).toEqual(twice.map((text) => outcome(() => parse(text))));
  }), { numRuns: 300 });
});
