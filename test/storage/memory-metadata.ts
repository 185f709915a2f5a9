/** Metadata in memory: a write that was under way when the power went may be there or not, never in part. */
import type { Random } from '../../src/base/random.ts';
import { LOG_START, type LogPosition } from '../../src/model/log-position.ts';
import type { Checkpoint, Metadata } from '../../src/storage/checkpoint/metadata.ts';
import type { ShapeState } from '../../src/storage/shapes/stored-shape.ts';

export class MemoryMetadata {
  private position: LogPosition = LOG_START;
  private readonly states = new Map<string, string>();
  private underWay: Checkpoint | undefined;
  private boot = 0;

  /** As one process sees it: what it does after a crash has no effect. */
  open(): Metadata {
    const boot = this.boot;
    const shapes = (): ShapeState[] => [...this.states.values()].map((state) => JSON.parse(state));
    const write = async (checkpoint: Checkpoint): Promise<void> => {
      if (boot === this.boot) this.underWay = checkpoint;
      await Promise.resolve();
      if (boot === this.boot) this.apply(checkpoint);
    };
    return { position: this.position, shapes, write, close: async () => {} };
  }

  crash(random: Random): void {
    this.boot += 1;
    if (this.underWay !== undefined && random.below(2) === 0) this.apply(this.underWay);
    this.underWay = undefined;
  }

  private apply({ position, changed, removed }: Checkpoint): void {
    this.underWay = undefined;
    this.position = position;
    for (const handle of removed) this.states.delete(handle);
    for (const state of changed) this.states.set(state.handle, JSON.stringify(state));
  }
}
