/** MovedRows: rows of splices that were read for Consumers, each waiting in memory until the table that asked for them takes them. */
import type { Forkable } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { OwnedParts } from './owned-parts.ts';

export interface MovedRowsSlot extends Forkable<MovedRowsSlot> {
  take(): Uint8Array;
  close(): void;
}

export class MovedRows {
  private readonly parts = new OwnedParts<Uint8Array>();

  /** @param owner the pid of who takes them. */
  slot(owner: string): MovedRowsSlot {
    this.parts.open(owner);
    return slotOf(owner, this.parts);
  }

  put(owner: string, part: Uint8Array): void {
    this.parts.put(owner, part);
  }
}

function slotOf(owner: string, parts: OwnedParts<Uint8Array>): MovedRowsSlot {
  return {
    take() {
      const part = parts.take(owner);
      invariant(part !== undefined, `rows are taken right after they were read for ${owner}`);
      return part;
    },
    close: () => parts.close(owner),
    clone: () => slotOf(owner, parts.copy()),
  };
}
