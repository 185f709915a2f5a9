/**
 * QueryMessages: one query as Postgres's messages. What it asks for may be among millions of values, so they are written down in steps,
 * between which others have their turn.
 */
import type { Clock } from '../../base/clock.ts';
import type { StopSignal } from '../../base/stop-signal.ts';
import type { QueryParam } from '../../sql/where.ts';
import { frontendHeader, frontendMessage, MESSAGE_BYTES_MAX } from '../connection/raw-wire.ts';
import { EXECUTE, SYNC } from '../connection/session-statements.ts';
import { TooManyParametersError, TooManyValuesError } from './snapshot-error.ts';

export interface RowQuery {
  readonly sql: string;
  /** A query with parameters cannot be a COPY, so it runs as a portal. */
  readonly params: readonly QueryParam[] | undefined;
}

/** So many characters are written down at once: some milliseconds. */
const STEP_CHARACTERS = 256 * 1024;
/** Of one message, with room for what stands around them. */
const VALUE_BYTES_MAX = MESSAGE_BYTES_MAX - 1024;
/** Their number is written in two bytes. */
const PARAMETERS_MAX = 65_535;

/**
 * @param signal nobody waits for it once it is aborted: what was written down by then is all.
 * @throws {TooManyValuesError} when they are more than Postgres takes in one message.
 * @throws {TooManyParametersError} when they are more than Postgres takes by number.
 */
export async function queryMessages(query: RowQuery, clock: Clock, signal: StopSignal): Promise<readonly Uint8Array[]> {
  if (query.params === undefined) return [frontendMessage('Q', copyOf(query))];
  return [...(await portalMessages(query, clock, signal)), SYNC];
}

/** Likewise, to be sent among others: whoever sends them ends all with one `Sync`. @throws as `queryMessages`. */
export async function portalMessages(query: RowQuery, clock: Clock, signal: StopSignal): Promise<readonly Uint8Array[]> {
  const { params = [] } = query;
  if (params.length > PARAMETERS_MAX) throw new TooManyParametersError(params.length, PARAMETERS_MAX);
  const sql = query.params === undefined ? copyOf(query) : query.sql;
  const written = new WrittenValues(clock, signal);
  for (const param of params) await written.add(param);
  const body = [Buffer.from('\0\0'), uint16(0), uint16(params.length), ...written.values, uint16(0)]; // All values as text, in and out.
  return [frontendMessage('P', '', sql, uint16(0)), frontendHeader('B', sizeOf(body)), ...body, EXECUTE];
}

function copyOf({ sql }: RowQuery): string {
  return `COPY (${sql}) TO STDOUT`;
}

/** Each value behind its length. */
class WrittenValues {
  readonly values: Buffer[] = [];
  private bytes = 0;

  constructor(
    private readonly clock: Clock,
    private readonly signal: StopSignal,
  ) {}

  async add(param: QueryParam): Promise<void> {
    if (param === null) {
      this.take(int32(-1));
      return;
    }
    const length = int32(0);
    const before = this.take(length);
    if (typeof param === 'string') this.take(Buffer.from(param));
    else await this.addInSteps(param.pieces());
    length.writeInt32BE(this.bytes - before);
  }

  private async addInSteps(pieces: Iterable<string>): Promise<void> {
    let step = '';
    for (const piece of pieces) {
      step += piece;
      if (step.length < STEP_CHARACTERS) continue;
      this.take(Buffer.from(step));
      step = '';
      await new Promise<void>((turn) => void this.clock.setTimer(turn, 0));
      if (this.signal.aborted) return;
    }
    this.take(Buffer.from(step));
  }

  private take(bytes: Buffer): number {
    this.values.push(bytes);
    this.bytes += bytes.length;
    if (this.bytes > VALUE_BYTES_MAX) throw new TooManyValuesError(VALUE_BYTES_MAX);
    return this.bytes;
  }
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
