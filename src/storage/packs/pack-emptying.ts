/**
 * PackEmptying: which shapes bring what they have elsewhere, a bounded number with each checkpoint, so that a pack goes of which most is
 * dead. What a deleted shape had stays where it is for as long as somebody reads it: then the next pack has its turn.
 */
import type { StoredShape } from '../shapes/stored-shape.ts';
import type { PackPlace } from './pack-paths.ts';
import type { Packs } from './packs.ts';

/** What one checkpoint moves. */
export interface MoveBounds {
  readonly movedBytesMax: number;
  readonly movedCountMax: number;
}

const BOUNDS: MoveBounds = { movedBytesMax: 1024 * 1024, movedCountMax: 500 };

export class PackEmptying {
  private readonly bounds: MoveBounds;
  private pack: number | undefined;
  /** In that pack, and not moved yet. */
  private left: StoredShape[] = [];
  private moving: ReadonlySet<StoredShape> = new Set();
  /** No checkpoint has counted since those were chosen. */
  private isAwaited = false;

  /** @param placesOf what a shape has in packs. */
  constructor(
    private readonly packs: Pick<Packs, 'sparse'>,
    private readonly placesOf: (shape: StoredShape) => readonly PackPlace[],
    bounds: Partial<MoveBounds>,
  ) {
    this.bounds = { ...BOUNDS, ...bounds };
  }

  /**
   * Called before a checkpoint takes what it tells of. The same as before where that one did not count: a disk that refuses checkpoints
   * would be filled with what is moved for each of them.
   *
   * @returns the shapes of which it is to move what lies in the pack that is emptied.
   */
  begin(all: Iterable<StoredShape>): Iterable<StoredShape> {
    if (this.isAwaited) return (this.moving = new Set([...this.moving].filter((shape) => this.bytesIn(shape, this.pack) > 0)));
    if (this.left.length === 0) this.choose(all);
    const moving = new Set<StoredShape>();
    for (let bytes = 0; moving.size < this.bounds.movedCountMax && bytes < this.bounds.movedBytesMax; ) {
      const shape = this.left.pop();
      if (shape === undefined) break;
      const own = this.bytesIn(shape, this.pack);
      if (own === 0) continue; // It ended, or was moved.
      moving.add(shape);
      bytes += own;
    }
    this.moving = moving;
    this.isAwaited = moving.size > 0;
    return moving;
  }

  /** Of what this shape has, what lies there is to go elsewhere. */
  moves(shape: StoredShape, place: Pick<PackPlace, 'pack'>): boolean {
    return place.pack === this.pack && this.moving.has(shape);
  }

  /** A checkpoint counts. */
  counted(): void {
    this.isAwaited = false;
  }

  /** The first sparse pack in which a shape has anything. */
  private choose(all: Iterable<StoredShape>): void {
    const found = new Map(this.packs.sparse.map((pack) => [pack, new Array<StoredShape>()]));
    if (found.size > 0) for (const shape of all) this.note(shape, found);
    [this.pack, this.left] = [...found].find(([, shapes]) => shapes.length > 0) ?? [undefined, []];
  }

  private note(shape: StoredShape, found: ReadonlyMap<number, StoredShape[]>): void {
    for (const { pack } of this.placesOf(shape)) {
      const shapes = found.get(pack);
      if (shapes !== undefined && shapes.at(-1) !== shape) shapes.push(shape);
    }
  }

  private bytesIn(shape: StoredShape, number: number | undefined): number {
    return this.placesOf(shape).reduce((sum, { pack, bytes }) => (pack === number ? sum + bytes : sum), 0);
  }
}
