/** The JSON of a subset: which transactions its rows show, then the rows. */
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import { isInMemory, type Body } from '../shape-response.ts';

const encoder = new TextEncoder();
const END = encoder.encode(']}');

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
