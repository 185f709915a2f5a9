/** The client that people use, as its users do: what it asks, what it makes of answers, and how it goes on after mistakes. */
import {
  FetchError, Shape, ShapeStream, snakeCamelMapper, type Message, type Row, type ShapeStreamOptions,
} from '@electric-sql/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const SECRET = 'S3cret';

let database: TestDatabase;
let service: ServiceInProcess;
let leaving: AbortController;
let table: string;
let tables = 0;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE SCHEMA electric_test');
  service = await startServiceInProcess({
    databaseUrl: database.url,
    flags: { insecure: 'false', secret: SECRET, 'enable-deletion': true, 'shape-chunk-bytes-threshold': '10000' },
  });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** Names are those of the suite of the client's authors: a schema, and spaces. */
beforeEach(async () => {
  tables += 1;
  table = `electric_test."issues for ${tables}"`;
  leaving = new AbortController();
  await database.query(`
    CREATE TABLE ${table} (id int PRIMARY KEY, title text, "Its, ""Name""" text, large_number int8, labels text[], done bool);
    INSERT INTO ${table} SELECT i, 'foo ' || i, 'odd ' || i, 9007199254740993 + i, ARRAY['a', 'b,"c'], i = 1 FROM generate_series(1, 3) i`);
});

afterEach(() => {
  leaving.abort();
});

interface Exchange {
  readonly url: URL;
  readonly status: number;
}

function followed(more: Partial<ShapeStreamOptions> = {}) {
  const exchanges: Exchange[] = [];
  const asked: URL[] = [];
  const fetchClient: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    asked.push(url);
    const response = await fetch(input, init);
    exchanges.push({ url, status: response.status });
    return response;
  };
  const { params, ...rest } = more;
  const stream = new ShapeStream<Row>({
    url: service.shapeUrl, params: { table, secret: SECRET, ...params }, signal: leaving.signal, fetchClient, ...rest,
  });
  const messages: Message<Row>[] = [];
  stream.subscribe((batch) => void messages.push(...batch), () => {});
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  return { stream, shape: new Shape<Row>(stream), messages, exchanges, asked };
}

/** Resolves when the first rows are there whole: while they are written, a quick client gets them in more pieces. */
const settled = () => new ShapeFollower(service.shapeUrl, { table, secret: SECRET }).catchUp();

const idsOf = (rows: readonly Row[]): readonly number[] => rows.map(({ id }) => Number(id)).sort((left, right) => left - right);

const offsetsOf = (asked: readonly URL[]) =>
  asked.map(({ searchParams: given }) => [given.get('offset'), given.has('live'), given.has('cursor')]);

test.each([
  [false, [['-1', false, false], ['0_0', false, false], ['0_inf', true, true]]],
  [true, [['-1', false, false], ['0_0', false, false], ['0_inf', true, true]]],
])('of an empty table three requests are made, and it is up to date with the second (streams: %s)', async (liveSse, expected) => {
  await database.query(`DELETE FROM ${table}`);
  await settled();
  const { shape, stream, messages, asked } = followed({ liveSse });
  const rows = await shape.rows;
  await expect.poll(() => asked.length).toBe(3);
  const controls = messages.map(({ headers }) => 'control' in headers && headers.control);

  const upToDates = controls.filter((each) => each === 'up-to-date').length;
  expect([rows, stream.isUpToDate, upToDates, offsetsOf(asked)]).toEqual([[], true, 1, expected]);
});

test('values come as their types say, under the names that columns have', async () => {
  const { shape, messages } = followed({ params: { columns: ['id', 'Its, "Name"', 'large_number', 'labels', 'done'], where: 'id = 1' } });

  expect([await shape.rows, messages.flatMap((message) => ('key' in message ? [message.key] : []))]).toEqual([
    [{ id: 1, 'Its, "Name"': 'odd 1', large_number: 9_007_199_254_740_994n, labels: ['a', 'b,"c'], done: true }],
    [`"electric_test"."issues for ${tables}"/"1"`],
  ]);
});

