/**
 * A client of one shape that believes nothing: it holds every answer to the protocol, folds what it is told, and remembers it.
 *
 * It keeps its handle and its offset over any restart of the service. A 409 is a violation but where a TRUNCATE gave cause.
 */
import { systemClock } from '../../src/base/clock.ts';
import type { Random } from '../../src/base/random.ts';
import { ProtocolViolation, ShapeFold } from '../support/shapes/shape-fold.ts';
import type { ShapeMessage } from '../support/shapes/tag-folding-client.ts';
import { parametersOf, type OracleShape } from './any-shape.ts';
import { KEYS } from './schema.ts';
import { ServedLog, type LogMark } from './served-log.ts';
import { askShape, compareOffsets, lsnOf, type Exchange, type ShapeAnswer, type ShapeRequest, type Unanswered } from './shape-exchange.ts';
import { openStream } from './shape-stream.ts';

const REMEMBERED_MAX = 30;
const REMEMBERED_CHARACTERS_MAX = 4_000;

export class StrictClient {
  fold: ShapeFold;
  /** What came lately, for a reader: one line for each answer. */
  readonly story: string[] = [];
  handle: string | undefined;
  offset = '-1';
  /** All changes up to here have been told, as the service says; -1 while it has said nothing. */
  toldLsn = -1n;
  /** A TRUNCATE of one of its tables may be on its way. */
  isExcused = false;
  /** The stream may leave changes out until somebody finds out: what is strange then has to end with a 409, and is not folded till that. */
  mayBeMisled = false;
  private isMisled = false;
  readonly counts = { requests: 0, messages: 0, moveIns: 0, moveOuts: 0, excused: 0, unbegun: 0, unexcused: 0, unavailable: 0, behind: 0 };
  private cursor = '';
  private served: ServedLog;

  constructor(
    readonly shape: OracleShape,
    private readonly shapeUrl: string,
    private readonly random: Random,
    watched?: LogMark,
  ) {
    this.served = new ServedLog(random, watched);
    this.fold = foldOf(shape, shape.columns);
  }

  /** One request, with what comes of it. @throws {ProtocolViolation} */
  async step(live: boolean): Promise<Exchange['type']> {
    const request = { offset: this.offset, handle: this.handle, cursor: this.cursor, live: live && this.toldLsn >= 0n };
    this.counts.requests += 1;
    const exchange = await askShape(this.shapeUrl, parametersOf(this.shape), request);
    if (exchange.type === 'answered') this.take(request, exchange.answer);
    else this.takeNone(exchange);
    return exchange.type;
  }

  /**
   * Follows by an event stream from where it stands, until that or `signal` ends it. It has been up to date once.
   *
   * @throws {ProtocolViolation}
   */
  async stream(signal: AbortSignal): Promise<Exchange['type']> {
    const request = { offset: this.offset, handle: this.handle, cursor: this.cursor, live: true };
    this.counts.requests += 1;
    const stream = await openStream(this.shapeUrl, parametersOf(this.shape), request, signal);
    if (stream.type !== 'opened') {
      if (!signal.aborted) this.takeNone(stream);
      return stream.type;
    }
    for await (const { entries, offset, upToDateLsn } of stream.batches) {
      this.remember(`stream ${this.offset} → ${offset}, up to date at ${upToDateLsn}: ${JSON.stringify(entries)}`);
      const isBack = compareOffsets(offset, this.offset) < 0;
      if (isBack) throw new ProtocolViolation(`a stream brings its reader from ${this.offset} to ${offset}`);
      this.takeEntries(entries, offset);
      this.served.add(entries);
      this.offset = offset;
      this.unlessMisled(() => this.fold.settle()); // Its LSN is where the client goes on, and no promise: that is a plain answer's.
    }
    return 'answered';
  }

  /** Asks again for some of what it was told. @throws {ProtocolViolation} when anything is told otherwise now. */
  async rereadSome(): Promise<Exchange['type']> {
    const sample = this.served.samples[this.random.below(Math.max(1, this.served.samples.length))];
    if (sample === undefined) return 'answered';
    const { offset, handle, bytes } = sample;
    this.counts.requests += 1;
    const exchange = await askShape(this.shapeUrl, parametersOf(this.shape), { offset, handle, live: false, cursor: '' });
    if (exchange.type === 'rotated') this.remember(`again ${offset} → 409, ${exchange.handle ?? 'no handle'}`);
    if (this.handle !== handle || this.isExcused) return 'answered'; // It has a new log, or may have one soon.
    if (exchange.type === 'rotated') throw new ProtocolViolation(`409 on a healthy shape: ${handle} at ${offset}, which was told before`);
    if (exchange.type !== 'answered') return exchange.type;
    const { answer } = exchange;
    // At the beginning nobody's handle is asked for, and an instance that stands by may know of the log before this one alone.
    if (answer.handle !== handle) return 'answered';
    if (this.isBehind(answer) && bytes.startsWith(answer.bytes)) return this.countBehind();
    if (!answer.bytes.startsWith(bytes)) {
      const now = `now ${offset} → ${answer.offset}, ${toldOf(answer)}: ${answer.bytes}`;
      throw new ProtocolViolation(`other bytes than before of ${handle} at ${offset}: ${bytes}\n${now}`);
    }
    return 'answered';
  }

