/** From a request to a definition: against the table as it is, and not worked out again while nothing has changed. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/api/refusal.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { Relation } from '../../src/model/relation.ts';
import type { ShapeResponse } from '../../src/api/shape-response.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { WhereLanguage } from '../../src/sql/where.ts';
import { column, createWorld, key, type World } from '../support/http/api-world.ts';

let world: World;

beforeEach(() => {
  world = createWorld();
});

async function answerTo(parameters: Readonly<Record<string, unknown>>): Promise<ShapeResponse> {
  const permit = world.api.admit(undefined);
  invariant(!isRefusal(permit), 'nobody else asks');
  return world.api.readShape({
    parameters: { table: 'items', offset: '-1', ...parameters },
    ifNoneMatch: undefined,
    permit,
    signal: new AbortController().signal,
  });
}

async function statusOf(parameters: Readonly<Record<string, unknown>>): Promise<number | undefined> {
  const response = await answerTo(parameters);
  return 'status' in response ? response.status : undefined;
}

const FILTER = { where: "value = 'a'" };
/** What lies in memory is answered at once, of a table that is known to be what it was. The end of a log never is. */
const AT_END = { offset: 'now' };
const ITEMS = [key('id', 'uuid'), column('value', 'text')];

test('the same question is looked up each time, and worked out once', async () => {
  const statuses = [await statusOf({ ...FILTER, ...AT_END }), await statusOf({ ...FILTER, ...AT_END })];
  expect([statuses, world.catalog.lookups, world.language.parsed]).toEqual([[200, 200], 2, 1]);
});

test('another question about the same table is another definition', async () => {
  const statuses = [await statusOf(FILTER), await statusOf({ ...FILTER, replica: 'full' })];
  expect([statuses, world.language.parsed, world.directory.created]).toEqual([[200, 200], 2, 2]);
});

test('the same question about a table that is another now is worked out anew', async () => {
  await statusOf(FILTER);
  world.catalog.add('items', ITEMS);
  await statusOf(FILTER);
  expect([world.language.parsed, world.directory.created]).toEqual([2, 2]);
});

test('a column that was added behind our back is no mistake', async () => {
  world.catalog.alter('items', [...ITEMS, column('added', 'text')]);
  expect([await statusOf({ columns: 'id,added' }), await statusOf({ where: "added = 'a'" })]).toEqual([200, 200]);
});

test('a mistake is told of the table as it is, without working it out again for the same one', async () => {
  const status = await statusOf({ where: "nope = 'a'" });
  expect([status, world.catalog.lookups, world.language.parsed]).toEqual([400, 2, 1]);
});

test('a mistake about a table that is gone is that it is gone', async () => {
  world.catalog.alter('items', []);
  expect(await answerTo({ where: "nope = 'a'" })).toMatchObject({ status: 400, body: expect.stringContaining('does not exist') });
});

test('a table that is not there is looked up once', async () => {
  const status = await statusOf({ table: 'missing' });
  expect([status, world.catalog.lookups]).toEqual([400, 1]);
});

describe('while Postgres has not been reached yet', () => {
  const facts = { version: 700, notNull: false, collation: 0, isMissing: false, defaultOid: null, types: null };
  const STORED: Relation = {
    oid: 20_000, schema: 'public', name: 'stored', files: '1',
    columns: [key('id', 'text'), column('title', 'text'), column('parent', 'text')].map((own, index) => {
      return { ...own, facts: { ...facts, number: index + 1 } };
    }),
  };
  const subquery = { table: 'stored', columns: 'id', where: "parent IN (SELECT id FROM stored WHERE title = 'x' OR parent = 'y')" };

  async function storedHandle(parameters: Readonly<Record<string, unknown>>): Promise<string> {
    const answer = await answerTo(parameters);
    invariant('handle' in answer && answer.handle !== undefined, 'the shape was made');
    world.catalog.isReachable = false;
    world.status.set('starting');
    world.status.meet('readable');
    return answer.handle;
  }

  beforeEach(async () => {
    world = createWorld({ language: await loadWhereLanguage() });
    world.catalog.relations.set(JSON.stringify(['public', 'stored']), STORED);
  });

  test.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ['all columns', { table: 'stored' }],
    ['a subquery that reads the same table in another order', subquery],
  ])('who holds the handle of a shape of %s reads on', async (_, parameters) => {
    const handle = await storedHandle(parameters);

    const answer = await answerTo({ ...parameters, handle, offset: '0_0' });

    expect([answer, world.directory.created]).toMatchObject([{ status: 200, handle }, 1]);
  });

  test('another shape is made of what the catalogue says once it answers, and not of what the stored one says', async () => {
    const handle = await storedHandle({ table: 'stored' });
    const answering = answerTo({ table: 'stored', replica: 'full', handle, offset: '0_0' });
    await expect.poll(() => world.status.waitingCount).toBe(1);
    const before = world.directory.created;

    world.catalog.isReachable = true;
    world.status.set('active');
    const answer = await answering;

    const other = 'handle' in answer && answer.handle !== undefined ? world.directory.definitionOf(answer.handle) : undefined;
    expect([before, answer, other]).toMatchObject([1, { status: 409 }, { replica: 'full', facts: { files: '1' } }]);
  });
});

