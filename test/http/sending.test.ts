/** How long a response may stand still: only for what the client does, never for what the service itself waits for. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sendResponse } from '../../src/http/send-response.ts';

let server: Server;
let client: Socket;
let response: ServerResponse;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
});

afterEach(async () => {
  client.destroy();
  server.close();
  await once(server, 'close');
});

/** Milliseconds that the connection may stand still before it is cut off; 0 for any time. */
const allowedMs = (): number => response.socket?.timeout ?? 0;

/** A body whose next piece comes when the test says so. */
function producer() {
  const asked: (() => void)[] = [];
  const given: ((piece: Uint8Array | undefined) => void)[] = [];
  async function* body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = new Promise<Uint8Array | undefined>((resolve) => given.push(resolve));
      asked.shift()?.();
      const piece = await next;
      if (piece === undefined) return;
      yield piece;
    }
  }
  return {
    body: body(),
    asked: () => new Promise<void>((resolve) => (given.length > 0 ? resolve() : asked.push(resolve))),
    give: (piece: Uint8Array | undefined) => given.shift()?.(piece),
  };
}

test('a body that is slow in coming may take its time, a client that does not read may not', async () => {
  const { body, asked, give } = producer();
  const sending = sendResponse(response, { status: 200, headers: [], body }, false);
  await asked();
  const beforeFirst = allowedMs();
  give(Buffer.from('a'));
  await asked();
  const between = allowedMs();
  give(Buffer.alloc(64 * 1024 * 1024)); // More than the sockets between us take.
  await expect.poll(allowedMs).toBe(30_000);
  client.resume();
  await asked();
  const drained = allowedMs();
  give(undefined);
  await sending;

  expect({ beforeFirst, between, drained, ended: allowedMs() }).toEqual({ beforeFirst: 0, between: 0, drained: 0, ended: 30_000 });
});
