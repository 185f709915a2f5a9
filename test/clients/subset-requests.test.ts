/** What the client that people use may ask of a subset, in all the forms that it has for it, and what it makes of the answers. */
import { FetchError, Shape, ShapeStream, type Row, type ShapeStreamOptions } from '@electric-sql/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let leaving: AbortController;
let tests = 0;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE "issues of mine" (id int PRIMARY KEY, large int8, title text, done boolean)');
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  leaving = new AbortController();
  tests += 1;
  await database.query(`
    DELETE FROM "issues of mine";
    INSERT INTO "issues of mine" SELECT i, 9007199254740993 + i, 'title ' || i, i % 2 = 0 FROM generate_series(1, 12) i`);
});

afterEach(() => {
  leaving.abort();
});

/** Each test has a shape of its own, whose log tells nothing of the others. */
function followed(more: Partial<ShapeStreamOptions> = {}) {
  const params = { table: '"issues of mine"', where: `id > ${-tests}` };
  const options: ShapeStreamOptions = { url: service.shapeUrl, params, log: 'changes_only', signal: leaving.signal, ...more };
  const stream = new ShapeStream<Row>(options);
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  return { stream, shape: new Shape<Row>(stream) };
}

const idsOf = (rows: readonly Row[]) => rows.map(({ id }) => Number(id)).sort((left, right) => left - right);
const column = (name: string) => ({ type: 'ref' as const, column: name });
const parameter = (paramIndex: number) => ({ type: 'val' as const, paramIndex });

test.each([
  ['a text', { where: "title = 'title 3'" }, [3]],
  ['a parameter', { where: 'title = $1', params: { 1: 'title 3' } }, [3]],
  ['a number beyond doubles', { where: 'large > $1', params: { 1: 9_007_199_254_741_003n } }, [11, 12]],
  ['a list as an array', { where: 'id = ANY($1)', params: { 1: '{2,3,99}' } }, [2, 3]],
  ['what is always true', { where: 'true = true', params: {} }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
  ['a page', { orderBy: '"large" DESC NULLS FIRST', limit: 3, offset: 1 }, [9, 10, 11]],
  ['an expression',
    { whereExpr: { type: 'func' as const, name: 'gt', args: [column('id'), parameter(1)] }, params: { 1: '10' } }, [11, 12],
  ],
  ['an order by expressions',
    { orderByExpr: [{ column: 'done', direction: 'desc' as const, nulls: 'last' as const }, { column: 'id' }], limit: 2 }, [2, 4],
  ],
  ['nothing that is there', { where: 'FALSE' }, []],
])('rows that are asked for by %s come by GET and by POST', async (_, asked, ids) => {
  const [got, posted] = [followed(), followed({ subsetMethod: 'POST' })];

  const answers = await Promise.all([got.stream.requestSnapshot(asked), posted.stream.requestSnapshot(asked)]);
  await expect.poll(() => [got, posted].map(({ shape }) => idsOf(shape.currentRows))).toEqual([ids, ids]);

  expect(answers.map(({ data }) => data.map(({ headers, key }) => [headers.operation, key]).length)).toEqual([ids.length, ids.length]);
});

test('values are parsed as those of the log are', async () => {
  const { stream, shape } = followed();
  await stream.requestSnapshot({ where: 'id = 2' });
  expect(shape.currentRows).toEqual([{ id: 2, large: 9_007_199_254_740_995n, title: 'title 2', done: true }]);
});

test('what is fetched and not requested goes by the stream, also of one that has everything', async () => {
  const { stream, shape } = followed({ log: 'full' });
  await shape.rows;
  await database.query('UPDATE "issues of mine" SET title = \'new\' WHERE id = 5');
  const { data } = await stream.fetchSnapshot({ where: 'id < 3' });
  await expect.poll(() => shape.currentRows.find(({ id }) => id === 5)).toMatchObject({ title: 'new' });

  expect([idsOf(data.map(({ value }) => value)), idsOf(shape.currentRows).length]).toEqual([[1, 2], 12]);
});

test('a change that was open when its row was asked for comes by the log', async () => {
  const { stream, shape } = followed();
  const writer = await database.session();
  await writer.query('BEGIN; UPDATE "issues of mine" SET title = \'committed later\' WHERE id = 3');
  await stream.requestSnapshot({ where: 'id = 3' });
  const before = shape.currentRows;
  await writer.query('COMMIT');
  await expect.poll(() => shape.currentRows).toMatchObject([{ id: 3, title: 'committed later' }]);

  expect(before).toMatchObject([{ id: 3, title: 'title 3' }]);
});

test('a change that a subset shows is not told again', async () => {
  const { stream } = followed();
  const told: string[] = [];
  stream.subscribe((messages) => {
    for (const message of messages) if ('key' in message) told.push(`${message.headers.operation} ${message.key}`);
  });
  await stream.requestSnapshot({ where: 'id = 1' });
  await expect.poll(() => stream.isUpToDate).toBe(true);
  await database.query('UPDATE "issues of mine" SET title = \'seen\' WHERE id = 2');
  await stream.requestSnapshot({ where: 'id = 2' });
  await database.query('UPDATE "issues of mine" SET title = \'after\' WHERE id = 4');
  await expect.poll(() => told.at(-1)).toContain('"4"');

  const ofSecond = told.filter((line) => line.includes('"2"'));
  expect(ofSecond.slice(ofSecond.findLastIndex((line) => line.startsWith('insert')))).toEqual(['insert "public"."issues of mine"/"2"']);
});

test('what was asked for is asked for again when the shape starts over', async () => {
  const { shape } = followed();
  await shape.requestSnapshot({ where: 'id IN (1, 2)' });
  await expect.poll(() => shape.stream.isUpToDate).toBe(true);
  await database.query('TRUNCATE "issues of mine"; INSERT INTO "issues of mine" VALUES (1, 1, \'after\', false), (9, 9, \'other\', true)');

  await expect.poll(() => shape.currentRows.find(({ id }) => id === 1)).toMatchObject({ title: 'after' });
});

test('a mistake rejects the request, and the stream goes on', async () => {
  const { stream, shape } = followed();
  await stream.requestSnapshot({ where: 'id = 1' });
  const refused = await stream.requestSnapshot({ where: 'nope = 1' }).catch((error: unknown) => error);
  await database.query('UPDATE "issues of mine" SET title = \'still here\' WHERE id = 1');
  await expect.poll(() => shape.currentRows.find(({ id }) => id === 1)).toMatchObject({ title: 'still here' });

  expect([refused instanceof FetchError, refused]).toMatchObject([
    true, { status: 400, json: { message: 'Invalid request', errors: { subset: { where: ['At location 0: unknown reference nope'] } } } },
  ]);
});

test('a subset is asked for once: nothing is fetched ahead of what follows it', async () => {
  const asked: string[] = [];
  const fetchClient: typeof fetch = async (input, init) => {
    const { searchParams } = new URL(String(input));
    if (searchParams.has('subset__where')) asked.push(searchParams.get('offset') ?? '');
    return await fetch(input, init);
  };
  const { stream } = followed({ fetchClient });
  await stream.requestSnapshot({ where: 'id = 1' });
  await expect.poll(() => stream.isUpToDate).toBe(true);

  expect(asked).toHaveLength(1);
});
