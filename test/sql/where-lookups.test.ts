/** What changes are looked up by: which filters have it, and by which keys and values. That no row is missed, the properties say. */
import { beforeAll, describe, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Lookup, SubqueryTables, Where, WhereColumn, WhereLanguage } from '../../src/sql/where.ts';
import { C } from '../support/where-expressions.ts';

const columnsOf = (types: Readonly<Record<string, string>>): readonly WhereColumn[] =>
  Object.entries(types).map(([name, type]) => {
    return { name, typeName: type.replace('[]', ''), dimensions: type.endsWith('[]') ? 1 : 0, collation: C };
  });
const OUTER = columnsOf({
  id: 'int4', large: 'int8', title: 'text', label: 'varchar', padded: 'bpchar', done: 'bool', owner: 'uuid', at: 'timestamp',
  ratio: 'float4', price: 'numeric', tags: 'text[]', numbers: 'int4[]', parent: 'int4',
});
const INNER = columnsOf({ id: 'int8', active: 'bool' });
const tables: SubqueryTables = () => INNER;

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

function lookupsOf(text: string, params: Readonly<Record<string, string>> = { 1: 'a', 2: 'B' }): Where['lookups'] {
  const where = language.parse(text, params, OUTER, tables);
  invariant(!('error' in where), `the language accepts ${text}`);
  return where.lookups;
}

/** A key by its expression, or by `items of` it: the first two parts of its name. */
function shown(lookup: Lookup) {
  const [what, isNull] = JSON.parse(lookup.key.name) as [string, string];
  const expression = isNull.replace(/^\((.*) IS NULL\)$/, '$1').replaceAll('"', '');
  const key = what === 'items' ? `items of ${expression}` : expression;
  return lookup.kind === 'subquery' ? [key, 'in', lookup.subquery] : [key, lookup.kind, ...lookup.values];
}

const SUB = 'parent IN (SELECT id FROM parents)';

