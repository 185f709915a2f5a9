/** Why a row is in a shape, or is not: of the whole service, against what Postgres really has. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTool } from '../support/commands/run-tool.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, title text, size int);
    INSERT INTO items SELECT i, 'title ' || i, i FROM generate_series(1, 20) i;
    CREATE TABLE parents (id int PRIMARY KEY, active boolean);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int, title text);
    INSERT INTO parents SELECT i, i < 5 FROM generate_series(1, 6) i;
    INSERT INTO children SELECT 10 * i, i, 'child' FROM generate_series(1, 6) i;
    CREATE TABLE "a ""<script>/" (yes boolean, "k/""ey" text, n int, PRIMARY KEY (yes, "k/""ey"));
    INSERT INTO "a ""<script>/" VALUES (true, 'x"/y/<script>', 1), (false, '', 2);
    CREATE TABLE keyless (a int, b json, c boolean); INSERT INTO keyless VALUES (1, '{"x": 1}', true), (NULL, NULL, NULL)`);
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

interface Node {
  readonly text: string;
  readonly result: string;
  readonly value?: string | null;
  readonly parts?: readonly Node[];
}

interface Explained {
  readonly verdict: { readonly code: string; readonly message: string };
  readonly in_shape: boolean | null;
  readonly shape: Readonly<Record<string, unknown>>;
  readonly row: { readonly key: string | null; readonly value: unknown; readonly database_lsn?: string };
  readonly filter: { readonly result: string; readonly root: Node } | null;
  readonly subqueries: readonly Readonly<Record<string, unknown>>[];
  readonly log: { readonly looked_from: string; readonly entries: readonly { readonly message: { readonly headers: object } }[] } | null;
  readonly errors?: unknown;
}

type Params = Readonly<Record<string, string>>;

async function explain(params: Params): Promise<Explained> {
  const response = await fetch(`${service.url}/v1/shape/explain?${new URLSearchParams(params).toString()}`);
  return (await response.json()) as Explained;
}

/** One who has all first rows, of a shape that knows that these are all. */
async function following(params: Params): Promise<ShapeFollower> {
  const follower = await new ShapeFollower(service.shapeUrl, params).catchUp();
  const row = '{"id":"1","size":"1","title":"","parent_id":"1"}';
  await expect.poll(async () => (await explain({ ...handleOf(follower), row })).shape['snapshot']).toBe('complete');
  return follower;
}

/** Once the shape has come as far as what is written. */
async function settled(params: Params, code: string): Promise<Explained> {
  await expect.poll(async () => (await explain(params)).verdict.code).toBe(code);
  return explain(params);
}

function handleOf({ handle }: ShapeFollower): { readonly handle: string } {
  return { handle: handle ?? '' };
}

test('a row that is there is told with its filter, and with what the log told of it', async () => {
  const follower = await following({ table: 'items', where: "size < 10 AND title LIKE 'title%'" });
  await database.query("UPDATE items SET title = 'title of five' WHERE id = 5");
  await expect.poll(async () => (await follower.catchUp()).rows.get('"public"."items"/"5"')?.['title']).toBe('title of five');

  const { verdict, in_shape: isIn, row, filter, log, shape } = await explain({ ...handleOf(follower), key: '"public"."items"/"5"' });
  const told = log?.entries.map(({ message }) => message.headers);
  expect([verdict.code, isIn, row.value, filter?.result, filter?.root.parts?.length, told, shape['offset']]).toEqual([
    'in_shape', true, { id: '5', title: 'title of five', size: '5' }, 'true', 2,
    [expect.objectContaining({ operation: 'insert' }), expect.objectContaining({ operation: 'update', lsn: expect.any(String) })],
    follower.offset,
  ]);
});

test('a row that the filter leaves out, one that left it, one that is deleted, and one that never was', async () => {
  const follower = await following({ table: 'items', where: 'size BETWEEN 11 AND 15' });
  await database.query('UPDATE items SET size = 100 WHERE id = 11; DELETE FROM items WHERE id = 12');
  const of = (id: number): Params => ({ ...handleOf(follower), 'pk[id]': String(id) });
  const [left, deleted] = [await settled(of(11), 'filtered_out'), await settled(of(12), 'deleted')];
  const [out, never] = await Promise.all([explain(of(1)), explain(of(999))]);

  const told = [out, left, deleted, never].map(({ verdict: { code }, in_shape: isIn, filter, log }) => {
    return [code, isIn, filter?.result, log?.entries.length];
  });
  expect(told).toEqual([
    ['filtered_out', false, 'false', 0], ['filtered_out', false, 'false', 2], ['deleted', false, undefined, 2],
    ['never_there', false, undefined, 0],
  ]);
});

