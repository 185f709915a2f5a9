/** The wire: what a request may say, read and posted. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SNAPSHOT_END } from '../../src/model/log-offset.ts';
import { column, key } from '../support/http/api-world.ts';
import { startHttpWorld, told, type HttpWorld } from '../support/http/http-world.ts';

let world: HttpWorld;

beforeAll(async () => {
  world = await startHttpWorld();
  world.catalog.add('users', [key('id', 'int8'), column('name', 'text'), column('secret_token', 'text')]);
  world.catalog.add('sums', [key('id', 'int8'), column('val', 'int8'), column('total', 'int8', { generated: true })]);
  world.catalog.add('generated_key', [{ ...key('id', 'int8'), generated: true }, column('val', 'int8')]);
  world.catalog.add('empty', []);
  world.catalog.kindNames.set('seen', 'a view');
});

afterAll(() => world.close());

const MISSING = (schema: string, name: string): string =>
  `Table "${schema}"."${name}" does not exist. If the table name contains capitals or special characters you must quote it.`;
const LONG = 'x'.repeat(64);

test.each([
  ['table=.invalid_shape&offset=-1', { table: ['Invalid zero-length delimited identifier'] }],
  ['table=foo&offset=invalid', { offset: ['has invalid format'] }],
  ['table=foo&offset=0_-1', { offset: ['has invalid format'] }],
  ['table=foo&offset=10', { offset: ['has invalid format'] }],
  ['table=foo&offset=1_2_3', { offset: ['has invalid format'] }],
  ['table=foo&offset=1_2%20', { offset: ['has invalid format'] }],
  ['table=foo&offset=10_32.1', { offset: ['has invalid format'] }],
  ['table=foo&offset=-2_0', { offset: ['has invalid format'] }],
  ['table=foo&offset=-1_3', { offset: ['has invalid format'] }],
  ['offset=-1', { table: ["can't be blank"] }],
  ['offset=-1&table=%20', { table: ["can't be blank"] }],
  ['table=_val1d_schëmaΦ$.Φtàble&offset=-1', { table: [MISSING('_val1d_schëmaΦ$', 'Φtàble')] }],
  ['table=nonexistent&offset=-1', { table: [MISSING('public', 'nonexistent')] }],
  ['table=empty&offset=-1', { table: [MISSING('public', 'empty')] }],
  ['table=items&offset=0_0', { handle: ["can't be blank when offset != -1"] }],
  ['offset=-1&live=true', { live: ["can't be true when offset == -1"] }],
  ['offset=-1_0&live', { live: ["can't be true when offset == -1"] }],
  ['offset=now&live=true', { live: ["can't be true when offset is 'now'"] }],
  ['offset=5_0&handle=H&live_sse=true', { live_sse: ["can't be true unless live is also true"] }],
  ['offset=5_0&handle=H&live_sse=', { live_sse: ["can't be true unless live is also true"] }],
  ['offset=5_0&handle=H&experimental_live_sse=1', { live_sse: ["can't be true unless live is also true"] }],
  ['table=items&offset=-1&columns=value', { columns: ['The list of columns must include all primary key columns, missing: id'] }],
  ['table=items&offset=-1&columns=id,invalid', { columns: ['The following columns are not found on the table: invalid'] }],
  ['table=items&offset=-1&columns=,,,', { columns: ['Invalid zero-length delimited identifier'] }],
  ['table=items&offset=-1&columns=id,', { columns: ['Invalid zero-length delimited identifier'] }],
  ['table=items&offset=-1&columns="id,"name"', { columns: ['Invalid unquoted identifier contains special characters: "id'] }],
  ['table=generated_key&offset=-1',
    { columns: [expect.stringMatching(/cannot be included in the shape: id\. You can exclude them/)] },
  ],
  ['table=sums&offset=-1&columns=id,total',
    { columns: ['The following columns are generated and cannot be included in the shape: total'] },
  ],
  ['table=users&offset=-1&queryable_columns=id,name&columns=id,name,secret_token',
    { columns: ['The following columns are not found on the table: secret_token'] },
  ],
  ['table=users&offset=-1&queryable_columns=name',
    { queryable_columns: ['The list of queryable columns must include all primary key columns, missing: id'] },
  ],
  ['table=users&offset=-1&queryable_columns=id,name&columns=secret_token',
    { columns: ['The list of columns must include all primary key columns, missing: id'] },
  ],
  ['table=users&offset=-1&queryable_columns=id,x',
    { queryable_columns: ['The following queryable columns are not found on the table: x'] },
  ],
  ['table=seen&offset=-1',
    {
      table: [
        '"public"."seen" is a view. Only tables can be served, partitioned ones too: ' +
          'no views, foreign, system, temporary or unlogged tables.',
      ],
    },
  ],
  [`table=${LONG}&offset=-1`, { table: ['Identifier is too long (max length is 63)'] }],
  ['table=a.b.c&offset=-1', { table: ['Invalid relation identifier, too many delimiters: a.b.c'] }],
  ['', { offset: ["can't be blank"] }],
  ['offset=&table=items', { offset: ["can't be blank"] }],
  ['offset=-1&table=items&replica=some', { replica: ['is invalid'] }],
  ['offset=-1&table=items&log=some', { log: ['is invalid'] }],
  ['offset=-1&table=items&move_outs=banana', { move_outs: ["must be 'events' or 'deletes'"] }],
  ['offset=-1&table=items&params=x', { params: ['is invalid'] }],
  ['offset=-1&table=items&params[]=x', { params: ['is invalid'] }],
  ['offset=-1&table=items&params[1][a]=x', { params: ['is invalid'] }],
  ['offset=-1&table=items&where[a]=x', { where: ['is invalid'] }],
  ['offset[a]=-1&table=items', { offset: ['is invalid'] }],
  ['offset=5_0&handle=H&experimental_live_sse=banana', { experimental_live_sse: ['is invalid'] }],
  ['offset=-1&table=items&experimental_compaction=banana', { experimental_compaction: ['is invalid'] }],
  ['offset=-1&table=a%00b', { table: ['is invalid'] }],
  ['replica=some&log=some&columns=,',
    {
      offset: ["can't be blank"],
      replica: ['is invalid'],
      log: ['is invalid'],
      columns: ['Invalid zero-length delimited identifier'],
    },
  ],
  ["table=items&offset=-1&where=nope='1'", { where: ['At location 0: unknown reference nope'] }],
  ['table=nonexistent&offset=-1&subset__anything=', { table: [MISSING('public', 'nonexistent')] }],
])('?%s is refused', async (query, errors) => {
  const response = await world.shape(query);
  expect(await told(response, 'content-type', 'cache-control', 'surrogate-control', 'electric-has-data', 'electric-handle')).toEqual({
    status: 400,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'surrogate-control': 'no-store',
    'electric-has-data': null,
    'electric-handle': null,
    body: { message: 'Invalid request', errors },
  });
});

const post = (body: string, query = 'table=items&offset=-1'): Promise<Response> => world.shape(query, { method: 'POST', body });

test.each([
  [JSON.stringify({ columns: ['id', ''] }),
    400,
    { message: 'Invalid request', errors: { columns: ['Invalid zero-length identifier'] } },
  ],
  ['not valid json', 400, { error: 'Invalid JSON in request body', details: expect.any(String) }],
  ['["an","array"]', 400, { error: 'Request body must be a JSON object' }],
  ['null', 400, { error: 'Request body must be a JSON object' }],
  [JSON.stringify({ filler: 'x'.repeat(8_000_000) }), 413, { error: 'Request body too large' }],
  [JSON.stringify({ live: 1 }), 400, { message: 'Invalid request', errors: { live: ["can't be true when offset == -1"] } }],
  [JSON.stringify({ live: {} }), 400, { message: 'Invalid request', errors: { live: ['is invalid'] } }],
  [JSON.stringify({ subset: {}, offset: 'x' }), 400, { message: 'Invalid request', errors: { offset: ['has invalid format'] } }],
])('a POST of %s is refused', async (body, status, answer) => {
  expect(await told(await post(body), 'cache-control', 'content-type')).toEqual({
    status,
    'cache-control': 'no-cache',
    'content-type': 'application/json; charset=utf-8',
    body: answer,
  });
});

test.each([
  ['an empty body', ''],
  ['an empty object', '{}'],
  ['a boolean that is false', '{"live":false}'],
  ['a strict flag that is a boolean', '{"experimental_compaction":true,"experimental_live_sse":false}'],
  ['what is null', '{"columns":null,"replica":null,"log":null,"live":null,"live_sse":null,"handle":null}'],
  ['literal column names', '{"columns":["value","id"]}'],
])('a POST with %s reads the log, and no cache keeps it', async (_what, body) => {
  const response = await post(body);
  expect(await told(response, 'cache-control', 'electric-offset')).toMatchObject({
    status: 200,
    'cache-control': 'no-cache',
    'electric-offset': '0_0',
  });
});

test('a body wins over the query, and its offset at the top is not the log\'s', async () => {
  const response = await post(JSON.stringify({ table: 'serial_ids', offset: 7, order_by: 'id' }), 'table=nonexistent&offset=-1');
  const [{ reader, query } = {}] = world.subsets.asked;
  expect([response.status, reader?.from(SNAPSHOT_END), query?.offset]).toEqual([200, '0_0', 7]);
});

test.each([
  ['queryable_columns=id,name', ['id', 'name']],
  ['queryable_columns=id,name&columns=id', ['id']],
])('?%s bounds what is selected', async (query, columns) => {
  const response = await world.shape(`table=users&offset=-1&${query}`);
  expect([response.status, Object.keys(JSON.parse(response.headers.get('electric-schema') ?? '{}') as object)]).toEqual([200, columns]);
});

test.each([
  'replica=default',
  'log=full',
  'live=false',
  'live_sse=false',
  'experimental_live_sse=0',
  'experimental_live_sse=false',
  'experimental_compaction=0',
  'experimental_compaction=false',
  'where=%20',
])('?%s says what is meant without it', async (query) => {
  const responses = [await world.shape('table=items&offset=-1'), await world.shape(`table=items&offset=-1&${query}`)];
  const [handle, ...others] = responses.map(({ headers }) => headers.get('electric-handle'));
  expect([responses.map(({ status }) => status), others]).toEqual([[200, 200], [handle]]);
});

test('another value of a parameter is another shape, and the same one is the same', async () => {
  const values = ['a', 'b', 'a'].map((value) => world.shape(`table=items&offset=-1&where=value=$1&params[1]=${value}`));
  const [first, other, again] = (await Promise.all(values)).map(({ headers }) => headers.get('electric-handle'));
  expect([first === other, first === again]).toEqual([false, true]);
});

test.each(['replica=full', 'log=changes_only'])('?%s asks for another shape', async (query) => {
  const responses = [await world.shape('table=items&offset=-1'), await world.shape(`table=items&offset=-1&${query}`)];
  const [handle, other] = responses.map(({ headers }) => headers.get('electric-handle'));
  expect([responses.map(({ status }) => status), handle === other]).toEqual([[200, 200], false]);
});

test('unknown parameters are ignored', async () => {
  const response = await world.shape('table=items&offset=-1&unrelated=foo&foo[bar]=1&cursor=x&expired_handle=h&cache-buster=1');
  expect(response.status).toBe(200);
});
