/**
 * MoveQueries: how the rows of many shapes' moves are asked for over a few connections.
 *
 * A parent that moves may move rows of ten thousand shapes, and each asks. So those that wait share a snapshot: whoever has a connection
 * begins a transaction and takes one after the other, for a short time. None of them is promised to a connection before its turn, so a
 * query that takes long holds up nobody but those that have been read with it and are yet to be answered.
 *
 * Those that ask the same as one that was quick, by other values, go to Postgres a few at a time. Where one of them takes long all the
 * same, that is given up after a second or two, and from then on each of them goes alone.
 *
 * A snapshot counts only if it sees every transaction that the shape has taken: Postgres streams a commit before its snapshots
 * show it. Where it does not, the shape waits for a newer one, a moment later; so it does where the table's rows were written anew behind
 * the snapshot.
 *
 * What the snapshot saw must come in the stream, and the stream ends where the WAL was flushed. Where the snapshot is ahead of that,
 * a commit of our own flushes it; a standby is not waited for.
 */
import type pg from 'pg';
import { systemClock, type Clock } from '../../base/clock.ts';
import { isOurFault } from '../../base/our-fault.ts';
import type { StopSignal } from '../../base/stop-signal.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import { crash } from '../../otp/kernel/error-report.ts';
import type { Message } from '../../otp/process.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../connection/database-error.ts';
import { PoolTimeoutError, type DatabasePool } from '../connection/pool.ts';
import { forgotten } from '../connection/prepared-question.ts';
import { RowWriter } from '../encoding/row-writer.ts';
import { KnownTables } from './known-tables.ts';
import { ReadingPipeline, UnexpectedTableError } from './reading-pipeline.ts';
import { beginReading, prepareReadingSession } from './reading-transaction.ts';
import type { RowQuery } from './query-messages.ts';
import { FailedTogetherError, RowsTogether } from './rows-together.ts';
import { SchemaChangedError, SessionEndedError, snapshotRefusal, TableRewrittenError } from './snapshot-error.ts';
import { queryOf, TableLooks, type Looked, type ReadTable, type TableSight } from './table-look.ts';
import { streamInTime } from './timely-rows.ts';
import { FLUSH_WAL } from './wal-flush.ts';

/** What is read for one splice, and where it goes. */
export interface MoveQueryTarget<Rows> extends ReadTable {
  /** False: it lacks a transaction that the shape has taken. */
  isNewEnough(pgSnapshot: PgSnapshot): boolean;
  /** Inserts as of `model/change.ts`, one behind the other; their tuples have the requested columns. */
  rows(fragment: Uint8Array): Promise<void>;
  /** What there was, now that it is durable: goes into the answer as it is. */
  complete(): Promise<Rows>;
}

export interface MoveQueryOptions {
  readonly pool: DatabasePool;
  /**
   * Asked for each query anew. Undefined for a handle that nobody knows any more, and when nobody keeps the values.
   *
   * @param views those after the moves.
   */
  readonly target: (handle: Handle, views: readonly LogOffset[]) => MoveQueryTarget<unknown> | undefined;
  /** How long a query may take to its first row. Default 30,000 ms. */
  readonly firstRowMsMax?: number;
  readonly clock?: Clock;
  /** Those that need no look before their rows are asked for. Default none, to begin with. */
  readonly tables?: KnownTables;
}

/** How many queries may join one snapshot, and for how long: the first ones wait for the last where the WAL must be flushed. */
const SHARED_QUERIES_MAX = 64;
const SHARED_MS_MAX = 100;
/** So many go in one write: what becomes of their rows is then some tenths of a millisecond. */
const TOGETHER_MAX = 8;
/** What a query takes that is quick, and how long they may take together before they are given up. */
const QUICK_MS = 20;
const TOGETHER_MS_MAX = 1_000;
/** Between two snapshots, while a commit that was streamed is not shown yet. */
const HIDDEN_MS = 2;
const HIDDEN_MS_MAX = 250;

interface Asked {
  readonly handle: Handle;
  readonly views: readonly LogOffset[];
  readonly signal: StopSignal;
  readonly answer: (message: Message) => void;
  /** Until it is asked with a newer snapshot. */
  readonly delayMs: number;
  /** It was among some that were asked together, and failed or took too long. */
  readonly isAlone: boolean;
}

