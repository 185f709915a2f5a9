/** The wire: long-polls, their cursors and tags; and that nothing of a client that went stays behind. */
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { itemLine, LONG_POLL_MS, upToDateMessage } from '../support/http/api-world.ts';
import { startHttpWorld, told, type HttpWorld, type HttpWorldOptions } from '../support/http/http-world.ts';

const LIVE_CACHE = 'public, max-age=5, stale-while-revalidate=5';
const MUST_REFETCH = [{ headers: { control: 'must-refetch' } }];
const line = (id: string): string => itemLine(id, 'v');
const items = (...ids: readonly string[]): object[] => ids.map((id) => JSON.parse(line(id)));

let world: HttpWorld;
let handle: string;

/** A world with a shape of all items, whose log has ended with row 1 at LSN 100. */
async function start(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  world = await startHttpWorld(options);
  const response = await world.shape('table=items&offset=-1');
  await response.text();
  handle = response.headers.get('electric-handle') ?? '';
  world.append(handle, 100, line('1'));
  return world;
}

function poll(offset = '100_0', more = '', init?: RequestInit): Promise<Response> {
  return world.shape(`table=items&offset=${offset}&handle=${handle}&live=true${more}`, init);
}

afterEach(() => world.close());

test('a row wakes the poll, with live headers and its own LSN', async () => {
  await start();
  world.processed = '900' as typeof world.processed;
  const response = poll();
  await world.untilParked(1);
  world.append(handle, 200, line('2'));

  const names = [
    'electric-offset',
    'electric-schema',
    'electric-up-to-date',
    'electric-has-data',
    'cache-control',
    'etag',
    'content-length',
  ];
  const body = [...items('2'), upToDateMessage(200)];
  expect(await told(await response, ...names)).toEqual({
    status: 200,
    'electric-offset': '200_0',
    'electric-schema': null,
    'electric-up-to-date': '',
    'electric-has-data': 'true',
    'cache-control': LIVE_CACHE,
    etag: `"${handle}:100_0:200_0"`,
    'content-length': String(JSON.stringify(body).length),
    body,
  });
});

test('a poll that hears nothing says so when its time is over', async () => {
  await start();
  world.processed = '900' as typeof world.processed;
  const response = poll();
  await world.untilParked(1);
  world.clock.advance(LONG_POLL_MS);

  const names = ['electric-offset', 'electric-up-to-date', 'electric-has-data', 'cache-control', 'etag'];
  expect(await told(await response, ...names)).toEqual({
    status: 200,
    'electric-offset': '100_0',
    'electric-up-to-date': '',
    'electric-has-data': 'false',
    'cache-control': LIVE_CACHE,
    etag: expect.stringMatching(new RegExp(`^"${handle}:100_0:100_0:\\d+"$`)),
    body: [upToDateMessage(900)],
  });
});

test.each(['&live', '&live=', '&live=0', '&live=banana'])('%s waits', async (flag) => {
  await start();
  const response = world.shape(`table=items&offset=100_0&handle=${handle}${flag}`);
  await world.untilParked(1);
  world.clock.advance(LONG_POLL_MS);
  expect((await response).status).toBe(200);
});

test('live=false does not wait', async () => {
  await start();
  const response = await world.shape(`table=items&offset=100_0&handle=${handle}&live=false`);
  expect(await told(response, 'electric-cursor', 'electric-has-data')).toMatchObject({
    'electric-cursor': null,
    'electric-has-data': 'true',
    body: [upToDateMessage(100)],
  });
});

test('what is there already is given at once', async () => {
  await start();
  expect(await told(await poll('0_inf'), 'electric-offset', 'cache-control')).toEqual({
    status: 200,
    'electric-offset': '100_0',
    'cache-control': LIVE_CACHE,
    body: [...items('1'), upToDateMessage(100)],
  });
});

/** While a poll asks for its table, which is not certain, what `meanwhile` does happens, and the poll goes on. */
async function pollAround(meanwhile: () => void): Promise<object> {
  const { catalog } = world;
  catalog.isInDoubt = true;
  const lookUp = catalog.relation.bind(catalog);
  catalog.relation = async (schema, name) => {
    const found = await lookUp(schema, name);
    meanwhile();
    return found;
  };
  return await told(await poll(), 'electric-offset');
}

test('a change that comes between a poll and its wait is given', async () => {
  await start();
  expect(await pollAround(() => world.append(handle, 200, line('2')))).toEqual({
    status: 200,
    'electric-offset': '200_0',
    body: [...items('2'), upToDateMessage(200)],
  });
});

test('a shape that ends between a poll and its wait is over for the poll', async () => {
  await start();
  expect(await pollAround(() => world.directory.remove(handle))).toEqual({ status: 409, 'electric-offset': null, body: MUST_REFETCH });
});

