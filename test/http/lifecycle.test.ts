/** The wire: deletion, readiness, overload and faults. */
import { afterEach, expect, test } from 'vitest';
import type { Handle } from '../../src/model/shape.ts';
import { column, itemLine, key } from '../support/http/api-world.ts';
import { startHttpWorld, told, type HttpWorld, type HttpWorldOptions } from '../support/http/http-world.ts';

const BASE = 'table=items&offset=-1';
const NO_SHAPE = { message: 'No existing shape found' };

let world: HttpWorld;

async function start(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  world = await startHttpWorld(options);
  return world;
}

async function handleOf(query = BASE): Promise<string> {
  const response = await world.shape(query);
  await response.text();
  return response.headers.get('electric-handle') ?? '';
}

const remove = (query: string): Promise<Response> => world.shape(query, { method: 'DELETE' });

afterEach(() => world.close());

test('deletion has to be enabled', async () => {
  await start({ settings: { isDeletionEnabled: false } });
  expect(await told(await remove('table=items'), 'cache-control')).toEqual({
    status: 405,
    'cache-control': 'no-cache',
    body: { message: 'DELETE not allowed' },
  });
});

test.each([
  ['table=.invalid_shape', { table: ['Invalid zero-length delimited identifier'] }],
  ['', { handle: ["can't be blank when shape definition is missing"] }],
  ['table=items&live=banana', { live: ['is invalid'] }],
  ['table=items&live_sse=banana', { live_sse: ['is invalid'] }],
  ['table=items&experimental_live_sse=banana', { experimental_live_sse: ['is invalid'] }],
])('DELETE ?%s is refused', async (query, errors) => {
  await start();
  expect(await told(await remove(query), 'cache-control')).toEqual({
    status: 400,
    'cache-control': 'no-cache',
    body: { message: 'Invalid request', errors },
  });
});

test.each(['table=items', "table=items&where=value='a'", 'table=items&columns=id', 'table=items&replica=full&live=false'])(
  'a shape is deleted by its definition, ?%s',
  async (query) => {
    await start();
    const before = await handleOf(`${query}&offset=-1`);
    const deleted = await told(await remove(query), 'cache-control');
    const after = await handleOf(`${query}&offset=-1`);
    expect([deleted, after === before]).toEqual([{ status: 202, 'cache-control': 'no-cache', body: '' }, false]);
  },
);

test('a shape is deleted by its definition and its handle', async () => {
  await start();
  const handle = await handleOf();
  expect((await remove(`table=items&handle=${handle}`)).status).toBe(202);
});

test('a shape is deleted by its handle, once', async () => {
  await start();
  const handle = await handleOf();
  expect([await told(await remove(`handle=${handle}`)), await told(await remove(`handle=${handle}`))]).toEqual([
    { status: 202, body: '' },
    { status: 404, body: NO_SHAPE },
  ]);
});

test('a handle that belongs to another definition deletes nothing', async () => {
  await start();
  const [handle, other] = [await handleOf(), await handleOf('table=wide&offset=-1')];
  expect([(await remove(`table=items&handle=${other}`)).status, await handleOf(), await handleOf('table=wide&offset=-1')]).toEqual([
    400,
    handle,
    other,
  ]);
});

test('deleting what is not there makes nothing', async () => {
  await start();
  expect([await told(await remove('table=items')), world.directory.created]).toEqual([{ status: 404, body: NO_SHAPE }, 0]);
});

test.each(['GET', 'DELETE'])('%s waits five seconds for a service that is not ready', async (method) => {
  await start();
  world.status.set('starting');
  const response = world.shape(BASE, { method });
  await world.until(() => world.status.waitingCount === 1);
  world.clock.advance(5000);
  expect(await told(await response, 'retry-after', 'cache-control')).toEqual({
    status: 503,
    'retry-after': '5',
    'cache-control': method === 'GET' ? 'no-store' : 'no-cache',
    body: { message: 'Timeout waiting for Postgres lock acquisition' },
  });
});

test('a request that comes early is served once the service is ready', async () => {
  await start();
  world.status.set('starting');
  const response = world.shape(BASE);
  await world.until(() => world.status.waitingCount === 1);
  world.status.set('active');
  expect((await response).status).toBe(200);
});

test('a request to a service that sleeps waits until that is awake, and is told what is known then', async () => {
  await start();
  const handle = await handleOf();
  world.status.sleep();
  const response = world.shape(`table=items&offset=0_0&handle=${handle}`);
  await world.until(() => world.status.waitingCount === 1);
  world.status.wake();
  expect([(await response).status, world.status.uses]).toEqual([200, 2]);
});

