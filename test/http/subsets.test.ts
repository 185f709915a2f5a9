/** The wire: what a request may say of a subset, what it is told, and what its answer carries. */
import { beforeAll, afterAll, beforeEach, expect, test } from 'vitest';
import type { SubsetRead } from '../../src/api/subsets/subset-source.ts';
import { LSN_ZERO, type Lsn } from '../../src/model/lsn.ts';
import { SNAPSHOT_END } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import { ShapeCorruptError } from '../../src/storage/errors.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import { column, key } from '../support/http/api-world.ts';
import { startHttpWorld, told, type HttpWorld } from '../support/http/http-world.ts';

const PG_SNAPSHOT = { xmin: '100', xmax: '105', xip: ['101', '103'], insertLsn: '4711' as Lsn };
const ROWS = [Buffer.from('{"key":"a"}'), Buffer.from(',{"key":"b"}')];

let world: HttpWorld;

beforeAll(async () => {
  const language = await loadWhereLanguage();
  world = await startHttpWorld({ language, subsetLanguage: language, settings: { longPollTimeoutMs: 200 } });
  world.catalog.add('users', [key('id', 'int8'), column('name', 'text'), column('secret_token', 'text'), column('My Column', 'text')]);
  world.catalog.add('moods', [key('id', 'int8'), column('mood', 'mood', { isEnum: true })]);
});

beforeEach(() => {
  world.subsets.answer = { outcome: 'rows', pgSnapshot: PG_SNAPSHOT, from: SNAPSHOT_END, mayLeaveOut: true, rows: ROWS };
});

afterAll(() => world.close());

const USERS = 'table=users&offset=-1&log=changes_only';
const get = (query: string): Promise<Response> => world.shape(`${USERS}&${query}`);
const post = (body: unknown, query = USERS): Promise<Response> => world.shape(query, { method: 'POST', body: JSON.stringify(body) });
const asked = () => world.subsets.asked.at(-1);

