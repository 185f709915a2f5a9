/**
 * ReplicationStream: reads a started logical replication connection to its end, into a TransactionSink.
 *
 * Nothing may be lost: Postgres forgets what we confirm. So a confirmed LSN never runs ahead of what the sink holds
 * durably, not even over stretches of WAL in which nothing was for us. And nothing may starve: the server is told that
 * we live by a timer of its own, also while reading is held back.
 *
 * A table that is described is looked up before anything behind that is read: see `PartitionLinks`.
 *
 * Wake-ups are what costs. A walsender under load writes row by row, and each small read wakes us; so when small reads
 * follow each other closely, reading pauses for a millisecond and finds them together. A commit that comes alone is
 * never held back.
 */
import type { Clock, TimerId } from '../../base/clock.ts';
import { nextTurn } from '../../base/turn.ts';
import type pg from 'pg';
import { type Lsn, lsnOf } from '../../model/lsn.ts';
import { ChangeWriter, type LinksOf } from './change-writer.ts';
import { DatabaseUnreachableError, DatabaseRefusedError } from '../connection/database-error.ts';
import { PgoutputError, PgoutputParser } from './pgoutput-parser.ts';
import { errorFields, frontendMessage, type RawWire, takeOver } from '../connection/raw-wire.ts';
import { toPostgresMicros } from './postgres-clock.ts';
import type { TransactionSink } from './transaction-sink.ts';

export interface ReplicationStreamOptions {
  readonly client: pg.Client;
  /** `START_REPLICATION …`: sent once the bytes are ours, since the first changes follow it at once. */
  readonly startCommand: string;
  readonly sink: TransactionSink;
  /** The commit LSN of the last transaction that the sink has taken: one that comes again is left out. */
  readonly lastCommitLsn: Lsn;
  /** The sink has durably all that committed before: Postgres is told so whenever it is told anything. */
  readonly heldLsn: () => Lsn;
  /** What the slot has confirmed already: never fallen back behind. */
  readonly confirmedLsn: Lsn;
  /** The server's `wal_sender_timeout` in milliseconds; 0 for none. */
  readonly serverTimeoutMs: number;
  readonly transactionBytesMax: number;
  readonly linksOf: LinksOf;
  readonly clock: Clock;
}

export interface ReplicationStream {
  /** Resolves when the server has answered the start command. Rejects as `ended` does. */
  readonly started: Promise<void>;
  /** Resolves with the reason when the stream is over; an open transaction has been abandoned by then. */
  readonly ended: Promise<Error>;
  /** The sink may hold more by now. */
  acknowledge(): void;
  /** Has Postgres say how far it has come. */
  askProgress(): void;
  /** Says farewell, with the last acknowledgement, and closes. */
  close(): void;
}

const STATUS_MS_MAX = 10_000;
const SILENCE_MS_MIN = 60_000;
const SMALL_READ_BYTES = 16_384;
const CLOSE_MS = 1;
const CLOSE_READS = 4;
const PAUSE_MS = 1;

const code = (letter: string): number => letter.charCodeAt(0);
const COPY_DATA = code('d'), COPY_BOTH = code('W'), COPY_DONE = code('c'), ERROR = code('E'), NOTICE = code('N'), PARAMETER = code('S');
/** By itself, without the end of the copy, where the server is stopped in good order. */
const COMMAND_COMPLETE = code('C');
const XLOG_DATA = code('w'), KEEPALIVE = code('k');
const XLOG_HEADER_BYTES = 25;
const KEEPALIVE_BYTES = 18;

export function startReplicationStream(options: ReplicationStreamOptions): ReplicationStream {
  return new Stream(options);
}

class Stream implements ReplicationStream {
  readonly started: Promise<void>;
  readonly ended: Promise<Error>;
  private readonly options: ReplicationStreamOptions;
  private readonly wire: RawWire;
  private readonly writer: ChangeWriter;
  private readonly parser: PgoutputParser;
  private markStarted: () => void = () => {};
  private markEnded: (error: Error) => void = () => {};
  private isOver = false;

