/** Subsets of the whole service: rows as Postgres has them, and what becomes of a request when a query cannot be had. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, type ShapeMessage } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TYPE mood AS ENUM ('happy', 'sad');
    CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE TABLE items (id int PRIMARY KEY, title text, size int, done boolean, mood mood, data json);
    INSERT INTO items SELECT i, 'title ' || i, nullif(i % 7, 3), i % 2 = 0, CASE WHEN i % 3 = 0 THEN 'sad' ELSE 'happy' END::mood, '{}'
      FROM generate_series(1, 40) i;
    CREATE TABLE parents (id int PRIMARY KEY, active boolean);
    INSERT INTO parents SELECT i, i % 2 = 1 FROM generate_series(1, 6) i;
    CREATE TABLE children (id int PRIMARY KEY, parent_id int, title text);
    INSERT INTO children SELECT i, 1 + i % 6, 'child ' || i FROM generate_series(1, 30) i;
    CREATE TABLE kinds (
      a boolean, "quo""ted key" text, n numeric, f float8, at timestamptz, span interval, bytes bytea, list text[], doc jsonb, r int4range,
      m mood, p positive, PRIMARY KEY (a, "quo""ted key"));
    INSERT INTO kinds VALUES
      (true, 'a/b', 'NaN', '-Infinity', '2020-02-03 04:05:06.789+01', '1 year 2 days 03:04:05', '\\x00ff', '{a,"b c",NULL}', '{"x": [1]}',
       '[1,5)', 'sad', 7),
      (false, '"', 1.50, 0.1, 'infinity', NULL, '', '{}', NULL, 'empty', NULL, NULL);
    CREATE TABLE large AS SELECT i AS id, repeat('x', 1000) AS filler FROM generate_series(1, 20000) i;
    ALTER TABLE large ADD PRIMARY KEY (id)`);
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: { readonly metadata: object; readonly data: readonly ShapeMessage[]; readonly errors?: unknown; readonly code?: string };
}

async function ask(params: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer> {
  const query = new URLSearchParams({ table: 'items', offset: 'now', log: 'changes_only', ...params });
  const response = await fetch(`${service.shapeUrl}?${query}`, signal === undefined ? {} : { signal });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: (await response.json()) as Answer['body'] };
}

const idsOf = ({ body }: Answer) => body.data.map(({ value }) => Number(value?.['id']));
const sortedIdsOf = (answer: Answer) => idsOf(answer).sort((left, right) => left - right);
const selected = async (rest: string) => (await database.query<{ id: number }>(`SELECT id FROM ${rest}`)).map(({ id }) => id);

test.each([
  ['a filter of its own', {}, 'size > 3'],
  ['alternatives of the shape, and one of its own', { where: 'id < 5 OR id = 9' }, 'done'],
  ['alternatives of its own', { where: 'size > 2' }, 'id = 1 OR id = 6 OR id = 12'],
  ['an enum', {}, "mood = 'sad'"],
  ['what is always true', { where: 'NOT done' }, 'true = true'],
  ['moments in a zone', {}, "(timestamp '2024-01-01' + size * interval '150 days') AT TIME ZONE 'Europe/Berlin' < '2025-01-01'"],
])('it has the rows that satisfy the shape and the subset, by %s', async (_, shape: Record<string, string>, where) => {
  const answer = await ask({ ...shape, subset__where: where });
  expect(sortedIdsOf(answer)).toEqual(await selected(`items WHERE (${shape['where'] ?? 'true'}) AND (${where}) ORDER BY id`));
});

test('parameters of the shape and of the subset have the same numbers and different values', async () => {
  const answer = await ask({
    where: 'id > $1 AND size <> $2', 'params[1]': '3', 'params[2]': '5', subset__where: 'id < $1 AND title <> $2',
    subset__params: '{"1":"20","2":"title 7"}',
  });
  const where = "id > 3 AND size <> 5 AND id < 20 AND title <> 'title 7'";
  expect(sortedIdsOf(answer)).toEqual(await selected(`items WHERE ${where} ORDER BY id`));
});

test.each(['size, id', 'size DESC NULLS LAST, id DESC', '"size" NULLS FIRST, "id"', 'title DESC', 'mood, id'])(
  'pages by %s are those of Postgres',
  async (order) => {
    const page = (offset: number) => ask({ subset__order_by: order, subset__limit: '7', subset__offset: String(offset) });
    const pages = await Promise.all([0, 7, 14, 35].map(page));
    const all = await selected(`items ORDER BY ${order}`);
    expect(pages.map(idsOf)).toEqual([0, 7, 14, 35].map((offset) => all.slice(offset, offset + 7)));
  },
);

test('rows of every type have the key and the values that the snapshot of a shape gives them', async () => {
  const { messages } = await readShape(service.shapeUrl, { table: 'kinds', offset: '-1' });
  const { body } = await ask({ table: 'kinds', subset__where: 'TRUE' });
  const plain = (rows: readonly ShapeMessage[]) => rows.flatMap(({ key, value }) => (key === undefined ? [] : [{ key, value }]));
  expect([plain(body.data), plain(body.data).length]).toEqual([plain(messages), 2]);
});

test('a row has its operation, its table and the mark of its answer', async () => {
  const { body } = await ask({ columns: 'id,title', subset__where: 'size = 1 AND id < 5' });
  const { metadata } = body as unknown as { metadata: { snapshot_mark: number } };
  expect(body).toEqual({
    metadata: {
      snapshot_mark: expect.any(Number), database_lsn: expect.stringMatching(/^\d+$/), xmin: expect.stringMatching(/^\d+$/),
      xmax: expect.stringMatching(/^\d+$/), xip_list: expect.any(Array), // Of the whole server: other tests have some open, too.
    },
    data: [{
      key: '"public"."items"/"1"', value: { id: '1', title: 'title 1' },
      headers: { operation: 'insert', relation: ['public', 'items'], snapshot_mark: metadata.snapshot_mark },
    }],
  });
});

test('transactions that are open are told, and their rows are not', async () => {
  const writer = await database.session();
  await writer.query("BEGIN; INSERT INTO items (id, title) VALUES (1000, 'open')");
  const { rows } = await writer.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
  await database.query("UPDATE items SET title = title WHERE id = 1"); // One that began later has ended: so the first is listed.
  const answer = await ask({ subset__where: 'id >= 999' });
  await writer.query('ROLLBACK');
  const areTold = expect.objectContaining({ xip_list: expect.arrayContaining([rows[0]?.xid]) as string[] }) as object;
  expect([idsOf(answer), answer.body.metadata]).toEqual([[], areTold]);
});

test.each([
  ["mood = 'grumpy'", { where: 'invalid input value for enum mood: "grumpy"' }],
  ['1 / (id - 5) = 0', { where: ['division by zero'] }],
])('Postgres refuses %s in its own words', async (where, subset) => {
  const { status, body } = await ask({ subset__where: where });
  expect([status, body.errors]).toEqual([400, { subset }]);
});

const zoned = (zone: string): string => `timezone('${zone}', timestamp '2024-01-01') IS NULL`;

test.each([
  ['a zone that is none', zoned('Nowhere'), 'At location 0: time zone "Nowhere" not recognized'],
  [
    'too many zones', Array.from('abcdefghijk', (letter) => zoned(`Etc${letter}1`)).join(' AND '),
    'WHERE clause names more than 10 time zones',
  ],
])('a filter with %s is refused', async (_, where, why) => {
  const { status, body } = await ask({ subset__where: where });
  expect([status, body.errors]).toEqual([400, { subset: { where: [why] } }]);
});

test('Postgres refuses the order of what has none in its own words', async () => {
  const { status, body } = await ask({ subset__order_by: 'data' });
  expect([status, body.errors]).toEqual([400, { subset: { order_by: ['could not identify an ordering operator for type json'] } }]);
});

test('an answer that is too large to be gathered comes whole', async () => {
  const { body } = await ask({ table: 'large', subset__where: 'TRUE' });
  expect(new Set(body.data.map(({ key }) => key)).size).toBe(20_000);
});

test('of a shape with a subquery it has the rows of its views, with tags and conditions as its snapshot gives them', async () => {
  const shape = { table: 'children', where: 'parent_id IN (SELECT id FROM parents WHERE active) OR id = 4' };
  const { messages } = await readShape(service.shapeUrl, { ...shape, offset: '-1' });
  const { body } = await ask({ ...shape, log: 'full', subset__where: 'id < 12', subset__order_by: 'id' });
  const marked = (rows: readonly ShapeMessage[]) =>
    rows.map(({ key, value, headers: { tags, active_conditions: active } }) => ({ key, value, tags, active }));
  const ofSnapshot = messages.filter(({ value }) => value !== undefined && Number(value['id']) < 12);
  expect(marked(body.data)).toEqual(marked(ofSnapshot).sort((a, b) => Number(a.value?.['id']) - Number(b.value?.['id'])));
});

const OF_SUBSETS = "FROM pg_stat_activity WHERE application_name = 'armature subsets' AND datname = current_database()";
const WAITING = `SELECT ${OF_SUBSETS} AND wait_event_type = 'Lock'`;

/** Whoever reads the table waits until it is let go. */
async function lockItems(): Promise<() => Promise<unknown>> {
  const locking = await database.session();
  await locking.query('BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE');
  return () => locking.query('ROLLBACK');
}

