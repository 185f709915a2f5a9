/**
 * TailCache: the newest transactions of the log in memory, so that the way from commit to client never reads the disk.
 * Without a gap: from `start` on, every transaction is here.
 *
 * Whoever follows one table has what touched it without a look at the rest: ten thousand shapes may each read all that came since
 * some place, and most of that is none of theirs.
 */
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { LogBlock, LoggedTransaction } from '../../model/transaction.ts';
import { merged, TransactionQueue } from './transaction-queue.ts';
import { WHOLE_TRANSACTION_BYTES_MAX } from './transaction-log.ts';

const TRANSACTION_BYTES = 192; // What the objects of a transaction weigh, about.
/** Stands for every layout: nobody has told those of the transaction. */
const UNTOLD = 0;
const ALL_UNTOLD: readonly number[] = [UNTOLD];

interface KeptTransaction extends LoggedTransaction {
  /** Before its first frame. */
  readonly start: LogPosition;
  /** Ids of those that its changes have, where they are known. */
  readonly layouts: readonly number[] | undefined;
}

type Queue = TransactionQueue<KeptTransaction>;

export class TailCache {
  /** Bytes of changes in the largest transaction that is kept: from here it comes whole, so a larger one is read from the log. */
  readonly transactionBytesMax: number;
  private all: Queue = new TransactionQueue();
  private byLayout = new Map<number, Queue>();
  private bytes = 0;

  constructor(
    private begin: LogPosition,
    private readonly bytesMax: number,
  ) {
    this.transactionBytesMax = Math.min(bytesMax, WHOLE_TRANSACTION_BYTES_MAX);
  }

  /** Every transaction that ends behind here is in the cache. */
  get start(): LogPosition {
    return this.begin;
  }

  push(transaction: KeptTransaction): void {
    this.all.push(transaction);
    for (const id of transaction.layouts ?? ALL_UNTOLD) this.queueOf(id).push(transaction);
    this.bytes += bytesOf(transaction);
    while (this.bytes > this.bytesMax) this.evict();
  }

  /** A transaction up to `end` was too large to be kept. */
  skip(end: LogPosition): void {
    this.all = new TransactionQueue();
    this.byLayout.clear();
    this.bytes = 0;
    this.begin = end;
  }

  /** Drops what ends at or before `position`. */
  forget(position: LogPosition): void {
    while (this.all.oldest !== undefined && this.all.oldest.end <= position) this.evict();
  }

  /**
   * What the log's `read` promises; undefined when a part of it is no longer here, or when who reads has begun a transaction, as it lies in
   * the log, before it came to be the first one here: from here it would come whole, and its beginning twice.
   *
   * @param layouts of the changes that are asked for. A transaction that is known to have none of these is left out.
   */
  read(range: LogRange, fillBytes: number, layouts?: Iterable<number>): LogBlock | undefined {
    if (range.after < this.begin) return undefined;
    const transactions: LoggedTransaction[] = [];
    let bytes = 0;
    for (const transaction of this.behind(range.after, layouts)) {
      if (transaction.end > range.through) break;
      if (transaction.start < range.after) return undefined;
      const last = transactions.at(-1);
      if (last !== undefined && bytes >= fillBytes) return { after: range.after, through: last.end, transactions };
      transactions.push(transaction);
      bytes += bytesOf(transaction);
    }
    return { after: range.after, through: range.through, transactions };
  }

  clone(): TailCache {
    const copy = new TailCache(this.begin, this.bytesMax);
    copy.all = this.all.clone();
    for (const [id, queue] of this.byLayout) copy.byLayout.set(id, queue.clone());
    copy.bytes = this.bytes;
    return copy;
  }

  private behind(after: LogPosition, layouts: Iterable<number> | undefined): Iterable<KeptTransaction> {
    if (layouts === undefined) return this.all.behind(after);
    return merged([UNTOLD, ...layouts].flatMap((id) => this.byLayout.get(id) ?? []), after);
  }

  private evict(): void {
    const { oldest } = this.all;
    if (oldest === undefined) return;
    this.begin = oldest.end;
    this.bytes -= bytesOf(oldest);
    this.all.dropOldest();
    for (const id of oldest.layouts ?? ALL_UNTOLD) this.dropFrom(id);
  }

  /** The oldest of all is the oldest of each queue that it stands in. */
  private dropFrom(id: number): void {
    const queue = this.byLayout.get(id);
    queue?.dropOldest();
    if (queue?.oldest === undefined) this.byLayout.delete(id);
  }

  private queueOf(id: number): Queue {
    const known = this.byLayout.get(id);
    if (known !== undefined) return known;
    const queue: Queue = new TransactionQueue();
    this.byLayout.set(id, queue);
    return queue;
  }
}

function bytesOf(transaction: LoggedTransaction): number {
  return transaction.fragments.reduce((sum, fragment) => sum + fragment.length, TRANSACTION_BYTES);
}