/** Whose turn it is. */
interface Due {
  readonly asked: Asked;
  readonly target: MoveQueryTarget<unknown>;
  /** Of a table without partitions. */
  readonly query: RowQuery;
}

interface Work {
  readonly client: pg.PoolClient;
  readonly target: MoveQueryTarget<unknown>;
  readonly signal: StopSignal;
  readonly sight: TableSight;
  readonly pipeline?: ReadingPipeline;
}

/** What is done with one snapshot. */
interface Round {
  /** Whose turn it is. */
  current: Asked | undefined;
  /** Their rows are read, and count once the WAL is flushed. */
  readonly unflushed: { readonly asked: Asked; readonly settled: Promise<Message> }[];
  /** Its transaction has failed. */
  isOver: boolean;
  /** All of it was sent at once. */
  isPiped: boolean;
}

export class MoveQueries {
  private readonly waiting: Asked[] = [];
  /** Connections that are at work, or waited for. */
  private workers = 0;
  private readonly clock: Clock;
  private readonly tables: KnownTables;

  /** @param crashed told of what can only be a bug of this file. */
  constructor(
    private readonly options: MoveQueryOptions,
    private readonly crashed: (error: unknown) => void,
  ) {
    this.clock = options.clock ?? systemClock;
    this.tables = options.tables ?? new KnownTables();
  }

  /** @param signal nobody waits for an answer once it is aborted. */
  ask(handle: Handle, views: readonly LogOffset[], signal: StopSignal): Promise<Message> {
    return new Promise((answer) => this.enter({ handle, views, signal, answer, delayMs: HIDDEN_MS, isAlone: false }));
  }

