/** ShapeTable: the shapes of a storage by handle, and what they share. Every engine's ShapeLogs is built around one. */
import type { Clock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import { DefinitionParts } from '../../model/definition-parts.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import { NO_LINES } from './shape-lines.ts';
import { NO_VIEWS } from './spliced-views.ts';
import type { CompletedSnapshot, CreatedShape, Splice } from '../log/shape-record.ts';
import type { RecentReads } from './recent-reads.ts';
import type { ShapeStore } from './shape-store.ts';
import { StoredShape, type ShapeHost, type ShapeState } from './stored-shape.ts';
import type { TransactionLog } from '../log/transaction-log.ts';

export interface ShapeTableOptions {
  readonly log: TransactionLog;
  readonly clock: Clock;
  readonly chunkBytesMax: number;
  /** Where reads are those of files. */
  readonly recent?: RecentReads;
  /** @param state what the last checkpoint says, or the records behind it. */
  readonly storeOf: (state: ShapeState) => ShapeStore;
}

/** A handle names files too. */
const HANDLE_PATTERN = /^[\w-]{1,128}$/;

export class ShapeTable implements ShapeHost {
  readonly clock: Clock;
  readonly recent: RecentReads | undefined;
  /** Of shapes that are created from now on. */
  private readonly chunkBytesMax: number;
  /** Shapes that differ from their last checkpoint. */
  private dirty = new Set<StoredShape>();
  private readonly shapes = new Map<Handle, StoredShape>();
  private readonly parts = new DefinitionParts();
  private readonly dependants = new Map<Handle, Set<StoredShape>>();
  private readonly log: TransactionLog;
  private readonly storeOf: ShapeTableOptions['storeOf'];
  private bytesInMemory = 0;
  private readonly unsavedWatchers = new Set<() => void>();

  constructor(
    options: ShapeTableOptions,
    private taken: LogPosition,
    readonly shownThrough = options.log.durableEnd,
  ) {
    this.log = options.log;
    this.clock = options.clock;
    this.recent = options.recent;
    this.chunkBytesMax = options.chunkBytesMax;
    this.storeOf = options.storeOf;
  }

  get position(): LogPosition {
    return this.taken;
  }

  /** Bytes of lines published, and of few rows of snapshots completed, since they were last checkpointed. */
  get unsavedBytes(): number {
    return this.bytesInMemory;
  }

  whenUnsaved(bytesMax: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.bytesInMemory <= bytesMax && !signal.aborted) return;
        this.unsavedWatchers.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.unsavedWatchers.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  advance(position: LogPosition): void {
    invariant(position >= this.taken, 'shapes never go back in the log');
    invariant(position <= this.log.durableEnd, 'shapes take only what is durable');
    this.taken = position;
  }

  create(handle: Handle, definition: ShapeDefinition, dependsOn: readonly Handle[] = [], isInner = false): StoredShape {
    invariant(!this.shapes.has(handle), `handle ${handle} is never given twice`);
    invariant(HANDLE_PATTERN.test(handle), `handle ${handle} can name files`);
    const position = this.taken;
    const created: CreatedShape = {
      definition,
      chunkBytesMax: this.chunkBytesMax,
      position,
      ...(dependsOn.length === 0 ? {} : { dependsOn }),
      ...(isInner ? { isInner } : {}),
    };
    this.log.appendRecord({ type: 'shape.created', handle, ...created });
    const shape = this.restore(newShape(handle, created));
    this.dirty.add(shape);
    return shape;
  }

  restore(state: ShapeState): StoredShape {
    const definition = this.parts.shared(state.definition);
    const shape = new StoredShape(this, this.storeOf(state), definition === state.definition ? state : { ...state, definition });
    this.enter(shape);
    return shape;
  }

  get(handle: Handle): StoredShape | undefined {
    return this.shapes.get(handle);
  }

  get count(): number {
    return this.shapes.size;
  }

  all(): Iterable<StoredShape> {
    return this.shapes.values();
  }

  dependantsOf(handle: Handle): Iterable<StoredShape> {
    return this.dependants.get(handle) ?? NONE;
  }

  remove(handle: Handle, why: string): StoredShape | undefined {
    const shape = this.shapes.get(handle);
    if (shape === undefined) return undefined;
    this.log.appendRecord({ type: 'shape.deleted', handle, why });
    this.shapes.delete(handle);
    for (const inner of shape.dependsOn) this.dependants.get(inner)?.delete(shape);
    this.dependants.delete(handle);
    this.dirty.delete(shape);
    shape.remove();
    return shape;
  }

  changed(shape: StoredShape, bytes: number): void {
    this.bytesInMemory += bytes;
    if (bytes > 0) for (const look of this.unsavedWatchers) look();
    this.dirty.add(shape);
  }

  /** Gives over what differs from the last checkpoint; the count of unsaved bytes begins anew. */
  takeDirty(): StoredShape[] {
    const taken = [...this.dirty];
    this.dirty = new Set();
    this.bytesInMemory = 0;
    return taken;
  }

  /** Before here the transaction log is needed no more, once all this is checkpointed. */
  releasable(): LogPosition {
    let position = this.taken;
    for (const shape of this.shapes.values()) if (shape.position < position) position = shape.position;
    return position;
  }

  /**
   * The oldest version of its values that a shape which depends on this one asks about, or may after a restart: what the log of this
   * one tells behind it they must be able to read as it was. Undefined where no shape depends on it.
   */
  oldestView(handle: Handle): LogOffset | undefined {
    const views = [...this.dependantsOf(handle)].flatMap(({ dependsOn, storedViews }) =>
      dependsOn.flatMap((inner, index) => (inner === handle ? [storedViews[index] ?? BEFORE_ALL] : [])),
    );
    return views.length === 0 ? undefined : views.reduce((oldest, view) => (compareOffsets(view, oldest) < 0 ? view : oldest));
  }

  /** @param log a copy of this table's. */
  clone(log: TransactionLog): ShapeTable {
    const { clock, chunkBytesMax, storeOf } = this;
    const copy = new ShapeTable({ log, clock, chunkBytesMax, storeOf }, this.taken, this.shownThrough);
    for (const shape of this.shapes.values()) {
      const copied = shape.clone(copy);
      copy.enter(copied);
      if (this.dirty.has(shape)) copy.dirty.add(copied);
    }
    copy.bytesInMemory = this.bytesInMemory;
    return copy;
  }

  waitsAt(handle: Handle): Lsn | undefined {
    return this.shapes.get(handle)?.waitsAt;
  }

  begun(handle: Handle, at: Lsn): void {
    for (const outer of this.dependantsOf(handle)) outer.detach(at);
  }

  firstUnseen(pgSnapshot: PgSnapshot): LogPosition | undefined {
    return this.log.firstUnseen(pgSnapshot);
  }

  recordSplice(handle: Handle, splice: Splice): void {
    this.log.appendRecord({ type: 'shape.spliced', handle, ...splice });
  }

  recordRequest(handle: Handle): void {
    this.log.appendRecord({ type: 'shape.requested', handle });
  }

  async snapshotCompleted(handle: Handle, completed: CompletedSnapshot): Promise<void> {
    this.log.appendRecord({ type: 'shape.snapshotCompleted', handle, ...completed });
    await this.log.sync();
  }

  private enter(shape: StoredShape): void {
    this.shapes.set(shape.handle, shape);
    for (const inner of shape.dependsOn) {
      const dependants = this.dependants.get(inner) ?? new Set();
      this.dependants.set(inner, dependants.add(shape));
    }
  }
}

const NONE: readonly StoredShape[] = [];

/** A shape before its snapshot. It stands alone from the start: until its snapshot is there it takes nothing of the log. */
const NOBODY: readonly Handle[] = [];

export function newShape(handle: Handle, created: CreatedShape): ShapeState {
  const { definition, chunkBytesMax, position, dependsOn = NOBODY, isInner = false } = created;
  const pace = { position, isLagging: true };
  const nothing = { snapshot: { state: 'awaited' }, lines: NO_LINES, filterBy: null, views: NO_VIEWS } as const;
  return { handle, definition, dependsOn, isInner, chunkBytesMax, pace, ...nothing };
}
