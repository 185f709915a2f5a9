/**
 * TailCache: the newest transactions of the log in memory, so that the way from commit to client never reads the disk.
 * Without a gap: from `start` on, every transaction is here.
 */
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { LogBlock, LoggedTransaction } from '../../model/transaction.ts';
import { WHOLE_TRANSACTION_BYTES_MAX } from './transaction-log.ts';

const COMPACT_AFTER = 1024;
const TRANSACTION_BYTES = 128; // What the objects of a transaction weigh, about.

export class TailCache {
  /** Bytes of changes in the largest transaction that is kept: from here it comes whole, so a larger one is read from the log. */
  readonly transactionBytesMax: number;
  private transactions: LoggedTransaction[] = [];
  private first = 0;
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

  push(transaction: LoggedTransaction): void {
    this.transactions.push(transaction);
    this.bytes += bytesOf(transaction);
    while (this.bytes > this.bytesMax) this.evict();
  }

  /** A transaction up to `end` was too large to be kept. */
  skip(end: LogPosition): void {
    this.transactions = [];
    this.first = 0;
    this.bytes = 0;
    this.begin = end;
  }

  /** Drops what ends at or before `position`. */
  forget(position: LogPosition): void {
    for (let oldest = this.transactions[this.first]; oldest !== undefined && oldest.end <= position; ) {
      this.evict();
      oldest = this.transactions[this.first];
    }
  }

  /** What the log's `read` promises; undefined when a part of it is no longer here. */
  read(range: LogRange, fillBytes: number): LogBlock | undefined {
    if (range.after < this.begin) return undefined;
    const transactions: LoggedTransaction[] = [];
    let bytes = 0;
    for (let index = this.indexBehind(range.after); index < this.transactions.length; index += 1) {
      const transaction = this.transactions[index];
      if (transaction === undefined || transaction.end > range.through) break;
      const last = transactions.at(-1);
      if (last !== undefined && bytes >= fillBytes) return { after: range.after, through: last.end, transactions };
      transactions.push(transaction);
      bytes += bytesOf(transaction);
    }
    return { after: range.after, through: range.through, transactions };
  }

  clone(): TailCache {
    const copy = new TailCache(this.begin, this.bytesMax);
    copy.transactions = this.transactions.slice(this.first);
    copy.bytes = this.bytes;
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

  private evict(): void {
    const oldest = this.transactions[this.first];
    if (oldest === undefined) return;
    this.begin = oldest.end;
    this.bytes -= bytesOf(oldest);
    this.first += 1;
    if (this.first < COMPACT_AFTER) return;
    this.transactions = this.transactions.slice(this.first);
    this.first = 0;
  }
}

function bytesOf(transaction: LoggedTransaction): number {
  return transaction.fragments.reduce((sum, fragment) => sum + fragment.length, TRANSACTION_BYTES);
}
