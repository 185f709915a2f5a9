/** The wire: routes, CORS, authentication and health. */
import { afterEach, expect, test } from 'vitest';
import { startHttpWorld, told, type HttpWorld, type HttpWorldOptions } from '../support/http/http-world.ts';
import { itemLine, SNAPSHOT_END_MESSAGE } from '../support/http/api-world.ts';

const BASE = 'table=items&offset=-1';
const VARIANTS = ['/v1/shape/', '/v1//shape', '/v1/shape//', '/v1/%73hape'];
const EXPOSED =
  'electric-cursor,electric-handle,electric-has-data,electric-offset,electric-schema,electric-up-to-date,' +
  'electric-internal-known-error,electric-snapshot,retry-after';

let world: HttpWorld;

async function start(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  world = await startHttpWorld(options);
  return world;
}

afterEach(() => world.close());

test('the root answers that the server lives', async () => {
  const { get } = await start();
  expect(await told(await get('/'))).toEqual({ status: 200, body: '' });
});

test.each(['/nonexistent', '/v1', '/v1%2Fshape', '/v1/shape/x', '/%zz', '/__proto__'])('nothing is at %s', async (path) => {
  const { get } = await start();
  expect(await told(await get(path), 'access-control-allow-methods')).toEqual({
    status: 404,
    'access-control-allow-methods': 'GET, HEAD',
    body: 'Not found',
  });
});

test.each([
  ['PUT', '/v1/shape'],
  ['PATCH', '/v1/shape'],
  ['POST', '/v1/health'],
  ['OPTIONS', '/'],
])('%s %s is unknown, not forbidden', async (method, path) => {
  const { get } = await start();
  expect(await told(await get(path, { method }))).toEqual({ status: 404, body: 'Not found' });
});

test.each([
  { level: 'active', status: 200, cause: {} },
  { level: 'waiting', status: 202, cause: { cause: 'the test says so, to who may know' } },
  { level: 'starting', status: 202, cause: { cause: 'the test says so, to who may know' } },
] as const)('health says $level', async ({ level, status, cause }) => {
  const { get } = await start();
  world.status.set(level);

  expect(await told(await get('/v1/health'), 'content-type', 'cache-control')).toEqual({
    status,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-cache, no-store, must-revalidate',
    body: { status: level, ...cause },
  });
});

test.each([
  ['', 'the test says so'],
  ['?secret=wrong', 'the test says so'],
  ['?secret=S3cret', 'the test says so, to who may know'],
])('with a secret, health%s tells as much of the cause as may be known', async (query, cause) => {
  const { get } = await start({ http: { secret: 'S3cret' } });
  world.status.set('waiting');

  expect(await told(await get(`/v1/health${query}`))).toEqual({ status: 202, body: { status: 'waiting', cause } });
});

test('what is used of the limits is told by health to who has the secret, and to nobody else', async () => {
  const { get } = await start({ http: { secret: 'S3cret' } });
  const limits = { shapes: { used: 1, limit: 2 }, bytes: { used: 3 }, ended: { count: 0 }, refused: { count: 0 } };
  world.status.limited = limits;

  expect([await told(await get('/v1/health')), await told(await get('/v1/health?secret=S3cret'))]).toEqual([
    { status: 200, body: { status: 'active' } },
    { status: 200, body: { status: 'active', limits } },
  ]);
});

test.each(VARIANTS)('%s is the shape endpoint', async (path) => {
  const { get } = await start({ rows: [itemLine('1', 'a')] });
  expect(await told(await get(`${path}?${BASE}`), 'access-control-allow-methods')).toEqual({
    status: 200,
    'access-control-allow-methods': 'GET, POST, HEAD, DELETE, OPTIONS',
    body: [JSON.parse(itemLine('1', 'a')), SNAPSHOT_END_MESSAGE],
  });
});

test.each(['/v1/shape?table=items', '/v1/%73hape'])('OPTIONS %s is a preflight', async (path) => {
  const { get } = await start();
  const response = await get(path, { method: 'OPTIONS' });
  expect(
    await told(
      response,
      'access-control-allow-methods',
      'access-control-max-age',
      'connection',
      'cache-control',
      'access-control-allow-headers',
    ),
  ).toEqual({
    status: 204,
    'access-control-allow-methods': 'GET, POST, HEAD, DELETE, OPTIONS',
    'access-control-max-age': '86400',
    connection: 'keep-alive',
    'cache-control': null,
    'access-control-allow-headers': null,
    body: '',
  });
});

test.each([
  ['If-None-Match', 'If-None-Match'],
  ['content-type, x-other, authorization', 'content-type, authorization'],
  ['x-other', null],
  ['content-type, if-none-match, content-type', 'if-none-match, content-type'],
])('of the request headers %s a browser may send %s', async (asked, allowed) => {
  const { get } = await start();
  const response = await get('/v1/shape', { method: 'OPTIONS', headers: { 'access-control-request-headers': asked } });
  expect(response.headers.get('access-control-allow-headers')).toBe(allowed);
});

