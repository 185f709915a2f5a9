/**
 * PackedSnapshots: brings the rows of small snapshots into packs, with a checkpoint: those that lie in memory alone, and a bounded number
 * of those whose pack is to go, for most of it is dead. They are durable there before the checkpoint is written that says so, and only
 * when it counts, memory lets go, and what lay elsewhere is dead.
 */
import { joinedBytes } from '../../base/joined-bytes.ts';
import type { Handle } from '../../model/shape.ts';
import { CheckpointDeferredError, ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import { packPlaceOf } from '../shapes/line-tail.ts';
import { pieceAt } from '../shapes/piece.ts';
import type { ShapeFiles } from '../shapes/shape-files.ts';
import type { WholeSnapshotState } from '../shapes/shape-logs.ts';
import type { SnapshotRows } from '../shapes/snapshot-rows.ts';
import type { ShapeCapture, ShapeState, StoredShape } from '../shapes/stored-shape.ts';
import type { PackPlace } from './pack-paths.ts';
import type { Packs } from './packs.ts';

/** What one checkpoint moves. */
export interface MoveBounds {
  readonly movedBytesMax: number;
  readonly movedCountMax: number;
}

const BOUNDS: MoveBounds = { movedBytesMax: 1024 * 1024, movedCountMax: 500 };

/** On its way into a pack. */
interface Bringing {
  readonly shape: StoredShape;
  readonly rows: SnapshotRows;
  readonly snapshot: WholeSnapshotState;
  readonly bytes: Uint8Array;
}

type Brought = Omit<Bringing, 'bytes'> & { readonly place: PackPlace };

export class PackedSnapshots {
  private readonly bounds: MoveBounds;
  /** What lies in this pack is moved of these. */
  private moving: ReadonlySet<StoredShape> = new Set();
  private emptied: number | undefined;
  /** No checkpoint has counted since these were due. */
  private isAwaited = false;
  /** In the pack that is being emptied, and not moved yet. */
  private toMove: StoredShape[] = [];
  /** Durable in a pack, and not counted there yet: the next checkpoint counts them, where the one that was to do so is refused. */
  private brought: readonly Brought[] = [];
  /** Deleted, and nobody reads them any more. */
  private readonly left: ShapeFiles[] = [];
  /** So many of those had left before the checkpoint that is under way. */
  private leftBefore = 0;

  constructor(
    private readonly packs: Packs,
    private readonly filesOf: (handle: Handle) => ShapeFiles | undefined,
    bounds: Partial<MoveBounds> = {},
  ) {
    this.bounds = { ...BOUNDS, ...bounds };
  }

  /**
   * Called before a checkpoint takes what it tells of. The same as before where that one did not count: a disk that refuses checkpoints
   * would be filled with what is moved for each of them.
   *
   * @returns the shapes of which it is to move what lies in the pack that is emptied.
   */
  due(all: Iterable<StoredShape>): Iterable<StoredShape> {
    if (this.isAwaited) return (this.moving = new Set([...this.moving].filter((shape) => this.isIn(shape, this.emptied))));
    const { sparse } = this.packs;
    this.emptied = sparse;
    if (this.toMove.length === 0 && sparse !== undefined) this.toMove = [...all].filter((shape) => this.isIn(shape, sparse));
    const due = new Set<StoredShape>();
    for (let bytes = 0; due.size < this.bounds.movedCountMax && bytes < this.bounds.movedBytesMax; ) {
      const shape = this.toMove.pop();
      if (shape === undefined) break;
      if (!this.isIn(shape, sparse)) continue; // It ended, or was moved.
      due.add(shape);
      for (const place of this.placesIn(shape, sparse)) bytes += place.bytes;
    }
    this.moving = due;
    this.isAwaited = due.size > 0;
    return due;
  }

  /** What it has of lines in packs is to go elsewhere. */
  movesTail(shape: StoredShape): boolean {
    return this.moving.has(shape) && (this.filesOf(shape.handle)?.tail ?? []).some(({ pack }) => pack === this.emptied);
  }

  /**
   * @returns the captures, with where their rows lie.
   * @throws {CheckpointDeferredError} rows that were to be moved do not hold: it names their shapes, and nothing was brought.
   * @throws {DiskError} nothing counts of what was brought, and the same captures may be brought again: what is durable by then is not
   *   written once more, for a disk that is full would be filled with it.
   */
  async bring(captures: readonly ShapeCapture[]): Promise<readonly ShapeCapture[]> {
    this.leftBefore = this.left.length;
    const before = new Map(this.brought.map((brought) => [brought.shape, brought]));
    const bringing = await this.bringingOf(captures.filter(({ shape }) => !before.has(shape)));
    const places = await this.packs.append([bringing.map(({ bytes }) => bytes)]);
    const brought = bringing.flatMap(({ shape, rows, snapshot }, index): Brought[] => {
      const place = places[index];
      return place === undefined ? [] : [{ shape, rows, place, snapshot: { ...snapshot, packed: place } }];
    });
    this.brought = [...captures.flatMap(({ shape }) => before.get(shape) ?? []), ...brought];
    const snapshots = new Map(this.brought.map(({ shape, snapshot }) => [shape, snapshot]));
    return captures.map((capture) => {
      const snapshot = snapshots.get(capture.shape);
      return snapshot === undefined ? capture : { shape: capture.shape, state: { ...capture.state, snapshot } };
    });
  }

  /** A checkpoint counts the states of these. @returns the numbers of packs that are to be removed. */
  counted(changed: readonly ShapeState[]): readonly number[] {
    const handles = new Set(changed.map(({ handle }) => handle));
    for (const { shape, rows, snapshot, place } of this.brought) {
      if (!handles.has(shape.handle)) continue; // It ended meanwhile.
      this.release(rows);
      this.packs.refer(place);
      rows.putInPack(place);
      shape.putInPack(snapshot);
    }
    this.brought = [];
    for (const files of this.left.splice(0, this.leftBefore)) {
      this.release(files.rows);
      for (const block of files.takeLiving()) this.packs.release(packPlaceOf(block));
    }
    this.leftBefore = 0;
    this.isAwaited = false;
    return this.packs.counted();
  }

  /** The shape was deleted, and nobody reads it any more. */
  forget(files: ShapeFiles): void {
    this.left.push(files);
  }

  close(): Promise<void> {
    return this.packs.close();
  }

  private release({ place }: SnapshotRows): void {
    if (place !== undefined) this.packs.release(place);
  }

  private isIn(shape: StoredShape, pack: number | undefined): boolean {
    return this.placesIn(shape, pack).length > 0;
  }

  private placesIn({ handle }: StoredShape, number: number | undefined): readonly PackPlace[] {
    const files = this.filesOf(handle);
    if (files === undefined) return [];
    const all = [...(files.rows.place === undefined ? [] : [files.rows.place]), ...files.tail.map(packPlaceOf)];
    return all.filter(({ pack }) => pack === number);
  }

  private async bringingOf(captures: readonly ShapeCapture[]): Promise<readonly Bringing[]> {
    const bringing: Bringing[] = [];
    const damaged: ShapeCorruptError[] = [];
    for (const { shape, state: { snapshot } } of captures) {
      const rows = this.filesOf(shape.handle)?.rows;
      if (rows === undefined || snapshot.state !== 'complete') continue;
      const isMoved = this.moving.has(shape) && rows.place?.pack === this.emptied;
      const bytes = rows.few ?? (isMoved ? await wholeOf(rows, snapshot, damaged) : undefined);
      if (bytes !== undefined) bringing.push({ shape, rows, snapshot, bytes });
    }
    if (damaged.length > 0) throw new CheckpointDeferredError(damaged);
    return bringing;
  }
}

/** As they were found to hold; undefined where they do not. @throws what is not damage. */
async function wholeOf(rows: SnapshotRows, { chunks }: WholeSnapshotState, damaged: ShapeCorruptError[]): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let start = 0;
  try {
    for (const chunk of chunks) {
      const { at, ...piece } = pieceAt(chunk, 0); // Few bytes are one piece.
      parts.push(await rows.read({ ...piece, at: start + at }, 0));
      start += chunk.bytes;
    }
    return joinedBytes(parts);
  } catch (error) {
    if (error instanceof ShapeGoneError) return undefined;
    if (!(error instanceof ShapeCorruptError)) throw error;
    damaged.push(error);
    return undefined;
  }
}
