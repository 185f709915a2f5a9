/** A slot for blocks of the log that somebody fills by hand, and that can be copied together with who takes from it. */
import { Copies, type Fork } from '../../../src/base/fork.ts';
import { invariant } from '../../../src/base/invariant.ts';
import type { LoadedBlock } from '../../../src/actors/collector/router-table.ts';
import type { LogRange } from '../../../src/model/log-position.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';

export class ModelSlot implements LoadedBlock {
  private readonly copies = new Copies<ModelSlot>();

  constructor(private block?: LogBlock) {}

  put(block: LogBlock): void {
    this.block = block;
  }

  take({ after, through }: LogRange): LogBlock {
    const { block } = this;
    invariant(block?.after === after && block.through === through, 'a block is taken once it was loaded');
    this.close();
    return block;
  }

  close(): void {
    delete this.block;
  }

  clone(fork: Fork): ModelSlot {
    return this.copies.of(fork, () => new ModelSlot(this.block));
  }

  key(): string {
    return this.block === undefined ? 'empty' : blockKey(this.block);
  }
}

/** With what lies in it: tests write other transactions into the same range. */
export function blockKey({ after, through, transactions }: LogBlock): string {
  const contents = transactions.map(({ xid, isUnfinished, fragments }) => [xid, isUnfinished, fragments.map(String)]);
  return JSON.stringify([after, through, contents]);
}
