/**
 * ShapeBlocks: parts of shapes' logs, read for a follower and waiting in memory until its table takes them.
 *
 * Each follower has one block at a time: a new one takes the place of one that was never fetched, so nothing piles up
 * when a follower dies between the two steps.
 */
import { Copies, type Fork } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { isSamePlace, type EntryRange } from '../../model/log-entry.ts';
import type { Handle } from '../../model/shape.ts';
import type { PlacedRow } from '../../model/row-values.ts';

interface Block extends EntryRange {
  readonly handle: Handle;
  readonly rows: readonly PlacedRow[];
}

export class ShapeBlocks {
  private readonly blocks = new Map<string, Block>();
  private readonly copies = new Copies<ShapeBlocks>();

  /** @param column the one that the follower keeps: with the handle it names the follower. */
  put(handle: Handle, column: string, { after, through }: EntryRange, rows: readonly PlacedRow[]): void {
    this.blocks.set(nameOf(handle, column), { handle, after, through, rows });
  }

  /** Hands over a block, once. */
  take(handle: Handle, column: string, { after, through }: EntryRange): readonly PlacedRow[] {
    const block = this.blocks.get(nameOf(handle, column));
    const isRead = block !== undefined && isSamePlace(block.after, after) && isSamePlace(block.through, through);
    invariant(isRead, 'a block is taken right after it was read');
    this.blocks.delete(nameOf(handle, column));
    return block.rows;
  }

  clone(fork: Fork): ShapeBlocks {
    return this.copies.of(fork, () => {
      const copy = new ShapeBlocks();
      for (const [name, block] of this.blocks) copy.blocks.set(name, block);
      return copy;
    });
  }

  /** Lets go of what nobody will fetch, because its shape is no more. */
  forgetUnless(exists: (handle: Handle) => boolean): void {
    for (const [name, { handle }] of this.blocks) if (!exists(handle)) this.blocks.delete(name);
  }
}

function nameOf(handle: Handle, column: string): string {
  return `${handle}/${column}`;
}
