/** One body on its way, over a real connection, by a clock that the test moves. */
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BodyArrival } from '../../src/http/bodies/body-arrival.ts';
import { incomingRequest, type IncomingRequest } from '../support/http/incoming-request.ts';
import { ManualClock } from '../support/manual-clock.ts';

const LIMITS = { bytesMax: 10, arrivalMsMax: 1000, stallMsMax: 400 };

let incoming: IncomingRequest;
let clock: ManualClock;
let arrival: BodyArrival;
let sizes: number[];
let heard: () => void;

beforeEach(async () => {
  incoming = await incomingRequest();
  clock = new ManualClock();
  sizes = [];
  arrival = new BodyArrival(incoming.request, clock, LIMITS, (size) => {
    sizes.push(size);
    heard();
  });
});

afterEach(() => incoming.close());

/** Resolves when the piece has come. */
function send(piece: string): Promise<void> {
  return new Promise((resolve) => {
    heard = resolve;
    incoming.write(piece);
  });
}

test('pieces that come in time are the body, and each is told', async () => {
  await send('abc');
  clock.advance(399);
  await send('de');
  clock.advance(399);
  incoming.end();
  expect([await arrival.outcome, sizes, clock.pendingTimers]).toEqual([{ bytes: Buffer.from('abcde') }, [3, 2], 0]);
});

test('a body that comes all the time, and does not end, is cut', async () => {
  for (const piece of ['a', 'b', 'c']) {
    clock.advance(300);
    await send(piece);
  }
  const before = clock.pendingTimers;
  clock.advance(100);
  expect([before, await arrival.outcome, clock.pendingTimers]).toEqual([2, expect.objectContaining({ status: 408 }), 0]);
});

test('a body that stands still after its first piece is cut', async () => {
  await send('a');
  clock.advance(400);
  expect(await arrival.outcome).toMatchObject({ status: 408, closes: true });
});

test('a body that is too large is cut at the piece that makes it so', async () => {
  await send('abcdefghij');
  incoming.write('k');
  expect([await arrival.outcome, sizes, clock.pendingTimers]).toEqual([expect.objectContaining({ status: 413, closes: false }), [10], 0]);
});

test('a client that goes in the middle of its body leaves nothing behind', async () => {
  await send('a');
  incoming.client.socket.destroy();
  expect([await arrival.outcome, clock.pendingTimers]).toEqual([undefined, 0]);
});

test('what is given up stays so: what comes then is dropped, and wakes no timer', async () => {
  await send('a');
  const refusal = { status: 503, body: '', closes: true } as const;
  arrival.giveUp(refusal);
  const over = once(incoming.request, 'end');
  incoming.write('b');
  incoming.end();
  await over;
  expect([await arrival.outcome, sizes, clock.pendingTimers]).toEqual([refusal, [1], 0]);
});
