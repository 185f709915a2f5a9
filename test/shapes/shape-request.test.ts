import { beforeAll, describe, expect, test } from 'vitest';
import type { Collation } from '../../src/model/collation.ts';
import type { Column, Relation } from '../../src/model/relation.ts';
import { definitionKey, type ShapeDefinition } from '../../src/model/shape.ts';
import type { TimeZone } from '../../src/model/time-zone.ts';
import {
  defineShape,
  unknownTable,
  type DefinedShape,
  type InnerTable,
  type RequestErrors,
  type ShapeRequest,
} from '../../src/shapes/shape-request.ts';
import { storedFilter } from '../../src/shapes/stored-filter.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { TimeZones, WhereLanguage } from '../../src/sql/where.ts';

const column = (name: string, typeName: string, typeOid: number, more: Partial<Column> = {}): Column => ({
  name, typeName, typeOid, typeMod: -1, dimensions: 0, notNull: false, generated: false, ...more,
});
const items: Relation = {
  oid: 4711,
  schema: 'public',
  name: 'items',
  columns: [
    column('title', 'text', 25),
    column('id', 'int4', 23, { pkIndex: 0, notNull: true }),
    column('mood', 'mood', 16_400),
    column('at', 'timestamptz', 1184),
  ],
};
const generated: Relation = { ...items, columns: [...items.columns, column('twice', 'int4', 23, { generated: true })] };
const keyless: Relation = { ...generated, columns: generated.columns.map(({ pkIndex: _, ...rest }) => rest) };

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

type Wish = Partial<ShapeRequest>;

function define(wish: Wish, relation = items, inner: readonly InnerTable[] = []): DefinedShape | { readonly errors: RequestErrors } {
  return defineShape({ replica: 'default', log: 'full', ...wish }, relation, language, inner);
}

function definitionOf(wish: Wish, relation = items, inner: readonly InnerTable[] = []): DefinedShape['definition'] | undefined {
  const defined = define(wish, relation, inner);
  return 'errors' in defined ? undefined : defined.definition;
}

const TAIL = ". You can exclude them from the shape by explicitly listing which columns to fetch in the 'columns' query param";
const GENERATED = 'The following columns are generated and cannot be included in the shape: twice';

test.each<[string, Wish, Relation, RequestErrors]>([
  ['a column list that is none', { columns: ',,,' }, items, { columns: ['Invalid zero-length delimited identifier'] }],
  ['no primary key', { columns: 'title' }, items, { columns: ['The list of columns must include all primary key columns, missing: id'] }],
  [
    'no primary key and unknown columns',
    { columns: 'x' },
    items,
    { columns: ['The list of columns must include all primary key columns, missing: id'] },
  ],
  ['unknown columns', { columns: 'id,x,title,Y' }, items, { columns: ['The following columns are not found on the table: x, y'] }],
  ['a column twice', { columns: 'id,title,id' }, items, { columns: ['The following columns are not found on the table: id'] }],
  ['a generated column', { columns: 'id,twice' }, generated, { columns: [GENERATED] }],
  ['every column, one of them generated', {}, generated, { columns: [GENERATED + TAIL] }],
  [
    'wrong columns and a wrong filter',
    { columns: 'title', where: '1 x 1' },
    items,
    { columns: ['The list of columns must include all primary key columns, missing: id'] },
  ],
  ['a wrong filter', { where: '1 x 1' }, items, { where: ['At location 17: syntax error at or near "x"'] }],
  [
    'wrong parameters',
    { where: 'id = $1', params: { 2: '1' } },
    items,
    { params: ['Parameters must be numbered sequentially, starting from 1'] },
  ],
  [
    'a filter on what is not replicated',
    { columns: 'id', where: 'twice = 2' },
    generated,
    { where: ['At location 0: unknown reference twice'] },
  ],
])('refuses %s', (_, wish, relation, errors) => {
  expect(define(wish, relation)).toEqual({ errors });
});

