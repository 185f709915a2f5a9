/**
 * Line pieces: the lines that a checkpoint appends, cut into pieces. A piece ends with a line; only a line that is longer
 * than a piece is cut itself, so that no value, however large, must be in memory to be sent.
 */
import { crc32 } from 'node:zlib';
import type { LineBatch } from './line-buffer.ts';
import type { IndexedPiece, LineEnd } from './line-index.ts';
import { PIECE_BYTES } from './piece.ts';

/** A line, or a part of one that is longer than a piece: from where to where it lies in its batch. */
interface Part extends LineEnd {
  readonly batch: LineBatch;
  readonly from: number;
  readonly to: number;
}

/** How many entries of the index a line takes. @param bytes with its comma. */
export function indexEntriesOf(bytes: number): number {
  return Math.ceil(bytes / PIECE_BYTES);
}

/** The same for all lines of a batch. */
export function indexEntriesIn(batch: LineBatch): number {
  let entries = 0;
  for (let index = 0; index < batch.count; index += 1) entries += indexEntriesOf(batch.endOf(index) - batch.endOf(index - 1));
  return entries;
}

/** The pieces of `batches`, which begin at byte `start` of the file. */
export function* piecesOf(batches: readonly LineBatch[], start: number): Generator<IndexedPiece> {
  let parts: Part[] = [];
  let bytes = 0;
  for (const part of partsOf(batches, start)) {
    const size = part.to - part.from;
    if (bytes + size > PIECE_BYTES) {
      yield pieceOf(parts, bytes);
      parts = [];
      bytes = 0;
    }
    parts.push(part);
    bytes += size;
  }
  if (bytes > 0) yield pieceOf(parts, bytes);
}

function* partsOf(batches: readonly LineBatch[], start: number): Generator<Part> {
  let batchStart = start;
  for (const batch of batches) {
    for (let index = 0; index < batch.count; index += 1) {
      const { lsn, position } = batch.addressAt(index);
      const lineEnd = batch.endOf(index);
      for (let from = batch.endOf(index - 1); from < lineEnd; from += PIECE_BYTES) {
        const to = Math.min(from + PIECE_BYTES, lineEnd);
        yield { lsn, position, end: batchStart + to, batch, from, to };
      }
    }
    batchStart += batch.bytes.length;
  }
}

function pieceOf(lines: readonly Part[], bytes: number): IndexedPiece {
  return { at: (lines.at(-1)?.end ?? 0) - bytes, bytes, sum: sumOf(lines), lines };
}

/** One call for all that lies together: a call for each line would cost more than the sum itself. */
function sumOf(parts: readonly Part[]): number {
  let sum = 0;
  let from = 0;
  parts.forEach(({ batch, to }, index) => {
    if (parts[index + 1]?.batch === batch) return;
    sum = crc32(batch.bytes.subarray(parts[from]?.from, to), sum);
    from = index + 1;
  });
  return sum;
}
