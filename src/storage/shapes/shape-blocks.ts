/** ShapeBlocks: parts of shapes' logs, read for followers and waiting in memory until their tables take them. */
import { Copies, type Fork } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { isSamePlace, type EntryRange } from '../../model/log-entry.ts';
import type { PlacedRow } from '../../model/row-values.ts';
import { OwnedParts } from './owned-parts.ts';

interface Block extends EntryRange {
  readonly rows: readonly PlacedRow[];
}

export class ShapeBlocks {
  private readonly copies = new Copies<ShapeBlocks>();

  constructor(private readonly blocks = new OwnedParts<Block>()) {}

  /** From now on blocks may be read for `owner`, the pid of the follower. */
  open(owner: string): void {
    this.blocks.open(owner);
  }

  put(owner: string, { after, through }: EntryRange, rows: readonly PlacedRow[]): void {
    this.blocks.put(owner, { after, through, rows });
  }

  /** Hands over a block, once. */
  take(owner: string, { after, through }: EntryRange): readonly PlacedRow[] {
    const block = this.blocks.take(owner);
    const isRead = block !== undefined && isSamePlace(block.after, after) && isSamePlace(block.through, through);
    invariant(isRead, 'a block is taken right after it was read');
    return block.rows;
  }

  /** The follower has ended. */
  close(owner: string): void {
    this.blocks.close(owner);
  }

  clone(fork: Fork): ShapeBlocks {
    return this.copies.of(fork, () => new ShapeBlocks(this.blocks.copy()));
  }
}
