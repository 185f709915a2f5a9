/** How a long answer is read from a socket that has more at any time. */
import { Duplex } from 'node:stream';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { nextTurn } from '../../../src/base/turn.ts';
import { frontendMessage } from '../../../src/postgres/connection/raw-wire.ts';
import type { RowEncoder } from '../../../src/postgres/encoding/row-encoder.ts';
import { streamRows } from '../../../src/postgres/snapshot/row-stream.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Has the next part as soon as one was read; what is asked goes nowhere. */
class Socket extends Duplex {
  constructor(private readonly parts: Buffer[]) {
    super();
  }

  override _read(): void {
    const part = this.parts.shift();
    if (part !== undefined) this.push(part);
  }

  override _write(_: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

/** Notes in which turn how many bytes came. */
class CountingEncoder implements RowEncoder<number> {
  size = 0;
  readonly byTurn = new Map<number, number>();
  private turn = 0;
  private isOver = false;

  copyLine(_: Uint8Array, start: number, end: number): void {
    this.size += end - start;
    this.byTurn.set(this.turn, (this.byTurn.get(this.turn) ?? 0) + end - start);
  }

  dataRow(): void {}

  take(): number {
    const { size } = this;
    this.size = 0;
    return size;
  }

  countTurns(): void {
    this.turn += 1;
    if (!this.isOver) nextTurn(() => this.countTurns());
  }

  end(): void {
    this.isOver = true;
  }
}

const KIB = 1024;
const part = (): Buffer => Buffer.concat(Array.from({ length: 64 }, () => frontendMessage('d', Buffer.alloc(KIB, 'x'))));
const END = Buffer.concat([frontendMessage('C', 'COPY'), frontendMessage('Z', Buffer.from('T'))]);

async function read(parts: number): Promise<{ readonly socket: Socket; readonly encoder: CountingEncoder; readonly bytes: number }> {
  const socket = new Socket([...Array.from({ length: parts }, part), END]);
  socket.on('data', () => {}); // As `pg` does.
  const encoder = new CountingEncoder();
  encoder.countTurns();
  let bytes = 0;
  await streamRows({
    client: { connection: { stream: socket } } as unknown as pg.Client,
    query: { sql: 'SELECT 1', params: undefined },
    encoder,
    rows: async (fragment) => void (bytes += fragment),
    onFirst: () => {},
    signal: new AbortController().signal,
  });
  encoder.end();
  return { socket, encoder, bytes };
}

test('of rows that come as fast as they are read a bounded part is taken in each turn', async () => {
  const { encoder, bytes } = await read(20);

  // The first one comes together with the second.
  const most = Math.max(...encoder.byTurn.values());
  expect({ bytes, isBounded: most <= 128 * KIB }).toEqual({ bytes: 20 * 64 * KIB, isBounded: true });
});

test('rows gather for a moment: all but the first, and none behind the last', async () => {
  const [socket, clock, given] = [new Socket([]), new ManualClock(), [] as number[]];
  socket.on('data', () => {}); // As `pg` does.
  const counts: number[][] = [];
  const come = async (...messages: Buffer[]): Promise<void> => {
    for (const message of messages) socket.push(message);
    await new Promise<void>(nextTurn);
    counts.push(given.splice(0));
  };
  const reading = streamRows({
    client: { connection: { stream: socket } } as unknown as pg.Client,
    query: { sql: 'SELECT 1', params: undefined },
    encoder: new CountingEncoder(),
    rows: async (fragment) => void given.push(fragment / KIB),
    onFirst: () => {},
    signal: new AbortController().signal,
    clock,
  });
  const row = frontendMessage('d', Buffer.alloc(KIB, 'x'));

  await come(row);
  await come(row);
  await come(row, row);
  clock.advance(2);
  await come();
  await come(row);
  await come(...Array.from({ length: 4 }, part));
  await come(row);
  await come(END);
  await reading;

  expect({ counts, timers: clock.pendingTimers }).toEqual({ counts: [[1], [], [], [3], [], [257], [], [1]], timers: 0 });
});

test('an end that comes by itself gives the connection back once', async () => {
  const { socket } = await read(1);

  expect(socket.listenerCount('data')).toBe(1);
});
