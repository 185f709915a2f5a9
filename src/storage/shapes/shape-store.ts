/** ShapeStore: where one shape's bytes lie, in memory or on a disk. What they mean, and who may see them, is StoredShape's. */
import type { LogOffset } from '../../model/log-offset.ts';

export interface ShapeStore {
  /** Before the first chunk. */
  beginSnapshot(): Promise<void>;
  /** Adds to the end of chunk `index`, which is the last one or the one after it; readable when it resolves. */
  writeChunk(index: number, bytes: Uint8Array): Promise<void>;
  /** Chunk `index` is whole: makes it durable. */
  finishChunk(index: number): Promise<void>;
  /** Bytes of a chunk that is whole, its last comma included. */
  chunkSize(index: number): Promise<number>;
  /** @throws {ShapeGoneError} when the shape was deleted meanwhile. */
  readChunk(index: number, at: number, length: number): Promise<Uint8Array>;
  /**
   * The checkpointed lines behind `after`, as far as byte `throughBytes` of the log, without the last comma.
   *
   * @throws {ShapeGoneError} when the shape was deleted meanwhile.
   */
  readLines(after: LogOffset, throughBytes: number): AsyncIterable<Uint8Array>;
}

/** Bytes of one piece of a body: what a slow reader pins. */
export const PIECE_BYTES = 256 * 1024;
