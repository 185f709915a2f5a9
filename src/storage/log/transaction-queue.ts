/** TransactionQueue: transactions in the order of the log, of which the oldest go first. */
import type { LogPosition } from '../../model/log-position.ts';

const COMPACT_AFTER = 1024;

/** What stands in a queue: one transaction, by where it ends. */
interface Placed {
  readonly end: LogPosition;
}

export class TransactionQueue<Transaction extends Placed> {
  /** Those that were dropped, up to `first`, are undefined. */
  private transactions: (Transaction | undefined)[] = [];
  private first = 0;

  get oldest(): Transaction | undefined {
    return this.transactions[this.first];
  }

  push(transaction: Transaction): void {
    this.transactions.push(transaction);
  }

  dropOldest(): void {
    this.transactions[this.first] = undefined;
    this.first += 1;
    if (this.first < COMPACT_AFTER || 2 * this.first < this.transactions.length) return; // Each is moved once at the most.
    this.transactions = this.transactions.slice(this.first);
    this.first = 0;
  }

  /** Those that end behind `after`. */
  *behind(after: LogPosition): Generator<Transaction, undefined> {
    for (let index = this.indexBehind(after); index < this.transactions.length; index += 1) {
      const transaction = this.transactions[index];
      if (transaction !== undefined) yield transaction;
    }
  }

  clone(): TransactionQueue<Transaction> {
    const copy = new TransactionQueue<Transaction>();
    copy.transactions = this.transactions.slice(this.first);
    return copy;
  }

  private indexBehind(after: LogPosition): number {
    let low = this.first;
    let high = this.transactions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const transaction = this.transactions[middle];
      if (transaction !== undefined && transaction.end > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Those of several queues in one order; what stands in more than one comes once. */
export function* merged<Transaction extends Placed>(
  queues: readonly TransactionQueue<Transaction>[],
  after: LogPosition,
): Generator<Transaction, undefined> {
  const runs = queues.map((queue) => queue.behind(after));
  const heads = runs.map((run) => run.next().value);
  for (;;) {
    const next = earliest(heads);
    if (next === undefined) return;
    yield next;
    for (const [index, run] of runs.entries()) if (heads[index]?.end === next.end) heads[index] = run.next().value;
  }
}

function earliest<Transaction extends Placed>(heads: readonly (Transaction | undefined)[]): Transaction | undefined {
  let found: Transaction | undefined;
  for (const head of heads) if (head !== undefined && (found === undefined || head.end < found.end)) found = head;
  return found;
}
