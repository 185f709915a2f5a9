/**
 * ChangeWriter: turns the messages of the stream into the bytes of `model/change.ts`, and hands them on in fragments.
 *
 * Each row operation gets a position, two apart, counted over everything received in its transaction, whether or not a
 * shape reads that table: the same transaction, received again, gets the same positions. A transaction at or below
 * the last one taken is passed over whole, so that a stream may begin too early, but never too late.
 *
 * What cannot be followed is one table's fault, or one transaction's, and must not hold up the others. So it becomes a
 * part of the transaction: a gap for each table concerned, at which the table's shapes end. Of a transaction that grows
 * too large nothing is kept but the names of its tables, so neither memory nor disk grows with it.
 */
import { invariant } from '../../base/invariant.ts';
import { CHANGE_HEADER_BYTES, CHANGE_KINDS, type ChangeKind, GAP_CAUSES, type GapCause, HAS_NEW, HAS_OLD } from '../../model/change.ts';
import { type Lsn, lsnOf } from '../../model/lsn.ts';
import type { PartitionLink } from '../../model/partition-link.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import { GrowableBytes } from '../../base/growable-bytes.ts';
import { type OldTuple, PgoutputError, type PgoutputHandler, type PgoutputRelation, type PgoutputTuple, VALUE } from './pgoutput-parser.ts';
import { fromPostgresMicros } from './postgres-clock.ts';
import type { TransactionSink } from './transaction-sink.ts';
import { encodeNull, encodeText } from '../encoding/value-encoder.ts';

/** A fragment has that many bytes, and the rest of its last change: few enough to go out while the transaction still arrives. */
const FRAGMENT_BYTES = 256 * 1024;
/** Between the positions of two row operations. */
const POSITION_STEP = 2;

interface KnownRelation {
  readonly layoutId: number;
  readonly columnCount: number;
}

interface OpenTransaction {
  readonly xid: Xid;
  readonly finalLsn: bigint;
  /** Taken already, before a restart: counted, not written. */
  readonly isTaken: boolean;
  /** By oid, the tables that it changed, each with why that cannot be followed; null as long as it can. */
  readonly tables: Map<number, GapCause | null>;
  /** Of the changes that were written of it. A table that is altered on the way has several. */
  readonly layouts: Set<number>;
  /** Its changes are read to learn of its tables, and not written any more. */
  isTooLarge: boolean;
  position: number;
  byteCount: number;
}

export interface ChangeWriterOptions {
  readonly sink: TransactionSink;
  /** The commit LSN of the last transaction that the sink has. */
  readonly lastCommitLsn: Lsn;
  /** As Postgres sends it; of a larger one only its tables are told. Positions fit in 32 bits up to 2^33: a change takes 4 bytes. */
  readonly transactionBytesMax: number;
  /** Of which tables the one of this oid is a partition: asked whenever the stream describes it. */
  readonly linksOf: LinksOf;
}

type Links = readonly PartitionLink[];
/**
 * Whoever knows them at once says so at once.
 *
 * @param xid of the transaction in which the table is described, if it is in one.
 */
export type LinksOf = (oid: number, xid: Xid | undefined) => Links | Promise<Links>;

export class ChangeWriter implements PgoutputHandler {
  private readonly relations = new Map<number, KnownRelation>();
  private readonly out = new GrowableBytes(FRAGMENT_BYTES * 2);
  private readonly sink: TransactionSink;
  private readonly transactionBytesMax: number;
  private readonly lastTaken: bigint;
  private readonly linksOf: LinksOf;
  private transaction: OpenTransaction | undefined;
  private described: Promise<void> | undefined;

  constructor({ sink, lastCommitLsn, transactionBytesMax, linksOf }: ChangeWriterOptions) {
    this.sink = sink;
    this.linksOf = linksOf;
    this.lastTaken = BigInt(lastCommitLsn);
    this.transactionBytesMax = transactionBytesMax;
  }

  /** Told when a transaction is complete: the end of its commit record. */
  onCommit: (endLsn: bigint) => void = () => {};

  get isInTransaction(): boolean {
    return this.transaction !== undefined;
  }

  /** Counts the bytes of a message that is about to be parsed, if it belongs to a transaction. */
  count(byteCount: number): void {
    const { transaction } = this;
    if (transaction === undefined) return;
    transaction.byteCount += byteCount;
    if (transaction.byteCount > this.transactionBytesMax) this.giveUp(transaction);
  }

  begin(finalLsn: bigint, xid: Xid): void {
    if (this.transaction !== undefined) throw new PgoutputError('a transaction began inside another');
    const isTaken = finalLsn <= this.lastTaken;
    this.transaction = { xid, finalLsn, isTaken, tables: new Map(), layouts: new Set(), isTooLarge: false, position: 0, byteCount: 0 };
  }

  commit(commitLsn: bigint, endLsn: bigint, commitMicros: bigint): void {
    const transaction = this.open();
    if (commitLsn !== transaction.finalLsn) throw new PgoutputError('a transaction ended elsewhere than it had said');
    for (const [oid, found] of transaction.tables) {
      const cause = found ?? (transaction.isTooLarge ? 'transactionTooLarge' : null);
      if (cause !== null) this.gap(oid, cause);
    }
    this.flush();
    this.transaction = undefined;
    const { xid, isTaken, layouts, position } = transaction;
    const figures = { committedMicros: fromPostgresMicros(commitMicros), operations: position / POSITION_STEP };
    if (!isTaken) this.sink.commit(xid, lsnOf(commitLsn), lsnOf(endLsn), layouts, figures);
    this.onCommit(endLsn);
  }

