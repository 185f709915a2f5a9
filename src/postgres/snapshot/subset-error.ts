/** Why a part of a shape's rows was not read, as its client may be told. Nothing has changed by it. */
import { worldError } from '../connection/database-error.ts';
import { PoolTimeoutError } from '../connection/pool.ts';
import { SlowSnapshotError, snapshotRefusal, type SnapshotRefusal } from './snapshot-error.ts';

/** The query was given up: it, or the client that reads it, takes too long. */
export class SlowSubsetError extends Error {
  override readonly name = 'SlowSubsetError';

  constructor(afterMs: number) {
    super(`Subset query was given up after ${afterMs}ms. Please ask for fewer rows, and ensure that its filter and order use an index.`);
  }
}

/** The shape holds a transaction that Postgres's snapshots do not show yet: it waits for a standby, say. */
export class NotShownError extends Error {
  override readonly name = 'NotShownError';

  constructor(waitedMs: number) {
    super(`Postgres does not show a transaction yet that this shape has been told of (waited for ${waitedMs} ms)`);
  }
}

/** Errors of the filter or of the order that only Postgres finds: of values, and a type that has no order or no such label. */
const OF_QUERY = /^(?:22...|42P22|42703|42883)$/;
/** Postgres was told to end the query, or the session, or has a limit of its own. */
const OF_OPERATOR = /^(?:57...|53...|55P03|40...)$/;

export function subsetRefusal(error: unknown): SnapshotRefusal {
  if (error instanceof PoolTimeoutError) {
    return refusal('subset_queries_busy', 503, 'All connections for subset queries are at work: none became free in time, please retry');
  }
  if (error instanceof NotShownError) return refusal('transaction_not_shown', 503, `${error.message}, please retry`);
  if (error instanceof SlowSubsetError || error instanceof SlowSnapshotError) return refusal('subset_slow', 503, error.message);
  const refused = worldError(error);
  if (refused !== undefined && OF_QUERY.test(refused.code)) return refusal(refused.code, 400, refused.message);
  if (refused !== undefined && OF_OPERATOR.test(refused.code)) {
    return refusal(refused.code, 503, `Unable to read the subset: ${refused.message}`);
  }
  return snapshotRefusal(error, true);
}

function refusal(code: string, status: SnapshotRefusal['status'], message: string): SnapshotRefusal {
  return { name: code, code, message, status };
}
