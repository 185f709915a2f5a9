/** ChangeCursor: goes through the changes of a block in log order, and can be copied on the way. */
import { Change, viewOf } from '../model/change.ts';
import type { LogBlock } from '../model/transaction.ts';

export class ChangeCursor {
  /** Where the change lies that `next` gave last: the indexes of its transaction and its fragment, and the byte where it begins. */
  transaction = 0;
  fragment = 0;
  start = 0;
  private end = 0;
  /** Of the fragment that is gone through. */
  private view: DataView | undefined;

  constructor(private readonly block: LogBlock) {}

  /** A view that lives as long as the block. @returns undefined behind the last change. */
  next(): Change | undefined {
    for (let transaction = this.block.transactions[this.transaction]; transaction !== undefined; ) {
      const bytes = transaction.fragments[this.fragment];
      if (bytes !== undefined && this.end < bytes.length) return this.changeIn(bytes);
      this.end = 0;
      this.view = undefined;
      this.fragment += 1;
      if (bytes !== undefined) continue;
      this.fragment = 0;
      this.transaction += 1;
      transaction = this.block.transactions[this.transaction];
    }
    return undefined;
  }

  clone(): ChangeCursor {
    return Object.assign(new ChangeCursor(this.block), this);
  }

  private changeIn(bytes: Uint8Array): Change {
    this.start = this.end;
    this.view ??= viewOf(bytes);
    const change = new Change(bytes, this.start, this.view);
    this.end = change.end;
    return change;
  }
}
