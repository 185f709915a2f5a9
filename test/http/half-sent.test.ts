/** Requests that do not come to their end, and bytes of which no client library makes one: each is answered and none hangs. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { itemLine } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld } from '../support/http/http-world.ts';
import { rawConnection } from '../support/http/raw-connection.ts';

const SHAPE = '/v1/shape?table=items&offset=-1';
const READ_TIMEOUT_MS = 300;
const TOO_LARGE = 'Request line and headers are too large: what is long may stand in the body of a POST';
/** More than one server's worth of open files would be a matter of the machine. */
const SILENT = 5_000;

let world: HttpWorld;

beforeAll(async () => {
  const http = { readTimeoutMs: READ_TIMEOUT_MS, keepAliveTimeoutMs: READ_TIMEOUT_MS };
  world = await startHttpWorld({ rows: [itemLine('1', 'a')], http });
});

afterAll(() => world.close());

/** Status, content type and body of the only answer on a connection, once it has ended. */
async function answerTo(text: string): Promise<unknown> {
  const [head = '', body = ''] = (await (await rawConnection(world.port, text)).said).split('\r\n\r\n');
  const type = /content-type: ([^;\r]*)/i.exec(head)?.[1];
  return { status: Number(head.split(' ')[1]), type, body: type === 'application/json' ? JSON.parse(body) : body };
}

const refusal = (status: number, error: string): object => ({ status, type: 'application/json', body: { error } });

test.each([
  ['nothing', ''],
  ['a half line', 'GET /v1/sha'],
  ['a half head', `GET ${SHAPE} HTTP/1.1\r\nhost: x\r\nacc`],
])('a connection that says %s is told that it took too long, and ends', async (_what, text) => {
  expect(await answerTo(text)).toEqual(refusal(408, 'Request took too long'));
});

test('a head that comes byte by byte has no more time than others', async () => {
  const { socket, said } = await rawConnection(world.port, `GET ${SHAPE} HTTP/1.1\r\nhost: x\r\n`);
  await world.until(() => !socket.writable || !socket.write('x'));
  expect((await said).split('\r\n')[0]).toBe('HTTP/1.1 408 Request Timeout');
});

test('a body that stops is told so', async () => {
  expect(await answerTo(`POST ${SHAPE} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{`)).toEqual(refusal(408, 'Request took too long'));
});

test('a request that stops behind one that waits ends both: what said so would be taken for the answer of the first', async () => {
  const base = await world.get(SHAPE);
  await base.text();
  const poll = `/v1/shape?table=items&offset=0_0&handle=${base.headers.get('electric-handle') ?? ''}`;
  const end = (await world.get(poll)).headers.get('electric-offset') ?? '';
  const { said } = await rawConnection(world.port, `GET ${poll.replace('0_0', end)}&live=true HTTP/1.1\r\nhost: x\r\n\r\nGET / HT`);
  await world.untilParked(1);
  const heard = await said;
  await world.until(() => world.api.load().existing === 0);
  expect([heard, world.api.load()]).toEqual(['', { initial: 0, existing: 0, parked: 0 }]);
});

