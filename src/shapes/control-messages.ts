/** The message of an answer that tells no row: how far whoever got it has come. */
import type { Lsn } from '../model/lsn.ts';

const encoder = new TextEncoder();

/** Ends an answer that reached the end of the log. `seen`: every shape has stored what was committed up to there. */
export function upToDateLine(seen: Lsn): Uint8Array {
  return encoder.encode(JSON.stringify({ headers: { control: 'up-to-date', global_last_seen_lsn: seen } }));
}
