/**
 * SubsetQueryPort: reads a part of a shape's rows for one request, each in one REPEATABLE READ transaction of its own.
 *
 * - `querySubset { id }` → `subset.queried` when the last row has been taken; or `subset.failed { error }`: who asked is told so, or, if
 *   rows have gone out already, has its answer broken off; or `subset.crashed { error }`: a bug of ours met its rows
 *
 * Its client joins the rows to the log that it follows, so two things must hold. What it was told of already must be in the rows: a
 * commit is streamed before snapshots show it, so a snapshot that lacks one is given back, and a newer one taken a moment later. And
 * what is in the rows must come in the stream: before the first row goes out, the WAL is on the disk as far as the snapshot reaches.
 *
 * A query holds one of few connections, as long as its client reads. So all of it is bounded in time, and a client that leaves takes
 * its connection along, by which Postgres notices.
 */
import type pg from 'pg';
import { systemClock, type Clock } from '../../base/clock.ts';
import { isOurFault } from '../../base/our-fault.ts';
import { pause } from '../../base/pause.ts';
import { Stop, type StopSignal } from '../../base/stop-signal.ts';
import { withEither } from './either-signal.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import { crash } from '../../otp/kernel/error-report.ts';
import type { Message, Name, PortSpec } from '../../otp/process.ts';
import { DatabaseRefusedError } from '../connection/database-error.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { RowWriter } from '../encoding/row-writer.ts';
import type { RowQuery } from './query-messages.ts';
import { beginReading } from './reading-transaction.ts';
import { ShapeAheadError, SlowSubsetError, subsetRefusal } from './subset-error.ts';
import { confirm, lookAt, queryOf, type Looked, type ReadTable } from './table-look.ts';
import { streamInTime } from './timely-rows.ts';
import { flushWalBefore } from './wal-flush.ts';

/** What one request reads, and where it goes. */
export interface SubsetQueryTarget extends ReadTable {
  /** SQL text; undefined for any order. */
  readonly order: string | undefined;
  readonly limit: number | undefined;
  readonly offset: number | undefined;
  /** Aborted when nobody waits for the rows any longer. */
  readonly signal: StopSignal;
  /** False: it lacks what the client may have been told of. */
  isNewEnough(pgSnapshot: PgSnapshot): boolean;
  /** Called once, before any row. @param flush resolves when the WAL is on the disk as far as the snapshot reaches. */
  begin(pgSnapshot: PgSnapshot, flush: () => Promise<void>): void;
  /** Inserts as of `model/change.ts`, one behind the other; their tuples have the requested columns. */
  rows(fragment: Uint8Array): Promise<void>;
}

export interface SubsetQueryOptions {
  readonly name?: Name;
  readonly pool: DatabasePool;
  /** Brings the WAL to the disk, while a connection of `pool` is still at work. */
  readonly adminPool: DatabasePool;
  /** Undefined when nobody waits any more. */
  readonly target: (id: number) => SubsetQueryTarget | undefined;
  /** How long a query may take, the client's time to read it included. Default 60,000 ms. */
  readonly queryMsMax?: number;
  /** How long a snapshot is waited for that shows what the client was told of. Default 5,000 ms. */
  readonly hiddenMsMax?: number;
  readonly clock?: Clock;
}

const QUERY_MS_MAX = 60_000;
const HIDDEN_MS_MAX = 5_000;
/** Between two snapshots, while a commit that was streamed is not shown yet. */
const PAUSE_MS = 2;
const PAUSE_MS_MAX = 250;

export function subsetQueryPort(options: SubsetQueryOptions): PortSpec {
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: (context) => ({
      requests: {
        querySubset: async ({ id }, asked) => {
          const target = options.target(Number(id));
          if (target === undefined) return { type: 'subset.queried' };
          return await withEither([asked, context.signal, target.signal], (signal) => answer(options, target, signal));
        },
      },
    }),
  };
}

async function answer(options: SubsetQueryOptions, target: SubsetQueryTarget, signal: StopSignal): Promise<Message> {
  try {
    await read(options, target, signal);
    return { type: 'subset.queried' };
  } catch (error) {
    if (error instanceof Error && !isOurFault(error)) return { type: 'subset.failed', error: subsetRefusal(error) };
    return { type: 'subset.crashed', ...crash(error) };
  }
}

async function read(options: SubsetQueryOptions, target: SubsetQueryTarget, signal: StopSignal): Promise<void> {
  const { pool, clock = systemClock, hiddenMsMax = HIDDEN_MS_MAX } = options;
  const untilMs = clock.nowMs() + hiddenMsMax;
  for (let delayMs = PAUSE_MS; !signal.aborted; delayMs = Math.min(2 * delayMs, PAUSE_MS_MAX)) {
    if (await pool.use((client) => attempt(client, options, target, signal))) return;
    if (clock.nowMs() >= untilMs) throw new ShapeAheadError(hiddenMsMax);
    await pause(clock, delayMs, signal);
  }
}

/** @returns false when the snapshot was not new enough: nothing was read. */
async function attempt(
  client: pg.PoolClient,
  options: SubsetQueryOptions,
  target: SubsetQueryTarget,
  signal: StopSignal,
): Promise<boolean> {
  if (signal.aborted) return true; // It has gone while it waited for the connection.
  const { queryMsMax = QUERY_MS_MAX, pool, adminPool } = options;
  await beginReading(client, pool, `SET LOCAL statement_timeout = ${queryMsMax}`);
  try {
    const looked = await lookAt(client, target);
    const isShown = target.isNewEnough(looked.pgSnapshot);
    if (isShown) {
      target.begin(looked.pgSnapshot, async () => {
        if (!looked.isFlushed) await adminPool.query(flushWalBefore(looked.pgSnapshot.insertLsn));
      });
      await readRows(client, options, target, looked, signal);
      await confirm(client, looked);
    }
    await client.query('COMMIT');
    return isShown;
  } catch (error) {
    if (error instanceof DatabaseRefusedError) await client.query('ROLLBACK');
    throw error;
  }
}

async function readRows(
  client: pg.PoolClient,
  { clock = systemClock, queryMsMax = QUERY_MS_MAX }: SubsetQueryOptions,
  target: SubsetQueryTarget,
  { isPartitioned, isBoolean }: Looked,
  signal: StopSignal,
): Promise<void> {
  const tooLong = new Stop();
  const timer = clock.setTimer(() => tooLong.abort(undefined), queryMsMax);
  const options = {
    client,
    query: subsetQuery(target, isPartitioned),
    encoder: new RowWriter(isBoolean),
    rows: (fragment: Uint8Array) => target.rows(fragment),
    onFirst: () => {},
    clock,
  };
  try {
    await withEither([signal, tooLong], (either) => streamInTime({ ...options, signal: either }));
  } catch (error) {
    if (tooLong.aborted) throw new SlowSubsetError(queryMsMax);
    throw error;
  } finally {
    clock.clearTimer(timer);
  }
}

/** Numbers go along as parameters, behind those of the filter. */
function subsetQuery(target: SubsetQueryTarget, isPartitioned: boolean): RowQuery {
  const { sql, params } = queryOf(target, isPartitioned);
  const values = [...(params ?? [])];
  const counted = (clause: string, count: number | undefined): string =>
    count === undefined ? '' : ` ${clause} $${values.push(String(count))}::int8`;
  const order = target.order === undefined ? '' : ` ORDER BY ${target.order}`;
  const whole = `${sql}${order}${counted('LIMIT', target.limit)}${counted('OFFSET', target.offset)}`;
  return { sql: whole, params: values.length === 0 ? undefined : values };
}