  /** Postgres has sent all that it has for us before here. */
  private passed: bigint;
  private confirmed: bigint;
  private statusTimer: TimerId | undefined;
  private isStatusDue = false;
  /** The next status asks for an answer. */
  private isAnswerWanted = false;

  private pauseTimer: TimerId | undefined;
  private lastReadMs = Number.NEGATIVE_INFINITY;
  private lastHeardMs: number;
  private closeReads = 0;
  private isCongested = false;
  /** The next message waits until a table has been looked up. */
  private isLookingUp = false;

  constructor(options: ReplicationStreamOptions) {
    this.options = options;
    this.confirmed = this.passed = BigInt(options.confirmedLsn);
    this.lastHeardMs = options.clock.nowMs();
    this.writer = new ChangeWriter(options);
    this.writer.onCommit = (endLsn) => (this.passed = endLsn);
    this.parser = new PgoutputParser(this.writer);
    this.ended = new Promise((done) => (this.markEnded = done));
    this.started = Promise.race([
      new Promise<void>((done) => (this.markStarted = done)),
      this.ended.then((error) => Promise.reject(error)),
    ]);
    this.wire = takeOver(options.client, {
      message: (type, bytes, start, end) => this.message(type, bytes, start, end),
      readEnd: (byteCount) => this.readEnd(byteCount),
      broken: (error) => this.end(error),
    });
    this.wire.write(frontendMessage('Q', options.startCommand));
    this.scheduleStatus();
  }

  acknowledge(): void {
    this.askStatus();
  }

  askProgress(): void {
    this.isAnswerWanted = true;
    this.askStatus();
  }

  close(): void {
    if (this.isOver) return;
    this.sendStatus();
    this.wire.finish(Buffer.concat([frontendMessage('c'), frontendMessage('X')]), this.options.clock);
    this.end(new DatabaseUnreachableError('the stream was closed'));
  }

