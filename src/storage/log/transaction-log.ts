/**
 * TransactionLog: the truth. Everything that Armature knows is in here, or can be made from it.
 *
 * It holds the transactions that touched a table with a shape, encoded once, and the records of the shapes' lives
 * among them, each behind the transaction that caused it: so every prefix is causally closed. What is appended is
 * durable, and may be seen, only once a `sync` has covered it.
 */
import type { LogBlock, LoggedTransaction } from '../../model/transaction.ts';
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { TreeMemory } from '../../model/partition-tree.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { PgSnapshot, Xid } from '../../model/pg-snapshot.ts';
import type { PublishedRelation, RelationLayout } from '../../model/relation.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import type { MembershipMemory } from '../../model/table-membership.ts';
import type { ShapeRecord } from './shape-record.ts';

/** One frame holds at most this many bytes of changes; a larger fragment, which a large value makes, takes several. */
export const FRAME_BYTES_MAX = 1024 * 1024;

/** Bytes of changes in the largest transaction that goes whole to those who take the log together. */
export const WHOLE_TRANSACTION_BYTES_MAX = 2 * 1024 * 1024;

/**
 * How much one read brings, in bytes of changes. Many small transactions and one large one are told apart, since
 * whoever takes a part must leave the common pace, while a block of whole transactions can end behind any of them.
 */
export interface BlockSizes {
  /** A block of whole transactions, or a part of a large one, goes on until it has so many. */
  readonly fillBytes: number;
  /** A transaction of more is large: it comes in parts. */
  readonly wholeBytesMax: number;
}

/** What is told of a large transaction to those who must not wait for it. */
export interface Survey {
  /** Behind the transaction. */
  readonly through: LogPosition;
  /** The layouts of its changes: ids, each once. */
  readonly layouts: readonly number[];
}

/** How much is kept of the log. */
export interface RetainedLog {
  readonly bytes: number;
  /** Files that it lies in; none in memory. */
  readonly segments: number;
}

/** Of a transaction that was logged. */
export interface LoggedPlace {
  /** Its commit LSN. */
  readonly lsn: Lsn;
  /** Behind its commit frame. */
  readonly end: LogPosition;
}

export interface TransactionLog extends TreeMemory, MembershipMemory {
  /** What a power cut would leave; readers see the log up to here. */
  readonly durableEnd: LogPosition;
  /** Behind the last transaction appended, durable or not. */
  readonly appendedEnd: LogPosition;
  /** What is kept of the log: for readers to come, or because a segment goes as a whole. */
  readonly retained: RetainedLog;
  /** The commit LSN of the last transaction appended; '0' for an empty log. A transaction at or below it has been taken. */
  readonly lastCommitLsn: Lsn;
  /** Whose stream the log holds, as `restart` was told; undefined when there was none yet. */
  readonly source: StreamSource | undefined;
  /** The commit LSN of the last transaction that a power cut would leave, with all before it: what a reader may be told. */
  readonly durableLsn: Lsn;
  /** Of `source`, what a power cut would leave: as `HeldStream` has it. Postgres may be told to forget what lies before, and no more. */
  readonly heldLsn: Lsn;

  /** Remembers how a relation's tuples are laid out; a layout that the log knows keeps its id. */
  appendLayout(layout: Omit<RelationLayout, 'id'>): number;
  /** Synchronous: every layout that a readable change refers to is in memory. */
  layoutOf(id: number): RelationLayout | undefined;
  /**
   * Appends a copy of a part of the open transaction: whole changes, best at most `FRAME_BYTES_MAX`. Ignored after a crash,
   * unless committed.
   */
  appendChanges(xid: Xid, changes: Uint8Array): void;
  /**
   * Makes the transaction exist. One without changes is not logged: its LSN is remembered all the same.
   *
   * @param layouts the ids of those that its changes have; whoever leaves them out has them looked for, if it is large.
   */
  appendCommit(xid: Xid, lsn: Lsn, layouts?: ReadonlySet<number>): void;
  /** Forgets what `appendChanges` gave since the last commit: the connection broke inside a transaction. */
  abandon(): void;
  /** Every transaction of the stream that committed before `lsn` has been appended. Durable with the next sync. */
  appendHeld(lsn: Lsn): void;
  /**
   * A stream begins that does not continue the log: its commit LSNs may be lower. Durable with the next sync.
   *
   * @param lsn where it begins; zero before that is known, so that no slot goes on from here.
   */
  restart(source: StreamSource, lsn: Lsn): void;
  /** The stream goes on under another name: what the log has of it stays. Durable with the next sync. */
  goOn(source: StreamSource): void;
  appendRecord(record: ShapeRecord): void;
  /**
   * Makes everything appended so far durable. Calls during a sync share the next one.
   *
   * @returns the durable end.
   * @throws {DiskError} the log took no harm, but nothing more can be promised: its owner must crash.
   */
  sync(): Promise<LogPosition>;

  /**
   * Reads whole transactions behind `range.after` until `sizes.fillBytes` are there, never past `range.through`. Of one that
   * is large it reads a part, alone, and goes on when it is asked for what lies behind that part's `through`; one that is in
   * memory comes whole, and is never larger than `WHOLE_TRANSACTION_BYTES_MAX`. A transaction that never committed is not
   * there, however large.
   *
   * @param relation what its reader follows: transactions that are known not to touch it may be left out.
   * @returns a block whose `through` is where it ended; equal to `range.through` when nothing is left.
   * @throws {LogCorruptError} naming the position of the frame that does not hold.
   */
  read(range: LogRange, sizes: BlockSizes, relation?: PublishedRelation): Promise<LogBlock>;
  /** What `read` gives, where all of it is in memory; else undefined. */
  readKept(range: LogRange, sizes: BlockSizes, relation?: PublishedRelation): LogBlock | undefined;
  /**
   * What is known without a read, when the next transaction has more than `wholeBytesMax`: of the newest such ones alone, and
   * only if it was appended with its layouts, or surveyed, since the log was opened.
   */
  surveyed(range: LogRange, wholeBytesMax: number): Survey | undefined;
  /**
   * Looks through the next transaction, which is large, and remembers what it found.
   *
   * @throws {LogCorruptError} as `read` does, and the reason of `signal` when nobody waits any more.
   */
  survey(range: LogRange, signal: AbortSignal): Promise<Survey>;
  /** The lifecycle records behind `after`, in order: for recovery. */
  records(after: LogPosition): AsyncIterable<{ readonly record: ShapeRecord; readonly end: LogPosition }>;
  /**
   * Where a reader must begin that wants each transaction which `snapshot` does not see: Postgres streams a commit before
   * its snapshots show it. Knows the newest transactions only, about as many as are in memory.
   *
   * @returns before the first of them; undefined when the snapshot sees them all.
   */
  firstUnseen(snapshot: PgSnapshot): LogPosition | undefined;
  /**
   * Where a transaction lies, of the newest ones that are durable: as `firstUnseen` knows them. Costs a read.
   *
   * @returns undefined for one that is not among them.
   */
  locate(xid: Xid): Promise<LoggedPlace | undefined>;
  /** The highest of those that `locate` has known since the log was opened and knows no more; undefined for none. */
  readonly forgottenThrough: Xid | undefined;
  /** Says that nobody reads before `position` any more. What lies before it goes, except what `firstUnseen` may yet give. */
  release(position: LogPosition): Promise<void>;
  /** Syncs and closes. */
  close(): Promise<void>;
  /** Closes it as it is: nothing more is written to it, and what no sync has covered is gone. */
  giveUp(): Promise<void>;
}

export type { LogBlock, LoggedTransaction };