test('an unknown table is told by its whole name', () => {
  expect(unknownTable({ schema: 'public', name: 'nonexistent' })).toBe(
    'Table "public"."nonexistent" does not exist. If the table name contains capitals or special characters you must quote it.',
  );
});

describe('a definition', () => {
  test('has its columns in the order of the table, and the types of what it reads', () => {
    expect(definitionOf({ columns: '"id","title"', where: 'at IS NULL', replica: 'full', log: 'changes_only' })).toEqual({
      relation: { oid: 4711, schema: 'public', name: 'items' },
      columns: ['title', 'id'],
      selectsAll: false,
      primaryKey: ['id'],
      reads: [
        { name: 'title', typeOid: 25, typeMod: -1 },
        { name: 'id', typeOid: 23, typeMod: -1 },
        { name: 'at', typeOid: 1184, typeMod: -1 },
      ],
      where: { text: 'at IS NULL', params: [], canonical: '("at" IS NULL)' },
      replica: 'full',
      log: 'changes_only',
    });
  });

  test('of a table without a primary key reads every replicated column', () => {
    const definition = definitionOf({ columns: 'title' }, keyless);
    expect([definition?.primaryKey, definition?.reads.map(({ name }) => name)]).toEqual([[], ['title', 'id', 'mood', 'at']]);
  });

  test('is the same for blank and absent parameters, and whatever the order of columns', () => {
    const keys = [
      [{ columns: ' ', where: '' }, {}],
      [{ columns: 'id,title' }, { columns: 'title,id' }],
      [{ where: 'id=$1', params: { 1: '7' } }, { where: 'id = 07' }],
    ].map((pair) => new Set(pair.map((wish) => JSON.stringify(withoutText(definitionOf(wish))))).size);
    expect(keys).toEqual([1, 1, 1]);
  });

  test('gives its filter back without the catalogue', () => {
    const defined = define({ where: 'mood IS NOT NULL AND at > $1 AND id = $2', params: { 2: '7', 1: '2024-01-01' } });
    const definition = 'errors' in defined ? undefined : defined.definition;
    expect(definition && storedFilter(definition, language)).toMatchObject({
      where: { canonical: definition?.where?.canonical, lookups: [{ values: ['7'] }] },
    });
  });
});

describe('a filter comes back without the catalogue', () => {
  const unicode: Collation = { name: 'C.UTF-8', order: 'bytes', cases: 'unicode', isDeterministic: true };
  const voices: Relation = {
    ...items,
    columns: [
      column('id', 'int4', 23, { pkIndex: 0, notNull: true }), column('title', 'text', 25, { collation: unicode }),
      column('tags', 'text', 1009, { dimensions: 1, collation: unicode }), column('mood', 'mood', 16_400, { isEnum: true }),
      column('span', 'interval', 1186),
    ],
    collation: unicode,
  };

  test.each([
    ["title ILIKE 'é%' AND lower(title) <> upper('ß')", { title: 'É!' }],
    ["mood::text = 'sad' AND mood = mood", { mood: 'sad' }],
    ["tags @> ARRAY['a'] AND title < ALL (tags)", { tags: '{a,b}', title: 'A' }],
    ["span * 2 > '1 day 02:00'::interval", { span: 'PT14H' }],
  ])('%s', (where, row: Readonly<Record<string, string>>) => {
    const definition = definitionOf({ where }, voices);

    const restored = definition && storedFilter(definition, language);
    const filter = restored !== undefined && 'where' in restored ? restored.where : undefined;

    expect([filter?.canonical, filter?.evaluate((name) => row[name] ?? null)]).toEqual([definition?.where?.canonical, true]);
  });
});

