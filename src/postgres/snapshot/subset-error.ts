/** Why a part of a shape's rows was not read, as its client may be told. Nothing has changed by it. */
import { worldError } from '../connection/database-error.ts';
import { PoolTimeoutError, SessionNotLentError } from '../connection/pool.ts';
import { SlowSnapshotError, snapshotRefusal, TableRewrittenError, type SnapshotRefusal } from './snapshot-error.ts';

/** The query was given up: it, or the client that reads it, takes too long. */
export class SlowSubsetError extends Error {
  override readonly name = 'SlowSubsetError';

  constructor(afterMs: number) {
    super(`Subset query was given up after ${afterMs}ms. Please ask for fewer rows, and ensure that its filter and order use an index.`);
  }
}

/** No snapshot was taken that shows all that the shape has told by then: a commit waits for a standby, or rows never cease to move. */
export class ShapeAheadError extends Error {
  override readonly name = 'ShapeAheadError';

  constructor(triedMs: number) {
    super(`Postgres does not show yet what this shape has told, or its rows move without a pause (tried for ${triedMs}ms)`);
  }
}

/** Errors of the filter or of the order that only Postgres finds: of values, and a type that has no order or no such label. */
const OF_QUERY = /^(?:22...|42P22|42703|42883)$/;
/** Postgres was told to end the query, or the session, or has a limit of its own. */
const OF_OPERATOR = /^(?:57...|53...|55P03|40...)$/;

export function subsetRefusal(error: unknown): SnapshotRefusal {
  if (error instanceof PoolTimeoutError && !(error instanceof SessionNotLentError)) {
    return refusal('subset_queries_busy', 503, 'All connections for subset queries are at work: none became free in time, please retry');
  }
  if (error instanceof ShapeAheadError) return refusal('shape_ahead', 503, `${error.message}, please retry`);
  if (error instanceof TableRewrittenError) {
    return refusal('table_rewritten', 503, `Unable to read the subset: ${error.message}, please retry`);
  }
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
