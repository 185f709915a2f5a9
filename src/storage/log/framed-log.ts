/**
 * FramedLog: the transaction log, as frames that some engine keeps. It knows the open transaction, the layouts and the
 * last commit, keeps the newest transactions for readers, and says how far the log is durable. What differs from engine
 * to engine is where frames go (FrameSink) and where they are found again (FrameSource).
 *
 * A position inside an open transaction must never be handed out: a reader that went on from there would lose the
 * transaction's beginning. So the settled end stays before the open transaction until it commits or is abandoned.
 */
import { invariant } from '../../base/invariant.ts';
import { minPosition, type LogPosition, type LogRange } from '../../model/log-position.ts';
import { compareLsn, LSN_ZERO, maxLsn, type Lsn } from '../../model/lsn.ts';
import type { PartitionLink } from '../../model/partition-link.ts';
import type { PartitionTree } from '../../model/partition-tree.ts';
import type { PgSnapshot, Xid } from '../../model/pg-snapshot.ts';
import type { PublishedRelation, RelationLayout } from '../../model/relation.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import type { TableMembership } from '../../model/table-membership.ts';
import type { LogBlock } from '../../model/transaction.ts';
import { CONTINUED, FIRST, FRAME_KINDS, type FrameKind } from './frame.ts';
import { encodeCommit, encodeJson, encodeLsn } from './frame-payloads.ts';
import { GroupCommit } from './group-commit.ts';
import { NO_STREAM, type HeldStream } from './held-stream.ts';
import type { Layouts } from './layouts.ts';
import type { LogReader, TransactionExtent } from './log-reader.ts';
import type { RecentCommits } from './recent-commits.ts';
import type { RecordAt, ShapeRecord } from './shape-record.ts';
import type { FactEntry, TableFacts } from './table-facts.ts';
import type { TailCache } from './tail-cache.ts';
import {
  FRAME_BYTES_MAX, WHOLE_TRANSACTION_BYTES_MAX, type BlockSizes, type LoggedPlace, type RetainedLog, type Survey, type TransactionLog,
} from './transaction-log.ts';

/** What the next sync makes durable. */
interface Settled {
  readonly end: LogPosition;
  readonly stream: HeldStream;
  /** How often a stream had begun by then: of a later one nothing is durable yet. */
  readonly restarts: number;
}

/** Where an engine takes frames. */
export interface FrameSink {
  /** Behind the last frame. */
  readonly end: LogPosition;
  readonly retained: RetainedLog;
  /** Takes a copy of the payload. */
  put(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): void;
  /** The same. @returns the payload as the engine has it, for good. */
  putKept(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): Uint8Array;
  /** Makes durable what was put so far. One at a time. */
  flush(): Promise<void>;
  /** Puts a frame that says how far the log is durable by now. */
  testify(): void;
  /** Lets go of frames that lie before `position`. */
  release(position: LogPosition): Promise<void>;
  close(): Promise<void>;
}

export interface LogParts {
  readonly sink: FrameSink;
  readonly reader: LogReader;
  readonly layouts: Layouts;
  readonly trees: TableFacts<PartitionTree>;
  readonly memberships: TableFacts<TableMembership>;
  readonly tail: TailCache;
  readonly recent: RecentCommits;
  readonly stream: HeldStream;
}

interface OpenTransaction {
  readonly xid: Xid;
  /** Before its first frame. */
  readonly after: LogPosition;
  frameCount: number;
  bytes: number;
  /** Dropped when they outgrow what the cache keeps of one transaction. */
  fragments: Uint8Array[] | undefined;
}

const NO_XID = 0 as Xid;
/** Or the first part of it, when it is large. */
const ONE_TRANSACTION: BlockSizes = { fillBytes: 1, wholeBytesMax: WHOLE_TRANSACTION_BYTES_MAX };

export class FramedLog implements TransactionLog {
  private readonly sink: FrameSink;
  private readonly reader: LogReader;
  private readonly layouts: Layouts;
  private readonly trees: TableFacts<PartitionTree>;
  private readonly memberships: TableFacts<TableMembership>;
  private readonly tail: TailCache;
  private readonly recent: RecentCommits;
  private readonly commits = new GroupCommit(() => this.flush());
  /** Nobody else has it: others get copies. */
  private readonly stream: { -readonly [Key in keyof HeldStream]: HeldStream[Key] };
  /** Of the transaction that was kept last. */
  private lastLayouts: readonly number[] = [];
  private restarts = 0;
  private open: OpenTransaction | undefined;
  /** Behind the last transaction, or behind all that was found. */
  private lastEnd: LogPosition;
  private durable: Settled;

