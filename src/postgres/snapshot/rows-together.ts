/**
 * RowsTogether: several queries for rows in one write, each with a consumer of its own. One by one each would be a way to Postgres and
 * back, which for few rows is most of what they cost.
 *
 * Postgres answers them in order, and sends what it has when all are answered, or when that is much: so who waits longest may not be who
 * is slow. They are for queries that are quick. When nothing comes for too long, nobody knows for whom, and none of them counts.
 *
 * What a consumer throws is its own: the rows of the others go on.
 */
import type pg from 'pg';
import type { Clock, TimerId } from '../../base/clock.ts';
import { Stop, type StopSignal } from '../../base/stop-signal.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../connection/database-error.ts';
import { SYNC } from '../connection/session-statements.ts';
import type { RowEncoder } from '../encoding/row-encoder.ts';
import { RowWriter } from '../encoding/row-writer.ts';
import { withAll, withEither } from './either-signal.ts';
import { portalMessages, type RowQuery } from './query-messages.ts';
import { streamRows, type RowPipeline } from './row-stream.ts';

/** One of them. */
export interface QueryTogether {
  readonly query: RowQuery;
  /** Its rows, as `RowWriter` has them; a fragment is the consumer's until it resolves. */
  readonly rows: (fragment: Uint8Array) => Promise<void>;
  /** Nobody waits for it: its rows go nowhere. When that is so of all, the connection is closed. */
  readonly signal: StopSignal;
}

export interface TogetherOptions {
  readonly client: pg.ClientBase;
  /** One at the least, with the same columns. */
  readonly queries: readonly QueryTogether[];
  /** Of each column. */
  readonly isBoolean: readonly boolean[];
  readonly clock: Clock;
  /** Postgres may be silent for so long, and up to twice as long. */
  readonly silenceMsMax: number;
}

/** One of them has failed, or took too long, and nobody knows which. The connection is closed. */
export class FailedTogetherError extends Error {
  override readonly name = 'FailedTogetherError';
}

interface Part {
  readonly number: number;
  readonly fragment: Uint8Array;
}

const COMPLETE = 'C'.charCodeAt(0);

export class RowsTogether implements RowPipeline, RowEncoder<readonly Part[]> {
  readonly before = [];
  behind: readonly Uint8Array[] = [];
  /** What the consumers threw, by the number of the query. */
  readonly failures = new Map<number, unknown>();
  private readonly writer: RowWriter;
  private parts: Part[] = [];
  private partsBytes = 0;
  private answered = 0;
  /** Messages of Postgres. */
  private heard = 0;
  private isGiving = false;
  private timer: TimerId | undefined;
  private readonly silence = new Stop();

  constructor(private readonly options: TogetherOptions) {
    this.writer = new RowWriter(options.isBoolean);
  }

  /** The number of the query that is being answered, or of the last one. */
  get current(): number {
    return Math.min(this.answered, this.options.queries.length - 1);
  }

  /**
   * Resolves when each consumer has had its rows, or has failed.
   *
   * @throws {FailedTogetherError}
   * @throws {DatabaseRefusedError} `current` was refused, and those behind it were not asked. No consumer can be sure to have all.
   * @throws {DatabaseUnreachableError} the connection is gone; so it is when nobody waits any more.
   */
  async read(): Promise<void> {
    const asking = this.options.queries.map(({ signal }) => signal);
    try {
      await withAll(asking, (nobody) => withEither([nobody, this.silence], (signal) => this.stream(signal)));
    } catch (error) {
      if (this.silence.aborted) throw new FailedTogetherError('queries that are quick were not answered in time', { cause: error });
      if (error instanceof DatabaseRefusedError || error instanceof DatabaseUnreachableError) throw error;
      throw new FailedTogetherError('one of several queries has failed', { cause: error });
    } finally {
      if (this.timer !== undefined) this.options.clock.clearTimer(this.timer);
    }
  }

  get size(): number {
    return this.partsBytes + this.writer.size;
  }

  takes(type: number): boolean {
    this.heard += 1;
    if (type !== COMPLETE) return false;
    this.endPart();
    this.answered += 1;
    return true;
  }

  copyLine(bytes: Uint8Array, start: number, lineEnd: number): void {
    this.writer.copyLine(bytes, start, lineEnd);
  }

  dataRow(bytes: Uint8Array, start: number, end: number): void {
    this.writer.dataRow(bytes, start, end);
  }

  take(): readonly Part[] {
    this.endPart();
    const { parts } = this;
    this.parts = [];
    this.partsBytes = 0;
    return parts;
  }

  private async stream(signal: StopSignal): Promise<void> {
    const { client, queries, clock } = this.options;
    const [first, ...others] = queries;
    if (first === undefined) return;
    const messages = [];
    for (const { query } of others) messages.push(await portalMessages(query, clock, signal));
    this.behind = [...messages.flat(), SYNC];
    this.watch();
    const rows = (parts: readonly Part[]): Promise<void> => this.give(parts);
    await streamRows({ client, query: first.query, encoder: this, rows, onFirst: () => {}, signal, clock, pipeline: this });
  }

  /** While the consumers are at work nothing is read. */
  private watch(): void {
    const { heard } = this;
    this.timer = this.options.clock.setTimer(() => {
      if (heard === this.heard && !this.isGiving) this.silence.abort(undefined);
      else this.watch();
    }, this.options.silenceMsMax);
  }

  /** What has gathered of the query that is being answered. */
  private endPart(): void {
    if (this.writer.size === 0) return;
    const fragment = this.writer.take();
    this.parts.push({ number: this.answered, fragment });
    this.partsBytes += fragment.length;
  }

  private async give(parts: readonly Part[]): Promise<void> {
    this.isGiving = true;
    for (const { number, fragment } of parts) {
      const consumer = this.options.queries[number];
      if (consumer === undefined || consumer.signal.aborted || this.failures.has(number)) continue;
      try {
        await consumer.rows(fragment);
      } catch (error) {
        this.failures.set(number, error);
      }
    }
    this.isGiving = false;
  }
}
