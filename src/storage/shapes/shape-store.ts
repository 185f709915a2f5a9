/** ShapeStore: where one shape's bytes lie, in memory or on a disk. What they mean, and who may see them, is StoredShape's. */
import type { LinesSource } from './lines-source.ts';
import type { ChunkSums, Piece } from './piece.ts';

/** One writer, from the first row to `complete`; one that is not completed leaves nothing that counts. */
export interface MovedWriter {
  /** @param lines whole ones, as somebody will read them back. */
  write(lines: Uint8Array): Promise<void>;
  /** @returns what verifies them, now that they are durable; null when there were none. */
  complete(): Promise<ChunkSums | null>;
}

export interface ShapeStore {
  /** @throws {InvariantError} where the bytes cannot be copied: files are those of one storage. */
  clone(): ShapeStore;
  /** The bytes of the snapshot, while they are few and in memory alone, to be brought to a disk; undefined where there is none. */
  readonly fewRows: Uint8Array | undefined;
  /** Before the first row. */
  beginSnapshot(): Promise<void>;
  /** Adds to the end of the snapshot; readable when it resolves, and the bytes are the caller's again. */
  appendSnapshot(bytes: Uint8Array): Promise<void>;
  /** Makes durable what the snapshot has so far, but for few rows, which the record of the whole snapshot keeps. */
  syncSnapshot(): Promise<void>;
  /** The last row was written, and is durable, likewise. */
  endSnapshot(): Promise<void>;
  /**
   * @param before the checksum of what lies before `piece.at` in the same piece; 0 when nothing does.
   * @throws {ShapeGoneError} when the shape was deleted meanwhile.
   * @throws {ShapeCorruptError} when the bytes are not what was written.
   */
  readSnapshot(piece: Piece, before: number): Promise<Uint8Array>;
  /** The same of a whole piece that lies in memory; undefined for any other, and for one that does not hold: `readSnapshot` says why. */
  readSnapshotNow(piece: Piece): Uint8Array | undefined;
  /** The checkpointed lines. Who reads them keeps this source to the end: later there may be another. */
  readonly lines: LinesSource;
  /**
   * The rows that splice `number` brings, in place of what was left under that number.
   *
   * @param claim throws once another one writes them: asked right before each write, which may have waited for its turn.
   */
  beginMoved(number: number, claim: () => void): MovedWriter;
  /** @throws as `readSnapshot`. */
  readMoved(number: number, piece: Piece): Promise<Uint8Array>;
  /** Lets go of the rows of all splices up to and with `number`: a checkpoint has their lines. */
  forgetMoved(number: number): Promise<void>;
}
