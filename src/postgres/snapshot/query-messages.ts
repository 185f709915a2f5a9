/**
 * QueryMessages: one query as Postgres's messages. What it asks for may be among millions of values, so they are written down in steps,
 * between which others have their turn.
 */
import type { Clock } from '../../base/clock.ts';
import type { QueryParam } from '../../sql/where.ts';
import { frontendHeader, frontendMessage, MESSAGE_BYTES_MAX } from '../connection/raw-wire.ts';
import { TooManyValuesError } from './snapshot-error.ts';

export interface RowQuery {
  readonly sql: string;
  /** A query with parameters cannot be a COPY, so it runs as a portal. */
  readonly params: readonly QueryParam[] | undefined;
}

/** So many characters are written down at once: some milliseconds. */
const STEP_CHARACTERS = 256 * 1024;

/** @throws {TooManyValuesError} when they are more than Postgres takes in one message. */
export async function queryMessages({ sql, params }: RowQuery, clock: Clock): Promise<readonly Uint8Array[]> {
  if (params === undefined) return [frontendMessage('Q', `COPY (${sql}) TO STDOUT`)];
  const values: Buffer[] = [];
  for (const param of params) {
    const pieces = await piecesOf(param, clock);
    values.push(int32(pieces === null ? -1 : sizeOf(pieces)), ...(pieces ?? []));
  }
  const noTypes = uint16(0);
  const body = [Buffer.from('\0\0'), uint16(0), uint16(params.length), ...values, uint16(0)]; // All values as text, in and out.
  const behind = [
    frontendMessage('E', '', int32(0)), // Without a limit: the socket is the back-pressure.
    frontendMessage('S'),
  ];
  return [frontendMessage('P', '', sql, noTypes), frontendHeader('B', checked(sizeOf(body))), ...body, ...behind];
}

async function piecesOf(param: QueryParam, clock: Clock): Promise<readonly Buffer[] | null> {
  if (param === null || typeof param === 'string') return param === null ? null : [Buffer.from(param)];
  const written: Buffer[] = [];
  let step = '';
  for (const piece of param.pieces()) {
    step += piece;
    if (step.length < STEP_CHARACTERS) continue;
    written.push(Buffer.from(step));
    step = '';
    checked(sizeOf(written));
    await new Promise<void>((turn) => void clock.setTimer(turn, 0));
  }
  return [...written, Buffer.from(step)];
}

function checked(size: number): number {
  if (size < MESSAGE_BYTES_MAX) return size;
  throw new TooManyValuesError(MESSAGE_BYTES_MAX);
}

function sizeOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
