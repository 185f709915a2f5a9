/**
 * Piece: a stretch of a file as it goes to a socket, and the checksum that must hold before a byte of it is sent.
 *
 * Named by file, place, size and sum, and by nothing of the shape that reads it, so that files may come to be shared.
 */
import { crc32 } from 'node:zlib';
import type { Handle } from '../../model/shape.ts';
import { ShapeCorruptError } from '../errors.ts';

/** What a slow reader pins of a body, and what is read to send one byte. */
export const PIECE_BYTES = 256 * 1024;

export interface Piece {
  readonly at: number;
  readonly bytes: number;
  readonly sum: number;
}

/** One chunk of a snapshot: pieces of `PIECE_BYTES` one behind the other, the last one shorter. Plain JSON. */
export interface ChunkSums {
  readonly bytes: number;
  /** CRC-32 of each piece. */
  readonly sums: readonly number[];
}

/** The sums of a chunk that grows. */
export class GrowingSums implements ChunkSums {
  bytes = 0;
  /** That of the last piece is what it has so far. */
  readonly sums: number[] = [];

  add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const index = Math.floor(this.bytes / PIECE_BYTES);
      const part = bytes.subarray(from, from + (index + 1) * PIECE_BYTES - this.bytes);
      this.sums[index] = crc32(part, this.sums[index] ?? 0);
      this.bytes += part.length;
      from += part.length;
    }
  }

  clone(): GrowingSums {
    const copy = new GrowingSums();
    copy.bytes = this.bytes;
    copy.sums.push(...this.sums);
    return copy;
  }
}

/** What has been added by now; null for nothing. */
export function wholeOf({ bytes, sums }: GrowingSums): ChunkSums | null {
  return bytes === 0 ? null : { bytes, sums: [...sums] };
}

/** The piece at byte `at`, where one begins. */
export function pieceAt({ bytes, sums }: ChunkSums, at: number): Piece {
  return { at, bytes: Math.min(bytes - at, PIECE_BYTES), sum: sums[at / PIECE_BYTES] ?? 0 };
}

/** `bytes` are all of `piece`, as it says. */
export function holds(bytes: Uint8Array, piece: Piece): boolean {
  return bytes.length === piece.bytes && crc32(bytes) === piece.sum;
}

/**
 * @param before the checksum of what lies before `bytes` in the same piece; 0 at its beginning.
 * @throws {ShapeCorruptError} the bytes of `path` are not what `piece` says.
 */
export function verified(bytes: Uint8Array, path: string, handle: Handle, piece: Piece, before: number): Uint8Array {
  const { at, bytes: length, sum } = piece;
  if (bytes.length < length) throw new ShapeCorruptError(handle, `${path} ends at byte ${at + bytes.length}, not behind ${at + length}`);
  if (crc32(bytes, before) !== sum)
    throw new ShapeCorruptError(handle, `the checksum of bytes ${at} to ${at + length} of ${path} does not hold`);
  return bytes;
}
