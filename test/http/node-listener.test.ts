/** Behind a server of Node's own, whatever a client sends leaves its connection as good as it was. */
import { Agent, createServer, request, type IncomingMessage, type RequestOptions, type Server } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeListener } from '../../src/http/web/node-listener.ts';
import { rawConnection } from '../support/http/raw-connection.ts';

let server: Server;
let agent: Agent;
let failures: unknown[];

beforeEach(async () => {
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  failures = [];
  const handler = ({ method, url }: Request): Promise<Response> =>
    url.endsWith('/fails') ? Promise.reject(new Error('the handler fails')) : Promise.resolve(new Response(method, { status: 403 }));
  server = createServer(nodeListener(handler, (error) => void failures.push(String(error)))).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  agent.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function ask(options: RequestOptions, body = ''): Promise<unknown[]> {
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: '127.0.0.1', port, agent, ...options }).end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return [response.statusCode, await text(response), sent.reusedSocket];
}

test('a body that nobody wanted does not stand in the way of the next request', async () => {
  const refused = await ask({ method: 'POST' }, 'x'.repeat(500_000));

  const next = await ask({ method: 'GET' });

  expect([refused, next]).toEqual([[403, 'POST', false], [403, 'GET', true]]);
});

test('a body that goes on and on is answered, and its connection closed', async () => {
  const { port } = server.address() as AddressInfo;
  const client = await rawConnection(port, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n');

  client.socket.write('x'.repeat(2_000_000));

  expect((await client.said).split('\r\n')[0]).toBe('HTTP/1.1 403 Forbidden');
});

test.each([
  { what: 'a host with a password', options: { headers: { host: 'a:b@c' } } },
  { what: 'an address that is none', options: { path: 'http://[' } },
])('$what is the mistake of the client', async ({ options }) => {
  expect(await ask(options)).toEqual([400, '{"error":"Malformed request"}', false]);
});

test('what it answers by itself is kept by no cache', async () => {
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: '127.0.0.1', port, agent, path: 'http://[' }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();

  expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'surrogate-control': 'no-store' });
});

test('a handler that fails is 500, and whoever asked for it is told', async () => {
  const answer = await ask({ path: '/fails' });

  expect([answer, failures]).toEqual([[500, '{"error":"Internal server error"}', false], ['Error: the handler fails']]);
});
