/** What it takes to say where a transaction stands: our own log, and Postgres's word for what is not in it. */
import type { LogPosition } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';

export interface TransactionSource {
  /** Undefined for one that is not among the newest of the log: it may be older, or to come, or of no table that has a shape. */
  logged(xid: Xid): Promise<LoggedTransactionPlace | undefined>;
  /** True: were it in the log, `logged` would know it. Asked behind `fate`. */
  wouldBeKnown(xid: Xid): boolean;
  /** Of one that is not logged. */
  fate(xid: Xid): Promise<TransactionFate>;
}

export interface LoggedTransactionPlace {
  readonly lsn: Lsn;
  /** Behind it in the transaction log. */
  readonly end: LogPosition;
}

export type TransactionFate =
  /** `through`: had it touched a table with a shape, it would lie in our log before here. Undefined: the log has not come so far yet. */
  | { readonly fate: 'committed'; readonly through: LogPosition | undefined }
  | { readonly fate: 'aborted' | 'running' }
  /** Postgres has not given out this number yet. */
  | { readonly fate: 'notBegun' }
  /** It is so long ago that Postgres does not know it any more. */
  | { readonly fate: 'forgotten' }
  | { readonly fate: 'unreachable' };