  /** @param original of which the parts are copies: its open transaction goes on here too, and a sync that it waits for does not. */
  constructor({ sink, reader, layouts, trees, memberships, tail, recent, stream }: LogParts, original?: FramedLog) {
    this.sink = sink;
    this.reader = reader;
    this.layouts = layouts;
    this.trees = trees;
    this.memberships = memberships;
    this.tail = tail;
    this.recent = recent;
    this.stream = { ...stream };
    this.lastEnd = sink.end;
    this.durable = this.settled;
    if (original === undefined) return;
    const { restarts, open, durable } = original;
    this.open = open && { ...open, fragments: open.fragments && [...open.fragments] };
    [this.restarts, this.durable] = [restarts, durable];
  }

  get durableEnd(): LogPosition {
    return this.durable.end;
  }

  get appendedEnd(): LogPosition {
    return this.lastEnd;
  }

  get retained(): RetainedLog {
    return this.sink.retained;
  }

  get lastCommitLsn(): Lsn {
    return this.stream.lastCommitLsn;
  }

  get source(): StreamSource | undefined {
    return this.stream.source;
  }

  get durableLsn(): Lsn {
    return this.durableStream.lastCommitLsn;
  }

  get heldLsn(): Lsn {
    return this.durableStream.heldLsn;
  }

  /** As appended: more than a power cut would leave. */
  get heldStream(): HeldStream {
    return { ...this.stream };
  }

  appendLayout(layout: Omit<RelationLayout, 'id'>): number {
    const known = this.layouts.idOf(layout);
    if (known !== undefined) return known;
    const added = this.layouts.add(layout);
    this.sink.put(FRAME_KINDS.layout, 0, NO_XID, encodeJson(added));
    return added.id;
  }

  layoutOf(id: number): RelationLayout | undefined {
    return this.layouts.get(id);
  }

  get lastLayoutId(): number {
    return this.layouts.lastId;
  }

  linksTold(oid: number, after: number, through: number): Iterable<PartitionLink> {
    return this.layouts.linksTold(oid, after, through);
  }

  treeOf(oid: number): PartitionTree | undefined {
    return this.trees.get(oid);
  }

  keepTree(tree: PartitionTree): void {
    this.appendTree(tree);
  }

  forgetTree(oid: number): void {
    if (this.trees.get(oid) !== undefined) this.appendTree({ oid, isForgotten: true });
  }

  membershipOf(oid: number): TableMembership | undefined {
    return this.memberships.get(oid);
  }

  keepMembership(membership: TableMembership): void {
    this.appendMembership(membership);
  }

  forgetMembership(oid: number): void {
    if (this.memberships.get(oid) !== undefined) this.appendMembership({ oid, isForgotten: true });
  }

  appendChanges(xid: Xid, changes: Uint8Array): void {
    invariant(this.open === undefined || this.open.xid === xid, 'one transaction is open at a time');
    this.open ??= { xid, after: this.sink.end, frameCount: 0, bytes: 0, fragments: [] };
    const kept = this.putChanges(this.open, changes);
    this.open.bytes += kept.length;
    if (this.open.bytes > this.tail.transactionBytesMax) this.open.fragments = undefined;
    this.open.fragments?.push(kept);
  }

  appendCommit(xid: Xid, lsn: Lsn, layouts?: ReadonlySet<number>): void {
    const open = this.open;
    if (open === undefined) {
      this.noteCommit(maxLsn(this.lastCommitLsn, lsn));
      return;
    }
    invariant(open.xid === xid, 'the transaction that commits is the open one');
    invariant(compareLsn(lsn, this.lastCommitLsn) > 0, `commit LSNs grow: ${lsn} follows ${this.lastCommitLsn}`);
    this.sink.put(FRAME_KINDS.commit, 0, xid, encodeCommit({ lsn, frameCount: open.frameCount }));
    this.noteCommit(lsn);
    this.open = undefined;
    const end = this.sink.end;
    this.recent.push(xid, open.after, end);
    this.keep(open, { xid, lsn, behind: this.lastEnd, after: open.after, end, bytes: open.bytes, layouts });
    this.lastEnd = end;
  }

  abandon(): void {
    this.open = undefined;
  }

  appendHeld(lsn: Lsn): void {
    if (compareLsn(lsn, this.stream.heldLsn) <= 0) return;
    this.sink.put(FRAME_KINDS.held, 0, NO_XID, encodeLsn(lsn));
    this.stream.heldLsn = lsn;
  }

  restart(source: StreamSource, lsn: Lsn): void {
    invariant(this.open === undefined, 'no transaction is open when a stream begins');
    this.sink.put(FRAME_KINDS.restart, 0, NO_XID, encodeJson({ source, lsn }));
    Object.assign(this.stream, { source, lastCommitLsn: LSN_ZERO, heldLsn: lsn } satisfies HeldStream);
    this.restarts += 1;
    this.recent.forget();
  }

  goOn(source: StreamSource): void {
    const { lastCommitLsn, heldLsn } = this.stream;
    this.sink.put(FRAME_KINDS.restart, 0, NO_XID, encodeJson({ source, lsn: LSN_ZERO, goesOn: { lastCommitLsn, heldLsn } }));
    this.stream.source = source;
  }

