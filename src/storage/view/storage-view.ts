/**
 * StorageView: the stored shapes of a directory in which another process works, for who serves them meanwhile. It writes nothing, and never
 * sees what could still be undone: only what a checkpoint counts, which is some seconds late.
 *
 * A shape is shown by its state of one look, to the end of each read. What that counts is compacted away only behind a later checkpoint;
 * the files of a shape that ends go at once, some seconds before a look can tell, and its last lines go from pack to pack while it lives.
 * Who comes upon a file that is gone breaks off, and finds what has taken its place when it reads again, or a little later.
 */
import type { Clock } from '../../base/clock.ts';
import { InvariantError } from '../../base/invariant.ts';
import { pause } from '../../base/pause.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import { LOG_START } from '../../model/log-position.ts';
import { definitionKey, type Handle, type ShapeDefinition } from '../../model/shape.ts';
import { CheckpointFollower } from '../checkpoint/checkpoint-follower.ts';
import type { Disk } from '../disk/disk.ts';
import { DiskError, ShapeReplacedError, StorageVersionError } from '../errors.ts';
import { storedFormat } from '../open-storage.ts';
import { FileCache, type FilesMax } from '../shapes/file-cache.ts';
import type { ShapeGround } from '../shapes/shape-file-access.ts';
import { ShapeFiles } from '../shapes/shape-files.ts';
import { RecentReads } from '../shapes/recent-reads.ts';
import { ShapePaths } from '../shapes/shape-paths.ts';
import { StoredShape, type ShapeHost, type ShapeState } from '../shapes/stored-shape.ts';

/** Who is told what a look found. Called at once: cheap, never throws. */
export interface ViewWatch {
  /** Everything up to `end` can be read now. */
  grown(handle: Handle, end: LogOffset): void;
  ended(handle: Handle): void;
}

/** Files are opened for each piece that is read: none is left open when another process may remove it, or this one takes over. */
const FILES_MAX: FilesMax = { idle: 0, uses: 80 };
/** The first look finds all shapes, and others have a turn between so many. */
const AT_ONCE = 500;

export class StorageView {
  private readonly follower: CheckpointFollower;
  private readonly ground: ShapeGround;
  private readonly host: ShapeHost;
  private readonly handles = new Map<string, Handle>();
  /** Those that somebody has read since their state was another. */
  private readonly shown = new Map<Handle, StoredShape>();
  /** Those that a look has found whole. */
  private readonly whole = new Map<Handle, ShapeState>();

  constructor(disk: Disk, directory: string, clock: Clock) {
    this.follower = new CheckpointFollower(disk, `${directory}/checkpoint`, () => storedFormat(disk, directory));
    const faults = { reading: <T>(handle: Handle, read: () => Promise<T>): Promise<T> => read().catch((error) => refuse(handle, error)) };
    this.ground = { disk, files: new FileCache(disk, FILES_MAX), paths: new ShapePaths(disk, directory), faults };
    this.host = lookingHost(clock);
  }

  /** How many shapes can be read. */
  get count(): number {
    return this.whole.size;
  }

  /**
   * @throws {UnknownContentError | DiskError} everything is shown as it was before.
   * @throws {StorageVersionError} another version writes there now: nothing is shown any more, for its files are not to be understood.
   */
  async look(watch: ViewWatch): Promise<void> {
    const learnt = await this.follower.look().catch((error: unknown) => {
      if (error instanceof StorageVersionError) this.dropAll(watch);
      throw error;
    });
    let count = 0;
    for (const handle of learnt) {
      this.take(handle, this.follower.states.get(handle), watch);
      count += 1;
      if (count % AT_ONCE === 0) await pause(this.host.clock, 0);
    }
  }

  /** Not one that was made for others alone, and that no client has asked for. */
  find(definition: ShapeDefinition): Handle | undefined {
    const handle = this.handles.get(definitionKey(definition));
    return handle !== undefined && this.whole.get(handle)?.isInner === false ? handle : undefined;
  }

  definitionOf(handle: Handle): ShapeDefinition | undefined {
    return this.whole.get(handle)?.definition;
  }

  get(handle: Handle): StoredShape | undefined {
    const state = this.whole.get(handle);
    if (state === undefined) return undefined;
    const shown = this.shown.get(handle) ?? new StoredShape(this.host, new ShapeFiles(this.ground, state), state);
    this.shown.set(handle, shown);
    return shown;
  }

  private take(handle: Handle, state: ShapeState | undefined, watch: ViewWatch): void {
    this.shown.delete(handle);
    if (state?.snapshot.state === 'complete') {
      this.whole.set(handle, state);
      this.handles.set(definitionKey(state.definition), handle);
      watch.grown(handle, state.lines.end);
    } else if (state === undefined) {
      this.drop(handle, watch);
    }
  }

  private dropAll(watch: ViewWatch): void {
    this.shown.clear();
    for (const handle of [...this.whole.keys()]) this.drop(handle, watch);
  }

  private drop(handle: Handle, watch: ViewWatch): void {
    const known = this.whole.get(handle);
    if (known === undefined) return;
    this.whole.delete(handle);
    const key = definitionKey(known.definition);
    if (this.handles.get(key) === handle) this.handles.delete(key); // Its successor may be there already.
    watch.ended(handle);
  }
}

function refuse(handle: Handle, error: unknown): never {
  throw error instanceof DiskError && error.code === 'ENOENT' ? new ShapeReplacedError(handle) : error;
}

/** Of shapes that are only read. */
function lookingHost(clock: Clock): ShapeHost {
  const never = (): never => {
    throw new InvariantError('a shape that is only looked at does not change');
  };
  return {
    clock,
    position: LOG_START,
    shownThrough: LOG_START,
    recent: new RecentReads(clock),
    changed: never,
    waitsAt: () => undefined,
    begun: never,
    firstUnseen: never,
    recordSplice: never,
    recordRequest: never,
    snapshotCompleted: never,
  };
}