test.each(['/', '/nonexistent', '/v1/health', `/v1/shape?${BASE}`, '/v1/shape'])(
  '%s carries the CORS headers, a request id and the server',
  async (path) => {
    const { get } = await start();
    const id = 'a-request-id-of-a-decent-length';
    const response = await get(path, { headers: { origin: 'https://app.example', 'x-request-id': id } });
    expect(
      await told(response, 'access-control-allow-origin', 'access-control-expose-headers', 'x-request-id', 'electric-server'),
    ).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-expose-headers': EXPOSED,
      'x-request-id': id,
      'electric-server': 'ElectricSQL/test (Armature)',
    });
  },
);

test('without an origin everybody may read, and a short request id is replaced by a fresh one', async () => {
  const { get } = await start();
  const [first, second] = [await get('/', { headers: { 'x-request-id': 'short' } }), await get('/')];
  const ids = [first, second].map((response) => response.headers.get('x-request-id') ?? '');
  expect({
    origin: first.headers.get('access-control-allow-origin'),
    lengths: ids.map(({ length }) => length >= 20),
    differ: ids[0] !== ids[1],
  }).toEqual({ origin: '*', lengths: [true, true], differ: true });
});

test('HEAD gives the headers of GET and no body', async () => {
  const { shape } = await start({ rows: [itemLine('1', 'a')] });
  const headersOf = (response: Response): object => {
    // fetch itself asks for the connection to be closed after a HEAD.
    const {
      'x-request-id': _id,
      date: _date,
      connection: _connection,
      'keep-alive': _keepAlive,
      ...headers
    } = Object.fromEntries(response.headers);
    return headers;
  };
  const get = await shape(BASE);
  await get.text();
  const head = await shape(BASE, { method: 'HEAD' });
  expect({ status: head.status, headers: headersOf(head), body: await head.text() }).toEqual({
    status: 200,
    headers: headersOf(get),
    body: '',
  });
});

const SECRET = { http: { secret: 'S3cret' } };

test.each([
  ['GET', ''],
  ['GET', '&secret=wrong'],
  ['GET', '&secret=wrong&api_secret=S3cret'],
  ['GET', '&secret='],
  ['POST', ''],
  ['DELETE', ''],
])('%s with "%s" is not authorized', async (method, extra) => {
  const { shape } = await start(SECRET);
  expect(await told(await shape(BASE + extra, { method }), 'content-type', 'cache-control')).toEqual({
    status: 401,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    body: { message: 'Unauthorized - Invalid API secret' },
  });
});

test.each(['secret', 'api_secret'])('with the right %s a request is validated', async (name) => {
  const { shape } = await start(SECRET);
  expect((await shape(`${name}=S3cret`)).status).toBe(400);
});

test.each([
  ['Bearer S3cret', '', 200, 'authorization'],
  ['bearer  S3cret', '', 200, 'authorization'],
  ['Bearer S3cret', '&secret=S3cret', 200, null],
  ['Bearer S3cret', '&secret=wrong', 401, null],
  ['Bearer wrong', '', 401, null],
  ['Bearer ', '', 401, null],
  ['Basic S3cret', '', 401, null],
])('with "%s" and "%s" the answer is %i, and a cache must look at %s too', async (authorization, extra, status, vary) => {
  const { shape } = await start(SECRET);
  expect(await told(await shape(BASE + extra, { headers: { authorization } }), 'vary')).toMatchObject({ status, vary });
});

test.each(['utf8', 'latin1'] as const)('a secret of any characters is known in a header of %s', async (coding) => {
  const { shape } = await start({ http: { secret: 'Geheimnis-Ö' } });
  const authorization = Buffer.from('Bearer Geheimnis-Ö', coding).toString('latin1');
  expect((await shape(BASE, { headers: { authorization } })).status).toBe(200);
});

test('where everybody may ask, whatever a header says is the same to a cache', async () => {
  const { shape } = await start();
  expect((await shape(BASE, { headers: { authorization: 'Bearer of-somebody-else' } })).headers.get('vary')).toBeNull();
});

test.each([
  ['GET', '/', 200],
  ['GET', '/nonexistent', 404],
  ['GET', '/v1/health', 200],
  ['OPTIONS', '/v1/shape', 204],
])('%s %s needs no secret', async (method, path, status) => {
  const { get } = await start(SECRET);
  expect((await get(path, { method })).status).toBe(status);
});

test.each(VARIANTS.flatMap((path) => [['GET', path], ['DELETE', path]] as const))('%s %s needs the secret', async (method, path) => {
  const { get } = await start(SECRET);
  expect((await get(`${path}?${BASE}`, { method })).status).toBe(401);
});