describe('a filter with time zones', () => {
  const zoned = (...names: readonly string[]) => ({ where: names.map((name) => `at AT TIME ZONE '${name}' IS NOT NULL`).join(' AND ') });

  beforeEach(async () => {
    world = createWorld({ language: await loadWhereLanguage() });
    world.catalog.add('items', [...ITEMS, column('at', 'timestamp')]);
    for (let at = 0; at <= 10; at += 1) world.catalog.zones.set(`zone ${at}`, { first: at, changes: [] });
  });

  test('is read again with each, and the definition has them', async () => {
    const answer = await answerTo(zoned('zone 1', 'zone 2', 'zone 1'));
    const definition = 'handle' in answer && answer.handle !== undefined ? world.directory.definitionOf(answer.handle) : undefined;
    expect([world.language.parsed, definition?.where?.zones]).toEqual([
      3, { 'zone 1': { first: 1, changes: [] }, 'zone 2': { first: 2, changes: [] } },
    ]);
  });

  test('is a mistake where one is none, or where they are too many', async () => {
    const answers = [
      await answerTo(zoned('Nowhere')), await answerTo(zoned(...Array.from({ length: 11 }, (_, at) => `zone ${at}`))),
    ];
    expect(answers).toMatchObject([
      { status: 400, body: expect.stringContaining('At location 3: time zone \\"Nowhere\\" not recognized') },
      { status: 400, body: expect.stringContaining('WHERE clause names more than 10 time zones') },
    ]);
  });
});

describe('a filter with a subquery', () => {
  const SUBQUERY = { where: "value IN (SELECT name FROM s.parents WHERE name <> 'x')" };
  const PARENTS = [key('id', 'int8'), column('name', 'text')];
  let whole: WhereLanguage;

  beforeAll(async () => {
    whole = await loadWhereLanguage();
  });

  beforeEach(() => {
    world = createWorld({ language: whole });
    world.catalog.add('parents', PARENTS, 's');
  });

  test('has both tables looked up each time, and is worked out once, with its inner shape', async () => {
    const statuses = [await statusOf({ ...SUBQUERY, ...AT_END }), await statusOf({ ...SUBQUERY, ...AT_END })];
    const { catalog, language, directory } = world;
    expect([statuses, catalog.lookups, language.searched, language.parsed, directory.created]).toEqual([[200, 200], 4, 1, 2, 1]);
  });

  test('is worked out anew when its inner table is another', async () => {
    await statusOf(SUBQUERY);
    world.catalog.add('parents', PARENTS, 's');
    await statusOf(SUBQUERY);
    expect([world.language.parsed, world.directory.created]).toEqual([4, 2]);
  });

  test('may name a column of the inner table that was added behind our back', async () => {
    world.catalog.alter('parents', [...PARENTS, column('added', 'text')], 's');
    expect(await statusOf({ where: 'value IN (SELECT added FROM s.parents)' })).toBe(200);
  });

  test('is refused for what its inner tables are now', async () => {
    world.catalog.alter('parents', [], 's');
    const answer = await answerTo({ where: 'value IN (SELECT nope FROM s.parents)' });
    expect(answer).toMatchObject({ status: 400, body: expect.stringMatching(/"where":\["Table \\"s\\".\\"parents\\" does not exist/) });
  });

  test.each<[string, string]>([
    ['nowhere', 'Table "public"."nowhere" does not exist. '],
    ['a_view', '"public"."a_view" is a view. '],
    ['virtual', 'Table "public"."virtual" has virtual generated columns (twice)'],
  ])('cannot select from %s', async (table, text) => {
    world.catalog.kindNames.set('a_view', 'a view');
    world.catalog.add('virtual', [...PARENTS, column('twice', 'text', { generated: true, isVirtual: true })]);
    const answer = await answerTo({ where: `value IN (SELECT name FROM ${table})` });
    const { errors } = 'body' in answer && typeof answer.body === 'string' ? JSON.parse(answer.body) : { errors: undefined };
    expect(errors).toEqual({ where: [expect.stringContaining(text)] });
  });

  test('is another shape when rows that leave are told as deletes, as no other filter is', async () => {
    const statuses = [];
    for (const where of [SUBQUERY.where, "value = 'a'"]) {
      for (const moves of ['events', 'deletes', undefined, 'some']) statuses.push(await statusOf({ where, move_outs: moves }));
    }
    expect([statuses, world.directory.created]).toEqual([[200, 200, 200, 400, 200, 200, 200, 400], 3]);
  });
});
