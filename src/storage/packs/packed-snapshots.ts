/**
 * PackedSnapshots: brings the rows of small snapshots into packs, with a checkpoint: those that lie in memory alone, and those that move
 * because their pack is being emptied. They are durable there before the checkpoint is written that says so, and only when it counts,
 * memory lets go, and what lay elsewhere is dead.
 */
import { joinedBytes } from '../../base/joined-bytes.ts';
import { CheckpointDeferredError, ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import { packPlaceOf } from '../shapes/line-tail.ts';
import { pieceAt } from '../shapes/piece.ts';
import type { ShapeFiles } from '../shapes/shape-files.ts';
import type { WholeSnapshotState } from '../shapes/shape-logs.ts';
import type { SnapshotRows } from '../shapes/snapshot-rows.ts';
import type { ShapeCapture, ShapeState, StoredShape } from '../shapes/stored-shape.ts';
import type { PackEmptying } from './pack-emptying.ts';
import type { PackPlace } from './pack-paths.ts';
import type { Packs } from './packs.ts';

/** On its way into a pack. */
interface Bringing {
  readonly shape: StoredShape;
  readonly rows: SnapshotRows;
  readonly snapshot: WholeSnapshotState;
  readonly bytes: Uint8Array;
}

type Brought = Omit<Bringing, 'bytes'> & { readonly place: PackPlace };

export class PackedSnapshots {
  /** Durable in a pack, and not counted there yet: the next checkpoint counts them, where the one that was to do so is refused. */
  private brought: readonly Brought[] = [];
  /** Deleted, and nobody reads them any more. */
  private readonly left: ShapeFiles[] = [];
  /** So many of those had left before the checkpoint that is under way. */
  private leftBefore = 0;

  constructor(
    private readonly packs: Packs,
    private readonly filesOf: (shape: StoredShape) => ShapeFiles | undefined,
    private readonly emptying: Pick<PackEmptying, 'moves'>,
  ) {}

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
      return place === undefined ? [] : [{ shape, rows, place, snapshot: packedAt(snapshot, place) }];
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

  private async bringingOf(captures: readonly ShapeCapture[]): Promise<readonly Bringing[]> {
    const bringing: Bringing[] = [];
    const damaged: ShapeCorruptError[] = [];
    for (const { shape, state: { snapshot } } of captures) {
      const rows = this.filesOf(shape)?.rows;
      if (rows === undefined || snapshot.state !== 'complete') continue;
      const isMoved = rows.place !== undefined && this.emptying.moves(shape, rows.place);
      const bytes = rows.few ?? (isMoved ? await wholeOf(rows, snapshot, damaged) : undefined);
      if (bytes !== undefined) bringing.push({ shape, rows, snapshot, bytes });
    }
    if (damaged.length > 0) throw new CheckpointDeferredError(damaged);
    return bringing;
  }
}

/** Written out: a spread that adds a property gives each of many thousand states a hidden class of its own. */
function packedAt({ state, pgSnapshot, chunks }: WholeSnapshotState, packed: PackPlace): WholeSnapshotState {
  return { state, pgSnapshot, chunks, packed };
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
