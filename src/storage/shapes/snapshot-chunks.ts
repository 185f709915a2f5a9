/**
 * SnapshotChunks: a shape's snapshot as chunks, readable while it is still being written.
 *
 * A chunk closes behind the row that brings it to the threshold. A reader of a chunk that grows follows it to its end;
 * it sees whole rows only, waits a bounded time for progress, and fails when the writer gives up.
 */
import type { Clock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import { ShapeGoneError, SnapshotStalledError } from '../errors.ts';
import { PIECE_BYTES, type ShapeStore } from './shape-store.ts';

export const FOLLOW_WAIT_MS = 60_000;
const COMMA = 0x2c;

export class SnapshotChunks {
  /** Bytes of each chunk as far as readers may see them, last comma included; of chunks written by this process. */
  private readonly sizes: number[] = [];
  /** Size of the open chunk as the threshold counts it: each row and one byte. */
  private openBytes = 0;
  private closedCount = 0;
  private whole: boolean;
  private failed = false;
  private readonly waiters = new Set<() => void>();

  constructor(
    private readonly handle: Handle,
    private readonly store: ShapeStore,
    private readonly clock: Clock,
    private readonly chunkBytesMax: number,
    /** True for a snapshot of an earlier process, whose chunks are all there. */
    private readonly restored: boolean,
  ) {
    this.whole = restored;
  }

  /** Chunks that have a row, the open one included. */
  get count(): number {
    return this.sizes.length;
  }

  /** False once it is certain that there is no such chunk, and never will be. */
  mayGrowTo(index: number): boolean {
    return !this.whole || index < this.count;
  }

  begin(): Promise<void> {
    return this.store.beginSnapshot();
  }

  async write(lines: readonly Uint8Array[]): Promise<void> {
    let from = 0;
    for (let index = 0; index < lines.length; index += 1) {
      this.openBytes += (lines[index]?.length ?? 0) + 1;
      if (this.openBytes < this.chunkBytesMax) continue;
      await this.put(lines.slice(from, index + 1));
      await this.closeChunk();
      from = index + 1;
    }
    if (from < lines.length) await this.put(lines.slice(from));
  }

  /** Behind the last row. @returns how many chunks there are. */
  async end(pgSnapshot: PgSnapshot): Promise<number> {
    await this.put([Buffer.from(snapshotEnd(pgSnapshot))]);
    this.whole = true;
    await this.closeChunk();
    return this.count;
  }

  fail(): void {
    this.failed = true;
    this.wake();
  }

  /** The inside of a JSON array with the rows of chunk `index`; empty when the snapshot ends before it. */
  async *read(index: number): AsyncGenerator<Uint8Array> {
    if (this.restored) this.sizes[index] ??= await this.store.chunkSize(index);
    for (let sent = 0; ; ) {
      const readable = Math.max(0, (this.sizes[index] ?? 0) - 1);
      if (sent === readable && this.isClosed(index)) return;
      // Asked only now: a reader that has the whole chunk need not learn that the snapshot has failed since.
      if (this.failed) throw new ShapeGoneError(this.handle);
      if (sent < readable) {
        const piece = await this.store.readChunk(index, sent, Math.min(PIECE_BYTES, readable - sent));
        sent += piece.length;
        yield piece;
      } else await this.progress();
    }
  }

  private isClosed(index: number): boolean {
    return this.whole || index < this.closedCount;
  }

  private async put(lines: readonly Uint8Array[]): Promise<void> {
    invariant(!this.whole, 'a whole snapshot takes no rows');
    if (this.failed) throw new ShapeGoneError(this.handle);
    const index = this.closedCount;
    const bytes = joined(lines);
    await this.store.writeChunk(index, bytes);
    this.sizes[index] = (this.sizes[index] ?? 0) + bytes.length;
    this.wake();
  }

  private async closeChunk(): Promise<void> {
    const index = this.closedCount;
    this.closedCount += 1;
    this.openBytes = 0;
    this.wake();
    await this.store.finishChunk(index);
  }

  private progress(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimer(() => {
        this.waiters.delete(wake);
        reject(new SnapshotStalledError(this.handle, FOLLOW_WAIT_MS));
      }, FOLLOW_WAIT_MS);
      const wake = (): void => {
        this.clock.clearTimer(timer);
        resolve();
      };
      this.waiters.add(wake);
    });
  }

  private wake(): void {
    const waiting = [...this.waiters];
    this.waiters.clear();
    for (const wake of waiting) wake();
  }
}

/** Each line with a comma behind it. */
function joined(lines: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let end = 0;
  for (const line of lines) {
    bytes.set(line, end);
    end += line.length;
    bytes[end] = COMMA;
    end += 1;
  }
  return bytes;
}

function snapshotEnd({ xmin, xmax, xip }: PgSnapshot): string {
  return JSON.stringify({ headers: { control: 'snapshot-end', xmin, xmax, xip_list: xip } });
}
