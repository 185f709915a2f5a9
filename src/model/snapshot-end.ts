/**
 * SnapshotEnd: the entry behind the rows of a query. It tells which transactions they show, so that a client can leave out
 * what it hears of those elsewhere.
 */
import type { PgSnapshot } from './pg-snapshot.ts';

const encoder = new TextEncoder();

/** The same bytes for the same snapshot each time: of a stored one, its length tells where the rows end. */
export function snapshotEndLine({ xmin, xmax, xip }: PgSnapshot): Uint8Array {
  return encoder.encode(JSON.stringify({ headers: { control: 'snapshot-end', xmin, xmax, xip_list: xip } }));
}