test('parsers and transformers of one\'s own are given every value, and names are mapped both ways', async () => {
  const { shape } = followed({
    params: { where: 'large_number > $1', params: ['9007199254740995'] },
    parser: { int8: (text: string) => `#${text}` },
    transformer: (row: Row) => ({ ...row, title: String(row['title']).toUpperCase() }),
    columnMapper: snakeCamelMapper(),
  });
  await shape.rows;
  await database.query(`INSERT INTO ${table} (id, title, large_number) VALUES (9, 'new', 9007199254740999)`);
  await expect.poll(() => idsOf(shape.currentRows)).toEqual([3, 9]);

  expect(shape.currentRows.map(({ title, largeNumber }) => [title, largeNumber])).toEqual([
    ['FOO 3', '#9007199254740996'], ['NEW', '#9007199254740999'],
  ]);
});

test.each([
  ['by their places in a list', ['foo%', '2']],
  ['by their numbers', { 1: 'foo%', 2: '2' }],
])('parameters are given %s, and a filter follows updates', async (_, params) => {
  const { shape } = followed({ params: { where: 'title LIKE $1 AND id >= $2', params } });
  const first = idsOf(await shape.rows);
  await database.query(`UPDATE ${table} SET title = 'bar' WHERE id = 2; UPDATE ${table} SET title = 'foo!' WHERE id = 3`);
  await expect.poll(() => shape.currentRows.map(({ id, title }) => [id, title])).toEqual([[3, 'foo!']]);

  expect(first).toEqual([2, 3]);
});

test('with whole rows an update tells the row and what was there before', async () => {
  const { shape, messages } = followed({ params: { replica: 'full', columns: ['id', 'title', 'done'], where: 'id = 1' } });
  await shape.rows;
  await database.query(`UPDATE ${table} SET title = 'other' WHERE id = 1`);
  await expect.poll(() => shape.currentRows).toEqual([{ id: 1, title: 'other', done: true }]);

  const updates = messages.filter((message) => 'key' in message && message.headers.operation === 'update');
  expect(updates).toMatchObject([{ value: { id: 1, title: 'other', done: true }, old_value: { title: 'foo 1' } }]);
});

test('a filter that is none stops the stream, with the words of the answer', async () => {
  const errors: unknown[] = [];
  const { stream, exchanges } = followed({ params: { where: '1 x 1' }, onError: (error) => void errors.push(error) });
  await expect.poll(() => errors.length).toBe(1);

  expect([exchanges.map(({ status }) => status), errors[0] instanceof FetchError, errors[0], stream.isConnected()]).toMatchObject([
    [400], true,
    { status: 400, json: { message: 'Invalid request', errors: { where: ['At location 17: syntax error at or near "x"'] } } },
    false,
  ]);
});

test('who is not let in gives another secret when it is told so, and goes on at the same place', async () => {
  const errors: unknown[] = [];
  const { shape, exchanges, asked } = followed({
    params: { secret: 'old' },
    onError: (error) => {
      errors.push(error);
      return { params: { table, secret: SECRET } };
    },
  });

  expect([idsOf(await shape.rows), errors]).toMatchObject([
    [1, 2, 3], [{ status: 401, json: { message: 'Unauthorized - Invalid API secret' } }],
  ]);
  expect([exchanges.slice(0, 2).map(({ status }) => status), offsetsOf(asked.slice(0, 2))]).toEqual([
    [401, 200], [['-1', false, false], ['-1', false, false]],
  ]);
});

test('the secret may come as a header, by a function that is asked each time', async () => {
  const headers = { Authorization: () => Promise.resolve(`Bearer ${SECRET}`) };
  const { shape } = followed({ params: { secret: undefined }, headers });

  expect(idsOf(await shape.rows)).toEqual([1, 2, 3]);
});

