/**
 * RowStream: one query's rows, from the socket into a consumer that may be slower.
 *
 * While the consumer works on a fragment, rows gather for the next; when they become too many, the socket is paused, and
 * with it, through TCP, the query itself. So memory is bounded however large the table is.
 *
 * What a fragment costs its consumer (a write, a wake of each reader) hardly depends on its size. So rows gather to a large one, though for
 * a moment alone: the first rows go on at once, the last with the end, and those of a slow query no later than anybody could tell.
 *
 * Postgres sends as fast as rows are read, so the loop would find more of them at any time. After a bounded part the socket is left alone
 * until the next turn: a live client of another shape waits for several turns, and must not wait for a stretch of the table in each.
 */
import type pg from 'pg';
import { systemClock, type Clock, type TimerId } from '../../base/clock.ts';
import { nextTurn } from '../../base/turn.ts';
import type { StopSignal } from '../../base/stop-signal.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../connection/database-error.ts';
import { errorFields, type RawWire, takeOver } from '../connection/raw-wire.ts';
import type { RowEncoder } from '../encoding/row-encoder.ts';
import { portalMessages, queryMessages, type RowQuery } from './query-messages.ts';

export interface RowStreamOptions<Fragment> {
  readonly client: pg.ClientBase;
  readonly query: RowQuery;
  readonly encoder: RowEncoder<Fragment>;
  /** The fragment is the consumer's until it resolves. */
  readonly rows: (fragment: Fragment) => Promise<void>;
  /**
   * Called once, when the first row or the end of an empty answer has arrived.
   *
   * @param isWhole all else has come with it.
   */
  readonly onFirst: (isWhole: boolean) => void;
  /** Ends the query by closing its connection. */
  readonly signal: StopSignal;
  readonly clock?: Clock | undefined;
  /** Nobody else lives in this thread: no turn is left to others. */
  readonly isAlone?: boolean;
  readonly pipeline?: RowPipeline | undefined;
}

/** What goes to Postgres with the query, in one write, and who takes the answers to it. */
export interface RowPipeline {
  readonly before: readonly Uint8Array[];
  /** Ends with the `Sync` of all. */
  readonly behind: readonly Uint8Array[];
  /** @returns whether it answers those, and not the query. @throws what ends the stream, and its connection. */
  takes(type: number, bytes: Uint8Array, start: number, end: number): boolean;
}

const GATHERED_BYTES_MAX = 512 * 1024;
/** A fragment of so much is not waited with. */
const FRAGMENT_BYTES = 256 * 1024;
/** Nor is a smaller one, after so long. */
const GATHER_MS = 2;
/** Of what Postgres sends, so much is read in one turn: some tenths of a millisecond. */
const TURN_BYTES = 64 * 1024;
const code = (letter: string): number => letter.charCodeAt(0);
const COPY_DATA = code('d'), DATA_ROW = code('D'), COMPLETE = code('C'), READY = code('Z'), ERROR = code('E');

/**
 * Resolves when every row has been taken; the connection is then idle again.
 *
 * @throws {TooManyValuesError} nothing was asked.
 * @throws {TooManyParametersError} likewise.
 * @throws {DatabaseRefusedError} the connection is idle, its transaction failed.
 * @throws {DatabaseUnreachableError} the connection is gone. So it is when the consumer or the encoder threw, or at the abort.
 */
export async function streamRows<Fragment>(options: RowStreamOptions<Fragment>): Promise<void> {
  const messages = await messagesOf(options);
  await new Promise<void>((done, failed) => new Reading(options, messages, done, failed));
}

async function messagesOf<Fragment>(options: RowStreamOptions<Fragment>): Promise<readonly Uint8Array[]> {
  const { query, clock = systemClock, signal, pipeline } = options;
  if (pipeline === undefined) return await queryMessages(query, clock, signal);
  return [...pipeline.before, ...(await portalMessages(query, clock, signal)), ...pipeline.behind];
}

