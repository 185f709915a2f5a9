/**
 * SnapshotPort: takes the first rows of shapes, in one REPEATABLE READ transaction each, or for few that are asked for together.
 *
 * - `takeSnapshot { handle, progressTo }` → `snapshot.completed { handle }` or `snapshot.failed { handle, error }`
 * - meanwhile `progressTo` is told `snapshot.known { handle, pgSnapshot }` and `snapshot.started { handle }` (the first row, or the end of
 *   an empty answer; of an answer that comes whole, its last row: who is woken by that reads all of it at once)
 *
 * Which transactions the rows contain must be known exactly, so the snapshot is asked for inside the transaction
 * that reads them. No value is ever spliced into SQL: a filter's constants are parameters of a portal; only a query
 * without any runs as a COPY, and where it is long, in a thread of its own. One shape's failure, whatever it is, is that shape's answer and
 * nobody else's.
 */
import type pg from 'pg';
import { systemClock, type Clock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import type { StopSignal } from '../../base/stop-signal.ts';
import type { JoinedLines } from '../../model/joined-lines.ts';
import type { LineTemplate } from '../../model/line-template.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import type { Address, Message, Name, PortContext, PortSpec } from '../../otp/process.ts';
import { tableLockHolders } from '../catalog/table-lock-holders.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../connection/database-error.ts';
import { piped } from '../connection/piped-statements.ts';
import { forgotten } from '../connection/prepared-question.ts';
import type { OpenTransaction } from '../connection/open-transaction.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { LineEncoder } from '../encoding/line-encoder.ts';
import { RowWriter } from '../encoding/row-writer.ts';
import { KnownTables } from './known-tables.ts';
import { readLargeRows } from './large-rows.ts';
import { ReadingPipeline, UnexpectedTableError } from './reading-pipeline.ts';
import { beginReading, prepareReadingSession } from './reading-transaction.ts';
import type { RowsThreads } from './rows-thread.ts';
import { SnapshotBatches, type BatchedRows } from './snapshot-batches.ts';
import { LOCK_NOT_AVAILABLE, SchemaChangedError, snapshotRefusal, TableLockedError } from './snapshot-error.ts';
import { confirm, lookAt, queryOf, type Looked, type ReadTable, type TableSight } from './table-look.ts';
import { readInTime, streamInTime } from './timely-rows.ts';

/** What one shape's snapshot reads, and where it goes. Exactly one of `complete` and `abort` ends it. */
export interface SnapshotTarget extends ReadTable {
  /** Undefined for a shape that begins empty: then the transaction is opened for its snapshot alone. */
  readonly rows: TakenRows | undefined;
  begin(pgSnapshot: PgSnapshot): void;
  complete(): Promise<void>;
  abort(error: Error): void;
}

/** As what a target takes its rows. A fragment is its own until it has taken it. */
export type TakenRows =
  /** For a shape of which each line tells its row and nothing else. */
  | { readonly as: 'lines'; readonly template: LineTemplate; take(fragment: JoinedLines): Promise<void> }
  /** Inserts as of `model/change.ts`, one behind the other; their tuples have the requested columns. */
  | { readonly as: 'changes'; take(fragment: Uint8Array): Promise<void> };

export interface SnapshotPortOptions {
  readonly name?: Name;
  readonly pool: DatabasePool;
  /** For the rows of large tables; without them, all are read here. */
  readonly threads?: RowsThreads | undefined;
  /** Undefined for a handle that nobody knows any more. */
  readonly target: (handle: Handle) => SnapshotTarget | undefined;
  /** How long a query may take to its first row. Default 30,000 ms. */
  readonly firstRowMsMax?: number;
  readonly clock?: Clock;
  /** Those that need no look before their rows are asked for. Default none, to begin with. */
  readonly tables?: KnownTables;
}

export function snapshotPort(options: SnapshotPortOptions): PortSpec {
  const { tables = new KnownTables(), clock = systemClock, pool } = options;
  const batches = new SnapshotBatches({ pool, tables, clock });
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: (context) => ({
      requests: { takeSnapshot: (request, signal) => answer({ ...options, tables, batches }, context, request, signal) },
      close: () => options.threads?.close(),
    }),
  };
}

