/** Transactions as they lie in Armature's own log. */
import type { LogPosition, LogRange } from './log-position.ts';
import type { Lsn } from './lsn.ts';
import type { Xid } from './pg-snapshot.ts';

/** A committed transaction, read back from the log: only changes of tables that have shapes, in the order of the stream. */
export interface LoggedTransaction {
  readonly xid: Xid;
  /** The commit LSN: the first half of the offset of each of its operations. */
  readonly lsn: Lsn;
  /** Behind its commit frame. */
  readonly end: LogPosition;
  /** The transaction's changes, one behind the other as `Change` describes; a change never straddles two fragments. */
  readonly fragments: readonly Uint8Array[];
}

/** Whole transactions of one stretch of the log, in memory. */
export interface LogBlock extends LogRange {
  readonly transactions: readonly LoggedTransaction[];
}
