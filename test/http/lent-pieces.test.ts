/** Memory that pieces of an answer were read into is used again, and not before their client has them. */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { lendBytes } from '../../src/base/lent-bytes.ts';
import { sendResponse } from '../../src/http/send-response.ts';

const PIECES = 60;
const PIECE_BYTES = 70_000;

async function* numberedPieces(): AsyncGenerator<Uint8Array> {
  for (let number = 0; number < PIECES; number += 1) yield lendBytes(PIECE_BYTES).fill(number);
}

test('a client that reads slowly gets each piece as it was', async () => {
  let held = (): number => 0;
  const server = createServer((_, response: ServerResponse) => {
    held = () => response.writableLength;
    const sending = { clock: systemClock, stallMsMax: 60_000, deflater: undefined, cutOff: () => {} };
    void sendResponse(response, { status: 200, headers: [], body: numberedPieces() }, false, sending);
  }).listen(0);
  await once(server, 'listening');
  const [response] = (await once(request({ port: (server.address() as AddressInfo).port }).end(), 'response')) as [IncomingMessage];
  await expect.poll(held).toBeGreaterThan(0); // Nobody reads: the system takes no more.

  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const whole = Buffer.concat(parts);
  server.close();

  const numbers = Array.from({ length: PIECES }, (_, number) => whole.subarray(number * PIECE_BYTES, (number + 1) * PIECE_BYTES));
  expect(numbers.map((piece) => [piece.length, [...new Set(piece)]])).toEqual(numbers.map((_, number) => [PIECE_BYTES, [number]]));
});