test('a connection that has had its answer and asks nothing more ends by itself', async () => {
  const { said } = await rawConnection(world.port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  expect((await said).split('\r\n')[0]).toBe('HTTP/1.1 200 OK');
});

test.each([
  ['a method that there is not', 'FETCH / HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'Malformed request'],
  ['no method at all', '\u0001\u0002\u0003\r\n\r\n', 400, 'Malformed request'],
  ['a version that there is not', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n', 400, 'Malformed request'],
  ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400, 'Malformed request'],
  ['a NUL in its path', 'GET /v1/sha\u0000pe HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'Malformed request'],
  ['a header that is folded', `GET ${SHAPE} HTTP/1.1\r\nhost: x\r\nx: a\r\n b\r\n\r\n`, 400, 'Malformed request'],
  ['a header that has no name', `GET ${SHAPE} HTTP/1.1\r\nhost: x\r\n: a\r\n\r\n`, 400, 'Malformed request'],
  ['a path of 300,000 characters', `GET /v1/shape?a=${'x'.repeat(300_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431, TOO_LARGE],
  ['a header of 300,000 characters', `GET ${SHAPE} HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(300_000)}\r\n\r\n`, 431, TOO_LARGE],
  ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n', 404, 'Not found'],
])('%s is refused in JSON', async (_what, text, status, error) => {
  expect(await answerTo(text)).toEqual(refusal(status, error));
});

const FROM_PAGE = 'host: x\r\norigin: https://app.example';

test.each([
  [408, `GET ${SHAPE} HTTP/1.1\r\n${FROM_PAGE}\r\nacc`],
  [408, `POST ${SHAPE} HTTP/1.1\r\n${FROM_PAGE}\r\ncontent-length: 10\r\n\r\n{`],
  [400, `GET ${SHAPE} HTTP/1.1\r\n${FROM_PAGE}\r\n: a\r\n\r\n`],
  [400, `POST ${SHAPE} HTTP/1.1\r\n${FROM_PAGE}\r\ntransfer-encoding: chunked\r\n\r\nx\r\n`],
  [413, `POST ${SHAPE} HTTP/1.1\r\n${FROM_PAGE}\r\ntransfer-encoding: chunked\r\n\r\n1;${'x'.repeat(300_000)}\r\n`],
  [431, `GET ${SHAPE}&a=${'x'.repeat(300_000)} HTTP/1.1\r\n${FROM_PAGE}\r\n\r\n`],
])('a page of another origin may read why it gets a %i, which no cache keeps', async (status, text) => {
  const head = (await (await rawConnection(world.port, text)).said).split('\r\n\r\n')[0]?.split('\r\n') ?? [];
  const needed = ['access-control-allow-origin: *', 'cache-control: no-store', 'surrogate-control: no-store', 'connection: close'];
  expect([head[0]?.split(' ')[1], head]).toEqual([String(status), expect.arrayContaining(needed)]);
});

test.each([
  ['an address as proxies send it', `GET http://elsewhere.example${SHAPE} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`],
  ['HTTP/1.0', `GET ${SHAPE} HTTP/1.0\r\n\r\n`],
  ['no host', `GET ${SHAPE} HTTP/1.1\r\nconnection: close\r\n\r\n`],
  ['an upgrade', `GET ${SHAPE} HTTP/1.1\r\nhost: x\r\nconnection: close, upgrade\r\nupgrade: websocket\r\n\r\n`],
  ['an encoding that is none', `GET ${SHAPE}&x=%zz%&y=%ff%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`],
])('%s is served', async (_what, text) => {
  const { said } = await rawConnection(world.port, text);
  expect(await said).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*content-type: application\/json[^]*"id":"1"[^]*\]/);
});

test.each([
  ['100-continue', ['100', '200']],
  ['the unexpected', ['200']],
])('who expects %s gets its answer', async (expectation, statuses) => {
  const head = `POST ${SHAPE} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\nexpect: ${expectation}\r\n\r\n`;
  const said = await (await rawConnection(world.port, `${head}{}`)).said;
  expect([...said.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(statuses);
});

test(`${SILENT} connections that say nothing keep nobody from an answer, and end by themselves`, async () => {
  const sockets: Socket[] = [];
  let ended = 0;
  for (let count = 0; count < SILENT; count += 1) {
    const socket = connect(world.port, '127.0.0.1').resume();
    socket.on('error', () => {}).on('close', () => (ended += 1));
    await new Promise((resolve) => socket.once('connect', resolve));
    sockets.push(socket);
  }
  const { status } = await world.get(SHAPE);
  await world.until(() => ended === SILENT);
  expect([status, world.api.load(), world.failures]).toEqual([200, { initial: 0, existing: 0, parked: 0 }, []]);
});
