/** A shape's bytes in memory. Its lines are never checkpointed: StoredShape keeps them all. */
import { InvariantError } from '../../base/invariant.ts';
import type { EntryRun, LogEntry } from '../../model/log-entry.ts';
import type { Piece } from './piece.ts';
import type { ShapeStore } from './shape-store.ts';

export class MemoryShapeStore implements ShapeStore {
  private parts: { readonly start: number; readonly bytes: Uint8Array }[] = [];
  private size = 0;

  clone(): MemoryShapeStore {
    const copy = new MemoryShapeStore();
    copy.parts = [...this.parts];
    copy.size = this.size;
    return copy;
  }

  async beginSnapshot(): Promise<void> {}

  async appendSnapshot(bytes: Uint8Array): Promise<void> {
    this.parts.push({ start: this.size, bytes });
    this.size += bytes.length;
  }

  async syncSnapshot(): Promise<void> {}

  async endSnapshot(): Promise<void> {}

  async readSnapshot({ at, bytes }: Piece): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    const first = this.parts.findLastIndex(({ start }) => start <= at);
    for (const part of this.parts.slice(first)) {
      if (part.start >= at + bytes) break;
      parts.push(part.bytes.subarray(Math.max(0, at - part.start), at + bytes - part.start));
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }

  readLines(): AsyncIterable<EntryRun> {
    throw new InvariantError('lines in memory are read from the buffer');
  }

  readEntries(): AsyncIterable<readonly LogEntry[]> {
    throw new InvariantError('lines in memory are read from the buffer');
  }
}