test.each(['GET', 'DELETE'])('%s to one that does not wake in five seconds hears that it may not be up to date', async (method) => {
  await start();
  world.status.sleep();
  const response = world.shape(BASE, { method });
  await world.until(() => world.status.waitingCount === 1);
  world.clock.advance(5000);
  expect(await told(await response, 'retry-after')).toEqual({
    status: 503,
    'retry-after': '5',
    body: {
      code: 'not_up_to_date',
      message: 'What was changed while nobody used the database is still being followed. Please try again later.',
    },
  });
});

test('what is no request for a shape, or one that nobody could answer, does not wake', async () => {
  await start();
  world.status.sleep();
  const answers = await Promise.all([world.get('/v1/health'), world.shape('table=items&offset=banana')]);
  expect([answers.map(({ status }) => status), world.status.uses]).toEqual([[200, 400], 0]);
});

test('an instance that waits for the lock serves what is stored and makes nothing', async () => {
  await start();
  const handle = await handleOf();
  world.status.set('waiting');
  const stored = await world.shape(`table=items&offset=0_0&handle=${handle}`);
  const fresh = world.shape('table=wide&offset=-1');
  await world.until(() => world.status.waitingCount === 1);
  world.clock.advance(5000);
  expect([stored.status, (await fresh).status, world.directory.created]).toEqual([200, 503, 1]);
});

test('a reader whose shape is restored while the service becomes ready gets that log', async () => {
  await start();
  const handle = await handleOf();
  world.directory.unrestored.add(handle);
  world.status.set('waiting');
  const response = world.shape(`table=items&offset=0_0&handle=${handle}`);
  await world.until(() => world.status.waitingCount === 1);
  world.directory.unrestored.clear();
  world.status.set('active');
  expect([(await response).status, (await response).headers.get('electric-handle')]).toEqual([200, handle]);
});

test('a table that cannot be looked up is no mistake of the client', async () => {
  await start();
  world.catalog.isReachable = false;
  expect(await told(await world.shape(BASE), 'retry-after')).toEqual({
    status: 503,
    'retry-after': '1',
    body: { message: 'Cannot connect to the database to verify the shape. Please try again later.' },
  });
});

test('a reader of a stored shape waits for a table that cannot be looked up yet, and not for all else that a start takes', async () => {
  await start();
  const handle = await handleOf();
  world.catalog.isReachable = false;
  world.status.set('starting');
  world.status.meet('readable');
  const response = world.shape(BASE);
  await world.until(() => world.status.waitingCount === 1);
  world.catalog.isReachable = true;
  world.status.meet('connected');
  const { status, headers } = await response;
  expect([status, headers.get('electric-handle'), world.status.level()]).toEqual([200, handle, 'starting']);
});

test('a shape of other columns than the handle has is made by its table, and not by what is stored of that for the handle', async () => {
  await start();
  const first = await world.shape('table=wide&columns=id,value1&offset=-1');
  const held = first.headers.get('electric-handle');
  world.catalog.isReachable = false;
  world.status.set('starting');
  world.status.meet('readable');
  const response = world.shape(`table=wide&offset=0_0&handle=${held}`);
  await world.until(() => world.status.waitingCount === 1);
  world.catalog.isReachable = true;
  world.status.set('active');
  const { status, headers } = await response;

  const made = world.directory.definitionOf(headers.get('electric-handle') as Handle);
  expect([status, made?.columns]).toEqual([409, ['id', 'value1', 'value2', 'value3']]);
});

test('a shape that could not be made may be asked for again', async () => {
  await start();
  world.directory.refuses = true;
  expect(await told(await world.shape(BASE), 'retry-after')).toEqual({
    status: 503,
    'retry-after': '1',
    body: { message: 'Failed to create shape, please retry' },
  });
});

