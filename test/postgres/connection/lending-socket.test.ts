import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { nextTurn } from '../../../src/base/turn.ts';
import { LendingSocket } from '../../../src/postgres/connection/lending-socket.ts';
import { frontendMessage, type RawWire, takeOver, type WireHandler } from '../../../src/postgres/connection/raw-wire.ts';
import { ManualClock } from '../../support/manual-clock.ts';

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
  await bringOneByOne(peer, socket, ['one', 'two']);
  return kept.map(String);
}

async function bringOneByOne(peer: Socket, socket: LendingSocket, reads: readonly (string | Buffer)[]): Promise<void> {
  for (const read of reads) {
    const told = once(socket, 'data');
    peer.write(read);
    await told;
  }
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

function wireOver(socket: LendingSocket, handler: Partial<WireHandler>): RawWire {
  const client = { connection: { stream: socket } } as unknown as pg.Client;
  return takeOver(client, { message: () => {}, broken: () => {}, ...handler });
}

/** Sizes from none to more than several reads bring. */
const bodies = Array.from({ length: 120 }, (_, index) => {
  const most = index % 10 === 0 ? 200_000 : 3_000;
  return Buffer.alloc((index * index * 7_919) % most, 65 + (index % 26));
});

test('a wire over it tells each message as it was sent, whatever it holds, pauses for or has in two reads', async () => {
  const { socket, peer } = await pair();
  const told: Buffer[] = [];
  let reads = 0;
  const ended = new Promise<void>((resolve) => {
    const wire = wireOver(socket, {
      message(_, bytes, start, end) {
        told.push(Buffer.from(bytes.subarray(start, end)));
        if (told.length % 3 > 0) return;
        wire.hold();
        nextTurn(() => nextTurn(() => wire.release()));
      },
      readEnd() {
        reads += 1;
        if (reads % 2 === 0) return;
        wire.pause();
        nextTurn(() => wire.resume());
      },
      broken: () => resolve(),
    });
  });
  for (const body of bodies) peer.write(frontendMessage('d', body));
  peer.end();
  await ended;

  expect(told.map((body, index) => bodies[index]?.equals(body))).toEqual(bodies.map(() => true));
});

test('a wire over it has the same memory each time, and who gets the connection back has bytes of his own again', async () => {
  const { socket, peer } = await pair();
  const [kept, lent]: [Buffer[], Buffer[]] = [[], []];
  socket.on('data', (bytes: Buffer) => kept.push(bytes));
  const wire = wireOver(socket, {
    message: (_, bytes, start, end) => void lent.push(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)),
  });
  await bringOneByOne(peer, socket, ['one', 'two'].map((text) => frontendMessage('d', Buffer.from(text))));
  const left = lent.map(String);
  wire.giveBack();
  await bringOneByOne(peer, socket, ['three', 'four']);

  expect({ left, kept: kept.map(String) }).toEqual({ left: ['two', 'two'], kept: ['three', 'four'] });
});

test('the last word arrives though the peer is in the middle of much, and what that is goes nowhere', async () => {
  const { socket, peer } = await pair();
  const heard: string[] = [];
  let told = 0;
  peer.on('data', (bytes: Buffer) => heard.push(String(bytes)));
  const closed = Promise.all([once(socket, 'close'), once(peer, 'close')]);
  const wire = wireOver(socket, {
    message() {
      told += 1;
      wire.hold();
      nextTurn(() => wire.finish(Buffer.from('farewell'), new ManualClock()));
    },
  });
  for (const body of bodies) peer.write(frontendMessage('d', body));
  await closed;

  expect({ heard: heard.join(''), told }).toEqual({ heard: 'farewell', told: 1 });
});
