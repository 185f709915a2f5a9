/** The bytes of a connection become whole messages, however they arrive, until whoever took the connection over is done with it. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import type pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { frontendMessage, type RawWire, takeOver, type WireHandler } from '../../../src/postgres/connection/raw-wire.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** What the peer sends goes in by `arrive`; what is written to the peer is in `written`. */
class Socket extends PassThrough {
  readonly written: string[] = [];

  arrive(bytes: Uint8Array): void {
    this.emit('data', Buffer.from(bytes));
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk.toString());
    done();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.written.push(chunks.map(({ chunk }) => chunk.toString()).join(''));
    done();
  }
}

let socket: Socket;
let told: string[];
let wire: RawWire;
beforeEach(() => {
  socket = new Socket();
  told = [];
});

function take(handler: Partial<WireHandler> = {}): void {
  wire = takeOver({ connection: { stream: socket } } as unknown as pg.Client, {
    message: (type, bytes, start, end) => told.push(String.fromCharCode(type) + Buffer.from(bytes.subarray(start, end)).toString()),
    readEnd: (byteCount) => told.push(`read ${byteCount}`),
    broken: (error) => told.push(`broken by ${error.name}`),
    ...handler,
  });
}

const two = Buffer.concat([frontendMessage('a', Buffer.from('first')), frontendMessage('b', Buffer.from('second'))]);

test('messages come whole and in their order, wherever the reads cut them', () => {
  const message = fc.tuple(fc.constantFrom(...'abc'), fc.string({ maxLength: 3000 }));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(40)), (messages, cuts) => {
      socket = new Socket();
      told = [];
      take({ readEnd: () => {} });
      const bytes = Buffer.concat(messages.map(([type, body]) => frontendMessage(type, Buffer.from(body))));
      let at = 0;
      for (const size of cuts) socket.arrive(bytes.subarray(at, (at += size)));
      socket.arrive(bytes.subarray(at));

      expect(told).toEqual(messages.map(([type, body]) => type + Buffer.from(body).toString()));
    }),
    { numRuns: 500 },
  );
});

test('a read is told behind the messages that it completed, and without any', () => {
  take();
  socket.arrive(two.subarray(0, 12));
  socket.arrive(two.subarray(12));

  expect(told).toEqual(['afirst', 'read 12', 'bsecond', `read ${two.length - 12}`]);
});

test('messages that go together are one write', () => {
  take();
  wire.writeAll(['first', 'second', 'third'].map((each) => Buffer.from(each)));
  wire.write(Buffer.from('fourth'));

  expect(socket.written).toEqual(['firstsecondthird', 'fourth']);
});

test('what comes while reading is paused is told as one read', () => {
  take();
  wire.pause();
  for (const byte of two) socket.push(Buffer.of(byte));
  wire.resume();

  expect({ told, isPaused: socket.isPaused() }).toEqual({ told: ['afirst', 'bsecond', `read ${two.length}`], isPaused: false });
});

test('who pauses again on hearing what came stays paused', () => {
  take({ readEnd: () => wire.pause() });
  wire.pause();
  socket.push(two);
  wire.resume();
  socket.push(two);

  expect({ told, isPaused: socket.isPaused() }).toEqual({ told: ['afirst', 'bsecond'], isPaused: true });
});

test.each([3, 0x4000_0000])('a message of %d bytes is not the protocol: the connection ends, and so does all that is told', (size) => {
  take();
  const header = Buffer.from('a0000');
  header.writeUInt32BE(size, 1);
  socket.arrive(Buffer.concat([two, header, two]));

  expect({ told, isDestroyed: socket.destroyed }).toEqual({ told: ['afirst', 'bsecond', 'broken by WireError'], isDestroyed: true });
});

test('who cannot take a message loses the connection, and is told so once', async () => {
  take({
    message: () => {
      throw new RangeError('no');
    },
  });
  socket.arrive(two);
  await once(socket, 'close');

  expect(told).toEqual(['broken by RangeError']);
});

