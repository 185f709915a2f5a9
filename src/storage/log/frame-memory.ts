/**
 * FrameMemory: where frames lie from the moment that they are put: one behind the other, as they are written. So what is in a frame is
 * copied once, and a group of small ones goes to the disk as it lies.
 *
 * Readers have views of it, for as long as the newest transactions stay in memory, and each holds on to a whole piece. So a piece is small
 * beside what is kept, and filled by one group after the other; what is not small lies by itself.
 */
const PIECE_BYTES = 64 * 1024;
/** A larger frame lies by itself: at most this share of a piece stays unused. */
const SMALL_BYTES_MAX = PIECE_BYTES / 4;

/** Frames that lie one behind the other. */
export interface FrameRun {
  readonly memory: Buffer;
  readonly start: number;
  end: number;
}

export class FrameMemory {
  private piece: Buffer = Buffer.alloc(0);
  private used = 0;

  /**
   * Makes room for a frame.
   *
   * @param last the run that it comes behind.
   * @returns a run that ends with that room: the last one, where it goes on.
   */
  extend(last: FrameRun | undefined, bytes: number): FrameRun {
    if (bytes > SMALL_BYTES_MAX) return { memory: Buffer.allocUnsafeSlow(bytes), start: 0, end: bytes };
    if (this.used + bytes > this.piece.length) {
      this.piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.used = 0;
    }
    const start = this.used;
    this.used += bytes;
    if (last === undefined || last.memory !== this.piece || last.end !== start) return { memory: this.piece, start, end: this.used };
    last.end = this.used;
    return last;
  }
}
