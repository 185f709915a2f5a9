/** Storing: rows of a query go to the disk. Whoever asks Postgres knows no disk, so what that refuses is told in words of his. */
import { RowsRefusedError } from '../../postgres/snapshot/snapshot-error.ts';
import { isRefusal } from '../../storage/errors.ts';

/** @throws {RowsRefusedError} the disk takes nothing at present. */
export async function storing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw isRefusal(error) ? new RowsRefusedError(error) : error;
  }
}
