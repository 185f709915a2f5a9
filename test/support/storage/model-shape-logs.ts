/**
 * ModelShapeLogs: the shapes' logs as the tables of processes write them, in memory, and copied together with those tables.
 * A snapshot is there at once and whole; no transaction log stands behind it. A test holds it to the engine that a service uses.
 */
import { Copies, type Fork } from '../../../src/base/fork.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { compareOffsets, offsetOf, snapshotChunkEnd, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START, type LogPosition } from '../../../src/model/log-position.ts';
import { compareLsn, LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { PlacedLines } from '../../../src/model/placed-lines.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import { Pace, type PaceState } from '../../../src/storage/shapes/pace.ts';
import { NO_VIEWS, SplicedViews, type ViewsState } from '../../../src/storage/shapes/spliced-views.ts';
import type { Splice } from '../../../src/storage/log/shape-record.ts';

export class ModelShapeLogs {
  private readonly shapes = new Map<Handle, ModelShapeLog>();
  private readonly copies = new Copies<ModelShapeLogs>();

  constructor(public position: LogPosition = LOG_START) {}

  advance(position: LogPosition): void {
    invariant(position >= this.position, 'shapes never go back in the log');
    this.position = position;
  }

  create(handle: Handle, definition: ShapeDefinition, dependsOn: readonly Handle[] = [], isInner = false): ModelShapeLog {
    const shape = new ModelShapeLog(this, { handle, definition, dependsOn, isInner, pace: { position: this.position, isLagging: true } });
    this.shapes.set(handle, shape);
    return shape;
  }

  get(handle: Handle): ModelShapeLog | undefined {
    return this.shapes.get(handle);
  }

  all(): Iterable<ModelShapeLog> {
    return this.shapes.values();
  }

  delete(handle: Handle): void {
    this.shapes.delete(handle);
  }

  clone(fork: Fork): ModelShapeLogs {
    return this.copies.of(fork, () => {
      const copy = new ModelShapeLogs(this.position);
      for (const [handle, shape] of this.shapes) copy.shapes.set(handle, shape.clone(copy));
      return copy;
    });
  }

  key(): string {
    return JSON.stringify([this.position, Array.from(this.shapes.values(), ({ state: { definition: _, ...state } }) => state)]);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface ModelLine {
  readonly offset: LogOffset;
  readonly text: string;
}

interface ModelEntry {
  readonly offset: LogOffset;
  readonly bytes: Uint8Array;
}

interface ModelShapeState {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  readonly dependsOn: readonly Handle[];
  readonly isInner: boolean;
  readonly pace: PaceState;
  readonly waitsAt?: Lsn | undefined;
  readonly isBrought?: boolean;
  readonly rows?: readonly string[];
  readonly lines?: readonly ModelLine[];
  readonly pending?: readonly ModelLine[];
  readonly pgSnapshot?: PgSnapshot | undefined;
  readonly filterBy?: PgSnapshot | undefined;
  readonly publishedFilter?: PgSnapshot | undefined;
  readonly views?: ViewsState;
  /** Whose lines are in the log, published or not. */
  readonly takenThrough?: number | undefined;
  readonly splices?: readonly Splice[];
}

export class ModelShapeLog {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  readonly dependsOn: readonly Handle[];
  isInner: boolean;
  private readonly pace: Pace;
  private rows: readonly string[];
  private readonly lines: ModelLine[];
  private pending: ModelLine[];
  private pgSnapshot: PgSnapshot | undefined;
  filterBy: PgSnapshot | undefined;
  private publishedFilter: PgSnapshot | undefined;
  private readonly spliced: SplicedViews;
  /** All that were ever recorded. */
  readonly splices: Splice[];

  constructor(private readonly logs: ModelShapeLogs, state: ModelShapeState, spliced = new SplicedViews(state.views ?? NO_VIEWS)) {
    const { handle, definition, dependsOn, isInner, pace, waitsAt, isBrought, rows, lines, pending, pgSnapshot } = state;
    const { filterBy, publishedFilter, splices } = state;
    this.handle = handle;
    this.dependsOn = dependsOn;
    this.isInner = isInner;
    this.definition = definition;
    this.pace = new Pace(logs, pace, waitsAt);
    if (isBrought === false) this.pace.leaveBehind(waitsAt ?? LSN_ZERO);
    this.rows = rows ?? [];
    this.lines = [...(lines ?? [])];
    this.pending = [...(pending ?? [])];
    this.pgSnapshot = pgSnapshot;
    this.filterBy = filterBy;
    this.publishedFilter = publishedFilter;
    this.spliced = spliced;
    this.splices = [...(splices ?? [])];
  }

  /** @param logs those of the copy. */
  clone(logs: ModelShapeLogs): ModelShapeLog {
    return new ModelShapeLog(logs, this.state, this.spliced.clone());
  }

  get state(): ModelShapeState {
    const { handle, definition, dependsOn, isInner, isBrought, rows, lines, pending, spliced } = this;
    const { pgSnapshot, filterBy, publishedFilter } = this;
    const written = { rows, lines: [...lines], pending: [...pending], splices: [...this.splices] };
    const taken = { pace: this.pace.state, waitsAt: this.pace.waitsAt, isBrought, pgSnapshot, filterBy, publishedFilter };
    const views = { views: spliced.state, takenThrough: spliced.next?.number };
    return { handle, definition, dependsOn, isInner, ...taken, ...written, ...views };
  }

  noteRequest(): void {
    this.isInner = false;
  }

  get views(): readonly LogOffset[] {
    return this.spliced.current;
  }

  /** Of the lines that are published. */
  get storedViews(): readonly LogOffset[] {
    return this.spliced.state.views;
  }

  get placedBehind(): LogOffset {
    return this.spliced.placedBehind;
  }

  get recordedViews(): readonly LogOffset[] {
    return this.spliced.last;
  }

  get nextSplice(): Splice | undefined {
    return this.spliced.next;
  }

  beginViews(views: readonly LogOffset[]): void {
    this.spliced.begin(views);
  }

  recordSplice(splice: Omit<Splice, 'number'>): Splice {
    const recorded = { number: this.spliced.nextNumber, ...splice };
    this.spliced.record(recorded);
    this.splices.push(recorded);
    return recorded;
  }

  takeSplice(): void {
    this.filterBy = this.spliced.take().pgSnapshot ?? this.filterBy;
  }

  get end(): LogOffset {
    return this.lines.at(-1)?.offset ?? SNAPSHOT_END;
  }

  get position(): LogPosition {
    return this.pace.position;
  }

  get waitsAt(): Lsn | undefined {
    return this.dependsOn.reduce((waitsAt, inner) => earlier(waitsAt, this.logs.get(inner)?.waitsAt), this.pace.waitsAt);
  }

  get restsAt(): LogPosition | undefined {
    const { position, isLagging } = this.pace.state;
    const isAlong = !isLagging && this.pace.isBrought;
    return isAlong && this.pgSnapshot !== undefined && this.definition.dependencies === undefined ? position : undefined;
  }

  get snapshot(): { readonly state: 'awaited' | 'complete' } {
    return { state: this.pgSnapshot === undefined ? 'awaited' : 'complete' };
  }

  /**
   * At once, whole.
   *
   * @param firstUnseen where the log begins that it does not see.
   */
  takeSnapshot(pgSnapshot: PgSnapshot, rows: readonly Uint8Array[] = [], firstUnseen?: LogPosition): void {
    invariant(this.pgSnapshot === undefined, 'a snapshot begins once');
    this.pgSnapshot = pgSnapshot;
    this.filterBy = pgSnapshot;
    this.publishedFilter = pgSnapshot;
    this.rows = rows.map((row) => decoder.decode(row));
    if (firstUnseen !== undefined) this.pace.goBack(firstUnseen);
  }

  /** What a reader gets that stands behind `after`: the snapshot's one chunk by itself, or all lines. */
  read(after: LogOffset): { readonly entries: readonly ModelEntry[]; readonly end: LogOffset } {
    const chunkEnd = snapshotChunkEnd(0);
    const isBefore = compareOffsets(after, chunkEnd) < 0;
    const lines = isBefore ? this.rows.map((text) => ({ offset: chunkEnd, text })) : this.lines;
    const behind = lines.filter(({ offset }) => compareOffsets(offset, after) > 0);
    const entries = behind.map(({ offset, text }) => ({ offset, bytes: encoder.encode(text) }));
    return { entries, end: isBefore ? chunkEnd : this.end };
  }

  append(lsn: Lsn, position: number, line: Uint8Array): void {
    const offset = offsetOf(lsn, position);
    if (compareOffsets(offset, this.pending.at(-1)?.offset ?? this.end) > 0) this.pending.push({ offset, text: decoder.decode(line) });
    else invariant(this.pending.length === 0, 'lines come in the order of their offsets');
  }

  appendAll(lsn: Lsn, lines: PlacedLines): void {
    for (const { position, bytes } of lines) this.append(lsn, position, bytes);
  }

  publish(position: LogPosition, pace?: 'behind'): LogOffset {
    this.lines.push(...this.pending);
    this.pending = [];
    this.spliced.publish();
    this.publishedFilter = this.filterBy;
    this.pace.take(position, pace);
    return this.end;
  }

  leavePace(at: Lsn): void {
    this.pace.leave(earlier(at, this.waitsAt) ?? at);
  }

  discard(at: Lsn): void {
    this.pending = [];
    this.spliced.discard();
    this.filterBy = this.publishedFilter;
    this.leavePace(at);
  }

  stopFiltering(): void {
    this.filterBy = undefined;
  }

  get isBrought(): boolean {
    return this.pace.isBrought;
  }

  leaveBehind(at: Lsn): void {
    this.pace.leaveBehind(earlier(at, this.waitsAt) ?? at);
  }

  bringAgain(): void {
    this.pace.bringAgain();
  }
}

function earlier(left: Lsn | undefined, right: Lsn | undefined): Lsn | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return compareLsn(left, right) < 0 ? left : right;
}
