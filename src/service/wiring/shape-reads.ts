/** ShapeReads: when each shape was read last, by whom it may be. In memory alone: after a restart all count as read at its begin. */
import type { Clock } from '../../base/clock.ts';
import type { Handle } from '../../model/shape.ts';

export class ShapeReads {
  private readonly lastMs = new Map<Handle, number>();
  private readonly beganMs: number;

  constructor(private readonly clock: Pick<Clock, 'nowMs'>) {
    this.beganMs = clock.nowMs();
  }

  note(handle: Handle): void {
    this.lastMs.set(handle, this.clock.nowMs());
  }

  lastReadMs(handle: Handle): number {
    return this.lastMs.get(handle) ?? this.beganMs;
  }

  forget(handle: Handle): void {
    this.lastMs.delete(handle);
  }
}
