/**
 * RawWire: the bytes of an established connection, taken over from `pg`, which decodes every value into a string.
 *
 * The connection must be idle when it is taken over, and idle again (behind a `ReadyForQuery`) when it is given back.
 * Messages are passed on as places in the bytes that the socket gave; a message that straddles two reads is put
 * together first. A slice is valid during the call alone. Whoever is done with the wire is told nothing more, not even
 * what had been read already.
 */
import type { Duplex } from 'node:stream';
import type pg from 'pg';
import type { Clock } from '../../base/clock.ts';
import { DatabaseUnreachableError, worldError } from './database-error.ts';
import { LendingSocket } from './lending-socket.ts';

export interface WireHandler {
  /** @param type the message's first byte; its body fills `bytes` from `start` to `end`. */
  message(type: number, bytes: Uint8Array, start: number, end: number): void;
  /** Called when a read of `byteCount` bytes, and each message that it completed, has been told. */
  readEnd?(byteCount: number): void;
  /** The connection is gone, or what came over it is not the protocol: nothing more will be told. */
  broken(error: Error): void;
}

export interface RawWire {
  write(bytes: Uint8Array): void;
  /** At once: each by itself would be a call of the system, and would wake Postgres. */
  writeAll(messages: readonly Uint8Array[]): void;
  pause(): void;
  /** What came meanwhile is told as one read; what a socket that lends has left with the system, by as much as it lends. */
  resume(): void;
  /** Called while a message is told: nothing behind it is told, and nothing is read, until `release`. */
  hold(): void;
  release(): void;
  /** Hands the connection back to `pg`. */
  giveBack(): void;
  /** Writes a last word and closes once the peer has had it. */
  finish(bytes: Uint8Array, clock: Clock): void;
  /** Closes at once; a wire that is finishing goes on with that. */
  destroy(): void;
}

/** Closing while the peer still sends would reset the connection and lose our last word: so read on, but not for ever. */
const FAREWELL_MS = 1_000;

const HEADER_BYTES = 5;
const NOTHING = Buffer.alloc(0);
/** Postgres's own limit for one message. */
export const MESSAGE_BYTES_MAX = 0x3fff_ffff;

