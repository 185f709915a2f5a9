import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { nextTurn } from '../../../src/base/turn.ts';
import { LendingSocket } from '../../../src/postgres/connection/lending-socket.ts';

let closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing) close();
  closing = [];
});

async function pair(): Promise<{ readonly socket: LendingSocket; readonly peer: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = LendingSocket.make();
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [peer] = (await once(server, 'connection')) as [Socket];
  closing.push(() => socket.destroy(), () => peer.destroy(), () => server.close());
  return { socket, peer };
}

/** What a listener has kept of each read, as it is when all has come. */
async function keptOf(lends: boolean): Promise<readonly string[]> {
  const { socket, peer } = await pair();
  socket.lends = lends;
  const kept: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => kept.push(bytes));
  for (const text of ['one', 'two']) {
    const told = once(socket, 'data');
    peer.write(text);
    await told;
  }
  return kept.map(String);
}

test('who listens has bytes of his own, or for the call alone when he says so', async () => {
  expect([await keptOf(false), await keptOf(true)]).toEqual([['one', 'two'], ['two', 'two']]);
});

test('while it is paused nothing is told, and then all of it, up to the end', async () => {
  const { socket, peer } = await pair();
  const told: string[] = [];
  let pauses = 0;
  socket.lends = true;
  socket.on('data', (bytes: Buffer) => {
    told.push(String(bytes));
    socket.pause();
    nextTurn(() => {
      pauses += 1;
      socket.resume();
    });
  });
  const ended = once(socket, 'close');
  for (let index = 0; index < 20; index += 1) peer.write(`${index},`.padStart(50_000, '.'));
  peer.end();
  await ended;
  const text = told.join('');

  expect({ numbers: text.replaceAll('.', ''), length: text.length, paused: pauses > 10 }).toEqual({
    numbers: Array.from({ length: 20 }, (_, index) => `${index},`).join(''), length: 1_000_000, paused: true,
  });
});
