/** The wire: a poll that waits is told what it would be told without a wait, though next to nothing of it is kept meanwhile. */
import { afterEach, expect, test } from 'vitest';
import { forgetRequest } from '../../src/http/forgotten-request.ts';
import { itemLine, LONG_POLL_MS } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld, type HttpWorldOptions } from '../support/http/http-world.ts';
import { incomingRequest } from '../support/http/incoming-request.ts';
import { rawConnection } from '../support/http/raw-connection.ts';

const ID = 'given-by-the-client-itself';
/** So many are woken before the others have their turn. */
const IN_TURN_MAX = 256;
const LONG_ROW = itemLine('2', 'v'.repeat(5_000));

let world: HttpWorld;
let handle: string;

async function start(options: HttpWorldOptions = {}, init: RequestInit = {}): Promise<void> {
  world = await startHttpWorld(options);
  const response = await world.shape('table=items&offset=-1', init);
  await response.text();
  handle = response.headers.get('electric-handle') ?? '';
  world.append(handle, 100, itemLine('1', 'v'));
}

function poll(init: RequestInit = {}): Promise<Response> {
  return world.shape(`table=items&offset=100_0&handle=${handle}&live=true`, init);
}

/** All of it that does not depend on the moment. */
async function told(response: Response): Promise<unknown> {
  const headers = Object.fromEntries(response.headers);
  delete headers['date'];
  if (headers['x-request-id'] !== ID) delete headers['x-request-id'];
  return { status: response.status, headers, body: await response.text() };
}

afterEach(() => world.close());

const ASKED: Readonly<Record<string, { readonly row: string; readonly init: RequestInit; readonly http?: HttpWorldOptions['http'] }>> = {
  'who says nothing of himself': { row: itemLine('2', 'w'), init: { headers: { 'accept-encoding': 'identity' } } },
  'a page of another site': { row: itemLine('2', 'w'), init: { headers: { origin: 'https://example.com', 'x-request-id': ID } } },
  'who takes gzip': { row: LONG_ROW, init: { headers: { 'accept-encoding': 'br, gzip;q=0.5', origin: 'https://example.com' } } },
  'who takes none': { row: LONG_ROW, init: { headers: { 'accept-encoding': 'br, gzip;q=0' } } },
  'who wants the headers alone': { row: LONG_ROW, init: { method: 'HEAD' } },
  'who has the secret in a header': {
    row: itemLine('2', 'w'), init: { headers: { authorization: 'Bearer s3cret' } }, http: { secret: 's3cret' },
  },
};

test.each(Object.entries(ASKED))('%s is told the same behind a wait as behind a look at the table', async (_, { row, init, http }) => {
  await start(http === undefined ? {} : { http }, init.method === 'HEAD' ? {} : init);
  world.catalog.isInDoubt = true;
  const looked = poll(init);
  await world.untilParked(1);
  world.catalog.isInDoubt = false;
  const waited = poll(init);
  await world.untilParked(2);
  world.append(handle, 200, row);
  const [first, second] = await Promise.all([looked, waited].map(async (response) => told(await response)));

  expect({ second, failures: world.failures }).toEqual({ second: first, failures: [] });
});

test('of those who are told the same each gets a name of his own for it, and no two get the same one', async () => {
  await start();
  const polls = Array.from({ length: 300 }, () => poll());
  await world.untilParked(300);
  world.append(handle, 200, itemLine('2', 'w'));
  const answers = await Promise.all(polls);
  const ids = new Set(answers.map((response) => response.headers.get('x-request-id')));

  expect([ids.size, new Set(answers.map(({ status }) => status)), world.api.load().existing]).toEqual([300, new Set([200]), 0]);
});

test('bytes are told as they are, whatever they mean as text', async () => {
  await start();
  const text = 'Straße, \u{1F600} and \u{2028}';
  const response = poll();
  await world.untilParked(1);
  world.append(handle, 200, itemLine('2', text));
  const answer = await response;

  const length = Number(answer.headers.get('content-length'));
  const body = Buffer.from(await answer.arrayBuffer());
  expect([body.length, body.toString().includes(text)]).toEqual([length, true]);
});

test('clients that go while others are told leave nothing behind', async () => {
  await start();
  const request = `GET /v1/shape?table=items&offset=100_0&handle=${handle}&live=true HTTP/1.1\r\nhost: x\r\n\r\n`;
  const connections = await Promise.all(Array.from({ length: 600 }, () => rawConnection(world.port, request)));
  await world.untilParked(600);
  world.append(handle, 200, itemLine('2', 'w'));
  for (const { socket } of connections) socket.destroy();
  await world.until(() => world.api.load().existing === 0);

  expect({ load: world.api.load(), timers: world.clock.pendingTimers, failures: world.failures }).toEqual({
    load: { initial: 0, existing: 0, parked: 0 }, timers: 0, failures: [],
  });
});

test('a fault of ours that comes when its client has gone before its turn harms nobody', async () => {
  await start();
  const leaving = new AbortController();
  const url = `http://app.example/v1/shape?table=items&offset=100_0&handle=${handle}&live=true`;
  const signals = [...Array.from({ length: IN_TURN_MAX }, () => new AbortController().signal), leaving.signal];
  const answers = signals.map((signal) => world.handler()(new Request(url, { signal })));
  await world.untilParked(signals.length);
  Object.defineProperty(world, 'processed', {
    get() {
      throw new Error('a fault');
    },
  });
  world.clock.advance(LONG_POLL_MS);
  leaving.abort();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  await world.until(() => world.api.load().existing === 0);

  expect([new Set(statuses), statuses.at(-1)]).toEqual([new Set([500, 499]), 499]); // And no promise is left that nobody catches.
});

test('of a request that is forgotten nothing is left but who asks and whether he takes gzip', async () => {
  await start();
  const { request, close } = await incomingRequest({ origin: 'https://example.com', 'accept-encoding': 'br, gzip', cookie: 'long' });
  forgetRequest(request);
  const { headers, rawHeaders, url } = request;
  await close();

  expect({ headers, rawHeaders, url }).toEqual({
    headers: { origin: 'https://example.com', 'accept-encoding': 'gzip' }, rawHeaders: [], url: '',
  });
});
