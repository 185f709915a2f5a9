/** SegmentCursor: the frames of one segment, one after the other, read in blocks of bounded size. */
import type { LogPosition } from '../../model/log-position.ts';
import type { DiskFile } from '../disk/disk.ts';
import { UnknownContentError } from '../errors.ts';
import { frameAt, type Frame } from './frame.ts';

const BLOCK_BYTES = 256 * 1024;

export class SegmentCursor {
  private block: Buffer = Buffer.alloc(0);
  /** Where the next frame begins in `block`. */
  private at = 0;

  constructor(
    private readonly file: DiskFile,
    /** Where the segment begins in the log. */
    private readonly first: LogPosition,
    private next: LogPosition,
    /** Frames end at or before here. */
    private readonly limit: LogPosition,
  ) {}

  /** Behind the last frame read. */
  get position(): LogPosition {
    return this.next;
  }

  /** The next frame, if it lies whole in what was read already: at most the frames of a block come so, one after the other. */
  readHere(): Frame | undefined {
    if (this.next >= this.limit) return undefined;
    const look = frameAt(this.block, this.at, this.next);
    return look.look === 'whole' ? this.passed(look.frame) : undefined;
  }

  /**
   * `broken` when what follows is no whole frame; then the position stays.
   *
   * @throws {UnknownContentError} for a frame that another version wrote.
   */
  async read(): Promise<Frame | 'end' | 'broken'> {
    if (this.next >= this.limit) return 'end';
    let look = frameAt(this.block, this.at, this.next);
    if (look.look === 'cut') {
      if (this.next + look.bytes > this.limit) return 'broken';
      await this.fill(look.bytes);
      look = frameAt(this.block, this.at, this.next);
    }
    if (look.look === 'cut' && look.bytes > this.block.length && this.next + look.bytes <= this.limit) {
      await this.fill(look.bytes); // The header had been cut: only now the frame's size is known.
      look = frameAt(this.block, this.at, this.next);
    }
    if (look.look === 'unknown') throw new UnknownContentError('The transaction log', `a frame of kind ${look.kind}`);
    if (look.look !== 'whole') return 'broken';
    return this.passed(look.frame);
  }

  private passed(frame: Frame): Frame {
    this.at += frame.end - this.next;
    this.next = frame.end;
    return frame;
  }

  private async fill(bytes: number): Promise<void> {
    const length = Math.min(Math.max(bytes, BLOCK_BYTES), this.limit - this.next);
    const read = await this.file.read(this.next - this.first, length);
    this.block = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    this.at = 0;
  }
}
