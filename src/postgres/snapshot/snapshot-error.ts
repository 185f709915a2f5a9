/** Why a snapshot was not taken, as a client may be told; the table is as it was, the shape has no rows or too few. */
import { EvaluationError } from '../../sql/evaluation-error.ts';
import { DatabaseRefusedError, DatabaseUnreachableError, worldError, type WorldError } from '../connection/database-error.ts';
import { PoolTimeoutError, SessionNotLentError } from '../connection/pool.ts';

export interface SnapshotRefusal {
  /** The same as `code`, for those who read error reports. */
  readonly name: string;
  readonly code: string;
  readonly message: string;
  /** As HTTP tells it: 400 the filter has an error in a row or is too large, 503 try again later, 409 ask anew, 500 unclassified. */
  readonly status: 400 | 409 | 500 | 503;
  /** Who has the lock that was waited for, in words for the log: no client is told of others. */
  readonly holders?: readonly string[];
}

/** The lock of a table was not had in time. */
export class TableLockedError extends DatabaseRefusedError {
  /** @param holders who has it, each in words; empty where that is not known. */
  constructor(
    refused: DatabaseRefusedError,
    readonly holders: readonly string[],
  ) {
    super(refused.code, refused.message, refused.detail);
  }
}

/** The query had to be given up before its first row. */
export class SlowSnapshotError extends Error {
  override readonly name = 'SlowSnapshotError';

  constructor(afterMs: number) {
    super(
      `Snapshot query took too long to return data (cancelled after ${afterMs}ms). ` +
        'Please ensure snapshot queries are using an index to avoid taking up all database connections.',
    );
  }
}

/** The table or one of its columns is not there any more. */
export class SchemaChangedError extends Error {
  override readonly name = 'SchemaChangedError';
}

/** The table is what it was, and its rows were written anew since the snapshot was taken, which sees none of them: a newer one does. */
export class TableRewrittenError extends Error {
  override readonly name = 'TableRewrittenError';

  constructor() {
    super('the table was written anew while it was waited for');
  }
}

/** What its subqueries select is more than one query can carry. */
export class TooManyValuesError extends Error {
  override readonly name = 'TooManyValuesError';

  constructor(bytesMax: number) {
    super(`The subqueries of this shape select more values than a query of ${bytesMax} bytes can carry`);
  }
}

/** The filter has more values than a query can have parameters. It was not asked. */
export class TooManyParametersError extends Error {
  override readonly name = 'TooManyParametersError';

  constructor(count: number, countMax: number) {
    super(`the filter has ${count} values, and a query of Postgres takes ${countMax}`);
  }
}

/** Whoever takes the rows has no place for them at present; Postgres did its part. */
export class RowsRefusedError extends Error {
  override readonly name = 'RowsRefusedError';

  constructor(cause: Error) {
    super('The storage takes nothing at present, so the rows of this shape have no place. Please try again later.', { cause });
  }
}

/** The thread that read the rows has ended by itself: Postgres did its part, and so may another thread. */
export class RowsThreadError extends Error {
  override readonly name = 'RowsThreadError';

  constructor(cause?: Error) {
    super(`The thread that read the rows has ended${cause === undefined ? '' : `: ${cause.message}`}`, { cause });
  }
}

/** Postgres was asked to end the session of the query, or has a limit of its own. */
export class SessionEndedError extends Error {
  override readonly name = 'SessionEndedError';

  constructor(cause: Error) {
    super(`Postgres has ended the session of the query: ${cause.message}`, { cause });
  }
}

const SCHEMA_CHANGED = new Set(['42P01', '42703', '42883', '3F000']);
/** Of who got no session from a pooler. */
export const POOLER_TIMEOUT = 'pooler_timeout';
const NO_PRIVILEGE = '42501';
export const LOCK_NOT_AVAILABLE = '55P03';
/** Postgres's own word for what is more than it takes. */
const PROGRAM_LIMIT = '54000';
/** Errors of values: a division by zero, a number out of range, a text that is none; and of texts whose collations do not agree. */
const OF_VALUES = /^(?:22|42P22$)/;

/** @param isFiltered whether a client's filter was part of the query: it is what has an error in a value then. */
export function snapshotRefusal(error: unknown, isFiltered: boolean): SnapshotRefusal {
  if (error instanceof EvaluationError) return refusal(error.code, 400, error.message);
  if (error instanceof SlowSnapshotError) return refusal('snapshot_slow', 503, error.message);
  if (error instanceof RowsRefusedError) return refusal('storage_refused', 503, error.message);
  if (error instanceof RowsThreadError) return refusal('snapshot_thread_ended', 503, error.message);
  if (error instanceof SessionEndedError) return refusal('session_ended', 503, error.message);
  if (error instanceof TooManyValuesError) return refusal('too_many_values', 503, error.message);
  if (error instanceof TooManyParametersError) return refusal(PROGRAM_LIMIT, 400, error.message);
  if (error instanceof SchemaChangedError || error instanceof TableRewrittenError) return refusal('schema_changed', 409, error.message);
  if (error instanceof SessionNotLentError) return refusal(POOLER_TIMEOUT, 503, error.message);
  if (error instanceof PoolTimeoutError) {
    return refusal('pool_queue_timeout', 503, 'Snapshot creation failed because of a connection pool queue timeout');
  }
  const refused = worldError(error);
  if (refused instanceof DatabaseUnreachableError) return refusal('connection_not_available', 503, 'Database connection not available');
  if (refused === undefined) return unexpected(error);
  if (SCHEMA_CHANGED.has(refused.code)) return refusal('schema_changed', 409, refused.message);
  if (refused.code === NO_PRIVILEGE) return refusal('insufficient_privilege', 503, `Unable to create initial snapshot: ${refused.message}`);
  if (refused.code === LOCK_NOT_AVAILABLE) return lockedRefusal(refused);
  if (isFiltered && OF_VALUES.test(refused.code)) return refusal(refused.code, 400, refused.message);
  return unexpected(refused);
}

function lockedRefusal(refused: WorldError): SnapshotRefusal {
  const told = refusal('lock_timeout', 503, 'Snapshot timed out while waiting for a table lock');
  return refused instanceof TableLockedError && refused.holders.length > 0 ? { ...told, holders: refused.holders } : told;
}

function unexpected(error: unknown): SnapshotRefusal {
  const text = error instanceof Error ? error.message : String(error);
  return refusal('snapshot_failed', 500, `Unexpected error while creating snapshot: ${text}`);
}

function refusal(code: string, status: SnapshotRefusal['status'], message: string): SnapshotRefusal {
  return { name: code, code, message, status };
}
