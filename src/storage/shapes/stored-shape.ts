/**
 * StoredShape: one shape's log, the same over every engine: what its readers see, and how far it has taken the transaction log.
 */
import type { Clock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { joinedLines, type JoinedLines } from '../../model/joined-lines.ts';
import { lsnOfOffset, type LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import { compareLsn, LSN_ZERO, type Lsn } from '../../model/lsn.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { PlacedLines } from '../../model/placed-lines.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import { ShapeGoneError } from '../errors.ts';
import { FewRows } from './few-rows.ts';
import { FiledLines, type FilesHold, type LineFiles } from './filed-lines.ts';
import { INDEX_ENTRY_BYTES } from './line-index.ts';
import type { TailBlock } from './line-tail.ts';
import type { CompletedSnapshot, Splice } from '../log/shape-record.ts';
import { OpenReads } from './open-reads.ts';
import { Pace, type PaceState } from './pace.ts';
import { pieceAt, verified } from './piece.ts';
import type { RecentReads } from './recent-reads.ts';
import type { ShapeLog, ShapeRead, SnapshotState, SnapshotWriter, WholeSnapshotState } from './shape-logs.ts';
import { ShapeLines, type Compaction, type LinesState } from './shape-lines.ts';
import { outcomeFrom, readFrom } from './shape-reads.ts';
import type { MovedWriter, ShapeStore } from './shape-store.ts';
import { SnapshotChunks } from './snapshot-chunks.ts';
import { SplicedViews, type ViewsState } from './spliced-views.ts';

/** What a checkpoint keeps of a shape: plain JSON. */
export interface ShapeState {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  /** The inner shapes, in the order of `definition.dependencies`. */
  readonly dependsOn: readonly Handle[];
  readonly isInner: boolean;
  /** JSON bytes at which its chunks close, for ever. */
  readonly chunkBytesMax: number;
  readonly snapshot: SnapshotState;
  readonly lines: LinesState;
  readonly pace: PaceState;
  readonly filterBy: PgSnapshot | null;
  readonly views: ViewsState;
}

/** What a shape needs of the whole. */
export interface ShapeHost {
  readonly clock: Clock;
  /** How far all shapes have taken the log that go along. */
  readonly position: LogPosition;
  /** The end of the log when it was opened. */
  readonly shownThrough: LogPosition;
  /** Undefined where all is in memory. */
  readonly recent: RecentReads | undefined;
  /** The shape differs from its last checkpoint; `bytes` more of it are in memory only. */
  changed(shape: StoredShape, bytes: number): void;
  /** Of another shape: one that waits holds back what is told of those that depend on it. Undefined for one that does not, or is gone. */
  waitsAt(handle: Handle): Lsn | undefined;
  /** The Consumer of a shape begins. @param at how far that shape holds what was logged. */
  begun(handle: Handle, at: Lsn): void;
  /** What the transaction log promises. */
  firstUnseen(pgSnapshot: PgSnapshot): LogPosition | undefined;
  /** Appends the record; durable with the next sync. */
  recordSplice(handle: Handle, splice: Splice): void;
  /** Likewise. */
  recordRequest(handle: Handle): void;
  /** Appends the record and syncs it. */
  snapshotCompleted(handle: Handle, completed: CompletedSnapshot): Promise<void>;
}

/** A shape's state at the beginning of a checkpoint. */
export interface ShapeCapture {
  readonly shape: StoredShape;
  readonly state: ShapeState;
}

export class StoredShape implements ShapeLog {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  readonly dependsOn: readonly Handle[];
  private isUnrequested: boolean;
  private readonly chunkBytesMax: number;
  private readonly lines: ShapeLines;
  private readonly chunks: SnapshotChunks;
  readonly filed: FiledLines;
  private state: SnapshotState;
  private readonly pace: Pace;
  private filter: PgSnapshot | undefined;
  /** `filterBy` as it was at the last `publish`. A replay begins there, and learns again what was learnt since. */
  private publishedFilter: PgSnapshot | undefined;
  private readonly spliced: SplicedViews;
  /** Of splices alone. */
  private fewRows: FewRows | undefined;
  /** While somebody reads, and from its end on. */
  private openReads: OpenReads | undefined;
  /** Of a snapshot that is being written: its rows are chosen by these to the last one, whatever is spliced meanwhile. */
  private snapshotViews: readonly LogOffset[] | undefined;
  private gone: boolean;
  private isCompleted: boolean;
  /**
   * A shape that it depends on is followed anew, by its Consumer and then by ours. Until ours goes along with the others, moves may be
   * missing of what was logged behind here, though the other shape does not wait any more.
   */
  private detachedAt: Lsn | undefined;
  /** Our Consumer has begun behind that. */
  private isAttaching = false;

  constructor(
    private readonly host: ShapeHost,
    readonly store: ShapeStore,
    state: ShapeState,
    original?: StoredShape,
  ) {
    const { handle, definition, dependsOn, isInner, chunkBytesMax, snapshot, lines, pace, filterBy, views } = state;
    this.handle = handle;
    this.definition = definition;
    this.dependsOn = dependsOn;
    this.isUnrequested = isInner;
    this.chunkBytesMax = chunkBytesMax;
    const whole = snapshot.state === 'complete' ? snapshot : undefined;
    this.lines = original?.lines.clone() ?? new ShapeLines(lines, chunkBytesMax);
    this.filed = new FiledLines(this.lines, original?.filed.end ?? lines);
    this.chunks = original?.chunks.clone(store) ?? new SnapshotChunks(handle, store, host.clock, chunkBytesMax, whole);
    this.state = whole === undefined ? snapshot : withoutRows(whole);
    this.pace = original?.pace.clone(host) ?? new Pace(host, pace, waitsFromStart(snapshot));
    this.spliced = original?.spliced.clone() ?? new SplicedViews(views);
    this.fewRows = original?.fewRows?.clone();
    this.filter = filterBy ?? undefined;
    this.publishedFilter = original?.publishedFilter ?? this.filter;
    this.snapshotViews = original?.snapshotViews;
    this.gone = original?.gone ?? false;
    this.isCompleted = original?.isCompleted ?? whole !== undefined;
    this.detachedAt = original?.detachedAt;
    this.isAttaching = original?.isAttaching ?? false;
  }

  get isInner(): boolean {
    return this.isUnrequested;
  }

  noteRequest(): void {
    if (!this.isUnrequested) return;
    this.host.recordRequest(this.handle);
    this.isUnrequested = false;
    this.host.changed(this, 0);
  }

  get end(): LogOffset {
    return this.lines.end;
  }

  get lineBytes(): number {
    return this.lines.bytesShown;
  }

  get snapshotBytes(): number {
    return this.chunks.bytes;
  }

  get storedBytes(): number {
    return this.chunks.bytes + this.lines.bytesShown + this.lines.countShown * INDEX_ENTRY_BYTES;
  }

  get compactedThrough(): LogOffset {
    return this.lines.compactedThrough;
  }

  get position(): LogPosition {
    return this.pace.position;
  }

  get waitsAt(): Lsn | undefined {
    const own = earlier(this.pace.waitsAt, this.detachedAt);
    return this.dependsOn.reduce((waitsAt, inner) => earlier(waitsAt, this.host.waitsAt(inner)), own);
  }

  get restsAt(): LogPosition | undefined {
    const { pace, state, definition } = this;
    const { position, isLagging } = pace.state;
    const isAlong = !isLagging && pace.isBrought && this.detachedAt === undefined;
    return isAlong && state.state === 'complete' && definition.dependencies === undefined ? position : undefined;
  }

  get reached(): Lsn | undefined {
    return this.dependsOn.length === 0 ? lsnOfOffset(this.end) : undefined;
  }

  get isBrought(): boolean {
    return this.pace.isBrought;
  }

  get snapshot(): SnapshotState {
    return this.state.state === 'writing' ? { ...this.state, chunkCount: this.chunks.count } : this.state;
  }

  get filterBy(): PgSnapshot | undefined {
    return this.filter;
  }

  /** Bytes of lines that readers see and the files do not have, and of a whole snapshot that lies in memory alone. */
  get bytesInMemory(): number {
    return this.lines.buffer.bytes + (this.state.state === 'complete' ? (this.store.fewRows?.length ?? 0) : 0);
  }

  get isGone(): boolean {
    return this.gone;
  }

  /** A stop may bring it back: the record of its whole snapshot is in the log, durable or on its way. */
  get comesBack(): boolean {
    return this.isCompleted;
  }

  get views(): readonly LogOffset[] {
    return this.spliced.current;
  }

  get placedBehind(): LogOffset {
    return this.spliced.placedBehind;
  }

  get nextSplice(): Splice | undefined {
    return this.spliced.next;
  }

  get recordedViews(): readonly LogOffset[] {
    return this.spliced.last;
  }

  get shownThrough(): LogPosition {
    return this.host.shownThrough;
  }

  get publishedViews(): readonly LogOffset[] {
    return this.spliced.state.views;
  }

  get storedViews(): readonly LogOffset[] {
    return this.snapshotViews ?? this.publishedViews;
  }

  beginViews(views: readonly LogOffset[]): void {
    this.spliced.begin(views);
  }

  beginMoved(): MovedWriter {
    const { nextNumber } = this.spliced;
    this.fewRows ??= new FewRows(this.handle);
    return this.fewRows.begin((claim) => this.store.beginMoved(nextNumber, claim));
  }

  readMovedNow(at: number): Uint8Array | undefined {
    const { next } = this.spliced;
    if (next?.fewRows === undefined || next.rows === null) return undefined;
    const piece = pieceAt(next.rows, at);
    const few = Buffer.from(next.fewRows, 'base64').subarray(at, at + piece.bytes);
    return verified(few, `the record of splice ${next.number}`, this.handle, piece, 0);
  }

  async readMoved(at: number): Promise<Uint8Array> {
    const { next } = this.spliced;
    if (next === undefined || next.rows === null) throw new ShapeGoneError(this.handle);
    return this.readMovedNow(at) ?? (await this.store.readMoved(next.number, pieceAt(next.rows, at)));
  }

  recordSplice(splice: Omit<Splice, 'number'>): Splice {
    const fewRows = this.fewRows?.take();
    const here = fewRows === undefined || splice.rows === null ? {} : { fewRows };
    const recorded = { number: this.spliced.nextNumber, ...splice, ...here };
    this.host.recordSplice(this.handle, recorded);
    this.spliced.record(recorded);
    this.host.changed(this, 0);
    return recorded;
  }

  takeSplice(): void {
    const { pgSnapshot } = this.spliced.take();
    if (pgSnapshot !== null) this.filter = pgSnapshot;
  }

  beginSnapshot(pgSnapshot: PgSnapshot): SnapshotWriter {
    invariant(this.state.state === 'awaited', 'a snapshot begins once');
    this.state = { state: 'writing', pgSnapshot, chunkCount: 0 };
    this.filter = pgSnapshot;
    this.publishedFilter = pgSnapshot;
    // A transaction may be in the log already and not yet be seen by Postgres: it must be read, so the shape goes back.
    const unseen = this.host.firstUnseen(pgSnapshot);
    if (unseen !== undefined) this.pace.goBack(unseen);
    const { position } = this.pace.state;
    const { views } = this.spliced.state;
    this.snapshotViews = views;
    this.host.changed(this, 0);
    const begun = this.chunks.begin();
    begun.catch(() => {}); // Each `write` awaits it, and rejects as it did.
    const writeJoined = async (lines: JoinedLines): Promise<void> => {
      await begun;
      await this.chunks.write(lines);
    };
    return {
      write: (lines) => writeJoined(joinedLines(lines)),
      writeJoined,
      complete: async () => {
        await begun;
        await this.completeSnapshot({ pgSnapshot, position, ...(views.length === 0 ? {} : { views }) });
      },
      abort: () => this.chunks.fail(),
    };
  }

  append(lsn: Lsn, position: number, line: Uint8Array): void {
    if (!this.gone) this.lines.append(lsn, position, line);
  }

  appendAll(lsn: Lsn, lines: PlacedLines): void {
    if (!this.gone) this.lines.appendAll(lsn, lines);
  }

  publish(position: LogPosition, pace?: 'behind'): LogOffset {
    if (this.gone) return this.end;
    const bytes = this.lines.publish();
    this.filed.publish();
    this.spliced.publish();
    this.pace.take(position, pace);
    if (this.isAttaching && this.pace.waitsAt === undefined) this.detachedAt = undefined;
    this.publishedFilter = this.filter;
    this.host.changed(this, bytes);
    return this.end;
  }

  leavePace(at: Lsn): void {
    // What we depend on may be further back than all others, and its moves are yet to come when it waits no more.
    this.pace.leave(earlier(at, this.waitsAt) ?? at);
    this.host.changed(this, 0);
  }

  discard(at: Lsn): void {
    this.lines.discard();
    this.filed.discard();
    this.spliced.discard();
    this.filter = this.publishedFilter;
    this.leavePace(at);
    this.isAttaching = true;
    this.host.begun(this.handle, this.pace.waitsAt ?? at);
  }

  /** A shape that it depends on holds what was logged up to `at`, and tells what moves behind to the next Consumer of ours. */
  detach(at: Lsn): void {
    this.detachedAt = earlier(this.detachedAt, at);
    this.isAttaching = false;
  }

  stopFiltering(): void {
    this.filter = undefined;
  }

  leaveBehind(at: Lsn): void {
    this.pace.leaveBehind(earlier(at, this.waitsAt) ?? at);
    this.host.changed(this, 0);
  }

  bringAgain(): void {
    this.pace.bringAgain();
  }

  outcome(after: LogOffset): ShapeRead['outcome'] {
    if (this.gone) throw new ShapeGoneError(this.handle);
    return outcomeFrom({ snapshot: this.state, chunks: this.chunks, lines: this.lines }, after);
  }

  read(after: LogOffset): ShapeRead {
    if (this.gone) throw new ShapeGoneError(this.handle);
    const { handle, store, lines, filed, chunks, state: snapshot, host: { recent } } = this;
    const [reads, areCut] = [() => this.reads, () => this.openReads?.areCut === true];
    return readFrom({ handle, store, lines, filed, chunks, snapshot, recent, reads, areCut }, after);
  }

  tailFrom(bytesMax: number): LogOffset {
    return this.lines.tailFrom(bytesMax);
  }

  /** @param host of the copy. @throws {InvariantError} when its store cannot be copied. */
  clone(host: ShapeHost): StoredShape {
    return new StoredShape(host, this.store.clone(), this.stateWith(this.state, this.filter), this);
  }

  /** A checkpoint counts its rows there. */
  putInPack(snapshot: WholeSnapshotState): void {
    this.state = snapshot;
    this.chunks.holdAs(snapshot);
  }

  /** For a checkpoint: what there is now. What comes later is not mixed with it on its way to the files. */
  capture(): ShapeCapture {
    this.lines.buffer.seal();
    return { shape: this, state: this.stateWith(this.snapshot, this.publishedFilter) };
  }

  /** A checkpoint has what was captured: rows of splices that it has the lines of are needed no more. */
  saved({ views: { taken } }: ShapeState): Promise<void> {
    return this.store.forgetMoved(taken);
  }

  /** Makes durable what a capture holds. @returns what of its lines lies in packs. */
  save(files: LineFiles): Promise<readonly TailBlock[]> {
    return this.filed.save(files);
  }

  /** Brings all lines out of the memory, also those that nobody sees yet. */
  spill(files: LineFiles): Promise<void> {
    return this.filed.spill(files);
  }

  /** For who brings its lines into other files. */
  holdFiles(): Promise<FilesHold> {
    return this.filed.hold();
  }

  /** A checkpoint counts the lines as they were compacted. */
  compact(compaction: Compaction): void {
    this.lines.compact(compaction);
    this.filed.move(compaction.shift);
  }

  /** The shape is being deleted: whoever waits for more of it is told. Who has begun to read what is there reads on, until `cut`. */
  remove(): void {
    this.gone = true;
    this.reads.end();
    if (this.state.state !== 'complete') this.chunks.fail();
  }

  /** @param left called once, when nobody reads it any more: now, perhaps. */
  whenLeft(left: () => void): void {
    this.reads.whenLeft(left);
  }

  /** Whoever reads breaks off. */
  cut(): void {
    this.chunks.fail();
    this.reads.cut();
  }

  private stateWith(snapshot: SnapshotState, filterBy: PgSnapshot | undefined): ShapeState {
    const { handle, definition, dependsOn, isInner, chunkBytesMax, lines, pace, spliced } = this;
    const written = { lines: lines.state, pace: pace.state, views: spliced.state };
    return { handle, definition, dependsOn, isInner, chunkBytesMax, snapshot, ...written, filterBy: filterBy ?? null };
  }

  /** @param begun how it was when the snapshot began. */
  private async completeSnapshot(begun: Omit<CompletedSnapshot, 'chunks'>): Promise<void> {
    const { pgSnapshot } = begun;
    const chunks = await this.chunks.end(pgSnapshot);
    this.isCompleted = true;
    const { fewRows } = this.store;
    const here = fewRows && { fewRows: Buffer.from(fewRows).toString('base64') };
    await this.host.snapshotCompleted(this.handle, { ...begun, chunks, ...here });
    this.state = { state: 'complete', pgSnapshot, chunks };
    this.snapshotViews = undefined;
    this.host.changed(this, fewRows?.length ?? 0);
  }

  private get reads(): OpenReads {
    return (this.openReads ??= new OpenReads(this.handle, () => (this.openReads = undefined)));
  }
}

/** @param tail what of its lines lies in packs. */
export function withTail({ shape, state }: ShapeCapture, tail: readonly TailBlock[]): ShapeCapture {
  return tail.length === 0 ? { shape, state } : { shape, state: { ...state, lines: { ...state.lines, tail } } };
}

/** The store has them. */
function withoutRows(whole: WholeSnapshotState): WholeSnapshotState {
  if (whole.fewRows === undefined) return whole;
  const { fewRows, ...snapshot } = whole;
  return snapshot;
}

/** Undefined for somebody who does not wait. */
function earlier(left: Lsn | undefined, right: Lsn | undefined): Lsn | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return compareLsn(left, right) < 0 ? left : right;
}

/** Of a shape that stood alone when its state was kept, nobody knows how far the others had come by then. */
function waitsFromStart({ state }: SnapshotState): Lsn | undefined {
  return state === 'awaited' ? undefined : LSN_ZERO;
}
