/**
 * Parked: one who waits for a shape to change. Thousands do, for minutes. So each is one object: it stands in its queue by links of its
 * own, has the timer of that queue in common with all others, and listens itself for its client to go.
 */
import type { Due } from '../../base/due-queue.ts';
import type { StopSignal } from '../../base/stop-signal.ts';
import type { Wake } from './wake.ts';

/** Where one waits. */
export interface ParkingPlace<T> {
  /** The client has gone, or the server closes. */
  leave(parked: Parked<T>): void;
}

export abstract class Parked<T> implements Due<Parked<T>> {
  /** Where it is, or was when it was woken with all others there; undefined before the wait, and when its time is over. */
  place: ParkingPlace<T> | undefined;
  before: Parked<T> | undefined;
  behind: Parked<T> | undefined;

  /** Until then it waits at the longest. A whole number takes no room of its own. */
  readonly dueMs: number;

  /** @param dueMs on the clock's monotonic scale. @param signal not aborted yet. */
  constructor(
    dueMs: number,
    protected readonly signal: StopSignal,
  ) {
    this.dueMs = Math.ceil(dueMs);
  }

  /** The wait is over. Called once. */
  wake(wake: Wake<T>): void {
    this.signal.removeEventListener('abort', this);
    this.woken(wake);
  }

  /** By whoever hands it its place. */
  park(place: ParkingPlace<T>): void {
    this.place = place;
    this.signal.addEventListener('abort', this);
  }

  /** The signal says that nobody waits any longer. */
  handleEvent(): void {
    this.place?.leave(this);
  }

  /** Must not throw: others are woken behind it. */
  protected abstract woken(wake: Wake<T>): void;
}