const ORDER_MISSING = { order_by: ['order_by is required when limit or offset is present'] };
const BIG = `id = 1 OR ${'name = \'x\' OR '.repeat(6_000)}TRUE`;

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['subset__limit=1', ORDER_MISSING],
  ['subset__offset=0', ORDER_MISSING],
  ['subset__limit=-1&subset__order_by=id', { limit: ['must be greater than 0'] }],
  ['subset__limit=0&subset__order_by=id', { limit: ['must be greater than 0'] }],
  ['subset__limit=1e99&subset__order_by=id', { limit: ['is invalid'] }],
  ['subset__limit=99999999999999999999&subset__order_by=id', { limit: ['is invalid'] }],
  ['subset__limit=9007199254740993&subset__order_by=id', { limit: ['is invalid'] }],
  ['subset__limit=ten&subset__order_by=id', { limit: ['is invalid'] }],
  ['subset__limit=1.5&subset__order_by=id', { limit: ['is invalid'] }],
  ['subset__limit[]=1&subset__order_by=id', { limit: ['is invalid'] }],
  ['subset__offset=-1&subset__order_by=id', { offset: ['must be greater than or equal to 0'] }],
  ['subset__offset=x&subset__limit=-5', { limit: ['must be greater than 0'], offset: ['is invalid'] }],
  ['subset__params=no', { params: ['params must be valid JSON'] }],
  ['subset__params=[1]', { params: ['params must be a JSON object'] }],
  ['subset__params=1', { params: ['params must be a JSON object'] }],
  ['subset__params={"1":{"a":1}}', { params: ['params must have texts, numbers or booleans as values'] }],
  ['subset__params[1][a]=x', { params: ['params must have texts, numbers or booleans as values'] }],
  ['subset__params={"1":"a%5Cu0000"}', { params: ['is invalid'] }],
  ['subset__where=name=$1&subset__params={"2":"x"}', { params: ['Parameters must be numbered sequentially, starting from 1'] }],
  ['subset__where=name=$1&subset__params={"a":"x"}', { params: ['Parameters can only use numbers as keys'] }],
  ['subset__where=name=$1', { where: ['At location 5: parameter $1 was not provided'] }],
  ['subset__where=name=$2&subset__params={"1":"x"}', { where: ['At location 5: parameter $2 was not provided'] }],
  ['subset__where=name', { where: ['WHERE clause must return a boolean'] }],
  ['subset__where=nope=1', { where: ['At location 0: unknown reference nope'] }],
  ['subset__where=true) OR (true', { where: ['At location 19: syntax error at or near ")"'] }],
  ['subset__where=TRUE) --', { where: ['At location 19: syntax error at or near ")"'] }],
  ['subset__where=TRUE; DELETE FROM users', { where: ['unescaped ";" causing statement split'] }],
  ['subset__where=TRUE UNION SELECT 1', { where: ['malformed query ending with SQL clauses'] }],
  ['subset__where=TRUE LIMIT 5', { where: ['malformed query ending with SQL clauses'] }],
  ['subset__where=id IN (SELECT id FROM users)', { where: ['Subqueries are not allowed in subsets'] }],
  ['subset__where=NOT id IN (SELECT id FROM users)', { where: ['Subqueries are not allowed in subsets'] }],
  ['subset__where=EXISTS (SELECT 1)', { where: ['Subqueries are not allowed in subsets'] }],
  ['subset__where=name=pg_read_file(\'x\')', { where: [expect.stringContaining('unknown or unsupported function')] }],
  ['subset__where[a]=x', { where: ['is invalid'] }],
  ['subset__where=a%00b', { where: ['is invalid'] }],
  ['subset__order_by=nonexistent ASC', { order_by: ['At location 18: unknown reference nonexistent'] }],
  ['subset__order_by=users.id', { order_by: ['At location 18: unknown reference users.id'] }],
  ['subset__order_by=My Column', { order_by: ['At location 21: syntax error at or near "Column"'] }],
  ['subset__order_by=$1&subset__params={"1":"id"}', { order_by: ['At location 18: parameter $1 is not supported in ORDER BY clauses'] }],
  ['subset__order_by=id::text', { order_by: ['At location 20: TypeCast expressions are not allowed in ORDER BY clauses'] }],
  ['subset__order_by=lower(name)', { order_by: ['At location 18: FuncCall expressions are not allowed in ORDER BY clauses'] }],
  ['subset__order_by=(SELECT 1)', { order_by: ['At location 18: SubLink expressions are not allowed in ORDER BY clauses'] }],
  ['subset__order_by=CASE WHEN TRUE THEN id END',
    { order_by: ['At location 18: CaseExpr expressions are not allowed in ORDER BY clauses'] },
  ],
  ['subset__order_by=id %2B 1', { order_by: ['At location 21: A_Expr expressions are not allowed in ORDER BY clauses'] }],
  ['subset__order_by=id || name', { order_by: ['At location 21: A_Expr expressions are not allowed in ORDER BY clauses'] }],
  ['subset__order_by=id IS NULL', { order_by: ['At location 21: NullTest expressions are not allowed in ORDER BY clauses'] }],
  ['subset__order_by=name COLLATE "C"', { order_by: ['At location 23: CollateClause expressions are not allowed in ORDER BY clauses'] }],
  ['subset__order_by=id USING <', { order_by: ['At location 27: USING is not allowed in ORDER BY clauses'] }],
  ['subset__order_by=id; DROP TABLE users', { order_by: ['Unexpected `;` in order by'] }],
  ['subset__order_by=id;', { order_by: ['Unexpected `;` in order by'] }],
  ['subset__order_by=id LIMIT 1', { order_by: ['malformed query ending with SQL clauses'] }],
  ['subset__order_by=9', { order_by: ['At location 18: ORDER BY position 9 is not in select list'] }],
  ['subset__order_by=\'id\'', { order_by: ['At location 18: non-integer constant in ORDER BY'] }],
  ['subset__where_expr={"type":"func"}', { where_expr: ['can only stand beside where'] }],
  ['subset__order_by_expr=[{"column":"id"}]', { order_by_expr: ['can only stand beside order_by'] }],
  ['subset__where=TRUE&subset__where_expr={', { where_expr: ['is invalid'] }],
  ['subset__where=TRUE&subset__where_expr=7', { where_expr: ['is invalid'] }],
  ['queryable_columns=id,name&subset__where=secret_token=\'x\'', { where: ['At location 0: unknown reference secret_token'] }],
  ['queryable_columns=id,name&subset__order_by=secret_token', { order_by: ['At location 18: unknown reference secret_token'] }],
])('?%s is refused', (query, errors) => expectRefusal(query, errors));

