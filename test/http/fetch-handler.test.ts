/** Requests of the web are answered as those over the socket are, and leave as little behind. */
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { itemLine } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld, type HttpWorldOptions } from '../support/http/http-world.ts';

const BASE = 'http://app.example/any/path/of/the/program';
const ROWS = ['1', '2'].map((id) => itemLine(id, 'v'));
const LONG_ROWS = ['1', '2'].map((id) => itemLine(id, 'v'.repeat(2_000)));
/** What differs between two answers to the same request, or belongs to a connection. */
const APART = ['x-request-id', 'date', 'connection', 'keep-alive', 'transfer-encoding', 'access-control-allow-methods'];

let world: HttpWorld;
let handle: string;

afterEach(() => world.close());

async function start(options: HttpWorldOptions = {}): Promise<void> {
  world = await startHttpWorld({ rows: ROWS, ...options });
  const response = await world.shape('table=items&offset=-1');
  await response.text();
  handle = response.headers.get('electric-handle') ?? '';
}

async function comparable(response: Response): Promise<object> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !APART.includes(name)));
  return { status: response.status, headers, body: await response.text() };
}

interface Asked {
  readonly what: string;
  readonly query: string;
  readonly init?: RequestInit & { duplex?: 'half' };
}

const ASKED: readonly Asked[] = [
  { what: 'a snapshot', query: 'table=items&offset=-1' },
  { what: 'a snapshot of a client that takes gzip', query: 'table=items&offset=-1', init: { headers: { 'accept-encoding': 'gzip' } } },
  { what: 'the headers of a snapshot', query: 'table=items&offset=-1', init: { method: 'HEAD' } },
  { what: 'a mistake', query: 'table=items&offset=nonsense' },
  { what: 'a handle that nobody knows', query: 'table=items&offset=0_0&handle=unknown' },
  {
    what: 'parameters in a body',
    query: 'offset=-1',
    init: { method: 'POST', body: '{"table":"items","columns":["id","value"]}' },
  },
  { what: 'a body that is no JSON', query: 'offset=-1', init: { method: 'POST', body: '{"table":' } },
  {
    what: 'a preflight',
    query: '',
    init: { method: 'OPTIONS', headers: { origin: 'http://other', 'access-control-request-headers': 'if-none-match' } },
  },
  { what: 'a verb that there is not', query: 'table=items&offset=-1', init: { method: 'PUT' } },
];

test.each(ASKED)('$what is answered with the same status, headers and body', async ({ query, init }) => {
  await start();

  const overSocket = await comparable(await world.shape(query, init));
  const handled = await comparable(await world.handler()(new Request(`${BASE}?${query}`, init)));

  expect(handled).toEqual(overSocket);
});

test.each([
  { what: 'read', take: (request: Request) => request.text() },
  { what: 'being read', take: (request: Request) => Promise.resolve(request.body?.getReader()) },
])('a body that was $what before is refused to the program, and leaves nothing behind', async ({ take }) => {
  await start();
  const [taken, takenLater] = [1, 2].map(() => new Request(`${BASE}?offset=-1`, { method: 'POST', body: '{"table":"items"}' }));
  await take(taken!);
  const taking = world.handler({ authorize: async (request) => (await take(request), {}) });

  const refused = await world.handler()(taken!).catch(String);
  const { status } = await taking(takenLater!);
  world.clock.advance(30_000);

  expect({ refused, status, failures: world.failures.map(String), load: world.api.load() }).toEqual({
    refused: expect.stringContaining('TypeError: The body of this request'),
    status: 500,
    failures: [refused],
    load: { initial: 0, existing: 0, parked: 0 },
  });
});

test('what a client holds is not sent again', async () => {
  await start();
  world.append(handle, 100, itemLine('3', 'v'));
  const url = `${BASE}?table=items&offset=0_0&handle=${handle}`;
  const ask = (headers: Record<string, string>) => world.handler()(new Request(url, { headers }));
  const etag = (await ask({})).headers.get('etag') ?? '';

  const again = await ask({ 'if-none-match': etag });

  expect({ status: again.status, body: again.body }).toEqual({ status: 304, body: null });
});

test.each([{ streams: false }, { streams: true }])('a long body is coded for who takes that, $streams', async ({ streams }) => {
  await start({ rows: LONG_ROWS, streams });
  const response = await world.handler()(new Request(`${BASE}?table=items&offset=-1`, { headers: { 'accept-encoding': 'gzip' } }));

  const rows = JSON.parse(gunzipSync(Buffer.from(await response.arrayBuffer())).toString()) as unknown[];

  expect({ coding: response.headers.get('content-encoding'), first: rows[0] }).toEqual({
    coding: 'gzip',
    first: JSON.parse(LONG_ROWS[0] ?? ''),
  });
});

