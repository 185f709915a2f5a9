/**
 * SnapshotBatches: shapes of one table that are asked for at the same time have their first rows read by one transaction. Most that a
 * snapshot of few rows costs is what stands around its rows: a session, a write, the transaction, the look at the table, an answer.
 *
 * Who is read so can always be read by himself as well, and is where a batch comes to nothing: then nothing has happened yet. For a while
 * after that the table is not read so at all, for its rows may be many, or the filters over it slow.
 */
import type pg from 'pg';
import type { Clock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { Stop, type StopSignal } from '../../base/stop-signal.ts';
import { nextTurn } from '../../base/turn.ts';
import type { JoinedLines } from '../../model/joined-lines.ts';
import { DatabaseRefusedError } from '../connection/database-error.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { forgotten } from '../connection/prepared-question.ts';
import type { RowEncoder } from '../encoding/row-encoder.ts';
import { BatchPipeline, type BatchAnswer, type BatchMember } from './batch-pipeline.ts';
import { withAll, withEither } from './either-signal.ts';
import type { KnownTables } from './known-tables.ts';
import { portalMessages } from './query-messages.ts';
import { prepareReadingSession } from './reading-transaction.ts';
import { streamRows } from './row-stream.ts';
import { SchemaChangedError, TableRewrittenError } from './snapshot-error.ts';
import { confirmPlace, isSameSight, lookedAt, lookRowOf, queryOf, type Looked, type LookRow, type Place } from './table-look.ts';

/** So many go together: the last of them waits for the first. */
const MEMBERS_MAX = 8;
/** Of the whole batch; then its session is closed. What is in the log and its snapshot does not see must still be remembered there. */
const BATCH_MS_MAX = 1_000;
/** So many shapes of a table are read by themselves after a batch of it came to nothing. */
const APART = 1_000;
/** So many tables are remembered for that. */
const TABLES_MAX = 1_000;

export interface BatchRequest extends BatchMember {
  /** Nobody waits for it any more. */
  readonly signal: StopSignal;
}

/** What one shape is told. */
export interface BatchedRows {
  readonly looked: Looked;
  /** Undefined where there is no row. */
  readonly lines: JoinedLines | undefined;
}

interface Waiting extends BatchRequest {
  settle(rows: BatchedRows | undefined): void;
  fail(error: unknown): void;
}

interface BatchesOptions {
  readonly pool: DatabasePool;
  readonly tables: KnownTables;
  readonly clock: Clock;
}

export class SnapshotBatches {
  /** By the name of the table: those that are asked for in this turn. */
  private readonly gathering = new Map<string, Waiting[]>();
  /** How many shapes of these are yet to be read by themselves. */
  private readonly apart = new Map<string, number>();

  constructor(private readonly options: BatchesOptions) {}

  /**
   * Those of a known table that are asked for in one turn are read together.
   *
   * @returns undefined for one that is to be read by itself: nothing has happened.
   * @throws {PoolTimeoutError} @throws {WorldError} there is no connection for any of them.
   */
  read(request: BatchRequest): Promise<BatchedRows | undefined> {
    const { sight: { name } } = request;
    if (this.isApart(name) || !isShort(request)) return Promise.resolve(undefined);
    return new Promise((settle, fail) => this.gather(name, { ...request, settle, fail }));
  }

  private gather(name: string, waiting: Waiting): void {
    const begun = this.gathering.get(name);
    if (begun !== undefined) {
      begun.push(waiting);
      if (begun.length === MEMBERS_MAX) this.gathering.delete(name); // They go with this turn; the next one begins anew.
      return;
    }
    const gathered = [waiting];
    this.gathering.set(name, gathered);
    nextTurn(() => {
      if (this.gathering.get(name) === gathered) this.gathering.delete(name);
      const [awaited, left] = [gathered.filter(isAwaited), gathered.filter((member) => !isAwaited(member))];
      for (const { settle } of left) settle(undefined);
      void this.settle(name, awaited);
    });
  }

  /** Never rejects. */
  private async settle(name: string, members: readonly Waiting[]): Promise<void> {
    let rows: readonly (BatchedRows | undefined)[] | undefined;
    try {
      rows = members.length < 2 ? undefined : await this.readTogether(members);
    } catch (error) {
      for (const { fail } of members) fail(error);
      return;
    }
    if (rows === undefined && members.length > 1 && members.some(isAwaited)) this.keepApart(name);
    members.forEach(({ settle }, index) => settle(rows?.[index]));
  }

  /** @returns undefined when it came to nothing. @throws as `read`. */
  private async readTogether(members: readonly Waiting[]): Promise<readonly (BatchedRows | undefined)[] | undefined> {
    const { pool, tables } = this.options;
    let hasBegun = false;
    try {
      const { look, place, rows } = await pool.use(async (client) => {
        hasBegun = true;
        await prepareReadingSession(client);
        return await this.answerTo(members, client);
      });
      const row = lookRowOf(look, (text) => tables.columnsIn(text));
      return members.map((member, index) => rowsOf(member, row, place, rows[index]));
    } catch (error) {
      if (!hasBegun) throw error;
      return undefined; // Each asks by itself, and hears what is the matter with it. One alone may meet a bug of ours, too.
    }
  }

  private async answerTo(members: readonly BatchRequest[], client: pg.PoolClient): Promise<BatchAnswer> {
    const tooLong = new Stop();
    const timer = this.options.clock.setTimer(() => tooLong.abort(undefined), BATCH_MS_MAX);
    const awaiting = members.map(({ signal }) => signal);
    try {
      return await withAll(awaiting, (nobody) => withEither([nobody, tooLong], (signal) => this.stream(members, client, signal)));
    } catch (error) {
      const lost = forgotten(error);
      if (lost === undefined && error instanceof DatabaseRefusedError) await client.query('ROLLBACK');
      throw lost ?? error;
    } finally {
      this.options.clock.clearTimer(timer);
    }
  }

  private async stream(members: readonly BatchRequest[], client: pg.PoolClient, signal: StopSignal): Promise<BatchAnswer> {
    const { clock } = this.options;
    const queries = members.map(({ table, sight }) => queryOf(table, sight.isPartitioned));
    const last = queries.pop();
    invariant(last !== undefined, 'a batch has members');
    const portals = [];
    for (const query of queries) portals.push(await portalMessages(query, clock, signal));
    const pipeline = new BatchPipeline(client, members, portals.flat());
    const nobody = { encoder: NO_ROWS, rows: () => Promise.resolve(), onFirst: () => {} };
    await streamRows({ client, query: last, ...nobody, signal, clock, pipeline });
    return pipeline.end();
  }

  private isApart(name: string): boolean {
    const left = this.apart.get(name);
    if (left === undefined) return false;
    if (left === 1) this.apart.delete(name);
    else this.apart.set(name, left - 1);
    return true;
  }

  private keepApart(name: string): void {
    this.apart.set(name, APART);
    const [oldest] = this.apart.size > TABLES_MAX ? this.apart.keys() : [];
    if (oldest !== undefined) this.apart.delete(oldest);
  }
}

function isAwaited({ signal }: BatchRequest): boolean {
  return !signal.aborted;
}

/** Its pipeline takes all rows. */
const NO_ROWS: RowEncoder<Uint8Array> = {
  size: 0,
  copyLine: () => {},
  dataRow: () => {},
  take: () => new Uint8Array(0),
};

/** All rows of a table may be many; and so may values be that are told apart by an array. */
function isShort({ table: { where } }: BatchRequest): boolean {
  return where !== undefined && where.params.every((param) => param === null || typeof param === 'string');
}

/** Undefined for one that is not to be read from this table as it is now: why, it hears by itself. */
function rowsOf(
  { table, sight }: BatchMember,
  row: LookRow,
  place: Place | undefined,
  lines: JoinedLines | undefined,
): BatchedRows | undefined {
  try {
    const looked = lookedAt(table, row);
    confirmPlace(looked, place);
    return isSameSight(looked, sight) ? { looked, lines } : undefined;
  } catch (error) {
    if (error instanceof SchemaChangedError || error instanceof TableRewrittenError) return undefined;
    throw error;
  }
}
