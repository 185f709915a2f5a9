/** LinesPart: lines of one shape that lie together, with the entries that find and verify them: its two files, or a block in a pack. */
import type { DiskFile } from '../disk/disk.ts';
import type { LineIndex } from './line-index.ts';
import type { Piece } from './piece.ts';

/** What is read where. */
export type ReadBytes = Pick<DiskFile, 'read'>;

export interface LinesPart {
  /** @throws {ShapeGoneError | ShapeCorruptError} */
  readIndex<T>(action: (index: LineIndex) => Promise<T>): Promise<T>;
  /** Verified. @throws as `readIndex`. */
  readPiece(piece: Piece): Promise<Uint8Array>;
}