  /** Set when the last message described a table: the next one is told when this has resolved. Rejects when nothing can be found out. */
  takeDescribed(): Promise<void> | undefined {
    const { described } = this;
    this.described = undefined;
    return described;
  }

  relation(relation: PgoutputRelation): void {
    const links = this.linksOf(relation.oid, this.transaction?.xid);
    if (links instanceof Promise) this.described = links.then((found) => this.describe(relation, found));
    else this.describe(relation, links);
  }

  private describe(relation: PgoutputRelation, links: Links): void {
    const layoutId = this.sink.layout(links.length === 0 ? relation : { ...relation, links });
    this.relations.set(relation.oid, { layoutId, columnCount: relation.columns.length });
  }

  insert(oid: number, row: PgoutputTuple): void {
    this.change(CHANGE_KINDS.insert, oid, undefined, row);
  }

  update(oid: number, old: OldTuple | undefined, row: PgoutputTuple): void {
    this.change(CHANGE_KINDS.update, oid, old, row);
  }

  delete(oid: number, old: OldTuple): void {
    this.change(CHANGE_KINDS.delete, oid, old, undefined);
  }

  truncate(oids: readonly number[]): void {
    for (const oid of oids) this.change(CHANGE_KINDS.truncate, oid, undefined, undefined);
  }

  private change(kind: ChangeKind, oid: number, old: OldTuple | undefined, row: PgoutputTuple | undefined): void {
    const transaction = this.open();
    const relation = this.known(oid);
    const { position, tables } = transaction;
    transaction.position += POSITION_STEP;
    if (transaction.isTaken) return;
    const known = tables.get(oid);
    const cause = known ?? gapCause(kind, relation, old, row);
    if (cause !== known) tables.set(oid, cause);
    if (cause === null && !transaction.isTooLarge) this.write(kind, relation, position, old?.tuple, row);
  }

  private write(kind: ChangeKind, { layoutId }: KnownRelation, position: number, old?: PgoutputTuple, row?: PgoutputTuple): void {
    const { out } = this;
    const start = out.skip(CHANGE_HEADER_BYTES);
    const oldStart = out.length;
    if (old !== undefined) this.tuple(old, undefined);
    if (row !== undefined) this.tuple(row, old === undefined ? undefined : oldStart);
    this.finish(start, kind, (old === undefined ? 0 : HAS_OLD) | (row === undefined ? 0 : HAS_NEW), layoutId, position);
  }

  private gap(oid: number, cause: GapCause): void {
    const start = this.out.skip(CHANGE_HEADER_BYTES + 1);
    this.out.setUint8(start + CHANGE_HEADER_BYTES, GAP_CAUSES.indexOf(cause));
    this.finish(start, CHANGE_KINDS.gap, 0, this.known(oid).layoutId, 0);
  }

  /** Fills in the header of the change that begins at `start` and ends where the bytes end. */
  private finish(start: number, kind: ChangeKind, tuples: number, layoutId: number, position: number): void {
    const { out } = this;
    out.setUint32(start, out.length - start - 4);
    out.setUint8(start + 4, kind);
    out.setUint8(start + 5, tuples);
    out.setUint32(start + 6, layoutId);
    out.setUint32(start + 10, position);
    this.open().layouts.add(layoutId);
    if (out.length >= FRAGMENT_BYTES) this.flush();
  }

  /** From here on the transaction costs no more than the names of its tables, however long it goes on. */
  private giveUp(transaction: OpenTransaction): void {
    if (transaction.isTaken || transaction.isTooLarge) return;
    transaction.isTooLarge = true;
    transaction.layouts.clear();
    this.out.length = 0;
    this.sink.abandon();
  }

  /** @param oldStart where the old tuple was written, for the values that an update left in its TOAST table. */
  private tuple(tuple: PgoutputTuple, oldStart: number | undefined): void {
    const { out } = this;
    const { count } = tuple;
    const start = out.skip(6 + 4 * count);
    const values = out.length;
    for (let index = 0; index < count; index += 1) {
      const kind = tuple.kind(index);
      if (kind === VALUE.text) encodeText(out, tuple.bytes, tuple.start(index), tuple.end(index));
      else if (kind === VALUE.null) encodeNull(out);
      else this.copyUnchanged(oldStart, index, count);
      out.setUint32(start + 6 + 4 * index, out.length - values);
    }
    out.setUint32(start, out.length - start - 4);
    out.setUint16(start + 4, count);
  }

  private copyUnchanged(oldStart: number | undefined, index: number, count: number): void {
    invariant(oldStart !== undefined, 'a row whose old one does not tell what it leaves out is not written');
    const { out } = this;
    const ends = oldStart + 6;
    const values = ends + 4 * count;
    const start = index === 0 ? 0 : out.getUint32(ends + 4 * (index - 1));
    const size = out.getUint32(ends + 4 * index) - start;
    const target = out.skip(size);
    out.bytes.copyWithin(target, values + start, values + start + size);
  }

  private flush(): void {
    if (this.out.length > 0) this.sink.changes(this.open().xid, this.out.lend());
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

/** Why nothing can be made of a row operation; null when it tells all that it must. */
function gapCause(kind: ChangeKind, { columnCount }: KnownRelation, old?: OldTuple, row?: PgoutputTuple): GapCause | null {
  const needsOld = kind === CHANGE_KINDS.update || kind === CHANGE_KINDS.delete;
  if (needsOld && old?.isFull !== true) return 'replicaIdentity';
  if (old !== undefined && (old.tuple.count !== columnCount || old.tuple.hasUnchanged)) return 'rowMalformed';
  if (row !== undefined && (row.count !== columnCount || (old === undefined && row.hasUnchanged))) return 'rowMalformed';
  return null;
}
