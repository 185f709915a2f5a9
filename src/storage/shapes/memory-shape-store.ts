/** A shape's bytes in memory. Its lines are never checkpointed: StoredShape keeps them all. */
import { InvariantError } from '../../base/invariant.ts';
import type { ShapeStore } from './shape-store.ts';

class MemoryChunk {
  private readonly pieces: Uint8Array[] = [];
  private readonly starts: number[] = [];
  size = 0;

  add(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.starts.push(this.size);
    this.size += piece.length;
  }

  /** At most `length` bytes, at least one: no further than the piece that holds `at`. */
  read(at: number, length: number): Uint8Array {
    const index = this.starts.findLastIndex((start) => start <= at);
    const from = at - (this.starts[index] ?? 0);
    return this.pieces[index]?.subarray(from, from + length) ?? new Uint8Array();
  }
}

export class MemoryShapeStore implements ShapeStore {
  private readonly chunks: MemoryChunk[] = [];

  async beginSnapshot(): Promise<void> {}

  async writeChunk(index: number, bytes: Uint8Array): Promise<void> {
    this.chunkAt(index).add(bytes);
  }

  async finishChunk(): Promise<void> {}

  async chunkSize(index: number): Promise<number> {
    return this.chunkAt(index).size;
  }

  async readChunk(index: number, at: number, length: number): Promise<Uint8Array> {
    return this.chunkAt(index).read(at, length);
  }

  readLines(): AsyncIterable<Uint8Array> {
    throw new InvariantError('lines in memory are read from the buffer');
  }

  private chunkAt(index: number): MemoryChunk {
    return (this.chunks[index] ??= new MemoryChunk());
  }
}
