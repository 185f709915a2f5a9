/**
 * Backup: a copy of a storage directory that is what a power cut could have left, made beside the service that works in it.
 *
 * The order makes it so. First the checkpoint; then the log from where the shapes of that checkpoint need it, up to a place where it is
 * durable by then: a prefix of the log, which is causally closed. From these two alone follows what counts of each shape's files, and of
 * that no byte ever changes, however long the copy takes. What may go meanwhile is whole: a segment that a newer checkpoint let go of has
 * the copy begun again, with the shapes' files that are there already: those of another generation alone are copied anew, so that a storage
 * which compacts without end is copied all the same. A shape that was deleted is left out, as it would be by now.
 *
 * It grows under a name that ends in `.new`, is verified there, and gets its own name last.
 */
import { dirname } from 'node:path';
import { LOG_START, maxPosition, type LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import { findCheckpoints } from '../checkpoint/checkpoints.ts';
import type { Disk } from '../disk/disk.ts';
import { makeDurably, makeDurablyAnywhere } from '../disk/durable-directory.ts';
import { openWitness, seeWitness } from '../log/durable-witness.ts';
import type { HeldStream } from '../log/held-stream.ts';
import { SegmentFiles } from '../log/segments.ts';
import { storedFormat } from '../open-storage.ts';
import { INDEX_ENTRY_BYTES } from '../shapes/line-index.ts';
import { filedPart, generationOf } from '../shapes/shape-lines.ts';
import type { SnapshotState } from '../shapes/shape-logs.ts';
import { placesOf } from '../packs/packed-places.ts';
import { ShapePaths, type StoredFiles } from '../shapes/shape-paths.ts';
import { recoverShapes, type RecoveredShapes } from '../shapes/shape-recovery.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import { copyFile, type FileCopy } from './copied-file.ts';
import { seeLog } from './seen-log.ts';
import { NoStorageError } from './seen-storage.ts';
import { checkedBytes } from './shape-check.ts';
import { StaleViewError } from './stale-view-error.ts';
import { inspectStorage, verifyStorage } from './verification.ts';

export interface Backup {
  readonly shapes: number;
  /** Shapes that ended while they were copied, or that no service could bring back. */
  readonly leftOut: readonly Handle[];
  /** That were copied. */
  readonly bytes: number;
  /** How far the copy holds which stream. */
  readonly stream: HeldStream;
}

/** There is no backup: in what its name leads to nothing was changed. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/** How much was copied by now, and of how much in all; undefined before that is known. */
export type BackupProgress = (bytes: number, ofBytes: number | undefined) => void;

/** Each copies the checkpoint and the log again, and of the shapes what has changed since the one before. */
const ATTEMPTS_MAX = 50;
const CHECKPOINT_NAME = /^\d{16}\.checkpoint$/;

/**
 * @param target is not there yet, or is an empty directory.
 * @throws {BackupError | NoStorageError | StorageVersionError | UnknownContentError | DiskError}
 */
export async function backUp(disk: Disk, directory: string, target: string, progress: BackupProgress): Promise<Backup> {
  const unfinished = `${target}.new`;
  for (const path of [target, unfinished]) {
    if ((await disk.list(path)).length > 0) throw new BackupError(`${path} is not empty: name another target, or remove it`);
  }
  if ((await storedFormat(disk, directory)) === undefined) throw new NoStorageError(directory);
  await makeDurablyAnywhere(disk, dirname(target));
  const backup = await new Copy(disk, directory, unfinished, progress).make().catch((error: unknown) => {
    throw error instanceof BackupError ? new BackupError(`${error.message}. What was copied is in ${unfinished}: remove it`) : error;
  });
  await disk.rename(unfinished, target);
  await disk.syncDirectory(dirname(target));
  return backup;
}

class Copy {
  private bytes = 0;
  private ofBytes: number | undefined;
  /** Of each shape, by path, how much of its files is there, durably: no byte of that changes. */
  private readonly kept = new Map<Handle, Map<string, number>>();
  /** Likewise of packs, by number. */
  private readonly keptPacks = new Map<number, number>();
  private readonly from: ShapePaths;
  private readonly to: ShapePaths;

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly target: string,
    private readonly progress: BackupProgress,
  ) {
    this.from = new ShapePaths(disk, directory);
    this.to = new ShapePaths(disk, target);
  }

  async make(): Promise<Backup> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.attempt();
      } catch (error) {
        if (!(error instanceof StaleViewError)) throw error;
        if (attempt === ATTEMPTS_MAX) throw new BackupError(`${error.path} is missing, or shorter than it should be: verify the storage`);
      }
    }
  }

  private async attempt(): Promise<Backup> {
    [this.bytes, this.ofBytes] = [0, undefined];
    await this.clear();
    await this.copyCheckpoints();
    const checkpoints = await findCheckpoints(this.disk, `${this.target}/checkpoint`);
    const durable = await this.copyLog(checkpoints.needs, checkpoints.position);
    const scope = { needs: checkpoints.needs, durable, isWhole: false, read: () => {} };
    const log = await seeLog(this.disk, `${this.target}/log`, scope);
    const [damage] = log.damages;
    if (damage !== undefined) throw new BackupError(`The transaction log is damaged, so there is nothing to keep. ${damage.found}`);
    const recovered = await recoverShapes(log, checkpoints, this.from);
    const leftOut = await this.copyShapes(recovered);
    await this.put({ from: `${this.directory}/format`, to: `${this.target}/format` });
    await this.disk.syncDirectory(this.target);
    await this.verify(leftOut);
    const shapes = recovered.shapes.filter(({ handle }) => !leftOut.has(handle));
    return { shapes: shapes.length, leftOut: [...leftOut], bytes: this.bytes, stream: log.stream };
  }

  /** What an attempt before has left of what does change. A log may have been begun anew at the same places. */
  private async clear(): Promise<void> {
    for (const folder of ['checkpoint', 'log']) {
      await makeDurably(this.disk, `${this.target}/${folder}`);
      for (const name of await this.disk.list(`${this.target}/${folder}`)) await this.disk.removeFile(`${this.target}/${folder}/${name}`);
    }
  }

  private async copyCheckpoints(): Promise<void> {
    const names = await this.disk.list(`${this.directory}/checkpoint`);
    for (const name of names.filter((each) => CHECKPOINT_NAME.test(each))) {
      await this.put({ from: `${this.directory}/checkpoint/${name}`, to: `${this.target}/checkpoint/${name}` });
    }
    await this.disk.syncDirectory(`${this.target}/checkpoint`);
  }

  /** @returns where the copy ends: durable, also where the checkpoint is newer than the witness. */
  private async copyLog(needs: LogPosition, checkpointed: LogPosition): Promise<LogPosition> {
    const [from, to] = [`${this.directory}/log`, `${this.target}/log`];
    const durable = maxPosition((await seeWitness(this.disk, from)).position, checkpointed);
    const segments = new SegmentFiles(this.disk, from);
    await segments.scan();
    const begin = segments.holding(needs);
    if (begin === undefined && durable > LOG_START) throw new StaleViewError(segments.pathOf(needs));
    const copied = new SegmentFiles(this.disk, to);
    for (const first of segments.firsts.filter((each) => each >= (begin ?? LOG_START) && each < durable)) {
      const end = Math.min(segments.after(first) ?? durable, durable);
      await this.put({ from: segments.pathOf(first), to: copied.pathOf(first), bytes: end - first });
    }
    const witness = await openWitness(this.disk, to);
    witness.tell(durable);
    await witness.close();
    await this.disk.syncDirectory(to);
    return durable;
  }

  /** @returns those that ended meanwhile, or that no service could bring back. */
  private async copyShapes({ shapes, robbed }: RecoveredShapes): Promise<Set<Handle>> {
    const packs = packsOf(shapes);
    const packed = [...packs.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.ofBytes = shapes.reduce((sum, state) => sum + filedBytes(state), this.bytes + packed);
    await this.copyPacks(packs);
    const gone = new Map(robbed.map((handle) => [handle, new StaleViewError(this.from.directoryOf(handle))]));
    for (const state of shapes) {
      try {
        await this.copyShape(state);
      } catch (error) {
        if (!(error instanceof StaleViewError)) throw error;
        gone.set(state.handle, error);
      }
    }
    if (gone.size > 0) await this.acceptEnds(gone);
    await this.sweep(shapes);
    return new Set(gone.keys());
  }

  /** Up to the end of what counts. One that went meanwhile has been emptied into others: the copy is begun again. */
  private async copyPacks(packs: ReadonlyMap<number, number>): Promise<void> {
    for (const [number, bytes] of packs) {
      await this.to.packs.prepare();
      const kept = Math.min(this.keptPacks.get(number) ?? 0, bytes);
      this.bytes += kept;
      await this.put({ from: this.from.packs.pathOf(number), to: this.to.packs.pathOf(number), bytes, kept });
      this.keptPacks.set(number, bytes);
    }
    for (const number of (await this.to.packs.found()).keys()) if (!packs.has(number)) await this.to.packs.remove(number);
    if (packs.size > 0) await this.to.packs.syncNames();
  }

  private async copyShape(state: ShapeState): Promise<void> {
    const copies = [...this.filesOf(state)];
    if (copies.length === 0) return;
    await this.to.prepare(state.handle);
    for (const copy of copies) await this.putBehind(state.handle, copy);
    await this.disk.syncDirectory(this.to.directoryOf(state.handle));
  }

  private async putBehind(handle: Handle, copy: FileCopy & { readonly bytes: number }): Promise<void> {
    const files = this.kept.get(handle) ?? new Map<string, number>();
    this.kept.set(handle, files);
    const kept = Math.min(files.get(copy.to) ?? 0, copy.bytes);
    this.bytes += kept;
    if (kept === copy.bytes && files.has(copy.to)) return;
    await this.put({ ...copy, kept });
    files.set(copy.to, copy.bytes);
  }

  /** What attempts before have copied and nobody counts any more. */
  private async sweep(shapes: readonly ShapeState[]): Promise<void> {
    const states = new Map(shapes.map((state) => [state.handle, state]));
    const { files: stored } = await this.to.stored();
    for (const [handle, files] of stored) {
      const state = states.get(handle);
      if (state !== undefined) await this.sweepShape(state, files);
    }
    await this.discard([...stored.keys()].filter((handle) => !states.has(handle)));
  }

  /** One that comes back, in another attempt, is copied from its first byte on. */
  private async discard(handles: readonly Handle[]): Promise<void> {
    await this.to.discard(handles);
    for (const handle of handles) this.kept.delete(handle);
  }

  private async sweepShape({ handle, lines, views }: ShapeState, found: StoredFiles): Promise<void> {
    const generations = [...found.lines.keys()].filter((generation) => generation !== generationOf(lines));
    for (const generation of generations) await this.to.removeLines(handle, generation);
    const pending = new Set(views.pending.map(({ number }) => number));
    for (const number of found.moved) if (!pending.has(number)) await this.to.removeMoved(handle, number);
  }

  private *filesOf({ handle, snapshot, lines, views }: ShapeState): Generator<FileCopy & { readonly bytes: number }> {
    const copy = (pathIn: (paths: ShapePaths) => string, bytes: number) => {
      return { from: pathIn(this.from), to: pathIn(this.to), bytes };
    };
    const generation = generationOf(lines);
    if (hasFile(snapshot)) yield copy((paths) => paths.snapshotPathOf(handle), bytesOf(snapshot));
    const filed = filedPart(lines);
    if (filed.count > 0) {
      yield copy((paths) => paths.linesPathOf(handle, 'lines', generation), filed.bytes);
      yield copy((paths) => paths.linesPathOf(handle, 'index', generation), filed.count * INDEX_ENTRY_BYTES);
    }
    for (const { number, rows, fewRows } of views.pending) {
      if (rows === null || fewRows !== undefined) continue;
      yield { from: this.from.movedPathOf(handle, number), to: this.to.movedPathOf(handle, number), bytes: rows.bytes };
    }
  }

  /** Of a shape that lives on what we looked for has been filed anew: then the copy is begun again. */
  private async acceptEnds(gone: ReadonlyMap<Handle, StaleViewError>): Promise<void> {
    const { shapes } = await inspectStorage(this.disk, this.directory);
    const living = shapes.find(({ handle }) => gone.has(handle));
    const error = living && gone.get(living.handle);
    if (error !== undefined) throw error;
    await this.discard([...gone.keys()]);
  }

  private async verify(leftOut: ReadonlySet<Handle>): Promise<void> {
    const { damages } = await verifyStorage(this.disk, this.target, () => {});
    const [damage] = damages.filter(({ handle, consequence }) => {
      return !(consequence === 'shapeDropped' || (handle !== undefined && leftOut.has(handle as Handle)));
    });
    if (damage === undefined) return;
    throw new BackupError(`The copy does not hold, and neither does the storage, perhaps: verify that. ${damage.found}`);
  }

  private async put(copy: FileCopy): Promise<void> {
    await copyFile(this.disk, copy, (bytes) => this.progress((this.bytes += bytes), this.ofBytes));
  }
}

function hasFile(snapshot: SnapshotState): boolean {
  return snapshot.state !== 'complete' || (snapshot.packed === undefined && snapshot.fewRows === undefined);
}

function bytesOf(snapshot: SnapshotState): number {
  return snapshot.state === 'complete' ? snapshot.chunks.reduce((sum, { bytes }) => sum + bytes, 0) : 0;
}

/** What is copied of the shape's own files. */
function filedBytes(state: ShapeState): number {
  const { snapshot, lines } = state;
  const filed = filedPart(lines);
  return checkedBytes(state) - lines.bytes + filed.bytes + filed.count * INDEX_ENTRY_BYTES - (hasFile(snapshot) ? 0 : bytesOf(snapshot));
}

/** How much of each pack counts. */
function packsOf(shapes: readonly ShapeState[]): ReadonlyMap<number, number> {
  const packs = new Map<number, number>();
  for (const state of shapes) {
    for (const { pack, at, bytes } of placesOf(state)) packs.set(pack, Math.max(packs.get(pack) ?? 0, at + bytes));
  }
  return packs;
}
