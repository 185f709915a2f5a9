/** Bytes that no client library sends: each connection gets its own answers and no other, and one that says nothing costs nobody any. */
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { itemLine } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld } from '../support/http/http-world.ts';
import { rawConnection } from '../support/http/raw-connection.ts';

const SECRET = 'S3cret';
const BASE = `/v1/shape?table=items&offset=-1`;
const SMUGGLED = 'GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n';

let world: HttpWorld;

beforeAll(async () => {
  world = await startHttpWorld({ rows: [itemLine('1', 'a')], http: { secret: SECRET } });
});

afterAll(() => world.close());

/** The status of each answer on one connection, in their order. */
async function statuses(text: string): Promise<readonly number[]> {
  const { said } = await rawConnection(world.port, text);
  return [...(await said).matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

const post = (headers: string, body: string): string => `POST ${BASE}&secret=${SECRET} HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n${body}`;

test.each([
  ['a length and chunks', 'content-length: 4\r\ntransfer-encoding: chunked', `0\r\n\r\n${SMUGGLED}`],
  ['two lengths', 'content-length: 2\r\ncontent-length: 4', `{}${SMUGGLED}`],
  ['a length of two numbers', 'content-length: 2, 4', `{}${SMUGGLED}`],
  ['a length with a sign', 'content-length: +2', `{}${SMUGGLED}`],
  ['an encoding that nobody knows', 'transfer-encoding: xchunked', `0\r\n\r\n${SMUGGLED}`],
  ['chunks that are encoded once more', 'transfer-encoding: chunked, identity', `0\r\n\r\n${SMUGGLED}`],
  ['a chunk of no size', 'transfer-encoding: chunked', `x\r\n\r\n${SMUGGLED}`],
  ['a header with a blank in its name', 'content-length : 2', `{}${SMUGGLED}`],
  ['a header that a line feed ends', 'x: y\ntransfer-encoding: chunked', `0\r\n\r\n${SMUGGLED}`],
])('a request with %s ends its connection, and what stands behind it is no request', async (_what, headers, body) => {
  expect([await statuses(post(headers, body)), world.failures, world.api.load().existing]).toEqual([[400], [], 0]);
});

test('requests that come in one piece are answered in their order, each by its own right', async () => {
  const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`;
  const text = [get(`${BASE}&secret=${SECRET}`), get(BASE), get('/nonexistent'), get('/v1/health', 'connection: close\r\n')].join('');
  expect(await statuses(text)).toEqual([200, 401, 404, 200]);
});

const WAITS = ['live=true', 'live=true&live_sse=true'];

/** A request that waits until something happens. */
async function waiting(wait: string): Promise<string> {
  const opened = await world.get(`${BASE}&secret=${SECRET}`);
  await opened.text();
  const path = `/v1/shape?table=items&offset=0_inf&handle=${opened.headers.get('electric-handle')}&secret=${SECRET}&${wait}`;
  return `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
}

test.each(WAITS)('of requests behind each other (%s) only the first is looked at, and all end with their connection', async (wait) => {
  const { socket, said } = await rawConnection(world.port, (await waiting(wait)).repeat(3));
  await world.untilParked(1);
  const { existing } = world.api.load();
  socket.destroy();
  await said;
  await world.untilParked(0);
  const left = { load: world.api.load(), timers: world.clock.pendingTimers, failures: world.failures };
  expect({ existing, ...left }).toEqual({ existing: 1, load: { initial: 0, existing: 0, parked: 0 }, timers: 0, failures: [] });
});

test('shapes that were asked for behind a request that waits are not made when their client has gone', async () => {
  const made = world.directory.asked;
  const path = `${BASE}&secret=${SECRET}&where=value`;
  const shapes = Array.from({ length: 20 }, (_, value) => `GET ${path}='${value}' HTTP/1.1\r\nhost: x\r\n\r\n`);
  const { socket, said } = await rawConnection(world.port, [await waiting('live=true'), ...shapes].join('').replaceAll("'", '%27'));
  await world.untilParked(1);
  socket.destroy();
  await said;
  await world.untilParked(0);
  await world.get(`${BASE}&secret=${SECRET}`);
  expect(world.directory.asked - made).toBe(0);
});

test('of requests that wait behind each other there are few: a connection that brings more ends', async () => {
  const health = 'GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n';
  const { said, socket } = await rawConnection(world.port, (await waiting('live=true')) + health.repeat(200));
  const answered = await said;
  await world.untilParked(0);
  expect([answered, socket.destroyed, world.failures]).toEqual(['', true, []]);
});

test('a connection brings any number of requests, few at a time, and is told what is wrong with the last one', async () => {
  const { said, socket } = await rawConnection(world.port, '');
  let answered = 0;
  socket.on('data', (bytes) => (answered += bytes.toString().split('HTTP/1.1 200').length - 1));
  for (let asked = 2; asked <= 80 && !socket.destroyed; asked += 2) {
    socket.write('GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2));
    await world.until(() => answered === asked || socket.destroyed);
  }
  socket.write('no request\r\n\r\n');
  expect([answered, (await said).match(/HTTP\/1\.1 \d+/g)?.at(-1)]).toEqual([80, 'HTTP/1.1 400']);
});

test('who is answered one request is told what is wrong with the next', async () => {
  const { said, socket } = await rawConnection(world.port, 'GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n');
  socket.once('data', () => socket.write('no request\r\n\r\n'));
  expect((await said).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
});

test.each(WAITS.flatMap((wait) => [[wait, 'CONNECT x:1 HTTP/1.1\r\n\r\n'], [wait, 'no request\r\n\r\n']]))(
  'behind a request that waits (%s), %j gets nothing that would be taken for the answer',
  async (wait, text) => {
    const { socket, said } = await rawConnection(world.port, await waiting(wait));
    await world.untilParked(1);
    socket.write(text);
    const answers = (await said).match(/HTTP\/1\.1 \d+/g) ?? [];
    await world.untilParked(0);
    expect([answers, world.failures]).toEqual([wait.includes('sse') ? ['HTTP/1.1 200'] : [], []]);
  },
);

test('a body is not read as the next request', async () => {
  expect(await statuses(post(`content-length: ${SMUGGLED.length}\r\nconnection: close`, SMUGGLED))).toEqual([400]);
});

test('a thousand connections that say nothing, or half a request, keep nobody from an answer', async () => {
  const sockets: Socket[] = [];
  for (let count = 0; count < 1000; count += 1) {
    const socket = connect(world.port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    if (count % 2 === 1) socket.write(`GET ${BASE} HTTP/1.1\r\nhos`);
    sockets.push(socket);
  }
  const answer = await world.get(`${BASE}&secret=${SECRET}`);
  for (const socket of sockets) socket.destroy();
  expect([answer.status, world.api.load(), world.failures]).toEqual([200, { initial: 0, existing: 0, parked: 0 }, []]);
});

test('headers that say anything are answered, and none of them opens what is closed', async () => {
  const names = ['authorization', 'origin', 'if-none-match', 'x-request-id', 'accept', 'accept-encoding', 'cookie', 'content-type'];
  const value = fc.oneof(
    fc.constantFrom('Bearer', 'Bearer wrong', 'Bearer S3cret2', 'null', '"a","b', '*', 'W/"x"', ',', 'gzip, br;q=-1'),
    fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 300 }),
  );
  const headers = fc.dictionary(fc.constantFrom(...names), value.map((text) => text.trim()), { maxKeys: 8 });
  await fc.assert(
    fc.asyncProperty(headers, async (sent) => {
      const [open, closed] = [await world.get(`${BASE}&secret=${SECRET}`, { headers: sent }), await world.get(BASE, { headers: sent })];
      const bodies = [await open.text(), await closed.text()];
      expect([open.status, closed.status, bodies[0]?.includes('"id":"1"'), JSON.parse(bodies[1] ?? '')]).toEqual([
        200,
        401,
        true,
        { message: 'Unauthorized - Invalid API secret' },
      ]);
    }),
    { numRuns: 200 },
  );
  expect(world.failures).toEqual([]);
});
