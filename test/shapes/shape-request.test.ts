import { beforeAll, describe, expect, test } from 'vitest';
import type { Column, Relation } from '../../src/model/relation.ts';
import { definitionKey } from '../../src/model/shape.ts';
import {
  defineShape,
  storedWhere,
  unknownTable,
  type DefinedShape,
  type RequestErrors,
  type ShapeRequest,
} from '../../src/shapes/shape-request.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereLanguage } from '../../src/sql/where.ts';

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

type Wish = Partial<ShapeRequest> & { readonly publishesGenerated?: boolean };

function define(wish: Wish, relation = items): DefinedShape | { readonly errors: RequestErrors } {
  const { publishesGenerated = false, ...request } = wish;
  return defineShape({ replica: 'default', log: 'full', ...request }, relation, language, publishesGenerated);
}

function definitionOf(wish: Wish, relation = items): DefinedShape['definition'] | undefined {
  const defined = define(wish, relation);
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
  expect(unknownTable({ schema: 'public', name: 'nonexistent' })).toEqual({
    table: ['Table "public"."nonexistent" does not exist. If the table name contains capitals or special characters you must quote it.'],
  });
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

  test('takes generated columns where they are published', () => {
    expect(definitionOf({ publishesGenerated: true }, generated)?.columns).toEqual(['title', 'id', 'mood', 'at', 'twice']);
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
    const where = definition && storedWhere(definition, language);
    expect([where?.canonical, where?.equality?.values]).toEqual([definition?.where?.canonical, ['7']]);
  });
});

/** What two requests for one shape have in common. */
function withoutText(definition: DefinedShape['definition'] | undefined): string | undefined {
  return definition && definitionKey(definition);
}
