/**
 * What a Materializer's table needs from outside; the roof decides what is behind it.
 *
 * The port `@shape-reader` fills the blocks: a call `readBlock { handle, column, after, through }` is answered
 * `history.blockRead { after, through }`, whose `through` may lie before the one asked for but never beyond it, or
 * `history.isGone` when there is no such log any more.
 */
import type { Forkable } from '../base/fork.ts';
import type { Handle } from '../model/shape.ts';
import type { OffsetRange, ShapeMessage } from '../storage/shapes/shape-blocks.ts';

export type { OffsetRange, ShapeMessage };

export interface HistoryBlocks extends Forkable<HistoryBlocks> {
  /** Hands over the messages of a block that was read, once. @throws when it was not read. */
  take(handle: Handle, column: string, range: OffsetRange): readonly ShapeMessage[];
}
