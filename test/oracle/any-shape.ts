/**
 * Random shapes: a table, a condition, columns and the ways of being told. Conditions are those that are kept up to date:
 * plain ones, subqueries in one another, of a column and of several, and both in AND and OR, with NOT and tests of their truth around them.
 */
import fc from 'fast-check';
import { COLUMNS, KEYS, KINDS, literal, PARENT_IDS, RANK_MAX, TABLES, TAGS, VALUES, type TableName } from './schema.ts';

export interface OracleShape {
  readonly table: TableName;
  readonly where: string;
  /** Tables of the subqueries; empty where the condition is plain. */
  readonly inner: readonly TableName[];
  readonly columns: readonly string[];
  readonly replica: 'default' | 'full';
  readonly moveOuts: 'events' | 'deletes';
}

interface Condition {
  readonly sql: string;
  readonly inner: readonly TableName[];
}

/** What a request says of the shape: what is as by default is left out. */
export function parametersOf({ table, where, columns, replica, moveOuts }: OracleShape): Readonly<Record<string, string>> {
  return {
    table,
    where,
    ...(columns.length === COLUMNS[table].length ? {} : { columns: columns.join() }),
    ...(replica === 'full' ? { replica } : {}),
    ...(moveOuts === 'deletes' ? { move_outs: 'deletes' } : {}),
  };
}

export function anyShape(withSubqueries: boolean): fc.Arbitrary<OracleShape> {
  const condition = withSubqueries ? fc.oneof({ weight: 1, arbitrary: plain }, { weight: 4, arbitrary: dependent }) : plain;
  return fc.oneof(
    { weight: 6, arbitrary: condition.chain((where) => shapeOf('children', where)) },
    { weight: 1, arbitrary: (withSubqueries ? fc.oneof(ofParents, subqueryOn('parents', 'id', 'ref')) : ofParents).chain((where) => {
      return shapeOf('parents', where);
    }) },
  );
}

function shapeOf(table: TableName, { sql, inner }: Condition): fc.Arbitrary<OracleShape> {
  const others = COLUMNS[table].filter((column) => !KEYS[table].includes(column));
  return fc.record({
    table: fc.constant(table),
    where: fc.constant(sql),
    inner: fc.constant(inner),
    columns: fc.oneof(fc.constant(others), fc.subarray(others)).map((chosen) => [...KEYS[table], ...chosen]),
    replica: fc.oneof({ weight: 2, arbitrary: fc.constant('default' as const) }, { weight: 1, arbitrary: fc.constant('full' as const) }),
    moveOuts: inner.length === 0 ? fc.constant('events' as const)
      : fc.oneof({ weight: 3, arbitrary: fc.constant('events' as const) }, { weight: 1, arbitrary: fc.constant('deletes' as const) }),
  });
}

const text = <Text extends string>(...texts: readonly Text[]) => fc.constantFrom(...texts).map(literal);
const rank = fc.integer({ min: 0, max: RANK_MAX });
const asPlain = (sql: string): Condition => ({ sql, inner: [] });

const atom: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(fc.constantFrom('parent_id', 'other_id'), text(...PARENT_IDS)).map(([column, id]) => `${column} = ${id}`),
  text(...VALUES).map((value) => `value = ${value}`),
  fc.tuple(fc.constantFrom('LIKE', 'NOT LIKE'), text('v%', 'v1%', 'v_', '%5')).map(([like, pattern]) => `value ${like} ${pattern}`),
  fc.tuple(fc.constantFrom('<', '>', '<=', '>=', '<>'), rank).map(([operator, bound]) => `rank ${operator} ${bound}`),
  fc.tuple(rank, rank).map((ends) => `rank BETWEEN ${Math.min(...ends)} AND ${Math.max(...ends)}`),
  fc.uniqueArray(text(...PARENT_IDS), { minLength: 2, maxLength: 4 }).map((ids) => `parent_id IN (${ids.join()})`),
  fc.constantFrom('parent_id IS NULL', 'parent_id IS NOT NULL', 'value IS NOT NULL'),
  fc.uniqueArray(fc.constantFrom('p1', 'p2', 'p5', 'p/6'), { maxLength: 3 }).map((ids) => `parent_id = ANY ('{${ids.join()}}')`),
  fc.tuple(rank, rank).map(([factor, bound]) => `rank * ${factor} - length(coalesce(value, '')) > ${bound}`),
  text('v1', 'w5').map((value) => `upper(value) = upper(${value})`),
  text('p1:v%', 'p%:').map((pattern) => `concat(parent_id, ':', value) LIKE ${pattern}`),
).map(asPlain);