test.each<[string, string, Readonly<Record<string, unknown>>]>([
  ['parameters that are long and named often',
    `subset__params={"1":"${'x'.repeat(150_000)}"}&subset__where=${'name'.padEnd(10)}=$1 OR ${'name=$1 OR '.repeat(20)}FALSE`,
    { where: [expect.stringContaining('bigger than maximum size')] },
  ],
  ['a long filter', `subset__where=${encodeURIComponent(BIG)}`, { where: [expect.stringContaining('bigger than maximum size')] }],
  ['a long order', `subset__order_by=${'id,'.repeat(30_000)}id`, { order_by: [expect.stringContaining('bigger than maximum size')] }],
  ['an order that nests', `subset__order_by=${'('.repeat(20_000)}id`, { order_by: [expect.stringContaining('nests deeper')] }],
])('%s is refused', (_, query, errors) => expectRefusal(query, errors));

async function expectRefusal(query: string, errors: Readonly<Record<string, unknown>>): Promise<void> {
  expect(await told(await get(query), 'content-type', 'cache-control', 'electric-snapshot')).toEqual({
    status: 400,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'electric-snapshot': null,
    body: { message: 'Invalid request', errors: { subset: errors } },
  });
}

test.each<[string, unknown, unknown]>([
  ['a limit without an order', { where: 'TRUE', limit: 1 }, { subset: ORDER_MISSING }],
  ['a limit that no number has', { limit: 1e99, order_by: 'id' }, { subset: { limit: ['is invalid'] } }],
  ['a limit that is a list', { limit: [1], order_by: 'id' }, { subset: { limit: ['is invalid'] } }],
  ['a filter that is a number', { where: 1 }, { subset: { where: ['is invalid'] } }],
  ['parameters that are a list', { where: 'name = $1', params: ['x'] }, { subset: { params: ['params must be a JSON object'] } }],
  ['nested parameters', { params: { 1: [] } }, { subset: { params: ['params must have texts, numbers or booleans as values'] } }],
  ['a structured filter alone', { where_expr: { type: 'func' } }, { subset: { where_expr: ['can only stand beside where'] } }],
  ['a structured filter that is a text', { where: 'TRUE', where_expr: 'x' }, { subset: { where_expr: ['is invalid'] } }],
  ['an own object with mistakes of its own',
    { subset: { limit: 0, order_by: 'id' }, where: 'TRUE' }, { subset: { limit: ['must be greater than 0'] } },
  ],
  ['a subset that is a text', { subset: 'all' }, { subset: ['is invalid'] }],
  ['a subset that is a list', { subset: [] }, { subset: ['is invalid'] }],
])('a POST of %s is refused', async (_, body, errors) => {
  expect(await told(await post(body), 'cache-control')).toEqual({
    status: 400, 'cache-control': 'no-cache', body: { message: 'Invalid request', errors },
  });
});

test('an order may have any number of columns, each with its direction', async () => {
  const columns = Array.from({ length: 999 }, (_, index) => `c${index}`);
  world.catalog.add('wide_order', [key('id', 'int8'), ...columns.map((name) => column(name, 'text'))]);
  const order = columns.map((name) => `"${name}" DESC NULLS LAST`).join(', ');
  const { status } = await post({ columns: ['id'], order_by: order }, 'table=wide_order&offset=-1&log=changes_only');
  expect([status, asked()?.query.order?.sql]).toEqual([200, order]);
});

test('a mistake in a subset makes no shape', async () => {
  const before = world.directory.created;
  await world.shape('table=wide&offset=-1&subset__limit=x');
  expect(world.directory.created).toBe(before);
});

