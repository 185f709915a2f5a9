/** Whether a client has yet to read of rows that came to its shape, or left it, with the values of a subquery. */
import { compareOffsets, SNAPSHOT_END, type LogOffset } from '../../../model/log-offset.ts';
import { LINE } from '../../../shapes/line-format.ts';
import type { ShapeLog } from '../../../storage/shapes/shape-logs.ts';

/** Whoever is further behind is taken for one that has. */
const LOOKED_THROUGH_BYTES_MAX = 4 * 1024 * 1024;
/** As it stands in no row: quotes inside of values are escaped. */
const EVENT = Buffer.from(`${LINE.startOfOthers}"event"`);

/** @param from where the client stands. Of first rows none has moved. */
export async function tellsMoves(log: Pick<ShapeLog, 'read'>, from: LogOffset): Promise<boolean> {
  let bytes = 0;
  let before: Uint8Array = Buffer.alloc(0); // An entry may be cut between two runs.
  for (let after = compareOffsets(from, SNAPSHOT_END) < 0 ? SNAPSHOT_END : from; ; ) {
    const unread = log.read(after);
    if (unread.outcome !== 'entries') return false;
    for await (const run of unread.runs) {
      bytes += run.bytes.length;
      const searched = Buffer.concat([before, run.bytes]);
      if (bytes > LOOKED_THROUGH_BYTES_MAX || searched.includes(EVENT)) return true;
      before = searched.subarray(-EVENT.length);
    }
    if (unread.upToDate) return false;
    after = unread.end;
  }
}