test('a log that ends before where its poll waits is another one', async () => {
  await start();
  const answer = poll();
  await world.untilParked(1);
  await world.directory.goBack(handle);
  world.clock.advance(LONG_POLL_MS);
  expect(await told(await answer, 'electric-offset')).toEqual({ status: 409, 'electric-offset': null, body: MUST_REFETCH });
});

test('a poll gets one chunk at a time', async () => {
  await start({ chunkBytesMax: 10 });
  world.append(handle, 200, line('2'));
  expect(await told(await poll('0_inf'), 'electric-offset', 'electric-up-to-date')).toEqual({
    status: 200,
    'electric-offset': '100_0',
    'electric-up-to-date': null,
    body: items('1'),
  });
});

test('several transactions may come in one answer', async () => {
  await start();
  const response = poll();
  await world.untilParked(1);
  world.append(handle, 200, line('2'), line('3'));
  world.append(handle, 300, line('4'));
  expect(await told(await response, 'electric-offset')).toEqual({
    status: 200,
    'electric-offset': '300_0',
    body: [...items('2', '3', '4'), upToDateMessage(300)],
  });
});

test('a hundred readers of one shape get the same answer, under one cursor', async () => {
  await start();
  const responses = Array.from({ length: 100 }, () => poll());
  await world.untilParked(100);
  world.append(handle, 200, line('2'));
  const answers = await Promise.all(
    responses.map(async (response) => JSON.stringify(await told(await response, 'electric-cursor', 'etag'))),
  );
  expect({ different: new Set(answers).size, body: answers[0]?.includes('"id":"2"') }).toEqual({ different: 1, body: true });
});

test('a shape that is deleted ends its polls, and the first of them makes the next one for all', async () => {
  await start();
  const responses = Array.from({ length: 100 }, () => poll());
  await world.untilParked(100);
  world.directory.remove(handle);
  const answers = await Promise.all(responses.map(async (response) => told(await response, 'cache-control', 'electric-handle')));
  const [first] = answers;
  const next = await world.shape(`table=items&offset=-1&handle=${String(first?.['electric-handle'])}`);
  expect([new Set(answers.map((answer) => JSON.stringify(answer))).size, first, world.directory.created, world.directory.asked]).toEqual([
    1,
    {
      status: 409,
      'cache-control': 'public, max-age=60, must-revalidate',
      'electric-handle': next.headers.get('electric-handle'),
      body: MUST_REFETCH,
    },
    2,
    2,
  ]);
});

test('while no shape can be made, a poll that ends names none', async () => {
  await start();
  const response = poll();
  await world.untilParked(1);
  world.status.set('waiting');
  world.directory.remove(handle);
  expect(await told(await response, 'cache-control', 'electric-handle')).toEqual({
    status: 409,
    'cache-control': 'public, max-age=1, must-revalidate',
    'electric-handle': null,
    body: MUST_REFETCH,
  });
});

test('a rotation that has a successor already names it', async () => {
  await start();
  const response = poll();
  await world.untilParked(1);
  world.directory.remove(handle, 'next-1' as never);
  expect(await told(await response, 'cache-control', 'electric-handle')).toEqual({
    status: 409,
    'cache-control': 'public, max-age=60, must-revalidate',
    'electric-handle': 'next-1',
    body: MUST_REFETCH,
  });
});

test('a poll that ends asks for a shape that was made for others alone, and is led to it', async () => {
  const { directory } = await start();
  const response = poll();
  await world.untilParked(1);
  const definition = directory.definitionOf(handle as never);
  directory.remove(handle);
  const inner = definition && directory.createUnrequested(definition);

  expect([await told(await response, 'electric-handle'), directory.unrequested.size]).toEqual([
    { status: 409, 'electric-handle': inner, body: MUST_REFETCH },
    0,
  ]);
});

test('after a deletion the first request finds a new shape', async () => {
  await start();
  world.directory.remove(handle);
  const gone = await poll();
  const successor = gone.headers.get('electric-handle') ?? '';
  const again = await world.shape(`table=items&offset=-1&handle=${successor}`);
  expect([gone.status, successor !== handle, again.status, again.headers.get('electric-handle')]).toEqual([409, true, 200, successor]);
});

test.each(['starting', 'waiting'] as const)('a service that is %s at the end of a poll says so', async (level) => {
  await start();
  const response = poll();
  await world.untilParked(1);
  world.status.set(level);
  world.clock.advance(LONG_POLL_MS);
  expect(await told(await response, 'retry-after', 'cache-control')).toEqual({
    status: 503,
    'retry-after': '10',
    'cache-control': 'no-store',
    body: { code: 'not_up_to_date', message: world.status.why },
  });
});

