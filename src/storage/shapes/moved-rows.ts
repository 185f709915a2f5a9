/** MovedRows: rows of splices that were read for Consumers, each waiting in memory until the table that asked for them takes them. */
import { invariant } from '../../base/invariant.ts';
import type { Forkable } from '../../base/fork.ts';

export interface MovedRowsSlot extends Forkable<MovedRowsSlot> {
  take(): Uint8Array;
  close(): void;
}

export class MovedRows {
  private readonly parts = new Map<string, Uint8Array>();
  private readonly owners = new Set<string>();

  /** @param owner the pid of who takes them. */
  slot(owner: string): MovedRowsSlot {
    this.owners.add(owner);
    return {
      take: () => taken(this.parts, owner),
      close: () => {
        this.owners.delete(owner);
        this.parts.delete(owner);
      },
      clone: () => slotWith(owner, this.parts.get(owner)),
    };
  }

  /** For one that has ended meanwhile nothing is kept. */
  put(owner: string, part: Uint8Array): void {
    if (this.owners.has(owner)) this.parts.set(owner, part);
  }
}

function taken(parts: Map<string, Uint8Array>, owner: string): Uint8Array {
  const part = parts.get(owner);
  invariant(part !== undefined, `rows are taken right after they were read for ${owner}`);
  parts.delete(owner);
  return part;
}

function slotWith(owner: string, part: Uint8Array | undefined): MovedRowsSlot {
  const parts = new Map(part === undefined ? [] : [[owner, part]]);
  return { take: () => taken(parts, owner), close: () => parts.clear(), clone: () => slotWith(owner, parts.get(owner)) };
}