export function takeOver(client: pg.ClientBase, handler: WireHandler): RawWire {
  const stream = lend(streamOf(client), true);
  const usual = stream.listeners('data') as ((chunk: Buffer) => void)[];
  stream.removeAllListeners('data');
  const framer = new Framer(handler);
  let isFinishing = false;
  let isHeld = false;
  const end = (error: Error): void => {
    if (framer.isOver) return;
    framer.isOver = true;
    handler.broken(error);
  };
  const tell = (chunk: Buffer): void => {
    try {
      framer.read(chunk);
      if (!framer.isOver && !framer.isHeld) handler.readEnd?.(chunk.length);
    } catch (error) {
      stream.destroy();
      end(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const resume = (): void => {
    if (!isHeld) return;
    isHeld = false;
    stream.read(); // All of it to `tell`, which may pause again: a stream that flows gives what it kept chunk by chunk.
    if (!isHeld) stream.resume();
  };
  const onError = (error: Error): void => end(worldError(error) ?? error);
  const onClose = (): void => end(new DatabaseUnreachableError('the connection to Postgres was closed'));
  stream.on('data', tell).on('error', onError).on('close', onClose);
  return {
    write: (bytes) => void stream.write(bytes),
    writeAll: (messages) => writeTogether(stream, messages),
    pause() {
      isHeld = true;
      stream.pause();
    },
    resume,
    hold() {
      framer.isHeld = isHeld = true;
      stream.pause();
    },
    release() {
      if (framer.isOver) return;
      const rest = framer.release();
      isHeld = false;
      tell(rest);
      if (isHeld) return;
      isHeld = true;
      resume();
    },
    giveBack() {
      framer.isOver = true;
      stream.off('data', tell).off('error', onError).off('close', onClose);
      for (const listener of usual) stream.on('data', listener);
      lend(stream, false).resume();
    },
    finish(bytes, clock) {
      framer.isOver = isFinishing = true;
      stream.off('data', tell).resume();
      stream.end(bytes);
      const timer = clock.setTimer(() => stream.destroy(), FAREWELL_MS);
      stream.once('close', () => clock.clearTimer(timer));
    },
    destroy() {
      framer.isOver = true;
      if (!isFinishing) stream.destroy();
    },
  };
}

/** Small ones are put together: a list of many is dearer than a copy of what is in them. */
const JOINED_BYTES_MAX = 64 * 1024;

function writeTogether(stream: Duplex, messages: readonly Uint8Array[]): void {
  const bytes = messages.reduce((sum, { length }) => sum + length, 0);
  if (bytes <= JOINED_BYTES_MAX) return void stream.write(Buffer.concat(messages, bytes));
  stream.cork();
  for (const message of messages) stream.write(message);
  stream.uncork();
}

/** A framer copies what it keeps, and nothing is read while it is held. */
function lend(stream: Duplex, lends: boolean): Duplex {
  if (stream instanceof LendingSocket) stream.lends = lends;
  return stream;
}

/** A pool's client is a client, though its type hides the connection. */
function streamOf(client: pg.ClientBase): Duplex {
  return (client as pg.Client).connection.stream;
}

class Framer {
  /** Then no message is told any more. */
  isOver = false;
  /** Then none is told for now: what was read already waits as it is. */
  isHeld = false;
  private rest: Buffer = NOTHING;
  /** The beginning of a message that is not complete yet. */
  private kept = Buffer.alloc(0);
  private keptLength = 0;
  private readonly handler: WireHandler;

  constructor(handler: WireHandler) {
    this.handler = handler;
  }

  read(chunk: Buffer): void {
    const start = this.keptLength === 0 ? 0 : this.completeKept(chunk);
    const end = this.messages(chunk, start, chunk.length);
    if (this.isHeld) this.rest = chunk.subarray(end);
    else this.keep(chunk, end);
  }

  /** @returns what was not told of the last read. */
  release(): Buffer {
    const { rest } = this;
    this.isHeld = false;
    this.rest = NOTHING;
    return rest;
  }

  /** Tells the messages that lie whole between `start` and `end`; returns where the rest begins. */
  private messages(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (!this.isOver && !this.isHeld && end - at >= HEADER_BYTES) {
      const next = at + 1 + sizeAt(bytes, at + 1);
      if (next > end) break;
      this.handler.message(bytes[at] as number, bytes, at + HEADER_BYTES, next);
      at = next;
    }
    return at;
  }

  /** Takes from `chunk` what the kept message lacks; returns where the chunk goes on. */
  private completeKept(chunk: Buffer): number {
    let taken = 0;
    if (this.keptLength < HEADER_BYTES) taken = this.keep(chunk.subarray(0, HEADER_BYTES - this.keptLength), 0);
    if (this.keptLength < HEADER_BYTES) return taken;
    const total = 1 + sizeAt(this.kept, 1);
    taken += this.keep(chunk.subarray(taken, taken + total - this.keptLength), 0);
    if (this.keptLength < total) return taken;
    this.keptLength = 0;
    this.handler.message(this.kept[0] as number, this.kept, HEADER_BYTES, total);
    return taken;
  }

  private keep(bytes: Buffer, start: number): number {
    const count = bytes.length - start;
    const needed = this.keptLength + count;
    if (needed > this.kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.kept.length * 2, 1024));
      this.kept.copy(grown, 0, 0, this.keptLength);
      this.kept = grown;
    }
    bytes.copy(this.kept, this.keptLength, start);
    this.keptLength = needed;
    return count;
  }
}

function sizeAt(bytes: Buffer, at: number): number {
  const size = bytes.readUInt32BE(at);
  if (size < 4 || size > MESSAGE_BYTES_MAX) throw new WireError(`a message of ${size} bytes`);
  return size;
}

/** What came over the connection is not the protocol that we speak. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** A frontend message: its type, then its body behind the length. */
export function frontendMessage(type: string, ...body: readonly (string | Uint8Array)[]): Buffer {
  const parts = body.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part));
  return Buffer.concat([frontendHeader(type, parts.reduce((sum, part) => sum + part.length, 0)), ...parts]);
}

/** @param bodyBytes how many bytes its body has, which follows. */
export function frontendHeader(type: string, bodyBytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(4 + bodyBytes, 1);
  return header;
}

/** The fields of an ErrorResponse, by their letter. */
export function errorFields(bytes: Uint8Array, start: number, end: number): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
  for (const field of text.split('\0')) if (field !== '') fields.set(field.slice(0, 1), field.slice(1));
  return fields;
}
