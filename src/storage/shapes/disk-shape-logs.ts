/**
 * Shapes' logs on a disk. A checkpoint goes in an order that is safe to break off anywhere: the transaction log first,
 * then the shapes' files and packs, then the checkpoint that makes them count; only then memory lets go. So one that the disk refused
 * may be called for again: what it was to bring is still in memory.
 */
import type { Clock } from '../../base/clock.ts';
import { uncopied } from '../../base/fork.ts';
import { eachToItsEnd, inParallel } from '../../base/in-parallel.ts';
import { minPosition, type LogPosition } from '../../model/log-position.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { Disk } from '../disk/disk.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import { CheckpointDeferredError, errorOf, isRefusal, ShapeCorruptError, ShapeRefusedError } from '../errors.ts';
import { Compactor, type CompactionBounds } from '../compaction/compactor.ts';
import type { LineFolder } from '../compaction/line-folder.ts';
import type { FileCache } from './file-cache.ts';
import { FileRemovals, ofOne, type Removal } from './file-removals.ts';
import { GroupCommit } from '../log/group-commit.ts';
import type { Checkpoints } from '../checkpoint/checkpoints.ts';
import { PackEmptying, type MoveBounds } from '../packs/pack-emptying.ts';
import { PackedLines } from '../packs/packed-lines.ts';
import { placesOf } from '../packs/packed-places.ts';
import { PackedSnapshots } from '../packs/packed-snapshots.ts';
import { Packs } from '../packs/packs.ts';
import type { ShapeGround } from './shape-file-access.ts';
import { ShapeFiles, type FoundFiles } from './shape-files.ts';
import { OwnFaults } from './own-faults.ts';
import { FEW_BYTES_MAX } from './few-rows.ts';
import { NO_BLOCKS } from './line-tail.ts';
import { rejoined } from './pace.ts';
import { RecentReads } from './recent-reads.ts';
import type { ShapeLog, ShapeLogs } from './shape-logs.ts';
import type { ShapePaths } from './shape-paths.ts';
import type { Leftover, RecoveredShapes } from './shape-recovery.ts';
import { ShapeTable, type ShapeTableOptions } from './shape-table.ts';
import { withTail, type ShapeCapture, type ShapeState, type StoredShape } from './stored-shape.ts';
import type { TransactionLog } from '../log/transaction-log.ts';

export interface DiskShapeLogsOptions extends Omit<ShapeTableOptions, 'storeOf' | 'recent'> {
  readonly disk: Disk;
  readonly standing: DiskStanding;
  readonly files: FileCache;
  readonly paths: ShapePaths;
  readonly checkpoints: Pick<Checkpoints, 'write' | 'bytes'>;
  /** What is known of lines; without it no log is compacted. */
  readonly folder?: LineFolder | undefined;
  readonly compaction?: Partial<CompactionBounds> | undefined;
  readonly packing?: Partial<PackingBounds> | undefined;
}

export interface PackingBounds extends MoveBounds {
  /** Snapshots up to so many bytes get no file of their own, and last lines none as long as they are no more. */
  readonly fewBytesMax: number;
  /** A pack with so many takes no more. */
  readonly packBytesMax: number;
}

/** Of a shape that is deleted, whoever has begun to read it has so long. */
const READ_ON_MS_MAX = 60_000;
/** How many shapes are saved at the same time. */
const SAVES_MAX = 8;
const PACK_BYTES_MAX = 16 * 1024 * 1024;

/** Shapes whose files are to go; some are open. */
type Leaving = Map<Handle, ShapeFiles | undefined>;

