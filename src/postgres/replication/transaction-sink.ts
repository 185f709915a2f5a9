/**
 * TransactionSink: where the replication stream puts transactions. The roof lays it over the transaction log.
 *
 * Calls are synchronous and in the order of the stream: layouts and changes of one transaction, then its commit or
 * `abandon`, or both: of a transaction that grows too large only what follows `abandon` is committed. Nothing is durable
 * until the owner says so, by acknowledging it to the stream.
 */
import type { Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { RelationLayout } from '../../model/relation.ts';

export interface CommitFigures {
  /** When it committed, by the clock of Postgres: microseconds since 1970-01-01 UTC. */
  readonly committedMicros: number;
  /** Row operations that Postgres sent of it, those of tables that no shape reads among them. */
  readonly operations: number;
}

export interface TransactionSink {
  /** Told for each relation that the stream describes, with its links, before the first change of that layout. @returns its id. */
  layout(layout: Omit<RelationLayout, 'id'>): number;
  /** A part of the open transaction: whole changes. The bytes hold during the call alone. */
  changes(xid: Xid, bytes: Uint8Array): void;
  /**
   * The transaction is complete; one whose tables had no changes is told as well.
   *
   * @param endLsn behind its commit record, which `lsn` is the begin of.
   * @param layouts the ids of those that its changes have; the sink's to keep.
   * @param figures what nothing but measurements may depend on.
   */
  commit(xid: Xid, lsn: Lsn, endLsn: Lsn, layouts: ReadonlySet<number>, figures: CommitFigures): void;
  /** What `changes` gave since the last commit does not count: the connection broke, or the transaction is too large. */
  abandon(): void;
  /**
   * Everything that committed before `lsn` was told; no transaction is open.
   *
   * @param isAsked Postgres waits to hear how far it is durable.
   */
  progress(lsn: Lsn, isAsked: boolean): void;
  /** While set, the stream stops reading until it resolves. */
  readonly congestion: Promise<void> | undefined;
}
