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
    return new OwnRows(owner, this.parts);
  }

  put(owner: string, part: Uint8Array): void {
    this.parts.put(owner, part);
  }
}

/** One for each Consumer, of which there may be very many. */
class OwnRows implements MovedRowsSlot {
  constructor(
    private readonly owner: string,
    private readonly parts: OwnedParts<Uint8Array>,
  ) {}

  take(): Uint8Array {
    const part = this.parts.take(this.owner);
    invariant(part !== undefined, `rows are taken right after they were read for ${this.owner}`);
    return part;
  }

  close(): void {
    this.parts.close(this.owner);
  }

  clone(): MovedRowsSlot {
    return new OwnRows(this.owner, this.parts.copy());
  }
}