/** @param signal aborted when its caller gives up or ends, and when the port stops. */
async function answer(options: TakingOptions, context: PortContext, request: Message, signal: StopSignal): Promise<Message> {
  const handle = request['handle'] as Handle;
  const progressTo = request['progressTo'] as Address;
  const target = options.target(handle);
  if (target === undefined) return failed(handle, new SchemaChangedError(`the shape ${handle} is gone`), false);
  const tell: Tell = (type, fields) => context.send(progressTo, { type, handle, ...fields });
  try {
    const { isTold } = await takeSnapshot({ options, target, tell, signal });
    const completed = target.complete();
    if (!isTold) tell('snapshot.started', {});
    await completed;
    return { type: 'snapshot.completed', handle };
  } catch (error) {
    target.abort(error instanceof Error ? error : new Error(String(error)));
    return failed(handle, error, target.where !== undefined);
  }
}

type TakingOptions = SnapshotPortOptions & { readonly tables: KnownTables; readonly batches: SnapshotBatches };

/** One snapshot that is being taken. */
interface Taking {
  readonly options: TakingOptions;
  readonly target: SnapshotTarget;
  readonly tell: Tell;
  readonly signal: StopSignal;
}

type Tell = (type: 'snapshot.known' | 'snapshot.started', fields: Readonly<Record<string, unknown>>) => void;

function failed(handle: Handle, error: unknown, isFiltered: boolean): Message {
  return { type: 'snapshot.failed', handle, error: snapshotRefusal(error, isFiltered) };
}

/** Who alters the table may take hours: others want the connection, and clients a word. */
const LOCK_LIMIT = "SET LOCAL lock_timeout = '5s'";
const PIPED_LIMIT = piped({ name: 'armature_limit', text: LOCK_LIMIT });

/** Whether it was told that rows have come. */
interface Start {
  readonly isTold: boolean;
}

async function takeSnapshot(taking: Taking): Promise<Start> {
  const { options: { pool, tables, batches }, target, signal } = taking;
  const { rows } = target;
  const sight = tables.sightOf(target);
  if (pool.isLent || rows === undefined || sight === undefined || mayBeLarge(taking)) return await readInSteps(taking);
  const batched = rows.as === 'lines' ? await batches.read({ table: target, sight, template: rows.template, signal }) : undefined;
  if (signal.aborted) throw new DatabaseUnreachableError('the query was given up');
  if (rows.as === 'lines' && batched !== undefined) return await takeBatched(taking, rows, batched);
  try {
    return await readTogether(taking, sight);
  } catch (error) {
    if (!(error instanceof UnexpectedTableError)) throw error;
    return await readInSteps(taking);
  }
}

async function takeBatched(
  taking: Taking,
  rows: TakenRows & { readonly as: 'lines' },
  { looked, lines }: BatchedRows,
): Promise<Start> {
  begin(taking, looked);
  if (lines !== undefined) await rows.take(lines);
  return { isTold: false };
}

/** @throws {UnexpectedTableError} nothing was begun. */
async function readTogether(taking: Taking, expected: TableSight): Promise<Start> {
  const { options: { pool, tables }, target } = taking;
  return await pool.use(async (client) => {
    await prepareReadingSession(client);
    const wants = (looked: Looked): boolean => {
      begin(taking, looked);
      return true;
    };
    const pipeline = new ReadingPipeline({ client, table: target, expected, tables, limit: PIPED_LIMIT, wants });
    try {
      const start = await readRows(taking, { client, sight: expected, pipeline });
      pipeline.end();
      return start;
    } catch (error) {
      throw forgotten(error) ?? await refusedReading(client, pool, pipeline.looked, error);
    }
  });
}