  private message(type: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case COPY_DATA: return this.copyData(bytes, start, end);
      case COPY_BOTH: return this.markStarted();
      case ERROR: return this.end(refusal(errorFields(bytes, start, end)));
      case COPY_DONE: case COMMAND_COMPLETE: return this.end(new DatabaseUnreachableError('Postgres ended the replication stream'));
      case NOTICE: case PARAMETER: return;
      default: throw new PgoutputError(`unexpected message ${JSON.stringify(String.fromCharCode(type))} in the replication stream`);
    }
  }

  private copyData(bytes: Uint8Array, start: number, end: number): void {
    const type = bytes[start];
    if (type === XLOG_DATA && end - start > XLOG_HEADER_BYTES) {
      this.writer.count(end - start - XLOG_HEADER_BYTES);
      this.parser.parse(bytes, start + XLOG_HEADER_BYTES, end);
      const described = this.writer.takeDescribed();
      if (described !== undefined) this.holdFor(described);
    } else if (type === KEEPALIVE && end - start === KEEPALIVE_BYTES) {
      this.keepalive(uint64(bytes, start + 1), bytes[start + 17] === 1);
    } else {
      throw new PgoutputError(`a replication message of type ${type} with ${end - start} bytes`);
    }
  }

  private keepalive(walEnd: bigint, isReplyAsked: boolean): void {
    if (this.writer.isInTransaction) {
      if (isReplyAsked) this.askStatus();
      return;
    }
    this.passed = walEnd;
    this.options.sink.progress(lsnOf(walEnd), isReplyAsked); // Its acknowledgement is the reply.
  }

  private readEnd(byteCount: number): void {
    const now = this.options.clock.nowMs();
    this.lastHeardMs = now;
    if (this.options.sink.congestion !== undefined) return this.holdBack();
    if (byteCount >= SMALL_READ_BYTES) this.closeReads = CLOSE_READS;
    else this.closeReads = now - this.lastReadMs <= CLOSE_MS ? this.closeReads + 1 : 0;
    this.lastReadMs = now;
    if (byteCount < SMALL_READ_BYTES && this.closeReads >= CLOSE_READS) this.pauseBriefly();
  }

  private pauseBriefly(): void {
    this.wire.pause();
    this.pauseTimer = this.options.clock.setTimer(() => {
      this.lastReadMs = this.options.clock.nowMs();
      this.wire.resume();
    }, PAUSE_MS);
  }

  private holdBack(): void {
    this.isCongested = true;
    this.wire.pause();
    this.relief().then(
      () => {
        this.isCongested = false;
        this.lastHeardMs = this.options.clock.nowMs();
        this.wire.resume();
      },
      (error: unknown) => this.end(error instanceof Error ? error : new Error(String(error))),
    );
  }

  private holdFor(described: Promise<void>): void {
    this.isLookingUp = true;
    this.wire.hold();
    described.then(
      () => {
        this.isLookingUp = false;
        this.wire.release(); // What it tells counts as heard now.
      },
      (error: unknown) => this.end(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Resolves when the sink has room. */
  private async relief(): Promise<void> {
    const { sink } = this.options;
    while (sink.congestion !== undefined) await sink.congestion;
  }

  /** What Postgres may forget. */
  private flushed(): bigint {
    const held = BigInt(this.options.heldLsn());
    if (held > this.confirmed) this.confirmed = held;
    return this.confirmed;
  }

  /** Once per turn of the event loop, however many acknowledgements it brings, and behind it: clients wait for what it brings them. */
  private askStatus(): void {
    if (this.isStatusDue || this.isOver) return;
    this.isStatusDue = true;
    nextTurn(() => {
      this.isStatusDue = false;
      if (!this.isOver) this.sendStatus();
    });
  }

  private sendStatus(): void {
    const flushed = this.flushed();
    const written = this.passed > flushed ? this.passed : flushed;
    const isSilent = this.options.clock.nowMs() - this.lastHeardMs > 2 * this.statusMs();
    const body = Buffer.alloc(34);
    body.write('r', 0, 'latin1');
    body.writeBigUInt64BE(written, 1);
    body.writeBigUInt64BE(flushed, 9);
    body.writeBigUInt64BE(flushed, 17);
    body.writeBigInt64BE(toPostgresMicros(this.options.clock.epochMicros()), 25);
    body.writeUInt8(this.isAnswerWanted || (isSilent && !this.isHeldBack) ? 1 : 0, 33);
    this.isAnswerWanted = false;
    this.wire.write(frontendMessage('d', body));
  }

  /** Nothing is read: that nothing is heard says nothing about the peer. */
  private get isHeldBack(): boolean {
    return this.isCongested || this.isLookingUp;
  }

  private statusMs(): number {
    const { serverTimeoutMs } = this.options;
    return serverTimeoutMs === 0 ? STATUS_MS_MAX : Math.min(serverTimeoutMs / 3, STATUS_MS_MAX);
  }

  private scheduleStatus(): void {
    this.statusTimer = this.options.clock.setTimer(() => {
      if (this.isDead()) return this.end(new DatabaseUnreachableError('Postgres has been silent for too long'));
      this.sendStatus();
      this.scheduleStatus();
    }, this.statusMs());
  }

  /** A peer that vanished without a word: nothing came, though we asked. */
  private isDead(): boolean {
    const silenceMsMax = Math.max(this.options.serverTimeoutMs, SILENCE_MS_MIN);
    return !this.isHeldBack && this.options.clock.nowMs() - this.lastHeardMs > silenceMsMax;
  }

  private end(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    const { clock } = this.options;
    if (this.statusTimer !== undefined) clock.clearTimer(this.statusTimer);
    if (this.pauseTimer !== undefined) clock.clearTimer(this.pauseTimer);
    this.options.sink.abandon(); // An open transaction comes again, whole.
    this.wire.destroy(); // No effect on a wire that is finishing.
    this.markEnded(error);
  }
}

function refusal(fields: ReadonlyMap<string, string>): Error {
  const state = fields.get('C') ?? '';
  const message = fields.get('M') ?? 'an error without a text';
  if (/^(?:08...|57P0[1-5])$/.test(state)) return new DatabaseUnreachableError(message);
  return new DatabaseRefusedError(state, message, fields.get('D'));
}

function uint64(bytes: Uint8Array, at: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(at);
}