describe('a filter with a time zone', () => {
  const zone: TimeZone = { first: 3600, changes: [[0, 7200]] };
  const inner: readonly InnerTable[] = [{ name: items, relation: items }];
  const where = "at AT TIME ZONE 'Z/one' > '2024-01-01 02:00' OR id IN (SELECT id FROM items WHERE at AT TIME ZONE 'Z/one' < $1)";
  const defined = (zones: TimeZones) => {
    return defineShape({ where, params: { 1: '2024-01-01' }, replica: 'default', log: 'full' }, items, language, inner, zones);
  };

  test('asks for it by its name', () => {
    expect(defined(() => undefined)).toEqual({
      errors: { where: ['At location 3: nothing is known of the time zone Z/one'] }, zone: 'Z/one',
    });
  });

  test('is a mistake where there is none of that name', () => {
    expect(defined(() => 'time zone "Z/one" not recognized')).toEqual({
      errors: { where: ['At location 3: time zone "Z/one" not recognized'] },
    });
  });

  test('comes back with the rules that it had, and so do those of its subqueries', () => {
    const shape = defined((name) => (name === 'Z/one' ? zone : undefined));
    const [inside] = 'definition' in shape ? (shape.definition.dependencies ?? []) : [];
    const stored = 'definition' in shape ? [shape.definition, inside?.shape ?? shape.definition] : [];
    const filters = stored.map((definition) => storedFilter(JSON.parse(JSON.stringify(definition)) as ShapeDefinition, language));
    const truth = (at: string) => filters.map((filter) => {
      return 'where' in filter && filter.where?.evaluate((name) => (name === 'at' ? at : '1'), () => false);
    });
    expect([truth('2024-01-01 00:00:01+00'), truth('2023-12-31 21:59:59+00')]).toEqual([[true, false], [false, true]]);
  });
});