async function readInSteps(taking: Taking): Promise<Start> {
  const { options: { pool, tables }, target, tell } = taking;
  return await pool.use(async (client) => {
    await beginReading(client, pool, LOCK_LIMIT);
    let looked: Looked | undefined;
    try {
      looked = await lookAt(client, target);
      tables.note(looked);
      begin(taking, looked);
      if (target.rows === undefined) tell('snapshot.started', {});
      else if (!(await readLarge(taking, client, looked))) {
        await readRows(taking, { client, sight: looked });
        await confirm(client, looked);
      }
    } catch (error) {
      throw await refusedReading(client, pool, looked, error);
    }
    await client.query('COMMIT');
    return { isTold: true };
  });
}

function begin({ target, tell }: Taking, { pgSnapshot }: Looked): void {
  target.begin(pgSnapshot);
  tell('snapshot.known', { pgSnapshot });
}

/** @returns the error that is to be thrown; the transaction is over if Postgres has refused. */
async function refusedReading(client: pg.PoolClient, pool: DatabasePool, looked: Looked | undefined, error: unknown): Promise<unknown> {
  if (!(error instanceof DatabaseRefusedError)) return error;
  await client.query('ROLLBACK');
  return error.code === LOCK_NOT_AVAILABLE && looked !== undefined ? await lockedBy(client, pool, looked, error) : error;
}

/** Where sessions are lent, this takes another one, which may not come: whoever waits has waited long enough by then. */
async function lockedBy(
  client: pg.PoolClient,
  pool: DatabasePool,
  { oid }: Looked,
  refused: DatabaseRefusedError,
): Promise<TableLockedError> {
  const ask = async (sql: string, params: readonly unknown[]) => {
    await pool.begin(client, 'BEGIN READ ONLY');
    try {
      return (await client.query<OpenTransaction>(sql, [...params])).rows;
    } finally {
      await client.query('ROLLBACK');
    }
  };
  return new TableLockedError(refused, await tableLockHolders(ask, oid));
}

/** @returns false when nothing was read. @throws as `readLargeRows`. */
async function readLarge(taking: Taking, client: pg.PoolClient, looked: Looked): Promise<boolean> {
  const { options: { threads, clock, firstRowMsMax }, target, tell, signal } = taking;
  const { rows } = target;
  if (threads === undefined || rows?.as !== 'lines' || target.where !== undefined) return false;
  const { sql } = queryOf(target, looked.isPartitioned);
  const large = { threads, client, looked, sql, template: rows.template, limit: LOCK_LIMIT };
  const reader = { rows: (fragment: JoinedLines) => rows.take(fragment), confirm: () => confirm(client, looked) };
  const reading = { onFirst: () => tell('snapshot.started', {}), signal, clock, firstRowMsMax };
  return await readInTime(reading, (begin, either) => readLargeRows(large, { ...reader, onFirst: () => begin(false), signal: either }));
}

/** How much a filter leaves is known by who has read it. */
function mayBeLarge({ options: { threads }, target: { rows, where } }: Taking): boolean {
  return threads !== undefined && rows?.as === 'lines' && where === undefined;
}

interface Work {
  readonly client: pg.PoolClient;
  readonly sight: TableSight;
  readonly pipeline?: ReadingPipeline;
}

/** Of an answer that has come whole, and was confirmed with it, nothing is told yet. */
async function readRows(taking: Taking, { client, sight, pipeline }: Work): Promise<Start> {
  const { options: { clock, firstRowMsMax }, target, tell, signal } = taking;
  const { rows } = target;
  invariant(rows !== undefined, 'who wants no rows reads none');
  const { isBoolean, isPartitioned } = sight;
  let isTold = false;
  const onFirst = (isWhole: boolean): void => {
    if (isWhole && pipeline !== undefined) return;
    isTold = true;
    tell('snapshot.started', {});
  };
  const reading = { client, query: queryOf(target, isPartitioned), pipeline, onFirst, signal, clock, firstRowMsMax };
  if (rows.as === 'changes') {
    await streamInTime({ ...reading, encoder: new RowWriter(isBoolean), rows: (fragment) => rows.take(fragment) });
  } else {
    await streamInTime({ ...reading, encoder: new LineEncoder(rows.template, isBoolean), rows: (fragment) => rows.take(fragment) });
  }
  return { isTold };
}