test('a live request is answered when there is news', async () => {
  await start();
  world.append(handle, 100, itemLine('3', 'v'));
  const answer = world.handler()(new Request(`${BASE}?table=items&offset=100_0&handle=${handle}&live=true`));
  await world.untilParked(1);

  world.append(handle, 200, itemLine('4', 'v'));

  const [row] = (await (await answer).json()) as unknown[];
  await world.until(() => world.api.load().existing === 0);
  expect(row).toEqual(JSON.parse(itemLine('4', 'v')));
});

test('an event stream comes as it happens, and ends when its reader leaves', async () => {
  await start();
  world.append(handle, 100, itemLine('3', 'v'));
  const query = `table=items&offset=100_0&handle=${handle}&live=true&live_sse=true`;
  const response = await world.handler()(new Request(`${BASE}?${query}`));
  const reader = response.body!.getReader();
  await world.untilParked(1);

  world.append(handle, 200, itemLine('4', 'v'));
  const { value } = await reader.read();
  await reader.cancel();
  await world.untilParked(0);

  expect({
    type: response.headers.get('content-type'),
    event: new TextDecoder().decode(value).split('\n')[0],
    load: world.api.load(),
  }).toEqual({
    type: 'text/event-stream',
    event: `data: ${itemLine('4', 'v')}`,
    load: { initial: 0, existing: 0, parked: 0 },
  });
});

test('a request that is aborted leaves nothing behind, before and while it waits', async () => {
  await start();
  world.append(handle, 100, itemLine('3', 'v'));
  const url = `${BASE}?table=items&offset=100_0&handle=${handle}&live=true`;
  const leaving = new AbortController();
  const parked = world.handler()(new Request(url, { signal: leaving.signal }));
  await world.untilParked(1);

  leaving.abort();
  const statuses = [(await parked).status, (await world.handler()(new Request(url, { signal: AbortSignal.abort() }))).status];
  await world.until(() => world.api.load().existing === 0);

  expect({ statuses, load: world.api.load() }).toEqual({ statuses: [499, 499], load: { initial: 0, existing: 0, parked: 0 } });
});

test('who takes nothing of his answer is cut off', async () => {
  await start({ rows: ['1', '2'].map((id) => itemLine(id, 'v'.repeat(200_000))) });
  const response = await world.handler()(new Request(`${BASE}?table=items&offset=-1`));

  await world.until(() => {
    world.clock.advance(30_000);
    return world.cutOff.length > 0;
  });

  await expect(response.text()).rejects.toThrow('broken off');
});

test('what is done with the bytes of an answer changes nobody else\'s', async () => {
  await start({ rows: LONG_ROWS });
  const read = () => world.handler()(new Request(`${BASE}?table=items&offset=-1`));
  for await (const piece of (await read()).body!) piece.fill(0);

  const again = (await (await read()).json()) as unknown[];

  expect(again[0]).toEqual(JSON.parse(LONG_ROWS[0] ?? ''));
});

test('the secret of the service is asked for as over its port', async () => {
  await start();
  const guarded = await startHttpWorld({ rows: ROWS, http: { secret: 'word' } });
  const ask = (query: string) => guarded.handler()(new Request(`${BASE}?table=items&offset=-1${query}`));

  const statuses = [(await ask('')).status, (await ask('&secret=word')).status];
  await guarded.close();

  expect(statuses).toEqual([401, 200]);
});

test('a service that stops answers who waits, waits for who reads, and then refuses', async () => {
  await start();
  world.append(handle, 100, itemLine('3', 'v'));
  const handler = world.handler();
  const answer = handler(new Request(`${BASE}?table=items&offset=100_0&handle=${handle}&live=true`));
  await world.untilParked(1);

  const closed = world.close();
  const meanwhile = await handler(new Request(`${BASE}?table=items&offset=-1`));
  const waited = await answer;
  const body = await waited.json() as unknown[];
  await closed;
  const late = await handler(new Request(`${BASE}?table=items&offset=-1`));

  expect({
    waited: waited.status,
    count: body.length,
    refused: [meanwhile, late].map(({ status, headers }) => [status, headers.get('retry-after')]),
  }).toEqual({ waited: 200, count: 1, refused: [[503, '1'], [503, '1']] });
});

test('who waits still when the service has no more time is told to come again', async () => {
  await start();
  let isAsked = false;
  const authorize = () => new Promise<never>(() => (isAsked = true));
  const answer = world.handler({ authorize })(new Request(`${BASE}?table=items&offset=-1`));
  await world.until(() => isAsked);

  const closed = world.close();
  world.clock.advance(1000);
  await closed;

  const { status, headers } = await answer;
  expect([status, headers.get('retry-after')]).toEqual([503, '1']);
});