describe('a definition with a subquery', () => {
  const parents: Relation = {
    oid: 4712,
    schema: 'public',
    name: 'parents',
    columns: [
      column('name', 'text', 25),
      column('num', 'int4', 23),
      column('b', 'int4', 23, { pkIndex: 1, notNull: true }),
      column('a', 'int8', 20, { pkIndex: 0, notNull: true }),
      column('twice', 'int4', 23, { generated: true }),
    ],
  };
  const inner: readonly InnerTable[] = [{ name: parents, relation: parents }];
  const WHERE = "title = $1 AND id IN (SELECT num FROM parents WHERE name = $2 AND a > 1) OR title IN (select name from public.parents)";
  const PARAMS = { 1: 'x', 2: "it's", 3: 'unused' };

  test('depends on the shapes that a client would get who asks for what its subqueries read', () => {
    const definition = definitionOf({ where: WHERE, params: PARAMS }, items, inner);
    const asked = [
      { columns: 'num,a,b', where: 'name=$2 and "a" > 1', params: PARAMS },
      { columns: 'a,b,name' },
    ].map((wish) => definitionOf(wish, parents));
    expect(definition?.dependencies?.map(({ shape, column: selected }) => [selected, definitionKey(shape)])).toEqual([
      ['num', withoutText(asked[0])],
      ['name', withoutText(asked[1])],
    ]);
  });

  test('keeps of the parameters, for each subquery, those that it names', () => {
    const definition = definitionOf({ where: WHERE, params: PARAMS }, items, inner);
    expect(definition?.dependencies?.map(({ shape }) => [shape.where?.text, shape.where?.params])).toEqual([
      ['name = $2 AND a > 1', ['', "it's"]],
      [undefined, undefined],
    ]);
  });

  test('gives its filter back, and those of its dependencies, without the catalogue', () => {
    const definition = definitionOf({ where: WHERE, params: PARAMS }, items, inner);
    const all = definition === undefined ? [] : [definition, ...(definition.dependencies ?? []).map(({ shape }) => shape)];
    const filters = all.map((each) => storedFilter(each, language));
    const canonical = filters.map((filter) => ('where' in filter ? filter.where?.canonical : filter));
    expect(canonical).toEqual(all.map(({ where }) => where?.canonical));
  });

  const INNERMOST = 'SELECT b FROM parents WHERE name = $2';
  const NESTED = `id IN (SELECT num FROM parents WHERE name IN (SELECT name FROM parents WHERE a IN (${INNERMOST})))`;

  test('depends on shapes that depend on others in turn, and these are told of each row that leaves', () => {
    const chain = [definitionOf({ where: NESTED, params: PARAMS }, items, inner)];
    for (let next = chain[0]?.dependencies?.[0]; next !== undefined; next = next.shape.dependencies?.[0]) chain.push(next.shape);

    expect(chain.map((each) => [each?.relation.name, each?.columns, each?.moveOuts, each?.where?.params])).toEqual([
      ['items', ['title', 'id', 'mood', 'at'], undefined, ['x', "it's", 'unused']],
      ['parents', ['num', 'b', 'a'], 'deletes', ['', "it's"]],
      ['parents', ['name', 'b', 'a'], 'deletes', ['', "it's"]],
      ['parents', ['b', 'a'], undefined, ['', "it's"]],
    ]);
    const filters = chain.map((each) => each && storedFilter(each, language));
    expect(filters).toMatchObject(chain.map((each) => ({ where: { canonical: each?.where?.canonical } })));
  });

  test('has a key that is no longer than what it says, however deep that lies', () => {
    const deep = Array.from({ length: 15 }).reduce<string>((within) => `name IN (SELECT name FROM parents WHERE ${within})`, `name = '"'`);
    const definition = definitionOf({ where: `title IN (SELECT name FROM parents WHERE ${deep})` }, items, inner);

    expect(withoutText(definition)?.length).toBeLessThan(60_000);
  });

  test('is refused where a long value stands so deep that it would be kept too often', () => {
    const nestedIn = (depth: number) =>
      Array.from({ length: depth }).reduce<string>((within) => `name IN (SELECT name FROM parents WHERE ${within})`, 'name = $1');
    const errorsOf = (depth: number) => {
      const where = `title IN (SELECT name FROM parents WHERE ${nestedIn(depth)})`;
      const defined = define({ where, params: { 1: 'x'.repeat(1_000_000) } }, items, inner);
      return 'errors' in defined ? defined.errors : undefined;
    };

    expect([errorsOf(1), errorsOf(3)]).toEqual([
      undefined,
      { where: ['WHERE clause with its values, and those of its subqueries, is bigger than maximum size of 8388608 characters'] },
    ]);
  });

  test('gives its filter back where tables that it selects from have columns of one name and other types', () => {
    const others: Relation = { ...parents, oid: 4713, name: 'others', columns: [column('a', 'int4', 23, { pkIndex: 0, notNull: true })] };
    const texts: Relation = { ...parents, oid: 4714, name: 'texts', columns: [column('a', 'text', 25, { pkIndex: 0, notNull: true })] };
    const tables = [others, texts].map((table) => ({ name: table, relation: table }));
    const where = "title IN (SELECT a FROM texts WHERE a <> 'x') AND id IN (SELECT a FROM others WHERE a > 1)";
    const definition = definitionOf({ where }, items, tables);

    expect(definition && storedFilter(definition, language)).toMatchObject({ where: { canonical: definition?.where?.canonical } });
    expect(definition?.dependencies).toHaveLength(2);
  });

  test('is told apart by how rows leave, which nothing else is', () => {
    const wishes: readonly Wish[] = [{ moveOuts: 'events' }, {}, { moveOuts: 'deletes' }];
    const keysOf = (where: string): number =>
      new Set(wishes.map((wish) => withoutText(definitionOf({ ...wish, where, params: PARAMS }, items, inner)))).size;
    expect([keysOf(WHERE), keysOf('title = $1')]).toEqual([2, 1]);
  });

  test('of a table without a primary key reads it whole', () => {
    const bare = { ...parents, columns: parents.columns.map(({ pkIndex: _, ...rest }) => rest) };
    const definition = definitionOf({ where: 'id IN (SELECT num FROM parents)' }, items, [{ name: parents, relation: bare }]);
    const shape = definition?.dependencies?.[0]?.shape;
    expect([shape?.columns, shape?.selectsAll, shape?.primaryKey, shape?.reads.length]).toEqual([['num'], false, [], 4]);
  });

  const MISSING = unknownTable({ schema: 'public', name: 'parents' });
  test.each<[string, Wish, readonly InnerTable[], RequestErrors]>([
    ['a generated column', { where: 'id IN (SELECT twice FROM parents)' }, inner, { where: ['At location 14: unknown reference twice'] }],
    [
      'a filter on a generated column',
      { where: 'id IN (SELECT num FROM parents WHERE twice = 2)' },
      inner,
      { where: ['At location 37: unknown reference twice'] },
    ],
    [
      'a generated primary key',
      { where: 'id IN (SELECT num FROM parents)' },
      [
        {
          name: parents,
          relation: { ...parents, columns: parents.columns.map((each) => (each.name === 'a' ? { ...each, generated: true } : each)) },
        },
      ],
      { where: ['The following columns are generated and cannot be included in the shape: a'] },
    ],
    [
      'a table that cannot be served',
      { where: 'id IN (SELECT num FROM parents)' },
      [{ name: parents, error: MISSING }],
      { where: [MISSING] },
    ],
    [
      'wrong columns first',
      { columns: 'x', where: 'id IN (SELECT num FROM parents)' },
      [{ name: parents, error: MISSING }],
      { columns: ['The list of columns must include all primary key columns, missing: id'] },
    ],
  ])('is refused for %s', (_, wish, tables, errors) => {
    expect(define(wish, items, tables)).toEqual({ errors });
  });
});

