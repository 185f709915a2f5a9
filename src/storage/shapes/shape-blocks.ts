/**
 * ShapeBlocks: parts of shapes' logs, read for followers and waiting in memory until their tables take them.
 *
 * Each follower has one block at a time, under its pid: what was read for one that has ended is nobody's, and never the block
 * of the one that took its place.
 */
import { Copies, type Fork } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { isSamePlace, type EntryRange } from '../../model/log-entry.ts';
import type { PlacedRow } from '../../model/row-values.ts';

interface Block extends EntryRange {
  readonly rows: readonly PlacedRow[];
}

export class ShapeBlocks {
  /** By the pid of the follower; undefined while there is none. */
  private readonly blocks = new Map<string, Block | undefined>();
  private readonly copies = new Copies<ShapeBlocks>();

  /** From now on blocks may be read for `owner`. */
  open(owner: string): void {
    this.blocks.set(owner, undefined);
  }

  /** Takes the place of a block that was never fetched. For a follower that has ended nothing is kept. */
  put(owner: string, { after, through }: EntryRange, rows: readonly PlacedRow[]): void {
    if (this.blocks.has(owner)) this.blocks.set(owner, { after, through, rows });
  }

  /** Hands over a block, once. */
  take(owner: string, { after, through }: EntryRange): readonly PlacedRow[] {
    const block = this.blocks.get(owner);
    const isRead = block !== undefined && isSamePlace(block.after, after) && isSamePlace(block.through, through);
    invariant(isRead, 'a block is taken right after it was read');
    this.blocks.set(owner, undefined);
    return block.rows;
  }

  /** The follower has ended. */
  close(owner: string): void {
    this.blocks.delete(owner);
  }

  clone(fork: Fork): ShapeBlocks {
    return this.copies.of(fork, () => {
      const copy = new ShapeBlocks();
      for (const [owner, block] of this.blocks) copy.blocks.set(owner, block);
      return copy;
    });
  }
}
