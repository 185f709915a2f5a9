/** How long a response may stand still: only for what the client does, never for what the service itself waits for. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sendResponse } from '../../src/http/send-response.ts';
import { until } from '../support/http/http-world.ts';
import { ManualClock } from '../support/manual-clock.ts';

const SEND_STALL_MS = 30_000;

let server: Server;
let client: Socket;
let response: ServerResponse;
let clock: ManualClock;
let cutOff: number;

beforeEach(async () => {
  clock = new ManualClock();
  cutOff = 0;
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

const send = async (body: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Promise<void> =>
  await sendResponse(response, { status: 200, headers: [], body }, false, {
    clock, stallMsMax: SEND_STALL_MS, deflater: undefined, cutOff: () => (cutOff += 1),
  });
/** Somebody waits for the client. */
const waits = (): boolean => clock.pendingTimers > 0;

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
  const sending = send(body);
  await asked();
  clock.advance(1_000); // For so long it may be that more comes with what comes first.
  const beforeFirst = waits();
  give(Buffer.from('a'));
  await asked();
  const between = waits();
  give(Buffer.alloc(64 * 1024 * 1024)); // More than the sockets between us take.
  await expect.poll(waits).toBe(true);
  client.resume();
  await asked();
  const drained = waits();
  give(undefined);
  await sending;

  expect({ beforeFirst, between, drained, cutOff }).toEqual({ beforeFirst: false, between: false, drained: false, cutOff: 0 });
});

test.each([
  ['in memory', [Buffer.alloc(64 * 1024 * 1024)]],
  ['a stream', (async function* () {
    yield Buffer.alloc(64 * 1024 * 1024);
  })()],
])('of a large body %s little waits for its client, who is cut off when it takes nothing', async (_where, body) => {
  const sending = send(body);
  let held = -1;
  await until(() => {
    const stands = waits() && held === response.writableLength;
    held = response.writableLength;
    return stands;
  });
  clock.advance(SEND_STALL_MS - 1);
  const early = response.destroyed;
  clock.advance(1);
  await sending;
  expect({ isLittle: held < 256 * 1024, early, late: response.destroyed, cutOff, timers: clock.pendingTimers }).toEqual({
    isLittle: true, early: false, late: true, cutOff: 1, timers: 0,
  });
});

test('a client that takes a little again and again is given all the time that it needs', async () => {
  const sending = send([Buffer.alloc(64 * 1024 * 1024)]);
  client.on('data', () => clock.advance(SEND_STALL_MS / 100)); // The sockets between us hold much: they ask for more seldom.
  client.resume();
  await sending;
  expect({ cutOff, isPatient: clock.nowMs() > 5 * SEND_STALL_MS }).toEqual({ cutOff: 0, isPatient: true });
});
