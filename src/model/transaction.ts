/** Transactions as they lie in Armature's own log. */
import type { LogPosition, LogRange } from './log-position.ts';
import type { Lsn } from './lsn.ts';
import type { Xid } from './pg-snapshot.ts';

/**
 * A committed transaction, read back from the log: only changes of tables that have shapes, in the order of the stream.
 * One that is large comes in parts, each of them with the same id and LSN.
 */
export interface LoggedTransaction {
  readonly xid: Xid;
  /** The commit LSN: the first half of the offset of each of its operations. */
  readonly lsn: Lsn;
  /** Behind its commit frame, also in a part. */
  readonly end: LogPosition;
  /** True for a part behind which more of the transaction follows: nobody may see what it did before the last part. */
  readonly isUnfinished: boolean;
  /** The transaction's changes, one behind the other as `Change` describes; a change never straddles two fragments. */
  readonly fragments: readonly Uint8Array[];
}

/** Whole transactions of one stretch of the log, in memory; or a part of a large one, alone. */
export interface LogBlock extends LogRange {
  readonly transactions: readonly LoggedTransaction[];
}
