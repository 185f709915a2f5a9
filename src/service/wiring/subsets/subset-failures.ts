/** SubsetFailures: how the query of a subset has failed, on its way from the port to its reader. */
import type { SubsetRead } from '../../../api/subsets/subset-source.ts';
import { InvariantError } from '../../../base/invariant.ts';
import type { Message } from '../../../otp/process.ts';
import { DatabaseUnreachableError, worldError } from '../../../postgres/connection/database-error.ts';
import { PoolTimeoutError } from '../../../postgres/connection/pool.ts';
import type { SnapshotRefusal } from '../../../postgres/snapshot/snapshot-error.ts';
import { subsetRefusal } from '../../../postgres/snapshot/subset-error.ts';
import { ShapeGoneError } from '../../../storage/errors.ts';

/** The port's refusal, on its way to the reader. */
class RefusedSubset extends Error {
  override readonly name = 'RefusedSubset';

  constructor(readonly refusal: SnapshotRefusal) {
    super(refusal.message);
  }
}

export function failureOf(reply: Message | undefined): Error {
  if (reply === undefined) return new DatabaseUnreachableError('the port of subset queries has ended');
  if (reply.type === 'subset.failed') return new RefusedSubset(reply['error'] as SnapshotRefusal);
  return new InvariantError(`the query of a subset ended in an error of ours: ${JSON.stringify(reply['error'])}`);
}

/** What its reader is told of an error that ended the read. @throws what is a bug of ours. */
export function outcomeOf(error: unknown): SubsetRead {
  if (error instanceof ShapeGoneError) return { outcome: 'over' };
  const refusal = error instanceof RefusedSubset ? error.refusal : refusalOfWorld(error);
  const { status, code, message } = refusal;
  return status === 409 ? { outcome: 'over' } : { outcome: 'refused', status, code, message };
}

function refusalOfWorld(error: unknown): SnapshotRefusal {
  if (error instanceof PoolTimeoutError || worldError(error) !== undefined) return subsetRefusal(error);
  throw error;
}