test('the rows come as one object, with what they show and from where to follow', async () => {
  const response = await get('subset__where=TRUE');
  const answer = await told(
    response, 'cache-control', 'electric-snapshot', 'electric-offset', 'electric-up-to-date', 'etag', 'electric-cursor',
    'electric-has-data',
  );
  const mark = asked()?.reader.mark;
  expect([answer, response.headers.get('electric-handle')?.length, Object.keys(schemaOf(response))]).toEqual([
    {
      status: 200, 'cache-control': 'no-cache', 'electric-snapshot': 'true', 'electric-offset': '0_0', 'electric-up-to-date': '',
      etag: null, 'electric-cursor': null, 'electric-has-data': null,
      body: {
        metadata: { snapshot_mark: mark, database_lsn: '4711', xmin: '100', xmax: '105', xip_list: ['101', '103'] },
        data: [{ key: 'a' }, { key: 'b' }],
      },
    },
    expect.any(Number),
    ['id', 'name', 'secret_token', 'My Column'],
  ]);
});

function schemaOf(response: Response): object {
  return JSON.parse(response.headers.get('electric-schema') ?? '{}') as object;
}

test.each([
  ['100', '0'],
  ['5000000000', '3926258176'],
])('who may leave out nothing is told of a snapshot that sees nothing, below %s', async (xmin, below) => {
  world.subsets.answer = { outcome: 'rows', pgSnapshot: { ...PG_SNAPSHOT, xmin }, from: SNAPSHOT_END, mayLeaveOut: false, rows: [] };
  const answer = await told(await get('where=id IN (SELECT id FROM users)&subset__where=TRUE'));
  expect(answer).toMatchObject({ body: { metadata: { xmin: below, xmax: below, xip_list: [], database_lsn: '4711' } } });
});

test('who meets damage in the log of the shape hears that the shape is over, and the next finds a fresh one', async () => {
  const { headers } = await get('subset__where=TRUE');
  const handle = headers.get('electric-handle') ?? '';
  world.subsets.failure = new ShapeCorruptError(handle as Handle, 'a checksum does not hold');
  const { status } = await told(await world.shape(`${USERS}&subset__where=TRUE`));
  const next = await get('subset__where=TRUE');

  expect([status, next.status, next.headers.get('electric-handle') === handle, world.failures]).toEqual([409, 200, false, []]);
});

test('no cache holds the answer, and none is asked whether it still holds', async () => {
  const handle = (await get('subset__where=TRUE')).headers.get('electric-handle') ?? '';
  const again = await world.shape(`${USERS}&subset__where=TRUE`, { headers: { 'if-none-match': `"${handle}:-1:0_0"` } });
  expect([again.status, again.headers.get('cache-control')]).toEqual([200, 'no-cache']);
});

test('browsers may read that it is a subset', async () => {
  expect((await get('subset__where=TRUE')).headers.get('access-control-expose-headers')?.split(',')).toContain('electric-snapshot');
});

test.each<[string, string, unknown]>([
  ['a filter of the table in its canonical form', "subset__where=name%20=%20'x'", { sql: '("name" = $1::text)', params: ['x'] }],
  ['parameters as one object', 'subset__where=name=$1&subset__params={"1":"x"}', { sql: '("name" = $1::text)', params: ['x'] }],
  ['parameters one by one', 'subset__where=name=$1&subset__params[1]=x', { sql: '("name" = $1::text)', params: ['x'] }],
  ['what is always true', 'subset__where=true = true&subset__params={}', { sql: expect.any(String), params: expect.any(Array) }],
  ['a column that proxies allow', "queryable_columns=id,name&subset__where=name='y'", { sql: '("name" = $1::text)', params: ['y'] }],
  ['a column that is not selected', "columns=id&subset__where=name='y'", { sql: '("name" = $1::text)', params: ['y'] }],
  ['the last of two', "subset__where=name='x'&subset__where=name='y'", { sql: '("name" = $1::text)', params: ['y'] }],
  ['its structured form too',
    "subset__where=name='y'&subset__where_expr={\"type\":\"func\"}", { sql: '("name" = $1::text)', params: ['y'] }],
])('of a filter it takes %s', async (_, query, filter) => {
  const { status } = await get(query);
  expect([status, asked()?.query.filter?.queryBehind(0)]).toEqual([200, filter]);
});