test.each([
  [
    { outcome: 'failed', message: 'Unable to create initial snapshot: must be owner of table items' },
    {
      status: 503,
      'retry-after': '10',
      'electric-internal-known-error': 'true',
      body: { message: 'Unable to create initial snapshot: must be owner of table items' },
    },
  ],
  [
    { outcome: 'filterFailed', code: '22012', message: 'division by zero' },
    {
      status: 400,
      'retry-after': null,
      'electric-internal-known-error': null,
      body: { code: '22012', message: 'Invalid request', errors: { where: ['division by zero'] } },
    },
  ],
  [
    { outcome: 'unexpected', message: 'Unexpected error while creating snapshot: boom' },
    {
      status: 500,
      'retry-after': null,
      'electric-internal-known-error': null,
      body: { message: 'Unexpected error while creating snapshot: boom' },
    },
  ],
  [
    { outcome: 'gone' },
    { status: 409, 'retry-after': null, 'electric-internal-known-error': null, body: [{ headers: { control: 'must-refetch' } }] },
  ],
] as const)('a snapshot that ended as %o is told so, and the next request starts fresh', async (start_, answer) => {
  await start();
  world.directory.snapshots = start_;
  const failed = await told(await world.shape(BASE), 'retry-after', 'electric-internal-known-error');
  world.directory.snapshots = { outcome: 'started' };
  expect([failed, (await world.shape(BASE)).status]).toEqual([answer, 200]);
});

test('a request waits for a snapshot that is slow to start, and so does another for the same shape', async () => {
  await start({ rows: [itemLine('1', 'a')] });
  world.directory.snapshots = 'held';
  const responses = [world.shape(BASE), world.shape(BASE)];
  await world.until(() => world.api.load().initial === 2 && world.directory.created === 1);
  const handle = [...world.directory.pending()][0];
  if (handle !== undefined) await world.directory.start(handle);
  expect(await Promise.all(responses.map(async (response) => (await response).headers.get('electric-handle')))).toEqual([handle, handle]);
});

test('a third reader of two is refused, a request for a new shape is not', async () => {
  await start({ settings: { maxConcurrentRequests: { initial: 1, existing: 2 } } });
  const handle = await handleOf();
  const live = `table=items&offset=0_inf&live=true&handle=${handle}`;
  const held = [world.shape(live), world.shape(live)];
  await world.untilParked(2);
  const third = await told(
    await world.shape(live),
    'retry-after',
    'electric-internal-known-error',
    'cache-control',
    'surrogate-control',
    'content-type',
  );
  const fresh = await world.shape('table=wide&offset=-1');
  world.append(handle, 100, itemLine('1', 'a'));

  expect([third, fresh.status, (await Promise.all(held)).map(({ status }) => status)]).toEqual([
    {
      status: 503,
      'retry-after': expect.stringMatching(/^([6-9]|10)$/),
      'electric-internal-known-error': 'true',
      'cache-control': 'no-store',
      'surrogate-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      body: {
        code: 'concurrent_request_limit_exceeded',
        message: 'Concurrent existing request limit exceeded (limit: 2), please retry',
      },
    },
    200,
    [200, 200],
  ]);
});

test.each(['', '&handle=dead'])(
  'with the initial requests full, one with "%s" makes no shape, one with a live handle is served',
  async (more) => {
    await start({ settings: { maxConcurrentRequests: { initial: 1, existing: 2 } } });
    const handle = await handleOf();
    world.directory.snapshots = 'held';
    const held = world.shape('table=wide&offset=-1');
    await world.until(() => world.directory.created === 2);
    const refused = await world.shape(`table=serial_ids&offset=-1${more}`);
    const served = await world.shape(`table=items&offset=0_0&handle=${handle}`);
    const made = world.directory.created;
    for (const waiting of world.directory.pending()) await world.directory.start(waiting);

    expect([refused.status, served.status, made, (await held).status]).toEqual([503, 200, 2, 200]);
  },
);

test('a request whose shape has started counts among the readers', async () => {
  await start({ rows: [itemLine('1', 'a'.repeat(2_000))] });
  world.directory.snapshots = 'writing';
  const streaming = await world.shape(BASE);
  expect([world.api.load(), streaming.status]).toEqual([{ initial: 0, existing: 1, parked: 0 }, 200]);
  await streaming.body?.cancel();
});

test('an error of ours tells nothing and gives the permit back', async () => {
  await start();
  world.catalog.add('broken', [key('id', 'int8'), column('value', 'text')]);
  const broken = world.catalog.relations.get('["public","broken"]');
  if (broken !== undefined) {
    Object.defineProperty(broken, 'columns', {
      get() {
        throw new Error('inner detail');
      },
    });
  }
  const answer = await told(await world.shape('table=broken&offset=-1'), 'cache-control');
  await world.until(() => world.api.load().initial === 0);
  expect([answer, world.failures]).toEqual([
    { status: 500, 'cache-control': 'no-store', body: { error: 'Internal server error' } },
    [new Error('inner detail')],
  ]);
});
