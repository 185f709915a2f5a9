/**
 * ChangeWriter: turns the messages of the stream into the bytes of `model/change.ts`, and hands them on in fragments.
 *
 * Each row operation gets a position, two apart, counted over everything received in its transaction, whether or not a
 * shape reads that table: the same transaction, received again, gets the same positions. A transaction at or below
 * the last one taken is passed over whole, so that a stream may begin too early, but never too late.
 */
import { CHANGE_HEADER_BYTES, CHANGE_KINDS, type ChangeKind, HAS_NEW, HAS_OLD } from '../../model/change.ts';
import { type Lsn, lsnOf } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import { GrowableBytes } from '../encoding/growable-bytes.ts';
import { type OldTuple, PgoutputError, type PgoutputHandler, type PgoutputRelation, type PgoutputTuple, VALUE } from './pgoutput-parser.ts';
import { FRAGMENT_BYTES_MAX, type TransactionSink } from './transaction-sink.ts';
import { encodeNull, encodeText } from '../encoding/value-encoder.ts';

/** An update or delete came without its old row: the table's replica identity is not FULL. Nothing can be made of it. */
export class ReplicaIdentityError extends Error {
  override readonly name = 'ReplicaIdentityError';
  readonly code = 'replica_identity_not_full';
}

/** A transaction is larger than the configured limit. */
export class TransactionTooLargeError extends Error {
  override readonly name = 'TransactionTooLargeError';
  readonly code = 'transaction_too_large';
}

/** Small enough to be passed on while the transaction still arrives, large enough to make its overhead vanish. */
const FRAGMENT_BYTES = 256 * 1024;
const POSITION_MAX = 0xffff_ffff;

interface KnownRelation {
  readonly layoutId: number;
  readonly columnCount: number;
  readonly title: string;
}

interface OpenTransaction {
  readonly xid: Xid;
  readonly finalLsn: bigint;
  /** Taken already, before a restart: counted, not written. */
  readonly isTaken: boolean;
  position: number;
  byteCount: number;
}

export interface ChangeWriterOptions {
  readonly sink: TransactionSink;
  /** The commit LSN of the last transaction that the sink has. */
  readonly lastCommitLsn: Lsn;
  readonly transactionBytesMax: number;
}

export class ChangeWriter implements PgoutputHandler {
  private readonly relations = new Map<number, KnownRelation>();
  private readonly out = new GrowableBytes(FRAGMENT_BYTES * 2);
  private readonly sink: TransactionSink;
  private readonly transactionBytesMax: number;
  private readonly lastTaken: bigint;
  private transaction: OpenTransaction | undefined;

  constructor({ sink, lastCommitLsn, transactionBytesMax }: ChangeWriterOptions) {
    this.sink = sink;
    this.lastTaken = BigInt(lastCommitLsn);
    this.transactionBytesMax = transactionBytesMax;
  }

  /** Told by the stream when a transaction is complete: its commit record's begin, if it was passed on, and end. */
  onCommit: (lsn: bigint | undefined, endLsn: bigint) => void = () => {};

  get isInTransaction(): boolean {
    return this.transaction !== undefined;
  }

  /** The connection ended: an open transaction will come again, whole. */
  abandon(): void {
    if (this.transaction === undefined) return;
    this.transaction = undefined;
    this.out.length = 0;
    this.sink.abandon();
  }

  /** Counts the bytes of a message of the open transaction. @throws {TransactionTooLargeError} */
  count(byteCount: number): void {
    const { transaction } = this;
    if (transaction === undefined) return;
    transaction.byteCount += byteCount;
    if (transaction.byteCount > this.transactionBytesMax && !transaction.isTaken) {
      throw new TransactionTooLargeError(
        `Transaction ${transaction.xid} is larger than ${this.transactionBytesMax} bytes. Raise --max-txn-size, or drop the replication slot, and every shape is made anew; and write in smaller transactions.`,
      );
    }
  }

  begin(finalLsn: bigint, xid: Xid): void {
    if (this.transaction !== undefined) throw new PgoutputError('a transaction began inside another');
    this.transaction = { xid, finalLsn, isTaken: finalLsn <= this.lastTaken, position: 0, byteCount: 0 };
  }

  commit(commitLsn: bigint, endLsn: bigint): void {
    const transaction = this.open();
    if (commitLsn !== transaction.finalLsn) throw new PgoutputError('a transaction ended elsewhere than it had said');
    this.flush(this.out.length);
    this.transaction = undefined;
    if (!transaction.isTaken) this.sink.commit(transaction.xid, lsnOf(commitLsn));
    this.onCommit(transaction.isTaken ? undefined : commitLsn, endLsn);
  }