test.each([
  ['id DESC NULLS FIRST, name ASC NULLS LAST', '"id" DESC NULLS FIRST, "name" NULLS LAST'],
  ['"id" NULLS FIRST', '"id" NULLS FIRST'],
  ['id ASC, 1', '"id"'],
  ['2 DESC', '"name" DESC'],
  ['name, name DESC, id', '"name", "id"'],
  ['"My Column" ASC', '"My Column"'],
  ['ID', '"id"'],
])('the order %s is told to Postgres as %s', async (order, sql) => {
  const { status } = await get(`subset__order_by=${encodeURIComponent(order)}`);
  expect([status, asked()?.query.order]).toEqual([200, { sql }]);
});

test.each([
  ['at the top', { where: 'name = $1', params: { 1: 'x' }, order_by: 'id', limit: 5, offset: '7' }],
  ['in an object of its own', { subset: { where: 'name = $1', params: { 1: 'x' }, order_by: 'id', limit: '5', offset: 7 } }],
])('a body says the same %s', async (_, body) => {
  const { status } = await post(body);
  const { filter, ...query } = asked()?.query ?? {};
  expect([status, filter?.queryBehind(2), query]).toEqual([
    200, { sql: '("name" = $3::text)', params: ['x'] }, { order: { sql: '"id"' }, limit: 5, offset: 7 },
  ]);
});

test('a body wins over the query, parameter by parameter, and the shape has its own', async () => {
  const { status } = await world.shape(
    `${USERS}&where=id = 3&subset__where=name = 'query'&subset__limit=3&subset__order_by=id`,
    { method: 'POST', body: JSON.stringify({ subset: { limit: 4 }, where: 'id = 4' }) },
  );
  const { query, reader } = asked() ?? {};
  expect([status, query?.limit, query?.filter?.queryBehind(0).params, world.directory.definitionOf(reader!.handle)?.where?.text]).toEqual([
    200, 4, ['query'], 'id = 4',
  ]);
});

test.each(['5', 5, 9_007_199_254_740_992n, true])('a parameter may be %s', async (value) => {
  const body = `{"where":"name = $1","params":{"1":${typeof value === 'string' ? `"${value}"` : value}}}`;
  const { status } = await world.shape(USERS, { method: 'POST', body });
  expect([status, asked()?.query.filter?.queryBehind(0).params]).toEqual([200, [String(value)]]);
});

test.each<[string, SubsetRead, unknown]>([
  ['a label that its type has not',
    { outcome: 'refused', status: 400, code: '22P02', message: 'invalid input value for enum mood: "sad"' },
    { status: 400, body: { message: 'Invalid request', errors: { subset: { where: 'invalid input value for enum mood: "sad"' } } } },
  ],
  ['a value that Postgres cannot work out',
    { outcome: 'refused', status: 400, code: '22012', message: 'division by zero' },
    { status: 400, body: { message: 'Invalid request', errors: { subset: { where: ['division by zero'] } } } },
  ],
  ['connections that are all at work',
    { outcome: 'refused', status: 503, code: 'subset_queries_busy', message: 'busy' },
    { status: 503, 'retry-after': '5', 'electric-internal-known-error': 'true', body: { code: 'subset_queries_busy', message: 'busy' } },
  ],
  ['Postgres that is away',
    { outcome: 'refused', status: 503, code: 'connection_not_available', message: 'away' },
    { status: 503, 'retry-after': '10', body: { code: 'connection_not_available', message: 'away' } },
  ],
  ['what nobody expected',
    { outcome: 'refused', status: 500, code: 'snapshot_failed', message: 'oh' },
    { status: 500, 'retry-after': null, body: { code: 'snapshot_failed', message: 'oh' } },
  ],
  ['a shape that is over', { outcome: 'over' }, { status: 409, body: [{ headers: { control: 'must-refetch' } }] }],
  ['rows that moved behind its client',
    { outcome: 'moved' }, { status: 400, body: { errors: { subset: [expect.stringContaining('ask again')] } } }],
])('of %s its client is told', async (_, answer, expected) => {
  world.subsets.answer = answer;
  const response = await get("subset__where=name='x'");
  expect(await told(response, 'retry-after', 'electric-internal-known-error')).toMatchObject(expected as object);
});