describe('a filter is looked up by', () => {
  test.each<[string, readonly (readonly unknown[])[] | undefined]>([
    // A column and constants
    ['id = 07', [['id', 'some', '7']]],
    ["'5' = id", [['id', 'some', '5']]],
    ["owner = 'A0EEBC999C0B4EF8BB6D6BB9BD380A11'", [['owner', 'some', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']]],
    ['done', [['done', 'some', 't']]],
    ["done = 'yes'", [['done', 'some', 't']]],
    ["title IN ('a', 'b', 'a', NULL)", [['title', 'some', 'a', 'b']]],
    ["padded = 'a  '", [['padded', 'some', 'a']]],
    ["at = '1970-01-01 00:00:01'", [['at', 'some', '1000000']]],
    ['ratio = 0.5', [['ratio', 'some', '0.5']]],
    ["numbers = '{1,2}'", [['numbers', 'some', '{1,2}']]],
    ['(id = 7) IS TRUE', [['id', 'some', '7']]],
    // What could equal other values, or none that are known
    ["padded = 'a'::text", undefined],
    ["label = 'a'::bpchar", undefined],
    ['id <> 1', undefined],
    ['NOT id = 1', undefined],
    ['id = large', undefined],
    ['id IN (1, large)', undefined],
    ['id IS NOT DISTINCT FROM 1', undefined],
    ['(id = 7) IS NOT TRUE', undefined],
    // ANY
    ["id = ANY ('{1,2,NULL}')", [['id', 'some', '1', '2']]],
    ['title = ANY (ARRAY[$1, lower($2)])', [['title', 'some', 'a', 'b']]],
    ["id <> ALL ('{1}')", undefined],
    ['id < ANY (ARRAY[1])', undefined],
    // No row at all
    ['id = NULL', []],
    ["id = ANY ('{}')", []],
    ['id = ANY (NULL)', []],
    ["id = ANY ('{NULL}')", []],
    ["id <> ALL ('{NULL}')", []],
    ["id <> ALL ('{}')", undefined],
    ['false', []],
    ['NULL', []],
    ['1 / id = NULL', undefined],
    ["1 / id = ANY ('{}')", undefined],
    // A value that is calculated
    ["lower(title) = 'a'", [['lower(title COLLATE C)', 'some', 'a']]],
    ["upper(label) IN ('A', 'B')", [['upper((label)::text COLLATE C)', 'some', 'A', 'B']]],
    ['id + 1 = 2', [['(id + int4 1)', 'some', '2']]],
    ["title = concat('a', 7)", [['title', 'some', 'a7']]],
    ["at::text = title AND concat('a', 'b') = label", undefined],
    ["concat('a', 'b') = label AND at::text = title", [['label', 'some', 'ab', null]]],
    ["concat(title, '-', label) = 'a-b'", [['concat(title, text -, label)', 'some', 'a-b']]],
    ['id % 10 = large', undefined],
    // Items of an array
    ["tags @> '{a,b}'", [['items of tags', 'every', 'a', 'b']]],
    ["'{a}' <@ tags", [['items of tags', 'every', 'a']]],
    ["tags && ARRAY['a', 'b']", [['items of tags', 'some', 'a', 'b']]],
    ["ARRAY['a', 'b'] && tags", [['items of tags', 'some', 'a', 'b']]],
    ["'a' = ANY (tags)", [['items of tags', 'some', 'a']]],
    ['7 = ANY (numbers)', [['items of numbers', 'some', '7']]],
    ['numbers @> ARRAY[7, NULL]', [['items of numbers', 'every', '7']]],
    ["tags || title @> '{a}'", [['items of array_append(tags, title)', 'every', 'a']]],
    ["tags @> '{}'", undefined],
    ["tags <@ '{a}'", undefined],
    ["'a' = ALL (tags)", undefined],
    ["tags && '{NULL}'", undefined],
    ['7.5::float8 = ANY (numbers)', undefined],
    // AND: the cheapest
    ["title LIKE 'a%' AND id IN (1, 2) AND large = 3", [['large', 'some', '3']]],
    ['done AND id IN (1, 2)', [['id', 'some', '1', '2']]],
    ["lower(title) = 'a' AND id = 1", [['lower(title COLLATE C)', 'some', 'a']]],
    ["id = 1 AND lower(title) = 'a'", [['id', 'some', '1', null]]],
    ["tags @> '{a}' AND id IN (1, 2)", [['id', 'some', '1', '2']]],
    // OR: one for each
    ['id = 1 OR id IN (2, 3) OR (id = 4 AND done)', [['id', 'some', '1', '2', '3', '4']]],
    ["id = 1 OR lower(title) = 'a' OR tags @> '{a}'", [
      ['id', 'some', '1'], ['lower(title COLLATE C)', 'some', 'a'], ['items of tags', 'every', 'a'],
    ]],
    ["tags @> '{a}' OR tags @> '{b}' OR tags && '{c}'", [
      ['items of tags', 'every', 'a'], ['items of tags', 'every', 'b'], ['items of tags', 'some', 'c'],
    ]],
    ['id = 1 OR done IS NULL', undefined],
    // An error before the look-up is an error of every row
    ['1 / id > 2 AND large = 3', undefined],
    ['(id + 1) > 2 AND large = 3', undefined],
    ["title ILIKE 'a%' AND large = 3", undefined],
    ["title LIKE 'a%' AND large = 3", [['large', 'some', '3']]],
    ['(1 / id > 2 OR done) AND large = 3', undefined],
    ['1 / id IS NULL AND large = 3', undefined],
    ['(1 / id > 2) IS NULL AND large = 3', undefined],
    ['price = ratio AND large = 3', undefined],
    ['price IN (0.5::float8, 1.5::float8) AND large = 3', undefined],
    ["(numbers || 1) && '{2}' AND large = 3", [['items of array_append(numbers, int4 1)', 'some', '2']]],
    ["tags && '{a}' AND large = 3", [['large', 'some', '3']]],
    // One behind it only of rows in which it is NULL
    ['large = 3 AND 1 / id > 2', [['large', 'some', '3', null]]],
    ["'a' = ANY (tags) AND 1 / id > 2", [['items of tags', 'some', 'a', null]]],
    ["tags @> '{a,b}' AND 1 / id > 2", [['items of tags', 'some', 'a', null]]],
    ['large IN (3, NULL) AND 1 / id > 2', undefined],
    ['(large = 3) IS TRUE AND 1 / id > 2', [['large', 'some', '3']]],
    ['NULL AND 1 / id > 2', undefined],
    ['id = ANY (NULL) AND 1 / id > 2', undefined],
    ['(large = 3 OR done) AND 1 / id > 2', [['large', 'some', '3', null], ['done', 'some', 't', null]]],
    ["(large = 3 AND title = 'a') OR 1 / id = 2", [['large', 'some', '3'], ['(int4 1 / id)', 'some', '2']]],
    // Subqueries
    [SUB, [['parent', 'in', 0]]],
    [`${SUB} AND title = 'x'`, [['title', 'some', 'x']]],
    [`${SUB} AND title <> 'x'`, [['parent', 'in', 0]]],
    [`${SUB} AND (title = 'x' OR id = 1)`, [['title', 'some', 'x'], ['id', 'some', '1']]],
    [`${SUB} OR title = 'x' OR title IN ('y', 'x')`, [['parent', 'in', 0], ['title', 'some', 'x', 'y']]],
    [`${SUB} OR title <> 'x'`, undefined],
    [`${SUB} OR (${SUB} AND done)`, [['parent', 'in', 0], ['done', 'some', 't']]],
    [`${SUB} AND id IN (SELECT id FROM parents WHERE active)`, [['parent', 'in', 0]]],
    [`${SUB} OR id IN (SELECT id FROM parents)`, [['parent', 'in', 0], ['id', 'in', 0]]],
    [`${SUB} AND 1 / id > 2`, [['parent', 'in', 0]]], // That parent is NULL is no reason to go on.
    [`NOT ${SUB}`, undefined],
    [`NOT (${SUB} OR title <> 'x') AND large = 3`, [['large', 'some', '3']]],
    [`(NOT (${SUB})) IS NOT TRUE AND (${SUB}) IS TRUE`, [['parent', 'in', 0]]],
    [`(${SUB}) IS NOT TRUE`, undefined],
    [`(${SUB}) IS NULL`, undefined],
  ])('%s', (text, lookups) => {
    expect(lookupsOf(text)?.map(shown)).toEqual(lookups);
  });
});

test('what a subquery selects decides alone, and beside others that do, but not where more is asked', () => {
  const texts = [SUB, `(${SUB}) IS TRUE`, `${SUB} OR title = 'x'`, `${SUB} OR id IN (SELECT id FROM parents)`, `${SUB} AND title <> 'x'`];
  const exact = texts.map((text) => {
    const where = language.parse(text, {}, OUTER, tables);
    return 'error' in where ? where.error : where.areLookupsExact;
  });

  expect(exact).toEqual([true, true, true, true, undefined]);
});

test('more than a thousand constants are no look-up', () => {
  const ids = (count: number): string => Array.from({ length: count }, (_, id) => id).join(',');
  const texts = [`id IN (${ids(1000)})`, `id IN (${ids(1001)})`, `id IN (${ids(1000)}) OR title = 'x'`, `${SUB} OR id IN (${ids(1000)})`];

  expect(texts.map((text) => lookupsOf(text)?.length)).toEqual([1, undefined, undefined, undefined]);
});

test('the same expression is the same key in all filters, and another one where a column has another type', () => {
  const keyOf = (text: string, columns: readonly WhereColumn[]): string | undefined => {
    const where = language.parse(text, {}, columns);
    return 'error' in where ? where.error : where.lookups?.[0]?.key.name;
  };
  const [spaced, listed, column] = ["lower( title )= 'x'", "lower(title) IN ('a', 'b')", "title = 'x'"].map((text) => keyOf(text, OUTER));
  const ofVarchar = keyOf("lower(title) = 'x'", columnsOf({ title: 'varchar' }));

  expect({ isSame: spaced === listed, different: new Set([spaced, ofVarchar, column]).size }).toEqual({ isSame: true, different: 3 });
});

test('a row has as keys the value of an expression, or each item of an array once, NULLs among them', () => {
  const [lower, items] = ["lower(title) = 'a'", "tags @> '{a}'"].map((text) => lookupsOf(text)?.[0]?.key);
  const rows = [['Ab', '{b,NULL,a,b}'], [null, null], ['', '{}'], ['a', '{{a},{B}}']];

  const keys = rows.map(([title = null, tags = null]) => [lower?.read(() => title), items?.read(() => tags)]);

  expect(keys).toEqual([[['ab'], ['b', null, 'a']], [[null], [null]], [[''], []], [['a'], ['a', 'B']]]);
});
