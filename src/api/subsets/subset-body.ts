/** The JSON of a subset: which transactions its rows show, then the rows. */
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import { isInMemory, type Body } from '../shape-response.ts';

/** So far below a snapshot lies no transaction that is yet to be told; and clients compare over twice as much. */
const XIDS_BELOW = 2n ** 30n;

const encoder = new TextEncoder();
const END = encoder.encode(']}');

/**
 * The same snapshot for a client that may leave out nothing of what the log tells from here on: it is told of one that sees no transaction.
 * What it takes once more comes in its order, so each row ends as it is.
 */
export function seeingNothing(pgSnapshot: PgSnapshot): PgSnapshot {
  const below = BigInt(pgSnapshot.xmin) - XIDS_BELOW;
  const xmin = String(below > 0n ? below : 0n);
  return { ...pgSnapshot, xmin, xmax: xmin, xip: [] };
}

/**
 * @param mark of this answer, as it stands on each row.
 * @param rows JSON objects with commas between them.
 */
export function subsetBody(mark: number, { xmin, xmax, xip, insertLsn }: PgSnapshot, rows: Body): Body {
  const metadata = { snapshot_mark: mark, database_lsn: insertLsn, xmin, xmax, xip_list: xip };
  const start = encoder.encode(`{"metadata":${JSON.stringify(metadata)},"data":[`);
  return isInMemory(rows) ? [start, ...rows, END] : framed(start, rows);
}

async function* framed(start: Uint8Array, rows: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  yield* rows;
  yield END;
}
