/** Saved lines: the single entries among the lines of a file, by its index. A line that was cut into pieces comes whole. */
import type { LogEntry } from '../../model/log-entry.ts';
import { offsetOf } from '../../model/log-offset.ts';
import { compareAddresses, type LineAddress } from './line-buffer.ts';
import type { LineEnd } from './line-index.ts';

/** Bytes of a file that lie together, and the lines or parts of lines that end in them. */
export interface IndexedBytes {
  /** Where the bytes begin in the file: with a line, or with a part of one. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly ends: readonly LineEnd[];
}

interface LinePart extends LineAddress {
  readonly bytes: Uint8Array;
}

/** Those that are known to end in a piece come together: whether its last line goes on, only the next piece tells. */
export async function* entriesIn(pieces: AsyncIterable<IndexedBytes>): AsyncGenerator<readonly LogEntry[]> {
  let open: LinePart[] = [];
  for await (const piece of pieces) {
    const entries: LogEntry[] = [];
    for (const part of partsOf(piece)) {
      const [first] = open;
      if (first !== undefined && compareAddresses(first, part) !== 0) {
        entries.push(entryOf(first, open));
        open = [];
      }
      open.push(part);
    }
    yield entries;
  }
  const [first] = open;
  if (first !== undefined) yield [entryOf(first, open)];
}

function* partsOf({ at, bytes, ends }: IndexedBytes): Generator<LinePart> {
  let from = 0;
  for (const { lsn, position, end } of ends) {
    yield { lsn, position, bytes: bytes.subarray(from, end - at) };
    from = end - at;
  }
}

/** @param parts end with the comma behind the line. */
function entryOf({ lsn, position }: LineAddress, parts: readonly LinePart[]): LogEntry {
  const [only] = parts;
  const line = parts.length === 1 && only !== undefined ? only.bytes : Buffer.concat(parts.map(({ bytes }) => bytes));
  return { kind: 'row', offset: offsetOf(lsn, position), bytes: line.subarray(0, -1) };
}
