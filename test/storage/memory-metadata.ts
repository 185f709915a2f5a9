/** Metadata in memory: a write that was under way when the power went may be there or not, never in part. */
import type { Random } from '../../src/base/random.ts';
import { LOG_START, type LogPosition } from '../../src/model/log-position.ts';
import type { Checkpoint, Metadata } from '../../src/storage/metadata.ts';
import type { ShapeState } from '../../src/storage/stored-shape.ts';

export class MemoryMetadata implements Metadata {
  position: LogPosition = LOG_START;
  private states = new Map<string, string>();
  private underWay: Checkpoint | undefined;

  *shapes(): Iterable<ShapeState> {
    for (const state of this.states.values()) yield JSON.parse(state);
  }

  async write(checkpoint: Checkpoint): Promise<void> {
    this.underWay = checkpoint;
    await Promise.resolve();
    if (this.underWay === checkpoint) this.apply(checkpoint);
  }

  crash(random: Random): void {
    if (this.underWay !== undefined && random.below(2) === 0) this.apply(this.underWay);
    this.underWay = undefined;
  }

  async close(): Promise<void> {}

  private apply({ position, changed, removed }: Checkpoint): void {
    this.underWay = undefined;
    this.position = position;
    for (const handle of removed) this.states.delete(handle);
    for (const state of changed) this.states.set(state.handle, JSON.stringify(state));
  }
}