const plain = fc.oneof(
  { weight: 3, arbitrary: atom },
  { weight: 1, arbitrary: joined('AND', atom, atom) },
  { weight: 1, arbitrary: joined('OR', atom, atom) },
  { weight: 1, arbitrary: negated(atom) },
  { weight: 1, arbitrary: negated(joined('OR', atom, atom)) },
);

const ofParents = fc.constantFrom('active', 'kind = 1', 'active AND kind > 0', 'NOT active', "ref = 'p3'").map(asPlain);

const kind = fc.constantFrom(...KINDS);
const level = fc.oneof(
  { weight: 3, arbitrary: fc.constant('SELECT id FROM parents WHERE active') },
  { weight: 2, arbitrary: kind.map((number) => `SELECT id FROM parents WHERE kind = ${number}`) },
  { weight: 1, arbitrary: kind.map((number) => `SELECT id FROM parents WHERE active AND kind <> ${number}`) },
  { weight: 1, arbitrary: fc.constant('SELECT id FROM parents') },
  { weight: 2, arbitrary: fc.constant('SELECT ref FROM parents WHERE active') }, // Several rows have one value.
  { weight: 3, arbitrary: text(...TAGS).map((tag) => `SELECT parent_id FROM tags WHERE tag = ${tag}`) },
  { weight: 3, arbitrary: kind.map((number) => `SELECT heir FROM parents WHERE kind = ${number}`) }, // Some have none.
);

/** Row values of parents that children may have, and their columns; an heir is often none. */
const ROWS = [
  { left: ['parent_id', 'other_id'], selected: ['id', 'heir'] },
  { left: ['parent_id', 'other_id'], selected: ['heir', 'ref'] },
  { left: ['other_id', 'rank'], selected: ['heir', 'kind'] },
  { left: ['rank', 'parent_id'], selected: ['kind', 'id'] },
  { left: ['parent_id', 'rank', 'other_id'], selected: ['id', 'kind', 'heir'] },
] as const;

/** Which of them are selected, by other subqueries as well. */
function rowsWithin(depth: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('active') },
    { weight: 3, arbitrary: kind.map((number) => `kind <> ${number}`) },
    { weight: 1, arbitrary: fc.constant('true') },
    { weight: 1, arbitrary: queryWithin(depth).map((query) => `id IN (${query})`) },
    { weight: 1, arbitrary: queryWithin(depth).map((query) => `NOT (active AND heir IN (${query}))`) },
    { weight: 1, arbitrary: kind.map((number) => `(ref, heir) NOT IN (SELECT id, heir FROM parents WHERE kind = ${number})`) },
  );
}

/** By IN, or by EXISTS with as many equalities. */
function rowMembership(depth: number): fc.Arbitrary<string> {
  const forms = fc.constantFrom('IN', 'NOT IN', 'EXISTS', 'NOT EXISTS');
  return fc.tuple(fc.constantFrom(...ROWS), rowsWithin(depth), forms).map(([{ left, selected }, where, form]) => {
    if (form.endsWith('IN')) return `(${left.join(', ')}) ${form} (SELECT ${selected.join(', ')} FROM parents WHERE ${where})`;
    const equalities = selected.map((column, at) => `q.${column} = children.${left[at]}`).join(' AND ');
    return `${form} (SELECT * FROM parents AS q WHERE ${equalities} AND (${where}))`;
  });
}

/** Values of other types than the left side has. */
const castMembership = fc.constantFrom(
  'rank::text IN (SELECT kind::text FROM parents WHERE active)',
  'rank NOT IN (SELECT kind::numeric FROM parents WHERE active)',
  'rank::float8 IN (SELECT kind FROM parents WHERE NOT active)',
  'rank - 1 IN (SELECT kind FROM parents WHERE active)',
  "concat('p', rank) NOT IN (SELECT heir FROM parents WHERE active)",
  "(lower(parent_id), rank::text) NOT IN (SELECT id, kind::text FROM parents WHERE active)",
);

/** Of the rows of `column IN (query)`. */
function existence(column: string, query: string): string {
  const [, selected, table, alias = 'q', filter = 'true'] = /^SELECT (\w+) FROM (\w+)(?: AS (\w+))?(?: WHERE (.+))?$/.exec(query) ?? [];
  return `EXISTS (SELECT * FROM ${table} AS ${alias} WHERE ${alias}.${selected} = ${column} AND (${filter}))`;
}

const not = fc.constantFrom('', 'NOT ');