  appendRecord(record: ShapeRecord): void {
    this.sink.put(FRAME_KINDS.record, 0, NO_XID, encodeJson(record));
  }

  async sync(): Promise<LogPosition> {
    await this.commits.request();
    return this.durable.end;
  }

  async read(range: LogRange, sizes: BlockSizes, relation?: PublishedRelation): Promise<LogBlock> {
    return this.readKept(range, sizes, relation) ?? (await this.reader.read(range, sizes));
  }

  readKept(range: LogRange, { fillBytes }: BlockSizes, relation?: PublishedRelation): LogBlock | undefined {
    invariant(range.through <= this.durable.end, 'only the durable part of the log is read');
    return this.tail.read(range, fillBytes, relation && this.layouts.of(relation));
  }

  surveyed(range: LogRange, wholeBytesMax: number): Survey | undefined {
    return this.reader.surveyed(range, wholeBytesMax);
  }

  survey(range: LogRange, signal: AbortSignal): Promise<Survey> {
    return this.reader.survey(range, signal);
  }

  records(after: LogPosition): AsyncIterable<RecordAt> {
    return this.reader.records({ after, through: this.durable.end });
  }

  firstUnseen(snapshot: PgSnapshot): LogPosition | undefined {
    return this.recent.firstUnseen(snapshot);
  }

  async locate(xid: Xid): Promise<LoggedPlace | undefined> {
    const [after, through] = [this.recent.beginOf(xid), this.durable.end];
    if (after === undefined || after >= through) return undefined;
    const { transactions } = await this.read({ after, through }, ONE_TRANSACTION);
    const [first] = transactions;
    return first?.xid === xid ? { lsn: first.lsn, end: first.end } : undefined;
  }

  get forgottenThrough(): Xid | undefined {
    return this.recent.droppedThrough;
  }

  async release(position: LogPosition): Promise<void> {
    const before = minPosition(position, this.recent.start ?? position);
    this.tail.forget(before);
    await this.sink.release(before);
  }

  /** After a close in good order the next recovery knows that all of the log was durable. */
  async close(): Promise<void> {
    try {
      await this.sync();
      this.sink.testify();
      await this.sync();
    } finally {
      await this.sink.close();
    }
  }

  giveUp(): Promise<void> {
    return this.sink.close();
  }

  private appendTree(entry: FactEntry<PartitionTree>): void {
    this.trees.take(entry);
    this.sink.put(FRAME_KINDS.tree, 0, NO_XID, encodeJson(entry));
  }

  private appendMembership(entry: FactEntry<TableMembership>): void {
    this.memberships.take(entry);
    this.sink.put(FRAME_KINDS.membership, 0, NO_XID, encodeJson(entry));
  }

  private async flush(): Promise<void> {
    const { settled } = this;
    await this.sink.flush();
    this.durable = settled;
  }

  private get settled(): Settled {
    const { open, sink, stream, restarts } = this;
    return { end: open === undefined ? sink.end : open.after, stream: { ...stream }, restarts };
  }

  /** Of the stream that is appended now: nothing when it began since. */
  private get durableStream(): HeldStream {
    return this.durable.restarts === this.restarts ? this.durable.stream : NO_STREAM;
  }

  private noteCommit(lsn: Lsn): void {
    this.stream.lastCommitLsn = lsn;
  }

  /** For readers: all of it, or where it lies. */
  private keep({ fragments }: OpenTransaction, extent: TransactionExtent): void {
    const { xid, lsn, after: start, end } = extent;
    const layouts = this.shared(extent.layouts);
    if (fragments !== undefined) return this.tail.push({ xid, lsn, start, end, isUnfinished: false, fragments, layouts });
    this.tail.skip(end);
    this.reader.remember(extent);
  }

  /** The list of the transaction before where it names the same: most do, and each list would be garbage of its own. */
  private shared(layouts: ReadonlySet<number> | undefined): readonly number[] | undefined {
    if (layouts === undefined) return undefined;
    const { lastLayouts } = this;
    if (layouts.size !== lastLayouts.length || !lastLayouts.every((id) => layouts.has(id))) this.lastLayouts = [...layouts];
    return this.lastLayouts;
  }

  private putChanges(open: OpenTransaction, changes: Uint8Array): Uint8Array {
    const first = open.frameCount === 0 ? FIRST : 0;
    open.frameCount += 1;
    const kept = this.sink.putKept(FRAME_KINDS.changes, first, open.xid, changes.subarray(0, FRAME_BYTES_MAX));
    if (changes.length <= FRAME_BYTES_MAX) return kept;
    for (let at = FRAME_BYTES_MAX; at < changes.length; at += FRAME_BYTES_MAX) {
      open.frameCount += 1;
      this.sink.put(FRAME_KINDS.changes, CONTINUED, open.xid, changes.subarray(at, at + FRAME_BYTES_MAX));
    }
    return new Uint8Array(changes); // In one piece, as readers need it; a `slice` of a Buffer would be no copy.
  }
}