test('an order that its type has not is told as the order\'s', async () => {
  const message = 'could not identify an ordering operator for type json';
  world.subsets.answer = { outcome: 'refused', status: 400, code: '42883', message };
  expect(await told(await get('subset__order_by=name'))).toMatchObject({
    body: { errors: { subset: { order_by: [message] } } },
  });
});

test('who follows a log gets its own place again, however far the log has come', async () => {
  const handle = (await get('subset__where=TRUE')).headers.get('electric-handle') ?? '';
  const [before, end] = [world.append(handle, 200, '{"key":"c"}'), world.append(handle, 300, '{"key":"d"}')];
  world.subsets.answer = { outcome: 'rows', pgSnapshot: PG_SNAPSHOT, from: end, mayLeaveOut: true, rows: [] };
  const response = await world.shape(`table=users&log=changes_only&offset=${before}&handle=${handle}&subset__where=TRUE`);
  expect([response.headers.get('electric-offset'), asked()?.reader.from(end)]).toEqual([before, before]);
});

test('who holds the handle of a log that is over is led to no other: its rows are not of that', async () => {
  const response = await world.shape('table=users&log=changes_only&offset=200_0&handle=1-1&subset__where=TRUE');
  expect(await told(response, 'electric-handle')).toEqual({
    status: 409, 'electric-handle': null, body: [{ headers: { control: 'must-refetch' } }],
  });
});

test('an offset without a handle, and one beyond the log, are refused as they are without a subset', async () => {
  const handle = (await get('subset__where=TRUE')).headers.get('electric-handle') ?? '';
  world.processed = '400' as Lsn;
  const beyond = world.shape(`table=users&log=changes_only&offset=99999999_0&handle=${handle}&subset__where=TRUE`);
  await world.untilParked(1);
  world.clock.advance(100);
  expect([await told(await world.shape('table=users&offset=5_0&subset__where=TRUE')), await told(await beyond)]).toMatchObject([
    { status: 400, body: { errors: { handle: ["can't be blank when offset != -1"] } } },
    { status: 400, body: { errors: { offset: ['out of bounds for this shape'] } } },
  ]);
});

test('a HEAD has the headers of a GET', async () => {
  const response = await world.shape(`${USERS}&subset__where=TRUE`, { method: 'HEAD' });
  expect([response.status, response.headers.get('electric-snapshot'), await response.text()]).toEqual([200, 'true', '']);
});

test('rows that come later go out as they come', async () => {
  async function* rows(): AsyncGenerator<Uint8Array> {
    yield* ROWS;
  }
  world.subsets.answer = {
    outcome: 'rows', pgSnapshot: { ...PG_SNAPSHOT, insertLsn: LSN_ZERO }, from: SNAPSHOT_END, mayLeaveOut: true, rows: rows(),
  };
  expect(await told(await get('subset__where=TRUE'), 'transfer-encoding')).toMatchObject({
    status: 200, 'transfer-encoding': 'chunked', body: { data: [{ key: 'a' }, { key: 'b' }] },
  });
});

test('a client that leaves in the middle of a subset, which is given up with it, is no failure of ours', async () => {
  const given = new Uint8Array(1024);
  const leaving = new AbortController();
  const rows = async function* () {
    yield given;
    await world.until(() => asked()?.reader.signal.aborted === true);
    throw Object.assign(new Error('Database connection not available'), { name: 'RefusedSubset' });
  };
  world.subsets.answer = { outcome: 'rows', pgSnapshot: PG_SNAPSHOT, from: SNAPSHOT_END, mayLeaveOut: true, rows: rows() };
  const answer = await world.shape(`${USERS}&subset__where=TRUE`, { signal: leaving.signal });
  await answer.body?.getReader().read();
  leaving.abort();
  await world.until(() => world.api.load().initial + world.api.load().existing === 0);

  expect(world.failures).toEqual([]);
});