test.each(['events', 'deletes'])('a row moves out with what a subquery selects, told by %s', async (moveOuts) => {
  const [parent, active] = moveOuts === 'events' ? [1, 'active'] : [2, 'active AND id > 0'];
  const where = `parent_id IN (SELECT id FROM parents WHERE ${active}) AND title = 'child'`;
  const follower = await following({ table: 'children', where, move_outs: moveOuts });
  const params = { ...handleOf(follower), pk: JSON.stringify({ id: String(10 * parent) }) };
  const before = await explain(params);
  const session = await database.session();
  await session.query('BEGIN');
  const { rows } = await session.query<{ xid: number }>('SELECT pg_current_xact_id()::xid::text::bigint::float8 AS xid');
  await session.query(`UPDATE parents SET active = false WHERE id = ${parent}; COMMIT`);
  const after = await settled(params, 'moved_out');

  const told = [before, after].map(({ verdict: { code }, in_shape: isIn, filter, subqueries }) => [code, isIn, filter?.result, subqueries]);
  expect(told).toEqual([
    ['in_shape', true, 'true', [expect.objectContaining({ left: String(parent), selected: true, selected_now: true })]],
    ['moved_out', false, 'false', [{
      subquery: 0, table: '"public"."parents"', left: String(parent), selected: false, selected_now: false, handle: expect.any(String),
      turned: { offset: expect.stringMatching(/^\d+_\d+$/), txids: [rows[0]?.xid] }, remembered_from: expect.any(String),
    }]],
  ]);
  expect(after.log?.entries.at(-1)?.message.headers).toMatchObject(moveOuts === 'events' ? { event: 'move-out' } : { operation: 'delete' });
});

test('a row that the shape has yet to take is told with how far both are', async () => {
  const follower = await following({ table: 'items', where: 'size = 500' });
  service.runtime.suspend('@shape-log-collector');
  await database.query("INSERT INTO items VALUES (500, 'new', 500)");
  const waiting = await explain({ ...handleOf(follower), 'pk[id]': '500' });
  service.runtime.resume('@shape-log-collector');
  const taken = await settled({ ...handleOf(follower), 'pk[id]': '500' }, 'in_shape');

  const isBehind = BigInt(String(waiting.shape['lsn'])) < BigInt(String(waiting.row.database_lsn));
  expect([waiting.verdict.code, waiting.filter?.result, isBehind, taken.in_shape]).toEqual(['not_yet', 'true', true, true]);
});

test('a row that a subquery has yet to take is not said to be left out for good', async () => {
  const follower = await following({ table: 'children', where: 'parent_id IN (SELECT id FROM parents WHERE active AND id > 4)' });
  const of = { ...handleOf(follower), 'pk[id]': '60' };
  const { subqueries } = await settled(of, 'filtered_out');
  const inner = `@consumer/${String(subqueries[0]?.['handle'])}` as const;
  service.runtime.suspend(inner);
  await database.query('UPDATE parents SET active = true WHERE id = 6');
  const waiting = await explain(of);
  service.runtime.resume(inner);
  const taken = await settled(of, 'in_shape');

  const told = [waiting, taken].map(({ verdict: { code }, filter }) => [code, filter?.result]);
  expect(told).toEqual([['not_yet', 'false'], ['in_shape', 'true']]);
});

test('a row of the request is told without Postgres, and by its key with the log', async () => {
  const { handle } = await following({ table: 'items', where: 'size > 5 AND 100 / size > 6' });
  const of = (row: object): Promise<Explained> => explain({ handle: handle ?? '', row: JSON.stringify(row) });
  const answers = await Promise.all([of({ size: '7' }), of({ size: 1 }), of({ size: null }), of({ id: 8, title: 'x', size: 8 })]);

  expect(answers.map(({ verdict: { code }, filter, row: { key }, in_shape: isIn }) => [code, filter?.result, key, isIn])).toEqual([
    ['would_be_in', 'true', null, null], ['filtered_out', 'false', null, null], ['filtered_out', 'unknown', null, null],
    ['would_be_in', 'true', '"public"."items"/"8"', true],
  ]);
});

test('a row of the request is found in the log however its key is written', async () => {
  const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
  await database.query(`
    CREATE TABLE spelt (id uuid, n int, PRIMARY KEY (id, n)); INSERT INTO spelt VALUES ('${id}', 7);
    CREATE TABLE rounded (n numeric(10, 2) PRIMARY KEY); INSERT INTO rounded VALUES (7)`);
  await Promise.all([following({ table: 'spelt' }), following({ table: 'rounded' })]);
  const of = (table: string, row: object): Promise<Explained> => explain({ table, row: JSON.stringify(row) });
  const answers = await Promise.all([
    of('spelt', { id: id.toUpperCase(), n: '07' }), of('spelt', { id, n: '8' }), of('rounded', { n: '7.00' }), of('rounded', { n: '7' }),
  ]);
  const told = answers.map(({ row: { key }, in_shape: isIn }) => [key, isIn]);
  expect(told).toEqual([
    [`"public"."spelt"/"${id}"/"7"`, true], [`"public"."spelt"/"${id}"/"8"`, false], ['"public"."rounded"/"7.00"', true],
    ['"public"."rounded"/"7"', null],
  ]);
});

