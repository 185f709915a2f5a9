/**
 * MoveQueryPort: asks which rows come into a shape, or leave it, when the values that it looks up have moved.
 *
 * - `queryMoves { handle, views }`, the views after the moves, → `moves.queried { pgSnapshot, rows }`, the rows durable where the
 *   target put them; or `moves.failed { error }`: nothing counts of what was read
 *
 * A snapshot counts only if it sees every transaction that the shape has taken: Postgres streams a commit before its snapshots
 * show it. So one that is too old is given back, connection and all, and a newer one is taken a moment later.
 *
 * What the snapshot saw must come in the stream, and the stream ends where the WAL was flushed. Where the snapshot is ahead of that,
 * a commit of our own flushes it; a standby is not waited for.
 */
import { systemClock, type Clock } from '../../base/clock.ts';
import type pg from 'pg';
import type { LogOffset } from '../../model/log-offset.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import type { Message, Name, PortContext, PortSpec } from '../../otp/process.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../connection/database-error.ts';
import { watchForOurDeath } from '../connection/orphan-watch.ts';
import { PoolTimeoutError, type DatabasePool } from '../connection/pool.ts';
import { RowWriter } from '../encoding/row-writer.ts';
import { DISPLAY_SETTINGS } from '../replication/replication-setup.ts';
import { SchemaChangedError, snapshotRefusal } from './snapshot-error.ts';
import { lookAt, queryOf, type Looked, type ReadTable } from './table-look.ts';
import { streamInTime } from './timely-rows.ts';

/** What is read for one splice, and where it goes. */
export interface MoveQueryTarget<Rows> extends ReadTable {
  /** False: it lacks a transaction that the shape has taken. */
  isNewEnough(pgSnapshot: PgSnapshot): boolean;
  /** Inserts as of `model/change.ts`, one behind the other; their tuples have the requested columns. */
  rows(fragment: Uint8Array): Promise<void>;
  /** What there was, now that it is durable: goes into the answer as it is. */
  complete(): Promise<Rows>;
}

export interface MoveQueryPortOptions {
  readonly name?: Name;
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
}

/** Between two snapshots, while a commit that was streamed is not shown yet. */
const HIDDEN_MS = 2;
const HIDDEN_MS_MAX = 250;

/** A commit that waits for the disk alone takes along all WAL before it. Nobody gets the message: the publication carries none. */
const FLUSH =
  "BEGIN READ WRITE; SET LOCAL synchronous_commit = 'local'; SELECT pg_logical_emit_message(true, 'armature', ''); COMMIT";

export function moveQueryPort(options: MoveQueryPortOptions): PortSpec {
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: (context) => ({
      requests: {
        queryMoves: ({ handle, views }, signal) => answer(options, context, handle as Handle, views as readonly LogOffset[], signal),
      },
    }),
  };
}

async function answer(
  options: MoveQueryPortOptions,
  context: PortContext,
  handle: Handle,
  views: readonly LogOffset[],
  given: AbortSignal,
): Promise<Message> {
  const signal = AbortSignal.any([given, context.signal]);
  const { clock = systemClock } = options;
  try {
    for (let delayMs = HIDDEN_MS; ; delayMs = Math.min(2 * delayMs, HIDDEN_MS_MAX)) {
      const queried = await inTurn(() => query(options, handle, views, signal));
      if (queried !== 'tooOld') return { type: 'moves.queried', ...queried };
      await after(clock, delayMs, signal);
      signal.throwIfAborted();
    }
  } catch (error) {
    return { type: 'moves.failed', error: snapshotRefusal(error) };
  }
}

/** A thousand shapes may ask at the same time for a few connections: who waited in vain waits on. */
async function inTurn(ask: () => Promise<Queried | 'tooOld'>): Promise<Queried | 'tooOld'> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof PoolTimeoutError)) throw error;
    }
  }
}

interface Queried {
  readonly pgSnapshot: PgSnapshot;
  readonly rows: unknown;
}

async function query(
  options: MoveQueryPortOptions,
  handle: Handle,
  views: readonly LogOffset[],
  signal: AbortSignal,
): Promise<Queried | 'tooOld'> {
  signal.throwIfAborted();
  const target = options.target(handle, views);
  if (target === undefined) throw new DatabaseUnreachableError(`nobody keeps the values that the shape ${handle} looks up`);
  return options.pool.use(async (client) => {
    await watchForOurDeath(client);
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${DISPLAY_SETTINGS}`);
    try {
      const looked = await lookAt(client, target);
      if (!target.isNewEnough(looked.pgSnapshot)) {
        await client.query('COMMIT');
        return 'tooOld';
      }
      await read(options, client, target, looked, signal);
      const [rows] = await Promise.all([target.complete(), client.query(looked.isFlushed ? 'COMMIT' : `COMMIT; ${FLUSH}`)]);
      return { pgSnapshot: looked.pgSnapshot, rows };
    } catch (error) {
      if (error instanceof DatabaseRefusedError || error instanceof SchemaChangedError) await client.query('ROLLBACK');
      throw error;
    }
  });
}

async function read(
  { clock, firstRowMsMax }: MoveQueryPortOptions,
  client: pg.PoolClient,
  target: MoveQueryTarget<unknown>,
  { isPartitioned, isBoolean }: Looked,
  signal: AbortSignal,
): Promise<void> {
  await streamInTime({
    client,
    query: queryOf(target, isPartitioned),
    writer: new RowWriter(isBoolean),
    rows: (fragment) => target.rows(fragment),
    onFirst: () => {},
    signal,
    clock,
    firstRowMsMax,
  });
}

/** Resolves after `delayMs`, or when `signal` is aborted. */
function after(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(done, delayMs);
    function done(): void {
      clock.clearTimer(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