test('a shape that is deleted before the next request is told once, and is there anew', async () => {
  const { shape, stream, exchanges, messages } = followed({ params: { where: 'id > 1' } });
  await shape.rows;
  await fetch(`${service.shapeUrl}?secret=${SECRET}&handle=${stream.shapeHandle}`, { method: 'DELETE' });
  await database.query(`INSERT INTO ${table} (id) VALUES (7)`);
  await expect.poll(() => idsOf(shape.currentRows)).toEqual([2, 3, 7]);
  const statuses = exchanges.map(({ status }) => status);
  const refetches = messages.filter(({ headers }) => 'control' in headers && headers.control === 'must-refetch').length;

  expect([statuses.filter((status) => status === 409).length, statuses[statuses.indexOf(409) + 1], refetches]).toEqual([1, 200, 1]);
});

test('a log of many chunks is read whole, each chunk once', async () => {
  await database.query(`INSERT INTO ${table} (id, title) SELECT i, repeat('x', 1000) FROM generate_series(100, 134) i`);
  const { shape, asked, exchanges } = followed();
  const rows = await shape.rows;
  await database.query(`UPDATE ${table} SET title = repeat('y', 1000) WHERE id >= 100`);
  await expect.poll(() => shape.currentRows.filter(({ title }) => String(title).startsWith('y')).length).toBe(35);
  const chunks = asked.map(({ searchParams }) => searchParams.get('offset') ?? '').filter((offset) => /^(-1|0_\d+)$/.test(offset));

  expect([rows.length, chunks.length >= 4, new Set(chunks).size, exchanges.filter(({ status }) => status !== 200)]).toEqual([
    38, true, chunks.length, [],
  ]);
});

test('one that goes on from a handle and an offset is told what came since', async () => {
  const { stream, shape } = followed();
  await shape.rows;
  const { shapeHandle: handle, lastOffset: offset } = stream;
  await database.query(`DELETE FROM ${table} WHERE id = 1; INSERT INTO ${table} (id) VALUES (5)`);
  const later = followed({ handle: handle ?? '', offset });
  await expect.poll(() => later.messages.length).toBeGreaterThan(2);

  const told = later.messages.flatMap((message) =>
    'key' in message ? [`${message.headers.operation} ${String(message.value['id'])}`] : [],
  );
  expect(told).toEqual(['delete 1', 'insert 5']);
});

test('a client that looks anew makes one request at a time', async () => {
  await settled();
  const { stream, shape, asked } = followed();
  await shape.rows;
  await expect.poll(() => asked.length).toBe(3);
  await stream.forceDisconnectAndRefresh();
  await expect.poll(() => asked.length).toBe(5);
  await database.query(`INSERT INTO ${table} (id) VALUES (6)`);
  await expect.poll(() => idsOf(shape.currentRows)).toContain(6);

  expect(offsetsOf(asked.slice(3, 5)).map(([, isLive]) => isLive)).toEqual([false, true]);
});

test('one that only wants what is there asks no more when it has it', async () => {
  await settled();
  const { shape, asked, stream } = followed({ subscribe: false });

  const ids = idsOf(await shape.rows);

  expect([ids, offsetsOf(asked).map(([offset]) => offset), stream.isUpToDate]).toEqual([[1, 2, 3], ['-1', '0_0'], true]);
});

test('of what comes from now on, changes alone are told, and of rows that are fetched what they are', async () => {
  const { stream, shape } = followed({ log: 'changes_only', offset: 'now' });
  await expect.poll(() => stream.isUpToDate).toBe(true);
  await database.query(`INSERT INTO ${table} (id) VALUES (8)`);
  await expect.poll(() => idsOf(shape.currentRows)).toEqual([8]);
  const { data } = await stream.fetchSnapshot({ where: 'id < $1', params: { 1: 3 }, orderBy: 'id DESC' });
  await stream.requestSnapshot({ where: 'done = true' });
  await expect.poll(() => idsOf(shape.currentRows)).toEqual([1, 8]);

  expect(data.map(({ value }) => value['id'])).toEqual([2, 1]);
});
