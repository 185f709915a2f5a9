/** The changes that a router gave to one shape, transaction by transaction. */
import { invariant } from '../base/invariant.ts';
import { Change, viewOf } from '../model/change.ts';
import type { LogBlock, LoggedTransaction } from '../model/transaction.ts';
import type { RoutedChanges } from './router.ts';

export interface TransactionChanges {
  readonly transaction: LoggedTransaction;
  /** In the order of the log; views that live as long as the block. */
  readonly changes: readonly Change[];
}

/** @yields each transaction of `block` that touches the shape, in log order. */
export function* changesByTransaction(block: LogBlock, { changes }: RoutedChanges): Generator<TransactionChanges> {
  let next = 0;
  while (next < changes.length) {
    const index = changes[next];
    const transaction = block.transactions[index ?? -1];
    invariant(transaction !== undefined, 'a routed change lies in its own block');
    const own: Change[] = [];
    let [place, bytes, view]: [number | undefined, Uint8Array | undefined, DataView | undefined] = [undefined, undefined, undefined];
    for (; changes[next] === index && next < changes.length; next += 3) {
      if (changes[next + 1] !== place) {
        place = changes[next + 1];
        bytes = transaction.fragments[place ?? -1];
        view = bytes && viewOf(bytes);
      }
      invariant(bytes !== undefined, 'a routed change lies in a fragment of its transaction');
      own.push(new Change(bytes, changes[next + 2] ?? 0, view));
    }
    yield { transaction, changes: own };
  }
}
