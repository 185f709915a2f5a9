/** WhereRefusal: why a filter is not accepted, in the words of the wire. Thrown inside this room only; `parse` answers with it. */
import type { WhereError } from './where.ts';

/** What stands before the filter when it is parsed: Postgres's parser counts it, an answer does not. */
export const PARSED_PREFIX = 'SELECT 1 WHERE ';

/** Why a stranger's filter is not accepted beside one that hides rows from him. */
export const MAY_FAIL =
  'An operation that may fail is not allowed beside what is fixed for this client: ' +
  'of a row that he may not see, its error would tell him. Use comparisons of columns with values.';

export class WhereRefusal extends Error {
  override readonly name = 'WhereRefusal';

  constructor(
    message: string,
    readonly field: WhereError['field'] = 'where',
    readonly zone?: string,
  ) {
    super(message);
  }
}

/** @param location in bytes, as the parse tree has it; Postgres leaves it out, or negative, where it knows none. */
export function refusalAt(location: number | undefined, message: string, zone?: string): WhereRefusal {
  return new WhereRefusal(`At location ${Math.max(0, (location ?? 0) - PARSED_PREFIX.length)}: ${message}`, 'where', zone);
}