test('an instance that waits, and shows what the one before it stores, ends a poll as that would', async () => {
  await start();
  world.status.followedAt = 'waiting';
  world.status.set('waiting');
  const response = poll();
  await world.untilParked(1);
  world.clock.advance(LONG_POLL_MS);
  expect((await response).status).toBe(200);
});

test('an offset beyond the end is refused after half a poll', async () => {
  await start();
  world.processed = '100' as typeof world.processed;
  const response = world.shape(`table=items&offset=500_0&handle=${handle}`);
  await world.untilParked(1);
  world.append(handle, 200, line('2'));
  world.clock.advance(LONG_POLL_MS / 2);
  expect(await told(await response)).toEqual({
    status: 400,
    body: { message: 'Invalid request', errors: { offset: ['out of bounds for this shape'] } },
  });
});

test.each([
  ['live', '&live=true', '500_0'],
  ['not live', '', '300_0'],
])('an offset beyond the end is served once the log has reached it, %s', async (_what, more, offset) => {
  await start();
  const response = world.shape(`table=items&offset=${offset}&handle=${handle}${more}`);
  await world.untilParked(1);
  world.append(handle, 300, line('3'));
  world.append(handle, 500, line('5'), line('6'));
  const [status, end] = [(await response).status, (await response).headers.get('electric-offset')];
  expect({ status, end }).toEqual({ status: 200, end: '500_2' });
});

test('an offset beyond a snapshot that has not begun is served once both have come', async () => {
  await start();
  world.directory.snapshots = 'held';
  const first = world.shape('table=wide&offset=-1');
  await world.until(() => world.directory.pending().length === 1);
  const [held = ''] = world.directory.pending();
  const response = world.shape(`table=wide&offset=300_0&handle=${held}`);
  await world.until(() => world.api.load().existing === 1);
  await world.directory.start(held as never);
  await (await first).text();
  await world.untilParked(1);
  world.append(held, 300, line('3'));
  expect((await response).status).toBe(200);
});

test.each(['one shape is', 'all shapes are'])(
  'while %s behind what was committed, no offset beyond the end is called wrong',
  async (who) => {
    await start();
    if (who === 'one shape is') {
      world.processed = '100' as typeof world.processed;
      world.leavePace(handle);
    }
    const response = world.shape(`table=items&offset=500_0&handle=${handle}`);
    await world.untilParked(1);
    world.clock.advance(LONG_POLL_MS / 2);
    expect(await told(await response, 'retry-after')).toMatchObject({
      status: 503,
      body: { message: expect.stringContaining('try again') },
    });
  },
);

test('an up-to-date tells where its shape waits, not how far the others have come', async () => {
  await start();
  world.processed = '900' as typeof world.processed;
  world.leavePace(handle);
  const alone = await told(await world.shape(`table=items&offset=100_0&handle=${handle}`));
  world.append(handle, 200, line('2'));
  const along = await told(await world.shape(`table=items&offset=200_0&handle=${handle}`));
  expect([alone['body'], along['body']]).toEqual([[upToDateMessage(100)], [upToDateMessage(900)]]);
});

test('an offset beyond the end of a service that is unwell is not called wrong', async () => {
  await start();
  const response = world.shape(`table=items&offset=500_0&handle=${handle}`);
  await world.untilParked(1);
  world.status.set('starting');
  world.clock.advance(LONG_POLL_MS / 2);
  expect(await told(await response, 'retry-after')).toEqual({
    status: 503, 'retry-after': '10', body: { code: 'not_up_to_date', message: world.status.why },
  });
});

test.each([
  ['a poll', '100_0', '&live=true'],
  ['a wait for an offset beyond the end', '500_0', ''],
])('%s whose shape goes is led to its successor, when somebody has asked for one already', async (_what, offset, more) => {
  await start();
  const response = world.shape(`table=items&offset=${offset}&handle=${handle}${more}`);
  await world.untilParked(1);
  const definition = world.directory.definitionOf(handle as never);
  world.directory.remove(handle);
  const creation = await world.directory.create(definition as never);
  expect(await told(await response, 'electric-handle')).toEqual({
    status: 409,
    'electric-handle': 'handle' in creation ? creation.handle : '',
    body: MUST_REFETCH,
  });
});

test('closing ends the wait for an offset beyond the end, and says nothing about the offset', async () => {
  await start();
  const response = world.shape(`table=items&offset=500_0&handle=${handle}`);
  await world.untilParked(1);
  await world.close();
  expect(await told(await response, 'retry-after')).toMatchObject({ status: 503, 'retry-after': '1' });
});

test('a shape that goes while an offset beyond its end is waited for leads to its successor', async () => {
  await start();
  const response = world.shape(`table=items&offset=500_0&handle=${handle}`);
  await world.untilParked(1);
  world.directory.remove(handle, 'next-1' as never);
  expect(await told(await response, 'electric-handle')).toEqual({ status: 409, 'electric-handle': 'next-1', body: MUST_REFETCH });
});