  private enter(asked: Asked): void {
    this.waiting.push(asked);
    if (this.workers >= this.options.pool.max) return;
    this.workers += 1;
    this.work().catch(this.crashed);
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const round: Round = { current: undefined, unflushed: [], isOver: false, isPiped: false };
      try {
        await this.options.pool.use((client) => this.takeTogether(client, round));
      } catch (error) {
        if (error instanceof UnexpectedTableError && round.current !== undefined) this.waiting.unshift(round.current);
        else if (error instanceof FailedTogetherError) this.waiting.unshift(...round.unflushed.map(({ asked }) => asked));
        else if (!(error instanceof PoolTimeoutError)) await this.giveUp(round, error); // Who waited in vain for a connection waits on.
      }
    }
    this.workers -= 1; // At once: whoever asks from now on finds nobody at work.
  }

  /** The connection is lost. It is told to the one that it was lost with; the others are asked about anew. */
  private async giveUp({ current, unflushed }: Round, error: unknown): Promise<void> {
    const others = unflushed.map(({ asked }) => asked);
    const concerned = current ?? others.shift() ?? this.waiting.shift();
    this.waiting.unshift(...others);
    concerned?.answer(refusedMoves(await this.lossOf(error)));
  }

  /** Where another session works at once, Postgres is not away: somebody has ended this one, and may do so each time. */
  private async lossOf(error: unknown): Promise<unknown> {
    if (!(error instanceof DatabaseUnreachableError)) return error;
    return await this.options.pool.probe().then(() => new SessionEndedError(error), () => error);
  }

  private async takeTogether(client: pg.PoolClient, round: Round): Promise<void> {
    await this.takeAlone(client, round);
    if (!round.isPiped) await this.takeInSteps(client, round);
    const end = round.isOver ? ['ROLLBACK'] : round.isPiped ? [] : ['COMMIT'];
    const last = round.unflushed.length > 0 ? [...end, FLUSH_WAL] : end;
    if (last.length > 0) await client.query(last.join('; '));
    for (const { asked, settled } of round.unflushed.splice(0)) void settled.then(asked.answer);
  }

  /** The only one that waits shares no snapshot, so all that it asks may go at once, where its table is known. */
  private async takeAlone(client: pg.PoolClient, round: Round): Promise<void> {
    const [asked, ...others] = this.waiting;
    if (asked === undefined || asked.signal.aborted || others.length > 0 || this.options.pool.isLent) return;
    const target = this.options.target(asked.handle, asked.views);
    const expected = target && this.tables.sightOf(target);
    if (target === undefined || expected === undefined) return;
    this.waiting.shift();
    round.isPiped = true;
    round.current = asked;
    await prepareReadingSession(client);
    await this.take(round, asked, target, () => this.readAtOnce(client, asked, target, expected));
    round.current = undefined;
  }

  private async takeInSteps(client: pg.PoolClient, round: Round): Promise<void> {
    await beginReading(client, this.options.pool);
    const looks = new TableLooks(client);
    const untilMs = this.clock.nowMs() + SHARED_MS_MAX;
    let quick: string | undefined;
    for (let count = 0; count < SHARED_QUERIES_MAX && !round.isOver && this.clock.nowMs() <= untilMs; ) {
      const due = this.due();
      if (due === undefined) break;
      const group = due.query.sql === quick ? this.alike(due) : [due];
      const beganMs = this.clock.nowMs();
      if (group.length > 1) await this.takeAlike(client, round, looks, group);
      else {
        round.current = due.asked;
        await this.take(round, due.asked, due.target, () => this.readInSteps(client, looks, due.asked, due.target));
        round.current = undefined;
      }
      quick = looks.holds(due.target) && this.clock.nowMs() - beganMs <= QUICK_MS * group.length ? due.query.sql : undefined;
      count += group.length;
    }
  }

  /** Takes from those that wait the first one that somebody waits for. */
  private due(): Due | undefined {
    for (let asked = this.waiting.shift(); asked !== undefined; asked = this.waiting.shift()) {
      if (asked.signal.aborted) continue;
      try {
        const target = this.options.target(asked.handle, asked.views);
        if (target !== undefined) return { asked, target, query: queryOf(target, false) };
        asked.answer(refusedMoves(new DatabaseUnreachableError(`nobody keeps what ${asked.handle} looks up`)));
      } catch (error) {
        asked.answer(refusedMoves(error));
      }
    }
    return undefined;
  }

  /** With those behind it that ask the same. */
  private alike(first: Due): readonly Due[] {
    const group = [first];
    while (!first.asked.isAlone && group.length < TOGETHER_MAX && this.waiting[0]?.isAlone === false) {
      const next = this.due();
      if (next === undefined) break;
      if (next.asked.isAlone || next.query.sql !== first.query.sql) {
        this.waiting.unshift(next.asked);
        break;
      }
      group.push(next);
    }
    return group;
  }

  /** Of a table that the transaction holds. @throws what leaves the connection unfit for others. */
  private async takeAlike(client: pg.PoolClient, round: Round, looks: TableLooks, group: readonly Due[]): Promise<void> {
    const wanted: (Due & { readonly looked: Looked })[] = [];
    for (const due of group) {
      try {
        const looked = await looks.at(due.target);
        if (due.target.isNewEnough(looked.pgSnapshot)) wanted.push({ ...due, looked });
        else this.askLater(due.asked);
      } catch (error) {
        due.asked.answer(refusedMoves(error));
      }
    }
    const together = new RowsTogether({
      client,
      queries: wanted.map(({ asked: { signal }, query, target }) => ({ signal, query, rows: (fragment) => target.rows(fragment) })),
      isBoolean: wanted[0]?.looked.isBoolean ?? [],
      clock: this.clock,
      silenceMsMax: TOGETHER_MS_MAX,
    });
    try {
      await together.read();
    } catch (error) {
      return this.refuseAlike(round, wanted.map(({ asked }) => asked), together.current, error);
    }
    for (const [number, { asked, target, looked }] of wanted.entries()) {
      if (together.failures.has(number)) asked.answer(refusedMoves(together.failures.get(number)));
      else this.settle(round, asked, target, looked);
    }
  }

  /** The others are asked about anew. @throws what leaves the connection unfit for others. */
  private refuseAlike(round: Round, asked: readonly Asked[], current: number, error: unknown): void {
    const isRefused = error instanceof DatabaseRefusedError;
    const concerned = error instanceof FailedTogetherError ? undefined : asked[current];
    const others = asked.filter((each) => each !== concerned);
    this.waiting.unshift(...(isRefused ? others : others.map((each) => ({ ...each, isAlone: true }))));
    round.current = concerned;
    if (!isRefused) throw error;
    round.isOver = true;
    round.current = undefined;
    concerned?.answer(refusedMoves(error));
  }

  /**
   * @param read gives what was looked at; undefined where the snapshot lacks something.
   * @throws what leaves the connection unfit for others.
   */
  private async take(
    round: Round,
    asked: Asked,
    target: MoveQueryTarget<unknown>,
    read: () => Promise<Looked | undefined>,
  ): Promise<void> {
    try {
      const looked = await read();
      if (looked === undefined) return this.askLater(asked);
      this.settle(round, asked, target, looked);
    } catch (error) {
      round.isOver = error instanceof DatabaseRefusedError || error instanceof TableRewrittenError;
      if (error instanceof TableRewrittenError) return this.askLater(asked); // Whether the table is still meant is seen by then.
      // What was sent at once goes on behind that.
      if (!round.isOver && (round.isPiped || !(error instanceof SchemaChangedError))) throw error;
      asked.answer(refusedMoves(error));
    }
  }

  private settle(round: Round, asked: Asked, target: MoveQueryTarget<unknown>, { pgSnapshot, isFlushed }: Looked): void {
    const settled = settledMoves(target, pgSnapshot);
    if (isFlushed) void settled.then(asked.answer);
    else round.unflushed.push({ asked, settled });
  }

  private async readInSteps(
    client: pg.PoolClient,
    looks: TableLooks,
    { signal }: Asked,
    target: MoveQueryTarget<unknown>,
  ): Promise<Looked | undefined> {
    const looked = await looks.at(target);
    this.tables.note(looked);
    if (!target.isNewEnough(looked.pgSnapshot)) return undefined;
    await this.read({ client, target, signal, sight: looked });
    await looks.confirm(looked);
    return looked;
  }

  /** @throws {UnexpectedTableError} the table is another one than was expected: now it is known. */
  private async readAtOnce(
    client: pg.PoolClient,
    { signal }: Asked,
    target: MoveQueryTarget<unknown>,
    expected: TableSight,
  ): Promise<Looked | undefined> {
    const wants = ({ pgSnapshot }: Looked): boolean => target.isNewEnough(pgSnapshot);
    const pipeline = new ReadingPipeline({ client, table: target, expected, tables: this.tables, wants });
    try {
      await this.read({ client, target, signal, sight: expected, pipeline });
    } catch (error) {
      throw forgotten(error) ?? error;
    }
    return pipeline.end();
  }

  private async read({ client, target, signal, sight: { isPartitioned, isBoolean }, pipeline }: Work): Promise<void> {
    const { clock, firstRowMsMax } = this.options;
    await streamInTime({
      client,
      query: queryOf(target, isPartitioned),
      encoder: new RowWriter(isBoolean),
      rows: (fragment) => target.rows(fragment),
      onFirst: () => {},
      signal,
      clock,
      firstRowMsMax,
      pipeline,
    });
  }

  private askLater(asked: Asked): void {
    const again = { ...asked, delayMs: Math.min(2 * asked.delayMs, HIDDEN_MS_MAX) };
    const forget = (): void => this.clock.clearTimer(timer);
    const timer = this.clock.setTimer(() => {
      asked.signal.removeEventListener('abort', forget);
      this.enter(again);
    }, asked.delayMs);
    asked.signal.addEventListener('abort', forget, { once: true });
  }
}

/** @param thrown by a query about moves, or by what became of its rows. */
export function refusedMoves(thrown: unknown): Message {
  if (thrown instanceof Error && !isOurFault(thrown)) return { type: 'moves.failed', error: snapshotRefusal(thrown, true) };
  return { type: 'moves.crashed', ...crash(thrown) };
}

async function settledMoves(target: MoveQueryTarget<unknown>, pgSnapshot: PgSnapshot): Promise<Message> {
  try {
    return { type: 'moves.queried', pgSnapshot, rows: await target.complete() };
  } catch (error) {
    return refusedMoves(error);
  }
}
