/** LinesPart: lines of one shape that lie together, with the entries that find and verify them: its two files, or a block in a pack. */
import type { LineIndex } from './line-index.ts';
import type { Piece } from './piece.ts';

export interface LinesPart {
  /** @throws {ShapeGoneError | ShapeCorruptError} */
  readIndex<T>(action: (index: LineIndex) => Promise<T>): Promise<T>;
  /** Verified. @throws as `readIndex`. */
  readPiece(piece: Piece): Promise<Uint8Array>;
}
