/**
 * Line pieces: the lines that go to a shape's files, cut into pieces. A piece ends with a line; only a line that is longer
 * than a piece is cut itself, so that no value, however large, must be in memory to be sent.
 *
 * A piece also ends with its batch. What a checkpoint counts ends with a batch, and so does what readers see: a piece that
 * went on behind it would not hold any more once that is written over.
 */
import { crc32 } from 'node:zlib';
import type { LineBatch } from './line-buffer.ts';
import type { IndexedPiece, LineEnd } from './line-index.ts';
import { PIECE_BYTES } from './piece.ts';

/** A line, or a part of one that is longer than a piece: from where to where it lies in its batch. */
interface Part extends LineEnd {
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
  let batchStart = start;
  for (const batch of batches) {
    let parts: Part[] = [];
    for (const part of partsOf(batch, batchStart)) {
      if (part.to - (parts[0]?.from ?? part.from) > PIECE_BYTES) {
        yield pieceOf(batch, batchStart, parts);
        parts = [];
      }
      parts.push(part);
    }
    yield pieceOf(batch, batchStart, parts);
    batchStart += batch.bytes.length;
  }
}

function* partsOf(batch: LineBatch, batchStart: number): Generator<Part> {
  for (let index = 0; index < batch.count; index += 1) {
    const { lsn, position } = batch.addressAt(index);
    const lineEnd = batch.endOf(index);
    for (let from = batch.endOf(index - 1); from < lineEnd; from += PIECE_BYTES) {
      const to = Math.min(from + PIECE_BYTES, lineEnd);
      yield { lsn, position, end: batchStart + to, from, to };
    }
  }
}

function pieceOf({ bytes }: LineBatch, batchStart: number, lines: readonly Part[]): IndexedPiece {
  const [from, to] = [lines[0]?.from ?? 0, lines.at(-1)?.to ?? 0];
  return { at: batchStart + from, bytes: to - from, sum: crc32(bytes.subarray(from, to)), lines };
}