export class DiskShapeLogs implements ShapeLogs {
  readonly clone = uncopied('a storage on a disk');
  private readonly clock: Clock;
  private readonly log: TransactionLog;
  private readonly ground: ShapeGround;
  private readonly paths: ShapePaths;
  private readonly stored: Pick<Checkpoints, 'write' | 'bytes'>;
  private readonly table: ShapeTable;
  private readonly stores = new Map<Handle, ShapeFiles>();
  private readonly checkpoints = new GroupCommit(() => this.writeCheckpoint());
  /** Deleted, and not yet gone from the checkpoint. */
  private removed: Set<Handle>;
  /** Deleted, and read on by those who had begun. */
  private readonly leaving = new Set<StoredShape>();
  /** Deleted, and nobody has begun to remove their files: these go when that is durable. */
  private readonly ended = new Map<Handle, ShapeFiles | undefined>();
  /** What was releasable when the last checkpoint began. */
  private checkpointed: LogPosition;
  private readonly compactor: Compactor | undefined;
  /** Of these are files left whose lines were compacted into others, since the checkpoint before the last one or longer. */
  private readonly replaced = new Set<ShapeFiles>();
  private readonly standing: DiskStanding;
  private readonly faults: OwnFaults;
  private readonly removals: FileRemovals;
  private readonly emptying: PackEmptying;
  private readonly packed: PackedSnapshots;
  private readonly packedLines: PackedLines;
  private fault: Error | undefined;
  /** As the start found them. What it went by may not be durable, so they go behind the first checkpoint of ours. */
  private leftovers: readonly Leftover[];
  /** Likewise, where rows of splices were found, the number of the last one whose lines were there. */
  private leftMoved: readonly LeftMoved[];

  constructor(options: DiskShapeLogsOptions, recovered: RecoveredShapes) {
    const { dropped, leftovers } = recovered;
    this.clock = options.clock;
    this.standing = options.standing;
    this.faults = new OwnFaults(options.standing, options.clock);
    this.removals = new FileRemovals(options.standing, this.faults, options.clock);
    const { disk, files, paths, packing } = options;
    this.ground = { disk, files, paths, faults: this.faults, fewBytesMax: packing?.fewBytesMax };
    this.log = options.log;
    this.paths = options.paths;
    this.stored = options.checkpoints;
    this.table = this.restored(options, recovered);
    const packs = newPacks(options, recovered);
    const filesOf = ({ handle }: StoredShape): ShapeFiles | undefined => this.stores.get(handle);
    this.emptying = new PackEmptying(packs, (shape) => filesOf(shape)?.inPacks ?? [], packing ?? {});
    this.packed = new PackedSnapshots(packs, filesOf, this.emptying);
    this.packedLines = new PackedLines({
      packs,
      filesOf,
      emptying: this.emptying,
      tailBytesMax: packing?.fewBytesMax ?? FEW_BYTES_MAX,
    });
    this.removed = new Set(dropped);
    this.checkpointed = this.table.releasable();
    if (dropped.length > 0) this.removals.add(this.removalOf(new Map(dropped.map((handle) => [handle, undefined]))));
    this.leftovers = leftovers;
    this.leftMoved = leftMovedOf(recovered);
    for (const [handle, found] of recovered.moved) this.stores.get(handle)?.noteMoved(found);
    this.compactor = this.newCompactor(options);
  }

  get position(): LogPosition {
    return this.table.position;
  }

  get releasable(): LogPosition {
    return minPosition(this.checkpointed, this.table.releasable());
  }

  get checkpointBytes(): number {
    return this.stored.bytes;
  }

  get unsavedBytes(): number {
    return this.table.unsavedBytes;
  }

  get isHeldUp(): boolean {
    return this.standing.pause !== undefined;
  }

  get leftCount(): number {
    return this.removals.leftCount;
  }

  whenUnsaved(bytesMax: number, signal: AbortSignal): Promise<void> {
    return this.table.whenUnsaved(bytesMax, signal);
  }

  advance(position: LogPosition): void {
    this.table.advance(position);
  }

  create(handle: Handle, definition: ShapeDefinition, dependsOn?: readonly Handle[], isInner?: boolean): ShapeLog {
    return this.table.create(handle, definition, dependsOn, isInner);
  }

  get(handle: Handle): ShapeLog | undefined {
    return this.table.get(handle);
  }

  get count(): number {
    return this.table.count;
  }

