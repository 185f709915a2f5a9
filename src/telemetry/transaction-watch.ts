/**
 * TransactionWatch: told of each transaction on its way from Postgres to the readers, to be counted and traced. Each call is one per
 * transaction or group at the most, never one per row; it is made in the middle of the work, so it is quick and does not throw.
 */
import type { LogPosition } from '../model/log-position.ts';
import type { Lsn } from '../model/lsn.ts';
import type { Xid } from '../model/pg-snapshot.ts';

export interface CommittedTransaction {
  readonly xid: Xid;
  readonly lsn: Lsn;
  /** Behind it in the transaction log. */
  readonly end: LogPosition;
  /** Of its changes, as written; 0 for one that changed nothing that is followed. */
  readonly bytes: number;
  readonly operations: number;
  /** Microseconds since 1970-01-01 UTC, by the clock of Postgres. */
  readonly committedMicros: number;
  /** Likewise by our clock: when its first changes came. */
  readonly begunMicros: number;
}

export interface TransactionWatch {
  committed(transaction: CommittedTransaction): void;
  /** All that ends up to here survives a power cut. */
  durable(through: LogPosition): void;
  /** The collector has found the shapes that it touches. */
  routed(through: LogPosition): void;
  /** Every shape that goes along has it in its log, for its readers to see. One that lags is not waited for. */
  shown(through: LogPosition): void;
}
