/**
 * SnapshotPort: takes the first rows of shapes, each in one REPEATABLE READ transaction of its own.
 *
 * - `takeSnapshot { handle, progressTo }` → `snapshot.completed { handle }` or `snapshot.failed { handle, error }`
 * - meanwhile `progressTo` is told `snapshot.known { handle, pgSnapshot }` and `snapshot.started { handle }` (the first row, or the end of
 *   an empty answer)
 *
 * Which transactions the rows contain must be known exactly, so the snapshot is asked for inside the transaction
 * that reads them. No value is ever spliced into SQL: a filter's constants are parameters of a portal; only a query
 * without any runs as a COPY. One shape's failure, whatever it is, is that shape's answer and nobody else's.
 */
import type pg from 'pg';
import type { Clock } from '../../base/clock.ts';
import { withEither } from './either-signal.ts';
import type { JoinedLines } from '../../model/joined-lines.ts';
import type { LineTemplate } from '../../model/line-template.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import type { Address, Message, Name, PortContext, PortSpec } from '../../otp/process.ts';
import { tableLockHolders } from '../catalog/table-lock-holders.ts';
import { DatabaseRefusedError } from '../connection/database-error.ts';
import type { OpenTransaction } from '../connection/open-transaction.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { LineEncoder } from '../encoding/line-encoder.ts';
import { RowWriter } from '../encoding/row-writer.ts';
import type { RowQuery } from './query-messages.ts';
import { beginReading } from './reading-transaction.ts';
import { LOCK_NOT_AVAILABLE, SchemaChangedError, snapshotRefusal, TableLockedError } from './snapshot-error.ts';
import { confirm, lookAt, queryOf, type Looked, type ReadTable } from './table-look.ts';
import { streamInTime } from './timely-rows.ts';

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
  /** Undefined for a handle that nobody knows any more. */
  readonly target: (handle: Handle) => SnapshotTarget | undefined;
  /** How long a query may take to its first row. Default 30,000 ms. */
  readonly firstRowMsMax?: number;
  readonly clock?: Clock;
}

export function snapshotPort(options: SnapshotPortOptions): PortSpec {
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: (context) => ({
      requests: { takeSnapshot: (request, signal) => answer(options, context, request, signal) },
    }),
  };
}

async function answer(options: SnapshotPortOptions, context: PortContext, request: Message, asked: AbortSignal): Promise<Message> {
  const handle = request['handle'] as Handle;
  const progressTo = request['progressTo'] as Address;
  const target = options.target(handle);
  if (target === undefined) return failed(handle, new SchemaChangedError(`the shape ${handle} is gone`), false);
  const tell: Tell = (type, fields) => context.send(progressTo, { type, handle, ...fields });
  try {
    await withEither([asked, context.signal], (signal) => takeSnapshot(options, target, tell, signal));
    await target.complete();
    return { type: 'snapshot.completed', handle };
  } catch (error) {
    target.abort(error instanceof Error ? error : new Error(String(error)));
    return failed(handle, error, target.where !== undefined);
  }
}

type Tell = (type: 'snapshot.known' | 'snapshot.started', fields: Readonly<Record<string, unknown>>) => void;

function failed(handle: Handle, error: unknown, isFiltered: boolean): Message {
  return { type: 'snapshot.failed', handle, error: snapshotRefusal(error, isFiltered) };
}

/** Who alters the table may take hours: others want the connection, and clients a word. */
const LOCK_LIMIT = "SET LOCAL lock_timeout = '5s'";

async function takeSnapshot(options: SnapshotPortOptions, target: SnapshotTarget, tell: Tell, signal: AbortSignal): Promise<void> {
  await options.pool.use(async (client) => {
    await beginReading(client, options.pool, LOCK_LIMIT);
    let looked: Looked | undefined;
    try {
      looked = await lookAt(client, target);
      const { pgSnapshot, isPartitioned, isBoolean } = looked;
      target.begin(pgSnapshot);
      tell('snapshot.known', { pgSnapshot });
      const query = queryOf(target, isPartitioned);
      if (target.rows === undefined) tell('snapshot.started', {});
      else {
        await readRows(options, { client, rows: target.rows, tell, signal, query, isBoolean });
        await confirm(client, looked);
      }
    } catch (error) {
      if (!(error instanceof DatabaseRefusedError)) throw error;
      await client.query('ROLLBACK');
      throw error.code === LOCK_NOT_AVAILABLE && looked !== undefined ? await lockedBy(client, options.pool, looked, error) : error;
    }
    await client.query('COMMIT');
  });
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

interface Work {
  readonly client: pg.PoolClient;
  readonly rows: TakenRows;
  readonly tell: Tell;
  readonly signal: AbortSignal;
  readonly query: RowQuery;
  readonly isBoolean: readonly boolean[];
}

async function readRows({ clock, firstRowMsMax }: SnapshotPortOptions, work: Work): Promise<void> {
  const { client, rows, tell, signal, query, isBoolean } = work;
  const reading = { client, query, onFirst: () => tell('snapshot.started', {}), signal, clock, firstRowMsMax };
  if (rows.as === 'changes') {
    await streamInTime({ ...reading, encoder: new RowWriter(isBoolean), rows: (fragment) => rows.take(fragment) });
  } else {
    await streamInTime({ ...reading, encoder: new LineEncoder(rows.template, isBoolean), rows: (fragment) => rows.take(fragment) });
  }
}