test('who finds every connection at work is asked to come again, and shapes are served meanwhile', async () => {
  await ask({ subset__where: 'FALSE' });
  const unlock = await lockItems();
  const leaving = new AbortController();
  const status = (size: number) => ask({ subset__where: `size = ${size}` }, leaving.signal).then((answer) => answer.status, () => 'left');
  const waiting = [1, 2, 3, 4].map(status);
  await database.until(`${WAITING} OFFSET 3`);
  const others = readShape(service.shapeUrl, { table: 'parents', offset: '-1' });
  const [late, other] = await Promise.all([ask({ subset__where: 'size = 5' }), others]);
  leaving.abort();
  await database.until(`SELECT WHERE NOT EXISTS (${WAITING})`);
  await unlock();

  expect({ late: [late.status, late.retryAfter, late.body.code], other: other.status, left: await Promise.all(waiting) }).toEqual({
    late: [503, '5', 'subset_queries_busy'], other: 200, left: ['left', 'left', 'left', 'left'],
  });
});

test('a session that is ended under its query is a 503, and the next one is answered', async () => {
  await ask({ subset__where: 'FALSE' });
  const unlock = await lockItems();
  const waiting = ask({ subset__where: 'size = 1' });
  await database.until(WAITING);
  await database.query(`SELECT pg_terminate_backend(pid) ${OF_SUBSETS}`);
  const { status, retryAfter } = await waiting;
  await unlock();
  await expect.poll(async () => (await ask({ subset__where: 'size = 1' })).status).toBe(200);

  expect([status, retryAfter]).toEqual([503, '10']);
});

test('a subset of a shape whose table was emptied is a 409 to who follows it, without a handle', async () => {
  await database.query('CREATE TABLE emptied (id int PRIMARY KEY); INSERT INTO emptied VALUES (1)');
  const shape = { table: 'emptied', log: 'changes_only' };
  const { handle, offset } = await readShape(service.shapeUrl, { ...shape, offset: 'now' });
  await database.query('TRUNCATE emptied');
  const follow = { ...shape, handle: handle ?? '', offset: offset ?? '', subset__where: 'TRUE' };
  await expect.poll(async () => (await readShape(service.shapeUrl, follow)).status).toBe(409);

  const messages = [{ headers: { control: 'must-refetch' } }];
  expect(await readShape(service.shapeUrl, follow)).toMatchObject({ status: 409, handle: null, messages });
});
