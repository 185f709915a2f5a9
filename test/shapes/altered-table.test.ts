/** Which alterations of a table end a shape, by what it keeps of the catalogue. */
import { beforeAll, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import type { ColumnFacts } from '../../src/model/column-facts.ts';
import type { FoundColumn, FoundTable } from '../../src/model/found-table.ts';
import type { Relation } from '../../src/model/relation.ts';
import { definitionKey, type ShapeDefinition } from '../../src/model/shape.ts';
import { alteringOf, isAltered } from '../../src/shapes/altered-table.ts';
import { defineShape } from '../../src/shapes/shape-request.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereLanguage } from '../../src/sql/where.ts';

let language: WhereLanguage;
beforeAll(async () => {
  language = await loadWhereLanguage();
});

const PLAIN: ColumnFacts = { number: 1, version: 700, notNull: false, collation: 0, isMissing: false, defaultOid: null, types: null };
const column = (name: string, typeOid: number, facts: Partial<ColumnFacts>, pkIndex: number | null = null): FoundColumn => {
  return { name, typeOid, typeMod: -1, pkIndex, facts: { ...PLAIN, ...facts } };
};
const COLUMNS = {
  id: column('id', 23, { number: 1, notNull: true }, 0),
  title: column('title', 25, { number: 2, notNull: true, collation: 100 }),
  mood: column('mood', 16_400, { number: 3, types: [[16_400, ['sad', 'glad']]] }),
  pair: column('pair', 16_500, { number: 4, types: [[16_500, ['1 23', ')']]] }),
};
const TYPE_NAMES: Readonly<Record<string, string>> = { id: 'int4', title: 'text', mood: 'mood', pair: 'pair' };
const items: FoundTable = { oid: 4711, schema: 'public', name: 'items', files: '16384', columns: Object.values(COLUMNS) };

function relationOf({ columns, ...table }: FoundTable): Relation {
  return {
    ...table,
    columns: columns.map(({ pkIndex, ...each }) => ({
      ...each, typeName: TYPE_NAMES[each.name] ?? '', dimensions: 0, notNull: each.facts.notNull, generated: false,
      ...(pkIndex === null ? {} : { pkIndex }),
    })),
  };
}

function definitionOf(wish: { readonly columns?: string; readonly where?: string }): ShapeDefinition {
  return definedBy(items, wish);
}

function definedBy(table: FoundTable, wish: { readonly columns?: string; readonly where?: string } = {}): ShapeDefinition {
  const defined = defineShape({ replica: 'default', log: 'full', ...wish }, relationOf(table), language);
  invariant('definition' in defined, 'it is no mistake');
  return defined.definition;
}

const SHAPES = {
  all: {},
  title: { columns: 'id,title' },
  sorted: { columns: 'id', where: `title = 'x'` },
  mood: { columns: 'id,mood' },
  pair: { columns: 'id,pair' },
};

function changed(name: keyof typeof COLUMNS, facts: Partial<ColumnFacts>): FoundTable {
  const before = COLUMNS[name];
  return { ...items, columns: Object.values({ ...COLUMNS, [name]: { ...before, facts: { ...before.facts, ...facts } } }) };
}

test.each<readonly [string, FoundTable, readonly string[]]>([
  ['nothing', items, []],
  ['another column under the name', changed('title', { number: 9 }), ['all', 'title', 'sorted']],
  ['a row of the catalogue', changed('title', { version: 900 }), []],
  ['all files', { ...items, files: '20000' }, []],
  ['files and a row of the catalogue', { ...changed('title', { version: 900 }), files: '20000' }, ['all', 'title', 'sorted']],
  ['a value that may be NULL', changed('title', { notNull: false }), ['all', 'title']],
  ['a value that may be NULL no more', changed('mood', { notNull: true }), []],
  ['the collation', changed('title', { collation: 950 }), ['sorted']],
  ['a label', changed('mood', { types: [[16_400, ['blue', 'glad']]] }), ['all', 'mood']],
  ['a label more', changed('mood', { types: [[16_400, ['sad', 'glad', 'mad']]] }), []],
  ['a part more', changed('pair', { types: [[16_500, ['1 23', '2 23', ')']]] }), ['all', 'pair']],
  ['the key', { ...items, columns: [{ ...COLUMNS.id, pkIndex: null }, COLUMNS.title, COLUMNS.mood, COLUMNS.pair] }, Object.keys(SHAPES)],
])('of shapes on a table in which %s is another one those end that have it', (_, found, ended) => {
  const isOver = alteringOf(found);

  expect(Object.entries(SHAPES).filter(([, wish]) => isOver(definitionOf(wish))).map(([name]) => name)).toEqual(ended);
});

test.each([
  ['that were computed by its default, and written out since', 7, false],
  ['that were computed otherwise since, as with its type', 8, true],
])('of a column whose default had yet to be written out, values %s', (_, defaultOid, isOver) => {
  const unwritten = definedBy(changed('title', { isMissing: true, defaultOid: 7 }));
  const found = { ...changed('title', { version: 900, defaultOid }), files: '20000' };

  expect(alteringOf(found)(unwritten)).toBe(isOver);
});

test('a shape of which nothing more is known ends by layout and key alone, and is the same shape', () => {
  const { facts, ...before } = definitionOf({});

  const [altered, other] = [changed('title', { number: 9 }), { ...items, columns: items.columns.slice(1) }];

  const isSame = definitionKey(before) === definitionKey({ ...before, ...(facts && { facts }) });
  expect([facts !== undefined, isSame, alteringOf(altered)(before), alteringOf(other)(before)]).toEqual([true, true, false, true]);
});

test.each<readonly [string, FoundTable]>([
  ['as it was', items],
  ['with NULL', changed('title', { version: 900, notNull: false })],
  ['computed anew', { ...changed('title', { version: 900 }), files: '20000' }],
])('each of many shapes is judged by what it has itself, however alike they are: %s', (_, found) => {
  const [all, title] = [definitionOf({}), definitionOf({ columns: 'id,title' })];
  const [{ facts }, [first, ...rest]] = [title, title.reads];
  invariant(facts !== undefined && first !== undefined, 'the catalogue was asked, and it reads a column');
  const likes: readonly ShapeDefinition[] = [
    title, { ...title, replica: 'full' }, { ...title, facts: { ...facts, files: '20000' } }, { ...title, columns: ['id'] },
    { ...title, primaryKey: ['title'] }, { ...title, selectsAll: true }, { ...title, reads: [{ ...first, typeMod: 8 }, ...rest] },
    { ...title, relation: { ...title.relation, name: 'other' } }, all, definitionOf({ columns: 'id,mood' }),
  ];
  const mixed = likes.flatMap((one) => likes.flatMap((other) => [one, other]));

  const isOver = alteringOf(found);
  const [together, alone] = [mixed.map(isOver), mixed.map((definition) => isAltered(found, definition))];

  const each = mixed.map((definition) => alteringOf(found)(definition));
  expect({ together, alone }).toEqual({ together: each, alone: each });
});

test('what was found of a table before is no answer about another one with the same columns, or in other files', () => {
  const definition = definitionOf({});
  const found = changed('title', { version: 900 });
  const others = [found, { ...found, files: '20000' }, { ...found, oid: found.oid + 1 }, found, { ...found, name: 'other' }, found];

  const judged = others.map((table) => isAltered(table, definition));

  expect(judged).toEqual([false, true, true, false, true, false]);
});