/** What two requests for one shape have in common. */
function withoutText(definition: DefinedShape['definition'] | undefined): string | undefined {
  return definition && definitionKey(definition);
}

describe('what definitions have in common is one object', () => {
  const partsOf = (wish: Wish, relation = items) => {
    const { relation: table, columns, primaryKey, reads } = definitionOf(wish, relation) ?? {};
    return [table, columns, primaryKey, reads];
  };
  const areSame = (left: readonly unknown[], right: readonly unknown[]): readonly boolean[] => left.map((part, at) => part === right[at]);

  test('of filters that read the same columns', () => {
    expect(areSame(partsOf({ where: "title = 'a'" }), partsOf({ where: "title = 'b' OR title = 'c'" }))).toEqual([true, true, true, true]);
  });

  test.each<[string, Wish, Relation]>([
    ['of filters that read others', { columns: 'id', where: "mood = 'a'" }, items],
    ['of other columns that are asked for', { columns: 'id,mood', where: "title = 'a'" }, items],
    ['of a table that the catalogue gave anew', { columns: 'id', where: "title = 'a'" }, { ...items }],
  ])('but not %s', (_, wish, relation) => {
    expect(areSame(partsOf({ columns: 'id', where: "title = 'a'" }), partsOf(wish, relation))).toEqual([false, false, false, false]);
  });

  test('and of too many only those that came last', () => {
    const names = Array.from({ length: 100 }, (_, number) => `c${number}`);
    const wide = { ...items, columns: [...items.columns, ...names.map((name) => column(name, 'text', 25))] };
    const [first, second] = ['id', 'id,c0'].map((columns) => partsOf({ columns }, wide));
    for (const name of names.slice(1)) partsOf({ columns: `id,${name}` }, wide);

    const later = ['id,c0', 'id'].map((columns) => partsOf({ columns }, wide));
    expect(later.map((parts, at) => areSame([second, first][at] ?? [], parts))).toEqual([
      [true, true, true, true], [false, false, false, false],
    ]);
  });
});