  relation(relation: PgoutputRelation): void {
    const layoutId = this.sink.layout(relation);
    const title = `"${relation.schema}"."${relation.name}"`;
    this.relations.set(relation.oid, { layoutId, columnCount: relation.columns.length, title });
  }

  insert(oid: number, row: PgoutputTuple): void {
    this.change(CHANGE_KINDS.insert, oid, undefined, row);
  }

  update(oid: number, old: OldTuple | undefined, row: PgoutputTuple): void {
    this.change(CHANGE_KINDS.update, oid, this.fullTuple(oid, old), row);
  }

  delete(oid: number, old: OldTuple): void {
    this.change(CHANGE_KINDS.delete, oid, this.fullTuple(oid, old), undefined);
  }

  truncate(oids: readonly number[]): void {
    for (const oid of oids) this.change(CHANGE_KINDS.truncate, oid, undefined, undefined);
  }

  private change(kind: ChangeKind, oid: number, old: PgoutputTuple | undefined, row: PgoutputTuple | undefined): void {
    const transaction = this.open();
    const relation = this.known(oid);
    const { position } = transaction;
    if (position > POSITION_MAX) throw new TransactionTooLargeError(`transaction ${transaction.xid} has more than 2^31 changes`);
    transaction.position += 2;
    if (transaction.isTaken) return;
    const { out } = this;
    const start = out.skip(CHANGE_HEADER_BYTES);
    const oldStart = out.length;
    if (old !== undefined) this.tuple(relation, old, undefined);
    if (row !== undefined) this.tuple(relation, row, old === undefined ? undefined : oldStart);
    out.setUint32(start, out.length - start - 4);
    out.setUint8(start + 4, kind);
    out.setUint8(start + 5, (old === undefined ? 0 : HAS_OLD) | (row === undefined ? 0 : HAS_NEW));
    out.setUint32(start + 6, relation.layoutId);
    out.setUint32(start + 10, position);
    this.flushIfFull(start);
  }

  /** @param oldStart where the old tuple was written, for the values that an update left in its TOAST table. */
  private tuple(relation: KnownRelation, tuple: PgoutputTuple, oldStart: number | undefined): void {
    const { out } = this;
    const { count } = tuple;
    if (count !== relation.columnCount) throw new PgoutputError(`a row of ${relation.title} has ${count} columns, not ${relation.columnCount}`);
    const start = out.skip(6 + 4 * count);
    const values = out.length;
    for (let index = 0; index < count; index += 1) {
      const kind = tuple.kind(index);
      if (kind === VALUE.text) encodeText(out, tuple.bytes, tuple.start(index), tuple.end(index));
      else if (kind === VALUE.null) encodeNull(out);
      else this.copyUnchanged(relation, oldStart, index, count);
      out.setUint32(start + 6 + 4 * index, out.length - values);
    }
    out.setUint32(start, out.length - start - 4);
    out.setUint16(start + 4, count);
  }

  private copyUnchanged(relation: KnownRelation, oldStart: number | undefined, index: number, count: number): void {
    if (oldStart === undefined) throw new PgoutputError(`a row of ${relation.title} leaves out a value that nothing else tells`);
    const { out } = this;
    const ends = oldStart + 6;
    const values = ends + 4 * count;
    const start = index === 0 ? 0 : out.getUint32(ends + 4 * (index - 1));
    const size = out.getUint32(ends + 4 * index) - start;
    const target = out.skip(size);
    out.bytes.copyWithin(target, values + start, values + start + size);
  }

  private flushIfFull(lastChange: number): void {
    if (this.out.length > FRAGMENT_BYTES_MAX && lastChange > 0) this.flush(lastChange);
    if (this.out.length >= FRAGMENT_BYTES) this.flush(this.out.length);
  }

  private flush(end: number): void {
    if (end > 0) this.sink.changes(this.open().xid, this.out.take(end));
  }

  private fullTuple(oid: number, old: OldTuple | undefined): PgoutputTuple | undefined {
    if (this.open().isTaken) return old?.tuple;
    if (old?.isFull === true) return old.tuple;
    throw new ReplicaIdentityError(
      `Database table ${this.known(oid).title} does not have its replica identity set to FULL, and was changed. Run ALTER TABLE ${this.known(oid).title} REPLICA IDENTITY FULL, then drop the replication slot, and every shape is made anew.`,
    );
  }

  private open(): OpenTransaction {
    if (this.transaction === undefined) throw new PgoutputError('a change outside of any transaction');
    return this.transaction;
  }

  private known(oid: number): KnownRelation {
    const relation = this.relations.get(oid);
    if (relation === undefined) throw new PgoutputError(`a change of relation ${oid}, which was never described`);
    return relation;
  }
}