  all(): Iterable<ShapeLog> {
    return this.table.all();
  }

  dependantsOf(handle: Handle): Iterable<ShapeLog> {
    return this.table.dependantsOf(handle);
  }

  delete(handle: Handle, why: string): void {
    const shape = this.table.remove(handle, why);
    if (shape === undefined) return;
    this.removed.add(handle);
    const store = this.stores.get(handle);
    this.stores.delete(handle);
    this.compactor?.forget(handle);
    this.faults.forget(handle);
    this.whenLeft(shape, () => {
      if (store !== undefined) this.packed.forget(store);
      this.removeFiles(shape, store);
    });
  }

  async spill(handle: Handle): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const [shape, files] = [this.table.get(handle), this.stores.get(handle)];
    if (shape === undefined || files === undefined) return;
    try {
      await this.faults.writing(handle, () => shape.spill(files));
    } catch (error) {
      if (shape.isGone) return; // Its files may be on their way out.
      this.noteFault(error);
      throw error;
    }
  }

  checkpoint(): Promise<void> {
    return this.checkpoints.request();
  }

  /** A failed checkpoint loses nothing: the log still has what it would have saved. */
  async close(): Promise<void> {
    try {
      await this.compactor?.stop();
      await this.checkpoint();
    } finally {
      for (const shape of [...this.table.all(), ...this.leaving]) {
        shape.remove();
        shape.cut();
      }
      await this.removals.settled();
      await eachToItsEnd(this.stores.values(), 1, (store) => store.remove());
      await this.packed.close();
      await this.ground.files.close();
    }
  }

  private async writeCheckpoint(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const { position } = this.table;
    const releasable = this.table.releasable();
    const prepared = this.compactor?.ready;
    if (prepared !== undefined) this.table.changed(prepared, 0);
    for (const shape of this.emptying.begin(this.table.all())) this.table.changed(shape, 0);
    const captures = this.table.takeDirty().map((shape) => shape.capture());
    let counted: readonly ShapeCapture[];
    try {
      counted = await this.bring(captures, position);
    } catch (error) {
      for (const { shape } of captures) this.table.changed(shape, shape.bytesInMemory); // The next checkpoint tells of all of them.
      this.noteFault(error);
      throw error;
    }
    this.checkpointed = releasable;
    this.compactor?.consider(counted);
    this.removals.retry();
  }

  private get failure(): Error | undefined {
    return this.fault ?? this.removals.failure;
  }

  private noteFault(error: unknown): void {
    if (isOfShape(error) || error instanceof CheckpointDeferredError || isRefusal(error)) return;
    this.fault = errorOf(error);
  }

  /** @throws {CheckpointDeferredError} what could be saved is saved, and nothing is remembered. */
  private async bring(captures: readonly ShapeCapture[], position: LogPosition): Promise<readonly ShapeCapture[]> {
    await this.log.sync();
    const { captures: packed, others, damaged } = await this.packedLines.bring(captures);
    const saved = await this.saveAll(others, damaged);
    const durable = new Map([...packed, ...saved].map((capture) => [capture.shape, capture]));
    const inOrder = captures.flatMap(({ shape }) => durable.get(shape) ?? []); // That of the shapes, at the next start.
    const counted = await this.letCount(position, await this.packed.bring(inOrder));
    // What cannot be removed is asked for again by the next checkpoint of its shape.
    for (const { shape, state } of counted) if (state.views.taken > 0) await this.faults.removing(() => shape.saved(state));
    return counted;
  }

  /** From now on what is saved counts. @returns it, as it does: the lines of one may have been compacted. */
  private async letCount(position: LogPosition, captures: readonly ShapeCapture[]): Promise<readonly ShapeCapture[]> {
    const takenOver = await this.compactor?.takeOver(captures);
    // One that was deleted meanwhile is gone from here as well: what it was before would lack the records up to this position.
    const removed = [...this.removed];
    const counted = captures.map((capture) => {
      const { shape, state } = capture;
      return state.handle === takenOver?.handle ? { shape, state: { ...state, lines: takenOver.state } } : capture;
    });
    const changed = counted.filter(({ shape }) => !shape.isGone).map(({ state }) => state);
    try {
      await this.stored.write({ position, changed, removed });
    } catch (error) {
      takenOver?.abandon();
      throw error;
    }
    for (const handle of removed) this.removed.delete(handle);
    this.packedLines.counted(changed.map((state) => ({ files: this.stores.get(state.handle), state })));
    this.emptying.counted();
    for (const pack of this.packed.counted(changed)) this.removals.add(ofOne(() => this.removePack(pack)));
    this.removeLeftovers();
    try {
      await this.removeReplaced();
    } finally {
      takenOver?.commit(); // It counts, whatever else the disk refuses.
      const files = takenOver && this.stores.get(takenOver.handle);
      if (files !== undefined) this.replaced.add(files);
    }
    return counted;
  }

  /** Whoever reads in it reads on. */
  private async removePack(number: number): Promise<void> {
    await this.paths.packs.remove(number);
    await this.ground.files.forget(this.paths.packs.pathOf(number));
  }

  private removeLeftovers(): void {
    for (const { handle, generation } of this.leftovers) this.removals.add(ofOne(() => this.paths.removeLines(handle, generation)));
    for (const { handle, taken } of this.leftMoved) this.removals.add(ofOne(async () => this.stores.get(handle)?.forgetMoved(taken)));
    [this.leftovers, this.leftMoved] = [[], []];
  }

  /** Where the last checkpoint does not hold, the one before it counts: with the files that it counts. */
  private async removeReplaced(): Promise<void> {
    for (const files of this.replaced) {
      await this.faults.removing(async () => {
        const areLeft = await files.removeReplaced();
        if (!areLeft) this.replaced.delete(files);
      });
    }
  }

  /**
   * Saves all that can be saved.
   *
   * @returns the captures, with what of their lines lies in packs.
   * @throws {CheckpointDeferredError} names the shapes whose files do not hold, and those that were `damaged` before.
   */
  private async saveAll(captures: readonly ShapeCapture[], damaged: readonly ShapeCorruptError[]): Promise<readonly ShapeCapture[]> {
    const met: (ShapeCorruptError | ShapeRefusedError)[] = [...damaged];
    const saved: ShapeCapture[] = [];
    const together = this.paths.inDirectories(captures, ({ shape }) => shape.handle);
    await inParallel(together, SAVES_MAX, async (capture) => {
      const { shape } = capture;
      const files = this.stores.get(shape.handle);
      try {
        const tail = files === undefined ? NO_BLOCKS : await this.faults.writing(shape.handle, () => shape.save(files));
        saved.push(withTail(capture, tail));
      } catch (error) {
        if (shape.isGone) return; // Its files may be on their way out.
        if (!isOfShape(error)) throw error;
        met.push(error);
      }
    });
    const damage = this.compactor?.takeDamage();
    if (damage !== undefined) met.push(damage);
    if (met.length > 0) throw new CheckpointDeferredError(met.filter((error) => error instanceof ShapeCorruptError));
    return saved;
  }

  /** Nobody reads its files any more, or whoever does has had his time. */
  private whenLeft(shape: StoredShape, then: () => void): void {
    const timer = this.clock.setTimer(() => shape.cut(), READ_ON_MS_MAX);
    this.leaving.add(shape);
    shape.whenLeft(() => {
      this.clock.clearTimer(timer);
      this.leaving.delete(shape);
      then();
    });
  }

  /**
   * A stop before its end is durable brings the shape back: with its files. One that a stop ends as well must not wait for the log: the
   * room that its snapshot has used up may be what the log waits for. Nor need one that has no files, though some may be made meanwhile:
   * nothing counts of those.
   */
  private removeFiles({ handle, comesBack }: StoredShape, store: ShapeFiles | undefined): void {
    if (!comesBack || store?.isBare === true) return this.removals.addAtOnce(this.removalOf(new Map([[handle, store]])));
    this.ended.set(handle, store);
    if (this.ended.size === 1) this.removals.add(this.removalOfEnded());
  }

  /** Of all that have ended when its turn comes: the log is synced, and each directory read, once for them. */
  private removalOfEnded(): Removal {
    let together: Leaving | undefined;
    return {
      run: async () => {
        together ??= this.takeEnded();
        await this.log.sync();
        await this.discard(together);
      },
      get shapes() {
        return together?.size ?? 0;
      },
    };
  }

  private removalOf(stores: Leaving): Removal {
    return {
      run: () => this.discard(stores),
      get shapes() {
        return stores.size;
      },
    };
  }

  private takeEnded(): Leaving {
    const ended = new Map(this.ended);
    this.ended.clear();
    return ended;
  }

  /** Only those whose files are not all gone stay in `stores`. @throws the first refusal, when all that is not refused is done. */
  private async discard(stores: Leaving): Promise<void> {
    const close = (): Promise<void> => eachToItsEnd([...stores], 1, async ([handle, store]) => {
      await store?.remove();
      if (store?.isBare === true) stores.delete(handle);
      else stores.set(handle, undefined);
    });
    const gone = (handle: Handle): void => {
      if (stores.get(handle) === undefined) stores.delete(handle);
    };
    await eachToItsEnd([close, () => this.paths.discard([...stores.keys()], gone)], 1, (step) => step());
  }

  private newCompactor({ clock, folder, compaction }: DiskShapeLogsOptions): Compactor | undefined {
    if (folder === undefined) return undefined;
    return new Compactor({
      ...compaction,
      clock,
      folder,
      filesOf: (handle) => this.stores.get(handle),
      oldestView: (handle) => this.table.oldestView(handle),
    });
  }

  private restored(options: DiskShapeLogsOptions, { shapes, position, changed, filed, leftovers }: RecoveredShapes): ShapeTable {
    const last = lastGenerations(leftovers);
    let found = (handle: Handle): FoundFiles => ({ isFound: filed.has(handle), lastGeneration: last.get(handle) });
    const storeOf = (state: ShapeState): ShapeFiles => this.openStore(state, found(state.handle));
    const table = new ShapeTable({ ...options, storeOf, recent: new RecentReads(options.clock) }, position);
    for (const state of shapes) {
      const pace = rejoined(state.pace, position);
      const shape = table.restore(pace === state.pace ? state : { ...state, pace });
      if (changed.has(shape.handle)) table.changed(shape, shape.bytesInMemory);
    }
    found = () => NO_FILES; // Of all that are created from now on.
    return table;
  }

  private openStore(state: ShapeState, found: FoundFiles): ShapeFiles {
    const store = new ShapeFiles(this.ground, state, found);
    this.stores.set(state.handle, store);
    return store;
  }
}

function newPacks({ disk, paths, packing }: DiskShapeLogsOptions, { packs, shapes }: RecoveredShapes): Packs {
  return new Packs(disk, paths.packs, packing?.packBytesMax ?? PACK_BYTES_MAX, packs, shapes.flatMap(placesOf));
}

const NO_FILES: FoundFiles = { isFound: false };

interface LeftMoved {
  readonly handle: Handle;
  readonly taken: number;
}

function leftMovedOf({ shapes, moved }: RecoveredShapes): readonly LeftMoved[] {
  const withRows = moved.size === 0 ? [] : shapes.filter(({ handle }) => moved.has(handle));
  return withRows.map(({ handle, views: { taken } }) => ({ handle, taken }));
}

/** It concerns one shape, and no other. */
function isOfShape(error: unknown): error is ShapeCorruptError | ShapeRefusedError {
  return error instanceof ShapeCorruptError || error instanceof ShapeRefusedError;
}

function lastGenerations(leftovers: readonly Leftover[]): ReadonlyMap<Handle, number> {
  const last = new Map<Handle, number>();
  for (const { handle, generation } of leftovers) last.set(handle, Math.max(generation, last.get(handle) ?? 0));
  return last;
}
