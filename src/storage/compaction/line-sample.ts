/**
 * LineSample: a few lines of some chunks of a log, looked at before all are. Only updates ever go, and most logs that grow are of rows
 * that come: these are not read through each time that they have doubled, beside the transactions that make them grow.
 */
import { SNAPSHOT_END } from '../../model/log-offset.ts';
import type { OldEnds, Region } from './fold-lines.ts';
import type { LineFolder } from './line-folder.ts';

const CHUNKS_MAX = 8;
const BYTES_OF_EACH = 16 * 1024;

/** Of the bytes that were looked at, those of updates. */
export async function updatedShare({ source, bytes }: Region, ends: OldEnds, folder: LineFolder): Promise<number> {
  const starts = [SNAPSHOT_END, ...ends.slice(0, -1).map(({ offset }) => offset)];
  const every = Math.ceil(starts.length / CHUNKS_MAX);
  let [updated, all] = [0, 0];
  for (const start of starts.filter((_, index) => index % every === 0)) {
    let left = BYTES_OF_EACH;
    for await (const entries of source.readEntries(start, bytes)) {
      for (const { bytes: line } of entries) {
        if (left <= 0) break;
        left -= line.length;
        all += line.length;
        if (folder.read(line)?.operation === 'update') updated += line.length;
      }
      if (left <= 0) break;
    }
  }
  return all === 0 ? 0 : updated / all;
}