  /** After a restart, while the shape takes again what it had taken: then what it tells is right, but is not all. */
  private isBehind({ upToDateLsn, offset }: ShapeAnswer): boolean {
    return upToDateLsn !== undefined && compareOffsets(offset, this.offset) < 0;
  }

  private countBehind(): 'unavailable' {
    this.counts.behind += 1;
    return 'unavailable';
  }

  mark(): LogMark {
    return this.served.mark();
  }

  hasReadTheSame(): boolean {
    return this.served.agrees();
  }

  private take(request: ShapeRequest, answer: ShapeAnswer): void {
    const { entries, bytes, offset, handle, columns = [] } = answer;
    this.remember(`${request.live ? 'live ' : ''}${request.offset} → ${offset}, ${toldOf(answer)}: ${bytes}`);
    if (request.offset === '-1') this.begin(columns);
    this.takeEntries(entries, offset);
    this.served.add(entries, { handle, offset: request.offset, bytes });
    this.handle = handle;
    this.offset = offset;
    this.cursor = answer.cursor;
    if (answer.upToDateLsn !== undefined) this.settle(answer.upToDateLsn);
  }

  /** A shape of all columns has those that its table has by now. */
  private begin(columns: readonly string[]): void {
    const isOfAll = parametersOf(this.shape)['columns'] === undefined;
    const isRight = this.shape.columns.every((name) => columns.includes(name)) && (isOfAll || columns.length === this.shape.columns.length);
    if (!isRight) throw new ProtocolViolation(`a schema of ${columns.join()}`);
    this.fold = foldOf(this.shape, columns);
  }

  private takeEntries(entries: readonly ShapeMessage[], offset: string): void {
    if (entries.length > 0 && lsnOf(offset) < this.toldLsn) {
      throw new ProtocolViolation(`entries up to ${offset}, though an up-to-date told of everything up to ${this.toldLsn}`);
    }
    for (const entry of entries) {
      this.unlessMisled(() => this.fold.take(entry));
      this.counts.messages += 1;
      if ('event' in entry.headers) this.counts[entry.headers.event === 'move-in' ? 'moveIns' : 'moveOuts'] += 1;
    }
  }

  private settle(upToDateLsn: bigint): void {
    this.unlessMisled(() => this.fold.settle());
    if (upToDateLsn > this.toldLsn) this.toldLsn = upToDateLsn;
  }

  private unlessMisled(fold: () => void): void {
    if (this.isMisled) return;
    try {
      fold();
    } catch (error) {
      if (!this.mayBeMisled || !(error instanceof ProtocolViolation)) throw error;
      this.isMisled = true;
    }
  }

  private takeNone(exchange: Unanswered): void {
    if (exchange.type === 'rotated') this.rotate(exchange.handle);
    else this.remember(`${this.offset} → ${exchange.type}: ${exchange.why}`);
    if (exchange.type === 'unavailable') this.counts.unavailable += 1;
  }

  /**
   * Half a snapshot does not outlive the process that took it, nor one that was read whole before it was durable: who has not come past
   * it may have to begin anew.
   */
  private get isUnbegun(): boolean {
    return this.toldLsn < 0n || this.offset.startsWith('0_');
  }

  private rotate(handle: string | undefined): void {
    this.remember(`${this.offset} → 409, ${handle ?? 'no handle'}`);
    this.counts[this.isExcused ? 'excused' : this.isUnbegun ? 'unbegun' : 'unexcused'] += 1;
    if (!this.isExcused && !this.isUnbegun) throw new ProtocolViolation(`409 on a healthy shape: ${this.handle} at ${this.offset}`);
    this.fold.clear();
    this.isMisled = false;
    this.served = new ServedLog(this.random);
    this.handle = handle;
    this.offset = '-1';
    this.toldLsn = -1n;
  }

  private remember(told: string): void {
    if (this.story.at(-1)?.endsWith(told) === true) return; // Somebody who is away for long would fill it.
    const line = `${Math.round(systemClock.nowMs())} ms, ${told}`;
    this.story.push(line.length > REMEMBERED_CHARACTERS_MAX ? `${line.slice(0, REMEMBERED_CHARACTERS_MAX)}…` : line);
    if (this.story.length > REMEMBERED_MAX) this.story.shift();
  }
}

function foldOf({ table, replica, inner, moveOuts }: OracleShape, columns: readonly string[]): ShapeFold {
  return new ShapeFold({ columns, keys: KEYS[table], booleans: ['active'], replica, isTagged: inner.length > 0 && moveOuts === 'events' });
}

function toldOf({ upToDateLsn }: ShapeAnswer): string {
  return upToDateLsn === undefined ? 'more to come' : `up to date at ${upToDateLsn}`;
}