test('a poll with the etag of what it would wait behind gets a 304 at once', async () => {
  await start();
  const response = await poll('100_0', '', { headers: { 'if-none-match': `"${handle}:100_0:100_0"` } });
  const names = ['cache-control', 'etag', 'electric-offset', 'electric-up-to-date', 'electric-has-data'];
  expect({ ...(await told(response, ...names)), cursor: response.headers.has('electric-cursor') }).toEqual({
    status: 304,
    etag: `"${handle}:100_0:100_0"`,
    'cache-control': LIVE_CACHE,
    'electric-offset': '100_0',
    'electric-up-to-date': '',
    'electric-has-data': 'true',
    body: '',
    cursor: true,
  });
});

test('the cursor is the end of the window, and always another than before', async () => {
  await start();
  const [first, other] = [await poll('0_inf'), await poll('0_inf', '&cursor=')];
  const cursor = Number(first.headers.get('electric-cursor'));
  const later = await poll('0_inf', `&cursor=${cursor}`);
  const next = Number(later.headers.get('electric-cursor'));
  expect({
    isWindow: cursor % (LONG_POLL_MS / 1000) === 0,
    isShared: other.headers.get('electric-cursor') === String(cursor),
    isLater: next > cursor && next <= cursor + 3600,
  }).toEqual({ isWindow: true, isShared: true, isLater: true });
});

test('a client that goes while it waits leaves nothing behind', async () => {
  await start();
  const controllers = Array.from({ length: 20 }, () => new AbortController());
  const responses = controllers.map(({ signal }) => poll('100_0', '', { signal }).catch(() => 'gone'));
  await world.untilParked(20);
  const timers = world.clock.pendingTimers;
  for (const controller of controllers) controller.abort();
  await world.until(() => world.api.load().existing === 0);
  expect({ timers, gone: new Set(await Promise.all(responses)), load: world.api.load(), left: world.clock.pendingTimers }).toEqual({
    timers: 1, // They have it in common.
    gone: new Set(['gone']),
    load: { initial: 0, existing: 0, parked: 0 },
    left: 0,
  });
});

test('a client that goes while the service is not ready, or its shape has not begun, gives its permit back', async () => {
  await start();
  world.directory.snapshots = 'held';
  const controller = new AbortController();
  const held = world.shape('table=wide&offset=-1', { signal: controller.signal }).catch(() => 'gone');
  await world.until(() => world.api.load().initial === 1 && world.directory.created === 2);
  world.status.set('starting');
  const early = world.shape('table=items&offset=-1', { signal: controller.signal }).catch(() => 'gone');
  await world.until(() => world.status.waitingCount === 1);
  controller.abort();
  await world.until(() => world.api.load().initial === 0);
  world.clock.advance(LONG_POLL_MS);
  expect([await held, await early, world.api.load(), world.failures]).toEqual(['gone', 'gone', { initial: 0, existing: 0, parked: 0 }, []]);
});

test('a client that stops in the middle of its request is answered by nobody', async () => {
  await start();
  const socket = connect(world.port, '127.0.0.1');
  socket.write(`POST /v1/shape?table=items&offset=-1 HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"col`);
  await world.until(() => world.clock.pendingTimers > 0);
  socket.destroy();
  await world.until(() => world.clock.pendingTimers === 0);
  expect([world.api.load(), world.failures]).toEqual([{ initial: 0, existing: 0, parked: 0 }, []]);
});

test('closing answers the polls that wait and then takes no more', async () => {
  await start();
  const response = poll();
  await world.untilParked(1);
  const closed = world.close();
  const answer = await told(await response, 'connection', 'electric-has-data');
  await closed;
  const refused = await poll().catch(() => 'refused');
  expect([answer, refused]).toEqual([
    { status: 200, connection: 'close', 'electric-has-data': 'false', body: [upToDateMessage(100)] },
    'refused',
  ]);
});

test('closing answers the polls that wait also when the rest of the service is down already', async () => {
  await start();
  const response = poll();
  await world.untilParked(1);
  world.status.set('starting');
  await world.close();
  expect((await response).status).toBe(200);
});

test('closing cuts off a stream that does not end', async () => {
  await start({ rows: [itemLine('1', 'v'.repeat(2_000))] });
  world.directory.snapshots = 'writing';
  const response = await world.shape('table=items&offset=-1&columns=id,value');
  const body = response.text().catch(() => 'cut off');
  const closed = world.close();
  world.clock.advance(1000);
  await closed;
  expect(await body).toBe('cut off');
});

test('a connection that never asks does not hold up the end', async () => {
  await start();
  const socket = connect(world.port, '127.0.0.1');
  const ended = new Promise((resolve) => socket.once('close', () => resolve('ended')));
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.resume();
  await world.close();
  expect(await ended).toBe('ended');
});