test.each([
  ['is broken', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
  ['is closed', undefined],
])('a connection that %s is unreachable, once', async (_, error) => {
  take();
  socket.destroy(error);
  await once(socket, 'close').catch(() => {});

  expect(told).toEqual(['broken by DatabaseUnreachableError']);
});

test.each(['destroy', 'giveBack'] as const)('after %s nothing more is told, not even of the same read', async (how) => {
  take({
    message: (type) => {
      told.push(String.fromCharCode(type));
      wire[how]();
    },
  });
  socket.arrive(two);
  socket.destroy();
  await once(socket, 'close');

  expect(told).toEqual(['a']);
});

test('a connection that is given back has the listeners that it had, and flows', () => {
  const usual = (): void => {};
  socket.on('data', usual);
  const before = ['data', 'error', 'close'].map((event) => socket.listeners(event));
  take();
  wire.pause();

  wire.giveBack();

  expect({ listeners: ['data', 'error', 'close'].map((event) => socket.listeners(event)), flows: socket.isPaused() }).toEqual({
    listeners: before,
    flows: false,
  });
});

test.each([
  ['left after a second', (clock: ManualClock) => clock.advance(1000)],
  ['waited for until it does', () => socket.destroy()],
])('the last word is written, nothing more is read or told, and a peer that does not close is %s', async (_, end) => {
  const clock = new ManualClock();
  take();
  wire.pause();
  wire.finish(Buffer.from('farewell'), clock);
  socket.arrive(two);
  const before = { isDestroyed: socket.destroyed, isPaused: socket.isPaused(), readers: socket.listenerCount('data') };
  end(clock);
  await once(socket, 'close');

  expect({ written: socket.written, told, before, timers: clock.pendingTimers }).toEqual({
    written: ['farewell'], told: [], before: { isDestroyed: false, isPaused: false, readers: 0 }, timers: 0,
  });
});

test('a wire that is finishing is not cut short', () => {
  take();
  wire.finish(Buffer.from('farewell'), new ManualClock());
  wire.destroy();

  expect({ written: socket.written, isDestroyed: socket.destroyed }).toEqual({ written: ['farewell'], isDestroyed: false });
});

test('what lies behind a message that holds the wire is told when it is released, wherever the reads cut it, and as one read', () => {
  const message = fc.tuple(fc.constantFrom(...'abh'), fc.string({ maxLength: 300 }));
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(40)), (messages, cuts) => {
      socket = new Socket();
      told = [];
      let isHeld = false;
      take({
        message(type, bytes, start, end) {
          told.push(`${isHeld}${String.fromCharCode(type)}${Buffer.from(bytes.subarray(start, end)).toString()}`);
          isHeld = String.fromCharCode(type) === 'h';
          if (isHeld) wire.hold();
        },
        readEnd: () => told.push('read'),
      });
      const release = (): void => {
        isHeld = false;
        wire.release();
      };
      const bytes = Buffer.concat(messages.map(([type, body]) => frontendMessage(type, Buffer.from(body))));
      let at = 0;
      for (const size of [...cuts, bytes.length]) {
        socket.push(bytes.subarray(at, (at += size)));
        socket.read();
        while (isHeld) release();
      }

      expect(told.filter((each) => each !== 'read')).toEqual(messages.map(([type, body]) => `false${type}${Buffer.from(body).toString()}`));
    }),
    { numRuns: 300 },
  );
});

test('a wire that is held tells no end of a read, and goes on reading once it is released', () => {
  take({ message: (type) => void (told.push(String.fromCharCode(type)), type === 97 && wire.hold()) });
  socket.arrive(two);
  const held = { told: [...told], isPaused: socket.isPaused() };
  wire.release();

  expect([held, { told, isPaused: socket.isPaused() }]).toEqual([
    { told: ['a'], isPaused: true },
    { told: ['a', 'b', `read ${frontendMessage('b', Buffer.from('second')).length}`], isPaused: false },
  ]);
});

test('who is done with a wire that is held is told nothing more', () => {
  take({ message: (type) => void (told.push(String.fromCharCode(type)), wire.hold()) });
  socket.arrive(two);
  wire.destroy();
  wire.release();

  expect(told).toEqual(['a']);
});