test('a filter that has an error in the row says which', async () => {
  const { handle } = await following({ table: 'items', where: '100 / size > 200' });
  const { verdict, filter } = await explain({ handle: handle ?? '', row: '{"size":"0"}' });
  const error = { code: '22012', message: 'division by zero' };
  expect([verdict.code, filter]).toEqual(['filter_failed', expect.objectContaining({ result: 'error', error })]);
});

test('and the command prints it', async () => {
  const words = ['--table', 'items', '--where', '100 / size > 200', '--row', '{"size":"0"}'];
  const { code, printed } = await runTool(['explain', '--url', service.url, ...words]);
  expect([code, printed.split('\n').slice(0, 5)]).toEqual([0, [
    'The filter has an error in the row. A shape that meets it ends. (filter_failed)', '', 'Filter:',
    '  ((100 / "size") > 200) → error: division by zero', '    (100 / "size") → error: division by zero',
  ]]);
});

test('a shape that nobody has asked for is not made, and is explained as far as it can be', async () => {
  const where = 'size = 3';
  const { verdict, filter, shape } = await explain({ table: 'items', where, 'pk[id]': '3' });
  const again = await explain({ table: 'items', where, 'pk[id]': '3' });
  expect([verdict.code, filter?.result, shape['handle'], again.verdict.code]).toEqual(['no_shape', 'true', null, 'no_shape']);
});

test('and of one with a subquery that is not made nobody knows what that selects', async () => {
  const shape = { table: 'children', where: 'parent_id IN (SELECT id FROM parents WHERE id = 3)' };
  const [row, written] = await Promise.all([explain({ ...shape, 'pk[id]': '30' }), explain({ ...shape, row: '{"parent_id":"3"}' })]);
  expect([row, written].map(({ verdict, filter }) => [verdict.code, filter])).toEqual([['no_shape', null], ['unknown_value', null]]);
});

test('keys of any text name their row, in a table of any name', async () => {
  const table = '"a ""<script>/"';
  const follower = await following({ table });
  const keys = [...follower.rows.keys()];
  const answers = await Promise.all(keys.map((key) => explain({ table, key })));
  const told = answers.map(({ verdict, row, in_shape: isIn }) => [verdict.code, row.key, isIn]);
  expect(told).toEqual(keys.map((key) => ['in_shape', key, true]));
});

test('so do those of a table without a primary key', async () => {
  const follower = await following({ table: 'keyless' });
  const keys = [...follower.rows.keys()];
  const answers = await Promise.all(keys.map((key) => explain({ table: 'keyless', key })));
  expect(answers.map(({ verdict, row }) => [verdict.code, row.key])).toEqual(keys.map((key) => ['in_shape', key]));
});

test('of a log of changes only, a row that has not changed is not told', async () => {
  const params = { table: 'items', log: 'changes_only', where: 'size IN (1, 2)' };
  const response = await fetch(`${service.shapeUrl}?${new URLSearchParams({ ...params, offset: 'now' }).toString()}`);
  await response.text();
  const handle = response.headers.get('electric-handle') ?? '';
  await database.query("UPDATE items SET title = 'changed' WHERE id = 2");

  const changed = await settled({ handle, 'pk[id]': '2' }, 'in_shape');
  expect([(await explain({ handle, 'pk[id]': '1' })).verdict.code, changed.in_shape]).toEqual(['not_told', true]);
});

test('a shape whose table is another one is gone', async () => {
  await database.query('CREATE TABLE gone (id int PRIMARY KEY)');
  const { handle } = await following({ table: 'gone' });
  await database.query('DROP TABLE gone');
  expect(await explain({ handle: handle ?? '', 'pk[id]': '1' })).toMatchObject({ code: 'shape_gone' });
});

test.each<[string, Params, object]>([
  ['no row', {}, { key: ['one of key, pk and row is required'] }],
  ['two rows', { key: 'x', 'pk[id]': '1' }, { pk: ['one of key, pk and row is required'] }],
  ['a key of another table', { key: '"public"."others"/"1"' }, { key: ['is no key of a row of "public"."items"'] }],
  ['a key with a part too many', { key: '"public"."items"/"1"/"2"' }, { key: ['is no key of a row of "public"."items"'] }],
  ['another column', { 'pk[size]': '1' }, { pk: ['is no key of a row of "public"."items"'] }],
  ['what is no number', { 'pk[id]': "1'; --" }, { pk: [`invalid input syntax for type integer: "1'; --"`] }],
  ['what is no JSON', { row: '{' }, { row: ['is invalid'] }],
  ['a list', { row: '[1]' }, { row: ['is invalid'] }],
  ['a NUL', { row: '{"size":"\\u0000"}' }, { row: ['is invalid'] }],
  ['what the filter lacks', { row: '{"id":"1"}' }, { row: ['has no value for "size", which the filter reads'] }],
  ['what is no value', { row: '{"size":"x"}' }, { row: ['has a value for "size" that is none of its type'] }],
  ['another value of __proto__', { 'pk[__proto__]': '1' }, { pk: ['is no key of a row of "public"."items"'] }],
])('%s is refused', async (_, params, errors) => {
  expect(await explain({ table: 'items', where: 'size = 4', ...params })).toEqual({ message: 'Invalid request', errors });
});
