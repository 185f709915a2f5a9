/** The messages of a shape's log, and of an answer, that tell no row. */
import type { Lsn } from '../model/lsn.ts';
import type { PgSnapshot } from '../model/pg-snapshot.ts';

const encoder = new TextEncoder();

/** Ends an answer that reached the end of the log. `seen`: every shape has stored what was committed up to there. */
export function upToDateLine(seen: Lsn): Uint8Array {
  return encoder.encode(JSON.stringify({ headers: { control: 'up-to-date', global_last_seen_lsn: seen } }));
}

/** Stands behind the last row of a snapshot, and tells which transactions its rows contain. */
export function snapshotEndLine({ xmin, xmax, xip }: PgSnapshot): Uint8Array {
  return encoder.encode(JSON.stringify({ headers: { control: 'snapshot-end', xmin, xmax, xip_list: xip } }));
}

/** The one element of a 409's body. */
export const MUST_REFETCH: Uint8Array = encoder.encode('{"headers":{"control":"must-refetch"}}');
