/**
 * ShapeBlocks: parts of shapes' logs, read for a follower and waiting in memory until its table takes them.
 *
 * Each follower has one block at a time: a new one takes the place of one that was never fetched, so nothing piles up
 * when a follower dies between the two steps.
 */
import { Copies, type Fork } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';

/** What lies behind `after`, up to and with `through`, in a shape's log. */
export interface OffsetRange {
  readonly after: LogOffset;
  readonly through: LogOffset;
}

/** The parts of a log line that a follower looks at; a control message has no key. */
export interface ShapeMessage {
  readonly key?: string;
  readonly value?: Readonly<Record<string, string | null>>;
  readonly headers: {
    readonly operation?: 'insert' | 'update' | 'delete';
    readonly lsn?: string;
    readonly op_position?: number;
    readonly txids?: readonly number[];
    readonly last?: true;
  };
}

interface Block extends OffsetRange {
  readonly handle: Handle;
  readonly messages: readonly ShapeMessage[];
}

export class ShapeBlocks {
  private readonly blocks = new Map<string, Block>();
  private readonly copies = new Copies<ShapeBlocks>();

  /** @param column the one that the follower keeps: with the handle it names the follower. */
  put(handle: Handle, column: string, range: OffsetRange, messages: readonly ShapeMessage[]): void {
    this.blocks.set(nameOf(handle, column), { handle, ...range, messages });
  }

  /** Hands over a block, once. */
  take(handle: Handle, column: string, { after, through }: OffsetRange): readonly ShapeMessage[] {
    const block = this.blocks.get(nameOf(handle, column));
    invariant(block?.after === after && block.through === through, 'a block is taken right after it was read');
    this.blocks.delete(nameOf(handle, column));
    return block.messages;
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
