/** Filters with subqueries: which are taken, and what they become. */
import { beforeAll, describe, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import { NULL_MEMBER, rowPattern } from '../../src/sql/subqueries/membership.ts';
import type { ColumnText, SubqueryPlan, SubqueryTables, Term, Where, WhereColumn, WhereError, WhereLanguage } from '../../src/sql/where.ts';
import { membersOf, membersOfRows } from '../support/shapes/subquery-filter.ts';

const columnsOf = (types: Readonly<Record<string, string>>): readonly WhereColumn[] =>
  Object.entries(types).map(([name, typeName]) => ({ name, typeName, dimensions: 0 }));
const OUTER = columnsOf({ id: 'int4', parent: 'int4', other: 'int8', title: 'text', done: 'bool', mood: 'mood', doc: 'jsonb', é: 'int4' });
const INNER = columnsOf({
  id: 'int8', exact: 'numeric', name: 'varchar', active: 'bool', mood: 'mood', doc: 'jsonb', Mixed: 'int4', title: 'text',
});
const TABLES = new Set(['public.parents', 'public.Parents', 's.parents', 's.where']);
const tables: SubqueryTables = ({ schema, name }) => (TABLES.has(`${schema}.${name}`) ? INNER : undefined);

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

function parse(text: string, params: Readonly<Record<string, string>> = {}): Where | WhereError {
  return language.parse(text, params, OUTER, tables);
}

function accepted(text: string, params: Readonly<Record<string, string>> = {}): Where {
  const where = parse(text, params);
  invariant(!('error' in where), `the language accepts ${text}`);
  return where;
}

function planOf(text: string, params: Readonly<Record<string, string>> = {}): SubqueryPlan {
  const { subqueries } = accepted(text, params);
  invariant(subqueries !== undefined, 'the text has a subquery');
  return subqueries;
}

/** So many subqueries, one in the other. */
function nested(depth: number): string {
  return Array.from({ length: depth }).reduce<string>((inner) => `id IN (SELECT id FROM parents WHERE ${inner})`, 'active');
}

const row =
  (texts: Readonly<Record<string, string | null>>): ColumnText =>
  (column) =>
    texts[column] ?? null;

test('a filter may have subqueries at three hundred positions, and more that are plain', () => {
  const subqueries = Array.from({ length: 3 }, () => 'id IN (SELECT id FROM parents)').join(' AND ');
  const plain = Array.from({ length: 100 }, (_, id) => `other = ${id}`).join(' OR ');

  expect(planOf(`${subqueries} AND (${plain})`).disjuncts).toHaveLength(100);
});

describe('refused, in the words of the wire:', () => {
  const CLAUSES = 'At location 3: SELECT statement must not contain any clauses';
  const SINGLE_TABLE = 'Expected a single table reference';
  const NOT_ALONE = '`IN (SELECT ...)` can only stand alone, below AND, OR and NOT, or in a test of its truth';
  test.each([
    ['id = ANY (SELECT id FROM parents)', 'At location 3: only `value IN (SELECT ...)` sublinks are supported right now'],
    ['7     IN (SELECT id FROM parents)', 'At location 6: left side of `IN (SELECT ...)` must read a column of the row'],
    ["ROW(7, 'x') IN (SELECT id, name FROM parents)", 'At location 12: left side of `IN (SELECT ...)` must read a column of the row'],
    ['(id, parent) IN (SELECT id FROM parents)', 'At location 13: a subquery must select exactly 2 columns'],
    ['(id, parent) IN (SELECT id, id, id FROM parents)', 'At location 13: a subquery must select exactly 2 columns'],
    ['id IN (SELECT id, id FROM parents)', 'At location 3: a subquery must select exactly one column'],
    [
      '(id, parent) IN (SELECT id, name FROM parents)',
      'At location 13: part 2 of the left side of `IN (SELECT ...)` has type int4 but subquery returns varchar[]',
    ],
    [
      `(${Array.from({ length: 9 }, () => 'id').join()}) IN (SELECT id FROM parents)`,
      'At location 29: `IN (SELECT ...)` takes at most 8 columns',
    ],
    [
      `(${Array.from({ length: 5 }, () => 'id').join()}) NOT IN (SELECT id, id, id, id, id FROM parents)`,
      'At location 17: `NOT IN (SELECT ...)` takes at most 4 columns',
    ],
    ['(doc, id) IN (SELECT doc, id FROM parents)', 'At location 10: `IN (SELECT ...)` of jsonb is not supported'],
    ['(id, id IN (SELECT id FROM parents)) IN (SELECT id, active FROM parents)', `At location 8: ${NOT_ALONE}`],
    ['id IN (SELECT active::date FROM parents)', 'At location 20: unknown cast from type bool to type date'],
    ['nope IN (SELECT id FROM parents)', 'At location 0: unknown reference nope'],
    ['items.id IN (SELECT id FROM parents)', 'At location 0: unknown reference items.id'],
    ['id IN (SELECT title FROM parents)', 'At location 3: left side of `IN (SELECT ...)` has type int4 but subquery returns text[]'],
    ['mood IN (SELECT title FROM parents)', 'At location 5: left side of `IN (SELECT ...)` has type mood but subquery returns text[]'],
    ['doc IN (SELECT doc FROM parents)', 'At location 4: `IN (SELECT ...)` of jsonb is not supported'],
    ['mood IN (SELECT mood FROM parents)', 'At location 5: Could not select an operator overload'],
    ['id IN (SELECT id + 1 FROM parents)', 'At location 14: Expected a plain column reference'],
    ['id IN (SELECT p.* FROM parents p)', 'At location 14: Expected a plain column reference'],
    ['id IN (SELECT parents.id FROM parents p)', 'At location 14: unknown reference parents.id'],
    ['id IN (SELECT id FROM parents WHERE items.id = 1)', 'At location 36: unknown reference items.id'],
    ['id IN (SELECT * FROM parents)', 'At location 14: Expected a plain column reference'],
    ['id IN (SELECT id AS id FROM parents)', 'At location 14: Expected a plain column reference'],
    ['id IN (SELECT FROM parents)', 'At location 3: a subquery must select exactly one column'],
    ['id IN (SELECT nope FROM parents)', 'At location 14: unknown reference nope'],
    ['id IN (SELECT parent FROM parents)', 'At location 14: unknown reference parent'],
    ['id IN (SELECT id FROM nowhere)', 'At location 3: unknown table "public"."nowhere"'],
    ['id IN (SELECT id FROM parents WHERE parent = 1)', 'At location 36: unknown reference parent'],
    ["é = 1 AND id IN (SELECT id FROM parents WHERE title = 'é' AND id = 'x')", "At location 69: invalid syntax for type int8: x"],
    ['id IN (SELECT id FROM parents WHERE id)', 'WHERE clause must return a boolean'],
    ['id IN (SELECT id)', `At location 3: ${SINGLE_TABLE}`],
    ['id IN (SELECT id FROM parents, parents)', `At location 3: ${SINGLE_TABLE}: a list of tables is not supported`],
    ['id IN (SELECT id FROM parents p (id))', `At location 22: ${SINGLE_TABLE}: an alias with columns is not supported`],
    ['id IN (SELECT id FROM ONLY parents)', `At location 27: ${SINGLE_TABLE}: ONLY is not supported`],
    ['id IN (SELECT id FROM parents JOIN parents b ON true)', `At location 3: ${SINGLE_TABLE}: JOIN is not supported`],
    ['id IN (SELECT id FROM (SELECT id FROM parents) AS p)', `At location 3: ${SINGLE_TABLE}: what stands behind FROM is no table`],
    ['id IN (SELECT id FROM parents TABLESAMPLE system (1))', `At location 3: ${SINGLE_TABLE}: what stands behind FROM is no table`],
    ['id IN (SELECT id FROM base.public.parents)', `At location 22: ${SINGLE_TABLE}: the name of a database is not supported`],
    ['id IN (SELECT DISTINCT id FROM parents)', `${CLAUSES}: DISTINCT`],
    ['id IN (SELECT id FROM parents GROUP BY id)', `${CLAUSES}: GROUP BY`],
    ['id IN (SELECT id FROM parents HAVING true)', `${CLAUSES}: HAVING`],
    ['id IN (SELECT id FROM parents WINDOW w AS ())', `${CLAUSES}: WINDOW`],
    ['id IN (SELECT id FROM parents ORDER BY id)', `${CLAUSES}: ORDER BY`],
    ['id IN (SELECT id FROM parents LIMIT 1)', `${CLAUSES}: LIMIT`],
    ['id IN (SELECT id FROM parents OFFSET 1)', `${CLAUSES}: OFFSET`],
    ['id IN (SELECT id FROM parents FOR UPDATE)', `${CLAUSES}: FOR`],
    ['id IN (WITH p AS (SELECT 1) SELECT id FROM parents)', `${CLAUSES}: WITH`],
    ['id IN (SELECT id FROM parents UNION SELECT id FROM parents)', `${CLAUSES}: UNION`],
    ['id IN (VALUES (1))', `${CLAUSES}: VALUES`],
    ['id IN (SELECT id INTO x FROM parents)', `${CLAUSES}: INTO`],
    [
      '(done OR id IN (SELECT id FROM parents)) IS NOT UNKNOWN',
      'At location 12: IS NOT UNKNOWN around `IN (SELECT ...)` can only stand at the subquery itself',
    ],
    [
      '(NOT (done AND id IN (SELECT id FROM parents))) IS NULL',
      'At location 18: IS NULL around `IN (SELECT ...)` can only stand at the subquery itself',
    ],
    ['done = (id IN (SELECT id FROM parents))', `At location 11: ${NOT_ALONE}`],
    ['done IN (id IN (SELECT id FROM parents))', `At location 12: ${NOT_ALONE}`],
    [
      'id IN (SELECT id FROM parents WHERE (active OR id NOT IN (SELECT id FROM parents)) IS NULL)',
      'At location 50: IS NULL around `IN (SELECT ...)` can only stand at the subquery itself',
    ],
    [nested(17), 'At location 579: subqueries nest deeper than 16 levels'],
    ['id IN (SELECT id FROM parents WHERE id IN (SELECT id FROM others))', 'At location 39: unknown table "public"."others"'],
    [
      Array.from({ length: 7 }, () => 'id IN (SELECT id FROM parents) AND (done OR NOT done)').join(' AND '),
      'WHERE clause too complex for DNF decomposition (128 disjuncts exceeds limit of 100)',
    ],
    [
      `id IN (SELECT id FROM parents) AND ${Array.from({ length: 1100 }, () => '(done OR done)').join(' AND ')}`,
      'WHERE clause too complex for DNF decomposition (Infinity disjuncts exceeds limit of 100)',
    ],
    [
      `id IN (SELECT id FROM parents)${' AND done'.repeat(1000)}`,
      'WHERE clause too complex for DNF decomposition (1001 positions exceeds limit of 1000)',
    ],
    [
      `(${Array.from({ length: 76 }, (_, id) => `id = ${id}`).join(' OR ')})${' AND id IN (SELECT id FROM parents)'.repeat(4)}`,
      'At location 832: WHERE clause too complex for DNF decomposition (304 subquery positions exceeds limit of 300)',
    ],
  ])('%s', (text, error) => {
    expect(parse(text)).toEqual({ error, field: 'where' });
  });

  test('a parameter that means something else in the subquery alone', () => {
    const text = 'other = $1 AND id IN (SELECT id FROM parents WHERE "Mixed" = $1)';
    const cast = accepted(text.replaceAll('$1', '$1::int8'), { 1: '7' });
    expect([parse(text, { 1: '7' }), cast.subqueries?.sources.map(({ where }) => where)]).toEqual([
      { error: expect.stringMatching(/^At location 18: a parameter has another type here/), field: 'where' },
      ['"Mixed" = $1::int8'],
    ]);
  });

  test('a parameter that has one type in one of them and another type in the other', () => {
    const inner = '"Mixed" = $1 AND id IN (SELECT id FROM parents WHERE id = $1)';
    expect(parse(`id IN (SELECT id FROM parents WHERE ${inner})`, { 1: '7' })).toEqual({
      error: expect.stringMatching(/^At location 56: a parameter has another type here/), field: 'where',
    });
  });

  test('a filter without subqueries has no plan, however large it is in disjunctive normal form', () => {
    const where = accepted(Array.from({ length: 200 }, () => '(done OR NOT done)').join(' AND '));
    expect([where.subqueries, where.lookups, where.query.params]).toEqual([undefined, undefined, []]);
  });
});

describe('a subquery is', () => {
  test.each<[string, SubqueryPlan['sources']]>([
    ['id IN (SELECT id FROM parents)', [{ table: { schema: 'public', name: 'parents' }, column: 'id', where: undefined, parameters: [] }]],
    [
      '(id) in ((select (id) from s.parents * where active))',
      [{ table: { schema: 's', name: 'parents' }, column: 'id', where: 'active', parameters: [] }],
    ],
    [
      'id IN (SELECT "Mixed" FROM "Parents")',
      [{ table: { schema: 'public', name: 'Parents' }, column: 'Mixed', where: undefined, parameters: [] }],
    ],
    [
      'id IN (SELECT id FROM s./* here */where WHERE (active))',
      [{ table: { schema: 's', name: 'where' }, column: 'id', where: '(active)', parameters: [] }],
    ],
    [
      "title = 'é\u{1F600}' AND é IN (SELECT /* where ( */ id FROM parents -- where\n" +
        " WHERE title IN ('é)', ')', $$)$$) /* ) */ -- )\n) AND done",
      [{ table: { schema: 'public', name: 'parents' }, column: 'id', where: "title IN ('é)', ')', $$)$$) /* ) */ -- )", parameters: [] }],
    ],
    [
      "title = '\u0001' AND id IN (SELECT id FROM parents WHERE title = '\u001f\ufeff')",
      [{ table: { schema: 'public', name: 'parents' }, column: 'id', where: "title = '\u001f\ufeff'", parameters: [] }],
    ],
    [
      'id IN (SELECT id FROM parents WHERE active) OR parent IN (SELECT id FROM parents)' +
        ' OR other IN (SELECT id FROM public.parents where (ACTIVE))',
      [
        { table: { schema: 'public', name: 'parents' }, column: 'id', where: 'active', parameters: [] },
        { table: { schema: 'public', name: 'parents' }, column: 'id', where: undefined, parameters: [] },
      ],
    ],
    [
      'id IN (SELECT id FROM parents WHERE active OR id IN (SELECT "Mixed" FROM parents WHERE title IN (SELECT name FROM s.where)) AND $1)',
      [{
        table: { schema: 'public', name: 'parents' },
        column: 'id',
        where: 'active OR id IN (SELECT "Mixed" FROM parents WHERE title IN (SELECT name FROM s.where)) AND $1',
        parameters: [1],
      }],
    ],
  ])('found in %s', (text, sources) => {
    expect(planOf(text, { 1: 't' }).sources).toEqual(sources);
  });

  test.each([
    ['(id, parent) IN (SELECT id, "Mixed" FROM parents)', '[["id"],["Mixed"]]'],
    ['((id, parent) IN (SELECT id, "Mixed" FROM parents)) IS NOT TRUE', '[["id"],["Mixed"]]'],
    ['(id, parent) NOT IN (SELECT id, "Mixed" FROM parents)', '[["id"],["Mixed"],"parts"]'],
    ['done AND (id, parent) IN (SELECT id, "Mixed" FROM parents) OR (parent, id) NOT IN (SELECT id, "Mixed" FROM parents)',
      '[["id"],["Mixed"],"parts"]'],
    ['id NOT IN (SELECT id FROM parents)', 'id'],
  ])('kept by the parts of its row values where the filter tells what is unknown from what is false: %s', (text, column) => {
    expect(planOf(text).sources.map((source) => source.column)).toEqual([column]);
  });

  test.each([
    ['a IN (SELECT x FROM b) AND (c IN (SELECT y FROM s.t) OR d IN (SELECT z FROM public.b WHERE q = 1))', ['public.b', 's.t']],
    [
      'a IN (SELECT x FROM b WHERE c IN (SELECT y FROM s.t WHERE d IN (SELECT z FROM e) OR d IN (SELECT x FROM b)))',
      ['public.b', 's.t', 'public.e'],
    ],
    ["title = 'select'", []],
    ['title = 1', []],
    ['NOT (c OR (a NOT IN (SELECT x FROM b)) IS UNKNOWN) AND (a IN (SELECT x FROM d)) IS NOT NULL', ['public.b', 'public.d']],
    ['a IN (SELECT x FROM b LIMIT 1) AND a IN (SELECT x FROM (SELECT y FROM c) AS d) AND a IN (VALUES (1))', ['public.b']],
  ])('looked for by its table, in %s', (text, names) => {
    const found = language.tablesIn(text);
    expect('error' in found ? found : found.map(({ schema, name }) => `${schema}.${name}`)).toEqual(names);
  });

  test('looked for in vain in what is no filter', () => {
    expect(language.tablesIn('select 1')).toEqual({ error: 'At location 15: syntax error at or near "select"', field: 'where' });
  });

  test('one of at most a hundred', () => {
    const text = Array.from({ length: 101 }, () => 'id IN (SELECT id FROM parents)').join(' OR ');
    const refusal = { error: 'WHERE clause has too many subqueries (101 exceeds limit of 100)', field: 'where' };
    expect([parse(text), language.tablesIn(text)]).toEqual([refusal, refusal]);
  });

  test('told with the parameters that it names', () => {
    const text = 'title = $1 AND id IN (SELECT id FROM parents WHERE title IN ($3, $2, $3) /* $4 */)';
    expect(planOf(text, { 1: 'a', 2: 'b', 3: 'c', 4: 'd' }).sources.map(({ parameters }) => parameters)).toEqual([[3, 2]]);
  });
});

describe('the canonical text', () => {
  test('has the subquery in canonical form', () => {
    const texts = [
      'parent IN (SELECT id FROM parents WHERE id > 07)',
      'parent  in (select "id" from public."parents" where (ID) > $1)',
      'parent IN (SELECT id FROM parents WHERE id > 7)',
    ];
    expect(new Set(texts.map((text) => accepted(text, { 1: '07' }).canonical))).toEqual(
      new Set([
        '("parent" IN (SELECT "id" FROM "public"."parents" WHERE ("id" > int4 "7")))',
        '("parent" IN (SELECT "id" FROM "public"."parents" WHERE ("id" > int8 "7")))',
      ]),
    );
  });

  test('has those within it in canonical form as well, and as many as may nest', () => {
    const { canonical } = accepted('id IN (SELECT id FROM parents WHERE ("Mixed") in (select "Mixed" from public.parents where active))');
    expect(canonical).toBe(
      '("id" IN (SELECT "id" FROM "public"."parents" WHERE ("Mixed" IN (SELECT "Mixed" FROM "public"."parents" WHERE "active"))))',
    );
    expect(accepted(nested(16)).canonical.match(/SELECT/g)).toHaveLength(16);
  });

  test('differs for another table, column or filter', () => {
    const texts = ['id FROM parents', 'id FROM s.parents', '"Mixed" FROM parents', 'id FROM parents WHERE active'];
    expect(new Set(texts.map((text) => accepted(`id IN (SELECT ${text})`).canonical)).size).toBe(4);
  });
});

/** `plain/-?id#0`: position 0 is a plain term, position 1 looks `id` up in the first subquery and is true where it is not there. */
function shapeOf(disjuncts: SubqueryPlan['disjuncts']): readonly string[] {
  const signs = new Map([[true, ''], [false, '-'], [null, '?']]);
  const name = (term: Term): string => {
    if (term.kind === 'plain') return 'plain';
    return `${[...term.truths].map((truth) => signs.get(truth)).join('')}${term.names.join('+')}#${term.subquery}`;
  };
  return disjuncts.map((terms) => terms.map(name).join('/'));
}

describe('disjuncts', () => {
  const SUB = 'id IN (SELECT id FROM parents)';
  const OTHER = 'parent IN (SELECT id FROM parents WHERE active)';
  test.each([
    [SUB, ['id#0']],
    [`${SUB} AND done AND title = 'x'`, ['id#0/plain/plain']],
    [`${SUB} OR done`, ['id#0', 'plain']],
    [`${SUB} AND (done OR ${OTHER})`, ['id#0/plain', 'id#0/parent#1']],
    [`(${SUB} OR done) AND (title = 'x' OR ${OTHER})`, ['id#0/plain', 'id#0/parent#1', 'plain/plain', 'plain/parent#1']],
    [`${SUB} AND NOT (done AND NOT (title = 'x' OR id = 1))`, ['id#0/plain', 'id#0/plain', 'id#0/plain']],
    [`${SUB} AND NOT (done OR title = 'x')`, ['id#0/plain/plain']],
    [`${SUB} AND (done AND id = 1) IS TRUE`, ['id#0/plain']],
    [`${OTHER} OR ${SUB} AND parent IN (SELECT id FROM parents)`, ['parent#0', 'id#1/parent#1']],
    [`NOT ${SUB}`, ['-id#0']],
    ['id NOT IN (SELECT id FROM parents) AND id IN (SELECT id FROM parents)', ['-id#0/id#0']],
    [`NOT (${SUB} OR done AND NOT ${OTHER})`, ['-id#0/plain', '-id#0/parent#1']],
    [`(NOT ${SUB} AND done) IS NOT TRUE`, ['?id#0', 'plain']],
    [`NOT (${SUB} OR done) IS NOT FALSE`, ['-id#0/plain']],
    [`(${SUB}) IS NOT TRUE OR (${OTHER}) IS NOT FALSE`, ['-?id#0', '?parent#1']],
    [`(${SUB}) IS NULL AND (NOT ${OTHER}) IS NOT UNKNOWN`, ['?id#0/-parent#1']],
    [`((${SUB}) IS TRUE) IS NOT FALSE`, ['id#0']],
  ])('of %s', (text, shape) => {
    expect(shapeOf(planOf(text).disjuncts)).toEqual(shape);
  });

  test('look up canonical texts, and negate at the leaves', () => {
    const [[lookup, negated] = []] = planOf(`other IN (SELECT exact FROM parents) AND NOT title = 'x'`).disjuncts;
    const asked = [row({ other: '7', title: 'y' }), row({ other: null, title: 'x' }), row({})].map((text) => [
      lookup?.kind === 'subquery' && lookup.left(text),
      negated?.kind === 'plain' && negated.evaluate(text),
    ]);
    expect(asked).toEqual([['7', true], [null, false], [null, null]]);
  });
});

test.each([
  ['id - 1 IN (SELECT id FROM parents)', 'id'],
  ['doc::text IN (SELECT doc::text FROM parents)', '[["doc","text"]]'],
])('what a subquery may not calculate, or not compare, can be said otherwise: %s', (text, column) => {
  expect(planOf(text).sources.map((source) => source.column)).toEqual([column]);
});

describe('evaluated with what the subqueries select', () => {
  test.each<[string, Record<string, string | null>, boolean | null]>([
    ['parent IN (SELECT id FROM parents)', { parent: '7' }, true],
    ['parent IN (SELECT id FROM parents)', { parent: '8' }, false],
    ['parent IN (SELECT id FROM parents)', { parent: null }, false],
    ['parent IN (SELECT id FROM parents) AND done', { parent: null, done: 'f' }, false],
    ['parent IN (SELECT id FROM parents) OR done', { parent: null, done: 't' }, true],
    ['parent IN (SELECT id FROM parents) OR other IN (SELECT id FROM parents WHERE active)', { parent: '8', other: '8' }, true],
    ['title IN (SELECT name FROM parents)', { title: '7' }, true],
    ['NOT (parent IN (SELECT id FROM parents) AND done) ', { parent: '7', done: 't' }, false],
    ['NOT (parent IN (SELECT id FROM parents) AND done) ', { parent: '8', done: null }, true],
  ])('%s, of %j, is %s', (text, texts, truth) => {
    expect(accepted(text).evaluate(row(texts), membersOf(membersOfRows(['7']), membersOfRows(['8'])))).toBe(truth);
  });

  /** By what is selected: nothing, the value, another one, the value and NULL, another one and NULL. */
  test.each<[string, string | null, readonly boolean[]]>([
    ['IN', '7', [false, true, false, true, false]],
    ['IN', null, [false, false, false, false, false]],
    ['NOT IN', '7', [true, false, true, false, false]],
    ['NOT IN', null, [true, false, false, false, false]],
    ['IS NOT TRUE', '7', [true, false, true, false, true]],
    ['IS NOT TRUE', null, [true, true, true, true, true]],
    ['IS NOT FALSE', '7', [false, true, false, true, true]],
    ['IS NOT FALSE', null, [false, true, true, true, true]],
    ['IS NULL', '7', [false, false, false, false, true]],
    ['IS NULL', null, [false, true, true, true, true]],
    ['IS NOT NULL', '7', [true, true, true, true, false]],
    ['IS NOT NULL', null, [true, false, false, false, false]],
  ])('%s, of %j, is true by what Postgres says it is true by', (word, parent, truths) => {
    const subquery = '(SELECT id FROM parents)';
    const where = accepted(word.endsWith('IN') ? `parent ${word} ${subquery}` : `(parent IN ${subquery}) ${word}`);
    const selected = [[], ['7'], ['8'], ['7', null], ['8', null]];
    expect(selected.map((values) => where.evaluate(row({ parent }), membersOf(membersOfRows(values))))).toEqual(truths);
  });

  test('it cannot be evaluated without them, nor be queried', () => {
    const where = accepted('parent IN (SELECT id FROM parents)');
    expect(() => where.evaluate(row({ parent: '1' }))).toThrow('a filter with subqueries is asked with what they select');
    expect(() => where.query).toThrow('a filter with subqueries is queried with what they select');
  });
});

test('a row value is looked for by some of its parts only where the filter tells what is unknown from what is false', () => {
  const asked = (text: string): readonly string[] => {
    const members: string[] = [];
    accepted(text).evaluate(row({ id: '7', parent: null }), (_, member) => members.push(member) === 0);
    return members;
  };
  const subquery = '(id, parent) IN (SELECT id, "Mixed" FROM parents)';

  expect([subquery, `(${subquery}) IS NOT TRUE`, `NOT ${subquery}`].map(asked)).toEqual([
    [], [], [rowPattern(['7', undefined]), NULL_MEMBER],
  ]);
});

describe('queries', () => {
  test.each<[string, (string | null)[][], string, (string | null)[]]>([
    ['NOT (parent NOT IN (SELECT id FROM parents))', [['1', null]], '(NOT (NOT ("parent" = ANY($1::int8[]))))', ['{"1",NULL}']],
    ['parent IN (SELECT id FROM parents)', [['1', '2']], '("parent" = ANY($1::int8[]))', ['{"1","2"}']],
    [
      `title = 'a' AND title IN (SELECT name FROM parents) AND done`,
      [['NULL', '', '{a,b}', 'it\'s "q" \\ ', '\n']],
      '(("title" = $1::text) AND ("title" = ANY($2::varchar[])) AND "done")',
      ['a', '{"NULL","","{a,b}","it\'s \\"q\\" \\\\ ","\n"}'],
    ],
    [
      'parent IN (SELECT id FROM parents) OR (id IN (SELECT id FROM parents) AND other IN (SELECT exact FROM parents))',
      [['1'], []],
      '(("parent" = ANY($1::int8[])) OR (("id" = ANY($1::int8[])) AND ("other" = ANY($2::numeric[]))))',
      ['{"1"}', '{}'],
    ],
    [
      '(id, title) NOT IN (SELECT exact, name FROM parents)',
      [['["1","a"]', '["2",null]']],
      '(NOT ("id" = ANY($1::numeric[]) AND "title" = ANY($2::varchar[]) AND ' +
        '("id", "title") IN (SELECT * FROM unnest($1::numeric[], $2::varchar[]))))',
      ['{"1","2"}', '{"a",NULL}'],
    ],
    [
      'ROW(id::text) IN (SELECT title::varchar FROM parents)', [['1', null]],
      '(("id")::text = ANY($1::text[]::varchar[]))', ['{"1",NULL}'],
    ],
    ['id IN (SELECT title::int2 FROM parents)', [['1']], '("id" = ANY($1::text[]::int2[]))', ['{"1"}']],
  ])('%s with %j', (text, values, sql, params) => {
    const query = planOf(text).queryWith(values);
    expect({ ...query, params: query.params.map(String) }).toEqual({ sql, params });
  });

  const SUB = 'parent IN (SELECT id FROM parents)';
  const OTHER = 'id IN (SELECT exact FROM parents)';
  test.each<[string, (string | null)[][], string]>([
    [SUB, [['1']], '("parent" = ANY($1::int8[]))'],
    [`NOT (${SUB} OR done)`, [['1', null]], '((("parent" = ANY($1::int8[])) OR ("parent" IS NULL)) AND (NOT "done"))'],
    [`(${SUB}) IS NOT FALSE`, [[null]], '("parent" IS NULL)'],
    [`NOT ${SUB} OR done`, [['1']], '("parent" = ANY($1::int8[]))'],
    [SUB, [[]], '$1::bool'],
    [`${SUB} AND done`, [['1']], '(("parent" = ANY($1::int8[])) AND "done")'],
    [`${SUB} AND done`, [[]], '$1::bool'],
    [`${SUB} OR done`, [['1']], '("parent" = ANY($1::int8[]))'],
    [`${SUB} OR ${OTHER}`, [['1'], ['2']], '(("parent" = ANY($1::int8[])) OR ("id" = ANY($2::numeric[])))'],
    [`${SUB} OR ${OTHER}`, [[], ['2']], '("id" = ANY($1::numeric[]))'],
    [`${SUB} OR (${SUB} AND done)`, [['1']], '("parent" = ANY($1::int8[]))'],
    [
      `(${SUB} OR title = 'x') AND (id IN (SELECT id FROM parents) AND done OR title = 'y')`,
      [['1']],
      '((("parent" = ANY($1::int8[])) OR ("id" = ANY($1::int8[]))) AND ("done" OR ("title" = $2::text)))',
    ],
    [
      'NOT (id, title) IN (SELECT exact, name FROM parents) AND done',
      [['["1","a"]', '["1",null]', '["2","b"]', '[null,null]', '["2",null]']],
      '((("id" = ANY($1::numeric[]) AND "title" = ANY($2::varchar[]) AND ' +
        '("id", "title") IN (SELECT * FROM unnest($1::numeric[], $2::varchar[]))) OR ' +
        '(("title" IS NULL) AND ("id" = ANY($3::numeric[]))) OR (("id" IS NULL) AND ("title" IS NULL))) AND "done")',
    ],
    ['lower(title) IN (SELECT name FROM parents) OR done', [['a']], '(lower("title" COLLATE "C") = ANY($1::varchar[]))'],
    ['title::int4 IN (SELECT id FROM parents) AND done', [['1']], '"done"'], // Alone it may have an error.
  ])('%s about the moves %j', (text, values, sql) => {
    expect(planOf(text).queryMoved(values).sql).toBe(sql);
  });
});

test.each([
  ['parent NOT IN (SELECT id FROM parents) AND done', '"done"'],
  ['parent NOT IN (SELECT id FROM parents) OR done', '$1::bool'],
  ['NOT (done OR id = 1 AND parent IN (SELECT id FROM parents))', '(NOT "done")'],
])('whatever its subquery selects, %s takes rows of %s alone', (text, sql) => {
  expect(planOf(text).queryAll().sql).toBe(sql);
});

test('a text that nests too deeply within a subquery is refused', () => {
  const text = `id IN (SELECT id FROM parents WHERE ${'('.repeat(600)}active${')'.repeat(600)})`;
  expect([parse(text), language.tablesIn(text)]).toEqual(
    Array.from({ length: 2 }, () => ({ error: expect.stringContaining('expression nests deeper than 500 levels'), field: 'where' })),
  );
});

test('a NUL in a subquery is refused where it stands', () => {
  const text = "id IN (SELECT id FROM parents WHERE title = 'é\0')";
  expect([parse(text), language.tablesIn(text)]).toEqual(
    Array.from({ length: 2 }, () => ({ error: 'At location 47: invalid byte sequence for encoding "UTF8": 0x00', field: 'where' })),
  );
});
