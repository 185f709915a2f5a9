/** A shape's bytes in memory. Its lines are never checkpointed: StoredShape keeps them all. */
import { InvariantError } from '../../base/invariant.ts';
import type { Handle } from '../../model/shape.ts';
import { ShapeCorruptError } from '../errors.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import type { LinesSource } from './lines-source.ts';
import { GrowingSums, verified, wholeOf, type Piece } from './piece.ts';
import type { MovedWriter, ShapeStore } from './shape-store.ts';

/** Nothing leaves the memory. */
const NO_SOURCE: LinesSource = { readLines: refuse, readEntries: refuse, hold: () => () => {}, successor: undefined };

export class MemoryShapeStore implements ShapeStore {
  readonly lines = NO_SOURCE;
  readonly fewRows = undefined; // There is no other place to bring them to.
  private snapshot = new GatheredBytes();
  private readonly moved = new Map<number, Uint8Array>();

  constructor(private readonly handle: Handle) {}

  clone(): MemoryShapeStore {
    const copy = new MemoryShapeStore(this.handle);
    copy.snapshot = this.snapshot.clone();
    for (const [number, bytes] of this.moved) copy.moved.set(number, bytes);
    return copy;
  }

  async beginSnapshot(): Promise<void> {}

  async appendSnapshot(bytes: Uint8Array): Promise<void> {
    this.snapshot.append(bytes);
  }

  async syncSnapshot(): Promise<void> {}

  async endSnapshot(): Promise<void> {}

  async readSnapshot({ at, bytes }: Piece): Promise<Uint8Array> {
    return this.snapshot.read(at, bytes);
  }

  readSnapshotNow({ at, bytes }: Piece): Uint8Array {
    return this.snapshot.read(at, bytes);
  }

  beginMoved(number: number, claim: () => void): MovedWriter {
    const sums = new GrowingSums();
    const written: Uint8Array[] = [];
    return {
      write: async (lines) => {
        claim();
        written.push(new Uint8Array(lines));
        sums.add(lines);
      },
      complete: async () => {
        claim();
        this.moved.set(number, Buffer.concat(written));
        return wholeOf(sums);
      },
    };
  }

  async readMoved(number: number, piece: Piece): Promise<Uint8Array> {
    const moved = this.moved.get(number);
    if (moved === undefined) throw new ShapeCorruptError(this.handle, `the rows of splice ${number} are missing`);
    const { at, bytes } = piece;
    return verified(moved.subarray(at, at + bytes), `splice ${number}`, this.handle, piece, 0);
  }

  async forgetMoved(number: number): Promise<void> {
    for (const each of this.moved.keys()) if (each <= number) this.moved.delete(each);
  }
}

function refuse(): never {
  throw new InvariantError('lines in memory are read from the buffer');
}