class Reading<Fragment> {
  private readonly options: RowStreamOptions<Fragment>;
  private readonly done: () => void;
  private readonly failed: (error: unknown) => void;
  private readonly wire: RawWire;
  private readonly clock: Clock;
  private hasBegun = false;
  private hasTold = false;
  private isTaking = false;
  private isReady = false;
  private isOver = false;
  private hasGiven = false;
  /** While what has gathered waits for more. */
  private gathering: TimerId | undefined;
  private isLate = false;
  /** What was read since the socket was last left alone. */
  private turnBytes = 0;
  private isResting = false;
  private refused: DatabaseRefusedError | undefined;
  private readonly onAbort = (): void => this.fail(new DatabaseUnreachableError('the query was given up'));

  constructor(options: RowStreamOptions<Fragment>, messages: readonly Uint8Array[], done: () => void, failed: (error: unknown) => void) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.done = done;
    this.failed = failed;
    this.wire = takeOver(options.client, {
      message: (type, bytes, start, end) => this.message(type, bytes, start, end),
      readEnd: (byteCount) => this.readEnd(byteCount),
      broken: (error) => this.fail(error),
    });
    options.signal.addEventListener('abort', this.onAbort);
    if (options.signal.aborted) this.onAbort();
    else this.wire.writeAll(messages);
  }

  private message(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.options.pipeline?.takes(type, bytes, start, end) === true) return;
    if (type === COPY_DATA) this.options.encoder.copyLine(bytes, start, end);
    else if (type === DATA_ROW) this.options.encoder.dataRow(bytes, start, end);
    else if (type === ERROR) this.refused = refusal(errorFields(bytes, start, end));
    else if (type === READY) this.isReady = true;
    if (type === COPY_DATA || type === DATA_ROW || type === COMPLETE) this.hasBegun = true;
  }

  private readEnd(byteCount: number): void {
    if (this.hasBegun && !this.hasTold) this.tell();
    this.turnBytes += byteCount;
    if (this.turnBytes >= TURN_BYTES && !this.isReady && this.options.isAlone !== true) this.rest();
    this.pump();
  }

  private tell(): void {
    this.hasTold = true;
    this.options.onFirst(this.isReady);
  }

  private rest(): void {
    this.turnBytes = 0;
    this.isResting = true;
    nextTurn(() => {
      this.isResting = false;
      this.pump();
    });
  }

  /**
   * Gives the consumer what has gathered, if it is free; ends when nothing is left. Rows that come together with the
   * query's error go nowhere: a reader would be given the beginning of an answer that has no end.
   */
  private pump(): void {
    if (this.isOver) return;
    const { encoder } = this.options;
    if (this.refused === undefined && !this.isTaking && encoder.size > 0) {
      if (this.isDue()) this.give(encoder.take());
      else this.gathering ??= this.clock.setTimer(() => this.late(), GATHER_MS);
    }
    if (!this.isTaking && this.isReady) return this.finish();
    if (this.isResting || (this.isTaking && encoder.size > GATHERED_BYTES_MAX)) return this.wire.pause();
    this.wire.resume(); // Last: what is told by that may be the end.
  }

  private isDue(): boolean {
    return !this.hasGiven || this.isReady || this.isLate || this.options.encoder.size >= FRAGMENT_BYTES;
  }

  private late(): void {
    this.isLate = true;
    this.pump();
  }

  private give(fragment: Fragment): void {
    this.isTaking = true;
    this.hasGiven = true;
    this.stopGathering();
    this.options.rows(fragment).then(
      () => {
        this.isTaking = false;
        this.pump();
      },
      (error: unknown) => this.fail(error),
    );
  }

  private stopGathering(): void {
    this.isLate = false;
    if (this.gathering === undefined) return;
    this.clock.clearTimer(this.gathering);
    this.gathering = undefined;
  }

  private finish(): void {
    this.isOver = true;
    this.stopGathering();
    this.options.signal.removeEventListener('abort', this.onAbort);
    this.wire.giveBack();
    if (this.refused === undefined) this.done();
    else this.failed(this.refused);
  }

  private fail(error: unknown): void {
    this.isOver = true;
    this.stopGathering();
    this.options.signal.removeEventListener('abort', this.onAbort);
    this.wire.destroy();
    this.failed(error);
  }
}

function refusal(fields: ReadonlyMap<string, string>): DatabaseRefusedError {
  return new DatabaseRefusedError(fields.get('C') ?? '', fields.get('M') ?? 'an error without a text', fields.get('D'));
}
