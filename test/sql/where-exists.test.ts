/** EXISTS with an equality that reaches out of it: which forms are taken, and the subquery that is left of each. */
import { describe, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { followedColumns } from '../../src/model/followed-columns.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import { quoteIdentifier, quoteRelation, type RelationName } from '../../src/sql/identifiers.ts';
import type { SubqueryPlan, SubqueryTables, Where, WhereColumn, WhereError } from '../../src/sql/where.ts';
import { membersOf, membersOfRows } from '../support/shapes/subquery-filter.ts';

const columnsOf = (types: Readonly<Record<string, string>>): readonly WhereColumn[] =>
  Object.entries(types).map(([name, typeName]) => ({ name, typeName, dimensions: 0 }));
const ITEMS = columnsOf({ id: 'int4', x: 'int4', title: 'text', done: 'bool', doc: 'jsonb', é: 'int4' });
const INNER = columnsOf({
  id: 'int4', c: 'int8', name: 'varchar', active: 'bool', doc: 'jsonb', order: 'bool', dat: 'bool', 'My "c"': 'int4',
});
const ROOT = { schema: 'public', name: 'items' };
const TABLES = new Set(['public.t', 'public.u', 's.t', 's.items', 'public.items']);
const tables: SubqueryTables = ({ schema, name }) => {
  if (!TABLES.has(`${schema}.${name}`)) return undefined;
  return name === 'items' ? ITEMS : name === 'u' ? columnsOf({ d: 'int4', e: 'bool' }) : INNER;
};
const language = await loadWhereLanguage();

function parse(text: string): Where | WhereError {
  return language.parse(text, {}, ITEMS, tables, {}, ROOT);
}

function acceptedIn(table: RelationName, text: string, params: Readonly<Record<string, string>>): Where {
  const where = language.parse(text, params, tables(table) ?? [], tables, {}, table);
  invariant(!('error' in where), `the language accepts ${text}`);
  return where;
}

function accepted(text: string, params: Readonly<Record<string, string>> = {}): Where {
  return acceptedIn(ROOT, text, params);
}

function planOf(text: string, params: Readonly<Record<string, string>> = {}): SubqueryPlan {
  const { subqueries } = accepted(text, params);
  invariant(subqueries !== undefined, 'the text has a subquery');
  return subqueries;
}

const FORM = expect.stringMatching(/^At location \d+: EXISTS is supported as `EXISTS \(SELECT .+ t.column = outer.column AND .+`: with/);

describe('what is left of the subquery means the same alone, in', () => {
  test.each<[string, string, string | undefined]>([
    ['EXISTS (SELECT 1 FROM t WHERE t.c = items.x)', 'c', undefined],
    ['exists (select * from t where ((items.x) = ((t.c))))', 'c', undefined],
    ['EXISTS (SELECT FROM t WHERE (c) = x AND active)', 'c', 'active'],
    ['EXISTS (SELECT t.id AS one, title, items.*, t.*, NULL FROM t WHERE active AND c = (x))', 'c', 'active'],
    [
      'EXISTS ((SELECT 1 FROM public.t AS p WHERE p.active AND (p.c = public.items.x) AND NOT p.active))', 'c',
      '"active"   AND NOT  "active"',
    ],
    ['EXISTS (SELECT 1 FROM s.t WHERE s.t.active AND s.t.c = x)', 'c', '"active"'],
    ['EXISTS (SELECT 1 FROM t WHERE active AND ((c) OPERATOR(pg_catalog.=) (x)) AND (NOT active))', 'c', 'active   AND (NOT active)'],
    ['EXISTS (SELECT 1 FROM t WHERE c OPERATOR(pg_catalog.=) x)', 'c', undefined],
    ['EXISTS (SELECT 1 FROM t WHERE x OPERATOR(pg_catalog.=) c AND active)', 'c', 'active'],
    ['EXISTS (SELECT 1 FROM t WHERE (active AND ((x) OPERATOR(pg_catalog.=) ((c)))) AND NOT active)', 'c', '(active  ) AND NOT active'],
    [
      "EXISTS (SELECT 1 FROM t p WHERE (p.c = items.x AND p.order) AND p.name LIKE 'p.c = items.x )')", 'c',
      `(   "order") AND  "name" LIKE 'p.c = items.x )'`,
    ],
    [
      'EXISTS (SELECT 1 FROM t p WHERE p.order AND ((p.active AND (p.c = items.x)) AND p.order))', 'c',
      '"order" AND (( "active"  ) AND  "order")',
    ],
    [
      'EXISTS (SELECT 1 FROM t WHERE id BETWEEN 1 AND 2 AND c = x AND id BETWEEN c AND c)', 'c',
      'id BETWEEN 1 AND 2   AND id BETWEEN c AND c',
    ],
    ['EXISTS (SELECT 1 FROM t WHERE c = x AND (active OR c = id))', 'c', '(active OR c = id)'],
    ['EXISTS (SELECT 1 FROM t WHERE c = x AND id = items.id)', '[["c"],["id"]]', undefined],
    ['EXISTS (SELECT 1 FROM t WHERE ((c = x AND (items.id) = t.id)) AND active)', '[["c"],["id"]]', 'active'],
    ['EXISTS (SELECT 1 FROM t WHERE active AND c = x AND NOT active AND t.id = items.x)', '[["c"],["id"]]', 'active   AND NOT active'],
    ['EXISTS (SELECT 1 FROM t WHERE (c = x AND (active AND ((id = items.id)))) AND c = id)', '[["c"],["id"]]', '(  (active  )) AND c = id'],
    [
      'EXISTS (SELECT 1 FROM t AS "P q" WHERE "P q"."My ""c""" = items."é" AND -- )\n ("P q".active /* AND ( */))', 'My "c"',
      '-- )\n ( "active" /* AND ( */)',
    ],
    [
      `EXISTS (SELECT 1 FROM t WHERE U&"!0074" UESCAPE '!' . U&"d!0061t" UESCAPE '!' AND c = items.U&"!0078" UESCAPE '!')`, 'c', '"dat"',
    ],
    [
      "title = 'é(' AND EXISTS (SELECT 1 FROM t WHERE t/* . */./* ' */active AND é = c AND name = $1)", 'c',
      '"active"   AND name = $1',
    ],
    ['EXISTS (SELECT 1 FROM t WHERE(c=x)AND(active))', 'c', '(active)'],
    ['EXISTS (SELECT 1 FROM t p WHERE id = 1&p.id AND c = x)', 'c', 'id = 1& "id"'],
    ['EXISTS (SELECT 1 FROM items AS other WHERE other.id = items.x AND other.done)', 'id', '"done"'],
    ['EXISTS (SELECT 1 FROM s.items WHERE s.items.id = public.items.x AND items.done)', 'id', '"done"'],
    [
      'id IN (SELECT p.c FROM t AS p WHERE p.active OR (p.id) IN (SELECT d FROM u AS p WHERE p.e))', 'c',
      '"active" OR ( "id") IN (SELECT d FROM u AS p WHERE p.e)',
    ],
    [
      'EXISTS (SELECT 1 FROM t p WHERE p.c = x AND EXISTS (SELECT 1 FROM u p2 WHERE p2.d = p.id AND p2.e) AND id IN (SELECT d FROM u))',
      'c',
      'EXISTS (SELECT 1 FROM u p2 WHERE p2.d =  "public"."t"."id" AND p2.e) AND id IN (SELECT d FROM u)',
    ],
    [
      'EXISTS (SELECT 1 FROM t p WHERE EXISTS (SELECT 1 FROM t q WHERE q.id = p.id AND q.c = q.id) AND p.c = x)', 'c',
      'EXISTS (SELECT 1 FROM t q WHERE q.id =  "public"."t"."id" AND q.c = q.id)',
    ],
    [
      'EXISTS (SELECT 1 FROM t WHERE c = x AND NOT EXISTS (SELECT 1 FROM u WHERE d = id))', 'c',
      'NOT EXISTS (SELECT 1 FROM u WHERE d = id)',
    ],
  ])('%s', (text, column, where) => {
    const { sources: [source] } = planOf(text, { 1: 'a' });
    invariant(source !== undefined, 'a subquery has a source');
    const selected = followedColumns(column).map(({ name }) => quoteIdentifier(name)).join(', ');
    const alone = where === undefined ? '' : ` WHERE ${acceptedIn(source.table, where, { 1: 'a' }).canonical}`;

    expect({ column: source.column, where: source.where, canonical: accepted(text, { 1: 'a' }).canonical }).toEqual({
      column,
      where,
      canonical: expect.stringContaining(`(SELECT ${selected} FROM ${quoteRelation(source.table)}${alone})`) as unknown,
    });
  });
});

describe('refused, with the place and the form that is taken:', () => {
  test.each<[string, unknown]>([
    ['EXISTS (SELECT 1 FROM t)', 0],
    ['done OR EXISTS (SELECT 1 FROM t WHERE active)', 8],
    ['EXISTS (SELECT 1 FROM t WHERE c = x OR active)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE NOT c = x)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE c > x)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE c = x + 1)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE c IS NOT DISTINCT FROM x)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE c = t.id)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE items.id = x)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE t.id = id)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE c = elsewhere.x)', 0],
    ['EXISTS (SELECT 1 FROM items WHERE items.id = items.x)', 0],
    ['EXISTS (SELECT 1 FROM t WHERE c = x AND EXISTS (SELECT 1 FROM u WHERE d = items.id))', 40],
  ])('%s', (text, location) => {
    const answer = parse(text);
    expect({ answer, location: Number(/\d+/.exec('error' in answer ? answer.error : '')?.[0]) }).toEqual({
      answer: { error: FORM, field: 'where' }, location,
    });
  });

  test.each([
    ['EXISTS (SELECT 1 FROM t WHERE c = x AND title IS NULL)', 'At location 40: unknown reference title'],
    ['EXISTS (SELECT 1 FROM t WHERE c = x AND items.done)', 'At location 40: unknown reference items.done'],
    ['EXISTS (SELECT 1 FROM t p WHERE c = x AND t.active)', 'At location 42: unknown reference t.active'],
    ['EXISTS (SELECT 1 FROM t WHERE t.nope = x)', 'At location 30: unknown reference t.nope'],
    ['EXISTS (SELECT 1 FROM t WHERE c = items.nope)', 'At location 34: unknown reference items.nope'],
    ['EXISTS (SELECT 1 FROM t WHERE c = title)', 'At location 32: EXISTS compares text with int8, which is another kind of type'],
    ['EXISTS (SELECT 1 FROM t WHERE t.doc = items.doc)', 'At location 36: `EXISTS (SELECT ...)` of jsonb is not supported'],
    ['EXISTS (SELECT nope FROM t WHERE c = x)', 'At location 15: unknown reference nope'],
    ['EXISTS (SELECT t.title FROM t WHERE c = x)', 'At location 15: unknown reference t.title'],
    ['EXISTS (SELECT 1, u.* FROM t WHERE c = x)', 'At location 18: unknown reference u.*'],
    [
      'done = EXISTS (SELECT 1 FROM t WHERE c = x)',
      'At location 7: `EXISTS (SELECT ...)` can only stand alone, below AND, OR and NOT, or in a test of its truth',
    ],
    ['EXISTS (SELECT count(*) FROM t WHERE c = x)', 'At location 15: `EXISTS (SELECT ...)` can only select constants, columns and `*`'],
    ['EXISTS (SELECT 1 FROM nowhere WHERE c = x)', 'At location 0: unknown table "public"."nowhere"'],
    ['EXISTS (SELECT 1 FROM t WHERE c = x LIMIT 0)', 'At location 0: SELECT statement must not contain any clauses: LIMIT'],
    ['EXISTS (SELECT 1 FROM t, u WHERE c = x)', 'At location 0: Expected a single table reference: a list of tables is not supported'],
    [
      'EXISTS (SELECT 1 FROM t p WHERE p.c = x AND EXISTS (SELECT 1 FROM t WHERE t.id = p.id))',
      'At location 81: a table that EXISTS selects from within itself needs an alias of its own',
    ],
    [
      '(EXISTS (SELECT 1 FROM t WHERE c = x)) IS UNKNOWN',
      'At location 1: IS UNKNOWN around `EXISTS (SELECT ...)` is not supported: that is never unknown',
    ],
  ])('%s', (text, error) => {
    expect(parse(text)).toEqual({ error, field: 'where' });
  });
});

test('is one subquery with IN, whose column it looks up in the same values', () => {
  const { sources, disjuncts: [terms = []] } = planOf(
    'x IN (SELECT c FROM t WHERE active) AND EXISTS (SELECT 1 FROM t p WHERE p.c = items.x AND p.active) ' +
    'AND NOT EXISTS (SELECT 1 FROM t WHERE active AND c = items.id)',
  );
  const lookups = terms.map((term) => term.kind === 'subquery' && [term.names.join(), term.subquery, [...term.truths]]);

  expect({ sources: sources.length, lookups }).toEqual({
    sources: 1,
    lookups: [['x', 0, [true]], ['x', 0, [true]], ['id', 0, [false, null]]],
  });
});

/** By what is selected: nothing, the value, another one, the value and NULL, another one and NULL. */
test.each<[string, string | null, readonly boolean[]]>([
  ['EXISTS', '7', [false, true, false, true, false]],
  ['EXISTS', null, [false, false, false, false, false]],
  ['NOT EXISTS', '7', [true, false, true, false, true]],
  ['NOT EXISTS', null, [true, true, true, true, true]],
])('%s, of %j, is never unknown', (word, x, truths) => {
  const where = accepted(`${word} (SELECT 1 FROM t WHERE t.c = items.x)`);
  const selected = [[], ['7'], ['8'], ['7', null], ['8', null]];
  const evaluated = selected.map((values) => where.evaluate((column) => (column === 'x' ? x : null), membersOf(membersOfRows(values))));
  expect(evaluated).toEqual(truths);
});

test('columns of the filter itself may be qualified by its table', () => {
  expect(accepted('items.done AND public.items.x = 1').canonical).toBe(accepted('done AND x = 1').canonical);
});
