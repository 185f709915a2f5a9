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
import { systemClock, type Clock } from '../../base/clock.ts';
import { lsnFromPostgres } from '../../model/lsn.ts';
import { parsePgSnapshot, type PgSnapshot } from '../../model/pg-snapshot.ts';
import type { LayoutColumn, RelationLayout } from '../../model/relation.ts';
import type { Handle } from '../../model/shape.ts';
import type { Address, Message, Name, PortContext, PortSpec } from '../../otp/process.ts';
import { DatabaseRefusedError, typed } from '../connection/database-error.ts';
import { watchForOurDeath } from '../connection/orphan-watch.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { DISPLAY_SETTINGS } from '../replication/replication-setup.ts';
import { type RowQuery, streamRows } from './row-stream.ts';
import { RowWriter } from '../encoding/row-writer.ts';
import { SchemaChangedError, SlowSnapshotError, snapshotRefusal } from './snapshot-error.ts';
import { quoteName, quoteTable } from '../connection/sql-text.ts';

/** What one shape's snapshot reads, and where it goes. Exactly one of `complete` and `abort` ends it. */
export interface SnapshotTarget {
  readonly relation: { readonly schema: string; readonly name: string };
  /** False when the table that has the name now is not the one that was meant, or has changed too much: nothing is read then. */
  accepts(found: FoundTable): boolean;
  /** The columns of each row, in this order. */
  readonly columns: readonly string[];
  readonly where: { readonly sql: string; readonly params: readonly (string | null)[] } | undefined;
  /** False for a shape that begins empty: then the transaction is opened for its snapshot alone. */
  readonly wantsRows: boolean;
  begin(pgSnapshot: PgSnapshot): void;
  /** Inserts as of `model/change.ts`, one behind the other; their tuples have the requested columns. The bytes are the target's to keep. */
  rows(fragment: Uint8Array): Promise<void>;
  complete(): Promise<void>;
  abort(error: Error): void;
}

/** A table as the transaction that reads it sees it: its columns in the order of their numbers. */
export type FoundTable = Omit<RelationLayout, 'id'>;

export interface SnapshotPortOptions {
  readonly name?: Name;
  readonly pool: DatabasePool;
  /** Undefined for a handle that nobody knows any more. */
  readonly target: (handle: Handle) => SnapshotTarget | undefined;
  /** How long a query may take to its first row. Default 30,000 ms. */
  readonly firstRowMsMax?: number;
  readonly clock?: Clock;
}

const FIRST_ROW_MS_MAX = 30_000;
const BOOL_OID = 16;

export function snapshotPort(options: SnapshotPortOptions): PortSpec {
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: (context) => ({
      requests: { takeSnapshot: (request, signal) => answer(options, context, request, signal) },
    }),
  };
}

async function answer(options: SnapshotPortOptions, context: PortContext, request: Message, signal: AbortSignal): Promise<Message> {
  const handle = request['handle'] as Handle;
  const progressTo = request['progressTo'] as Address;
  const target = options.target(handle);
  if (target === undefined) return failed(handle, new SchemaChangedError(`the shape ${handle} is gone`));
  const tell: Tell = (type, fields) => context.send(progressTo, { type, handle, ...fields });
  try {
    await takeSnapshot(options, target, tell, AbortSignal.any([signal, context.signal]));
    await target.complete();
    return { type: 'snapshot.completed', handle };
  } catch (error) {
    target.abort(error instanceof Error ? error : new Error(String(error)));
    return failed(handle, error);
  }
}

type Tell = (type: 'snapshot.known' | 'snapshot.started', fields: Readonly<Record<string, unknown>>) => void;

function failed(handle: Handle, error: unknown): Message {
  return { type: 'snapshot.failed', handle, error: snapshotRefusal(error) };
}

