/**
 * Entry split: the single entries of a snapshot's chunk. Nothing tells where its rows end but the rows: each is a JSON value
 * with a comma behind it, and they all have one place, the end of their chunk.
 */
import { invariant } from '../../base/invariant.ts';
import { joinedBytes } from '../../base/joined-bytes.ts';
import { EntrySeparators } from '../../model/entry-separators.ts';
import type { EntryRun, LogEntry } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';

/** Those that end in a run come together. @param runs begin with an entry, and may be cut anywhere. */
export async function* entriesOf(runs: AsyncIterable<EntryRun>, offset: LogOffset): AsyncGenerator<readonly LogEntry[]> {
  const separators = new EntrySeparators();
  let open: Uint8Array[] = [];
  for await (const { kind, bytes } of runs) {
    const entries: LogEntry[] = [];
    let from = 0;
    for (let end = separators.next(bytes, 0); end < bytes.length; end = separators.next(bytes, from)) {
      entries.push({ kind, offset, bytes: joinedBytes([...open, bytes.subarray(from, end)]) });
      open = [];
      from = end + 1;
    }
    if (from < bytes.length) open.push(bytes.subarray(from));
    yield entries;
  }
  invariant(open.length === 0, 'a chunk ends with an entry');
}