/** A subquery, in so many others at the most. */
function queryWithin(depth: number): fc.Arbitrary<string> {
  if (depth === 0) return level;
  const below = queryWithin(depth - 1);
  return fc.oneof(
    { weight: 2, arbitrary: level },
    { weight: 2, arbitrary: below.map((query) => `SELECT id FROM parents WHERE ref IN (${query})`) },
    { weight: 1, arbitrary: below.map((query) => `SELECT ref FROM parents WHERE active AND id IN (${query})`) },
    { weight: 1, arbitrary: below.map((query) => `SELECT heir FROM parents WHERE id NOT IN (${query})`) },
    { weight: 1, arbitrary: below.map((query) => `SELECT id FROM parents WHERE NOT (active AND heir IN (${query}))`) },
    { weight: 1, arbitrary: fc.tuple(below, kind).map(([query, of]) => `SELECT id FROM parents WHERE kind = ${of} OR id IN (${query})`) },
    { weight: 1, arbitrary: fc.tuple(below, text(...TAGS)).map(([query, tag]) => {
      return `SELECT parent_id FROM tags WHERE tag <> ${tag} AND parent_id IN (${query})`;
    }) },
    { weight: 1, arbitrary: fc.tuple(below, kind, not).map(([query, of, negation]) => {
      return `SELECT id FROM parents AS p${depth} WHERE p${depth}.kind <> ${of} AND ${negation}${existence(`p${depth}.heir`, query)}`;
    }) },
    { weight: 1, arbitrary: fc.tuple(below, level).map(([one, other]) => {
      return `SELECT id FROM parents WHERE id IN (${one}) AND (active OR ref IN (${other}))`;
    }) },
  );
}

const NESTING_MAX = 3;

function about(sql: string): Condition {
  return { sql, inner: TABLES.filter((inner) => sql.includes(`FROM ${inner}`)) };
}

const truth = fc.constantFrom('IS TRUE', 'IS NOT TRUE', 'IS FALSE', 'IS NOT FALSE');

function subqueryOn(table: TableName, ...columns: readonly string[]): fc.Arbitrary<Condition> {
  const left = fc.constantFrom(...columns);
  const query = queryWithin(NESTING_MAX);
  const tests = fc.oneof(truth, fc.constantFrom('IS NULL', 'IS NOT NULL'));
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(left, query).map(([column, values]) => about(`${column} IN (${values})`)) },
    { weight: 3, arbitrary: fc.tuple(left, query).map(([column, values]) => about(`${column} NOT IN (${values})`)) },
    { weight: 3, arbitrary: fc.tuple(left, query, not).map(([column, values, negation]) => {
      return about(`${negation}${existence(`${table}.${column}`, values)}`);
    }) },
    { weight: 1, arbitrary: fc.tuple(left, query, tests).map(([column, values, test]) => about(`(${column} IN (${values})) ${test}`)) },
    { weight: 1, arbitrary: fc.tuple(left, left, query).map(([one, other, values]) => { // The same in both ways.
      return about(`(${one} IN (${values}) OR ${other} NOT IN (${values}))`);
    }) },
  );
}

const ofRows = fc.oneof({ weight: 4, arbitrary: rowMembership(1) }, { weight: 1, arbitrary: castMembership });
const subquery = fc.oneof(
  { weight: 2, arbitrary: subqueryOn('children', 'parent_id', 'parent_id', 'other_id') },
  { weight: 1, arbitrary: ofRows.map(about) },
  { weight: 1, arbitrary: fc.tuple(rowMembership(0), truth).map(([sql, test]) => about(`(${sql}) ${test}`)) },
);

const dependent: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 4, arbitrary: subquery },
  { weight: 2, arbitrary: joined('AND', subquery, plain) },
  { weight: 2, arbitrary: joined('OR', subquery, plain) },
  { weight: 2, arbitrary: joined('AND', subquery, subquery) },
  { weight: 2, arbitrary: joined('OR', subquery, subquery) },
  { weight: 1, arbitrary: joined('AND', joined('OR', subquery, atom), plain) },
  { weight: 1, arbitrary: joined('OR', joined('AND', subquery, atom), subquery) },
  { weight: 1, arbitrary: joined('AND', joined('OR', subquery, atom), joined('OR', subquery, atom)) },
  { weight: 2, arbitrary: negated(fc.oneof(joined('OR', subquery, atom), joined('AND', subquery, subquery))) },
  { weight: 1, arbitrary: tested(joined('AND', subquery, atom)) },
);

function joined(word: 'AND' | 'OR', ...parts: readonly fc.Arbitrary<Condition>[]): fc.Arbitrary<Condition> {
  return fc.tuple(...parts).map((conditions) => ({
    sql: conditions.map(({ sql }) => `(${sql})`).join(` ${word} `),
    inner: [...new Set(conditions.flatMap(({ inner }) => inner))],
  }));
}

function tested(condition: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> {
  return fc.tuple(condition, truth).map(([{ sql, inner }, test]) => ({ sql: `(${sql}) ${test}`, inner }));
}

function negated(condition: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> {
  return condition.map(({ sql, inner }) => ({ sql: `NOT (${sql})`, inner }));
}