async function takeSnapshot(options: SnapshotPortOptions, target: SnapshotTarget, tell: Tell, signal: AbortSignal): Promise<void> {
  await options.pool.use(async (client) => {
    await watchForOurDeath(client);
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${DISPLAY_SETTINGS}`);
    try {
      const { pgSnapshot, isPartitioned, isBoolean } = await look(client, target);
      target.begin(pgSnapshot);
      tell('snapshot.known', { pgSnapshot });
      if (target.wantsRows) await readRows(options, { client, target, tell, signal, isPartitioned, isBoolean });
      else tell('snapshot.started', {});
    } catch (error) {
      if (error instanceof DatabaseRefusedError || error instanceof SchemaChangedError) await client.query('ROLLBACK');
      throw error;
    }
    await client.query('COMMIT');
  });
}

interface Work {
  readonly client: pg.PoolClient;
  readonly target: SnapshotTarget;
  readonly tell: Tell;
  readonly signal: AbortSignal;
  readonly isPartitioned: boolean;
  readonly isBoolean: readonly boolean[];
}

async function readRows(options: SnapshotPortOptions, work: Work): Promise<void> {
  const { clock = systemClock, firstRowMsMax = FIRST_ROW_MS_MAX } = options;
  const { client, target, tell, signal } = work;
  const tooSlow = new AbortController();
  const timer = clock.setTimer(() => tooSlow.abort(), firstRowMsMax);
  try {
    await streamRows({
      client,
      query: queryOf(target, work.isPartitioned),
      writer: new RowWriter(work.isBoolean),
      rows: (fragment) => target.rows(fragment),
      onFirst() {
        clock.clearTimer(timer);
        tell('snapshot.started', {});
      },
      signal: AbortSignal.any([signal, tooSlow.signal]),
    });
  } catch (error) {
    if (tooSlow.signal.aborted) throw new SlowSnapshotError(firstRowMsMax);
    throw error;
  } finally {
    clock.clearTimer(timer);
  }
}

function queryOf({ relation, columns, where }: SnapshotTarget, isPartitioned: boolean): RowQuery {
  // A table that others inherit from: their rows are not in its part of the stream, so they are not in its snapshot.
  const from = `${isPartitioned ? '' : 'ONLY '}${quoteTable(relation)}`;
  const select = `SELECT ${columns.map(quoteName).join(', ')} FROM ${from}`;
  return where === undefined ? { sql: select, params: undefined } : { sql: `${select} WHERE ${where.sql}`, params: where.params };
}

interface LookRow {
  readonly snapshot: string;
  readonly insert_lsn: string;
  readonly kind: string | null;
  readonly oid: number | null;
  /** Of a table that is not there, one without a name. */
  readonly columns: readonly LayoutColumn[];
}

/** The first query of the transaction, which fixes its snapshot; the WAL position is as of a moment later. */
const LOOK_SQL = `
  SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_insert_lsn()::text AS insert_lsn,
         c.relkind AS kind, c.oid::int8::float8 AS oid,
         json_agg(json_build_object('name', a.attname, 'typeOid', a.atttypid::int8, 'typeMod', a.atttypmod) ORDER BY a.attnum) AS columns
  FROM (SELECT 1) one
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $2 AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  GROUP BY c.relkind, c.oid`;

interface Looked {
  readonly pgSnapshot: PgSnapshot;
  readonly isPartitioned: boolean;
  readonly isBoolean: readonly boolean[];
}

async function look(client: pg.PoolClient, target: SnapshotTarget): Promise<Looked> {
  const { relation, columns } = target;
  const [row] = await typed(async () => (await client.query<LookRow>(LOOK_SQL, [relation.schema, relation.name])).rows);
  if (row === undefined || row.oid === null) throw new SchemaChangedError(`relation ${quoteTable(relation)} does not exist`);
  const types = new Map(row.columns.map(({ name, typeOid }) => [name, typeOid]));
  const missing = columns.find((column) => !types.has(column));
  if (missing !== undefined) throw new SchemaChangedError(`column ${quoteName(missing)} does not exist`);
  if (!target.accepts({ ...relation, oid: row.oid, columns: row.columns })) {
    throw new SchemaChangedError(`relation ${quoteTable(relation)} is not what it was`);
  }
  return {
    pgSnapshot: parsePgSnapshot(row.snapshot, lsnFromPostgres(row.insert_lsn)),
    isPartitioned: row.kind === 'p',
    // A domain over boolean stays as it is written: who makes the row's key knows it by its own type, in snapshot and stream.
    isBoolean: columns.map((column) => types.get(column) === BOOL_OID),
  };
}
