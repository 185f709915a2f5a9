/**
 * ShapeListeners: the long-polls that wait for a shape to change.
 *
 * Who joins is among them when `join` returns, so a caller that reads the log and joins without an `await` in between can miss
 * nothing. Readers that wait behind the same offset of one shape are woken together with one `Shared`: the first to
 * need the bytes makes them, and they live no longer than the readers that hold them. A waiter leaves on every path:
 * woken, timed out, client gone.
 */
import type { Clock, TimerId } from '../base/clock.ts';
import { DueQueue } from '../base/due-queue.ts';
import type { StopSignal } from '../base/stop-signal.ts';
import { compareOffsets, type LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';
import { Parked, type ParkingPlace } from './parking/parked.ts';
import { Shared, type Wake } from './parking/wake.ts';
import { Waking } from './parking/waking.ts';
import type { ShapeAnnouncements } from './ports.ts';
import type { Refusal } from './refusal.ts';

export class ShapeListeners<T = unknown> implements ShapeAnnouncements {
  /** The waiters of each shape, by the offset behind which they wait. */
  private readonly shapes = new Map<Handle, Map<LogOffset, Place<T>>>();
  private readonly waking = new Waking<T>();
  private parked = 0;

  constructor(private readonly clock: Clock) {}

  /** How many requests wait. */
  get parkedCount(): number {
    return this.parked;
  }

  /** How many of them wait for this shape. */
  parkedOn(handle: Handle): number {
    let count = 0;
    for (const { queue } of this.shapes.get(handle)?.values() ?? []) count += queue.size;
    return count;
  }

  announce(handle: Handle, end: LogOffset): boolean {
    let isAwaited = false;
    for (const place of this.shapes.get(handle)?.values() ?? []) {
      if (compareOffsets(end, place.after) < 0) continue;
      isAwaited = true;
      this.wakeAll(place, { cause: 'appended', shared: new Shared() });
    }
    return isAwaited;
  }

  rotate(handle: Handle, replacement?: Handle): void {
    const answer = new Shared<Promise<Refusal>>();
    for (const place of this.shapes.get(handle)?.values() ?? []) this.wakeAll(place, { cause: 'rotated', replacement, answer });
  }

  /** It is woken at the first announcement of `after` or beyond, or when its time is over, or its signal is aborted. */
  join(handle: Handle, after: LogOffset, parked: Parked<T>): void {
    const shape = this.shapes.get(handle) ?? new Map<LogOffset, Place<T>>();
    const place = shape.get(after) ?? new Place<T>(this, handle, after);
    this.shapes.set(handle, shape.set(after, place));
    place.queue.add(parked);
    parked.park(place);
    this.parked += 1;
    if (place.queue.head === parked) this.setTimer(place); // All others have as long at the least.
  }

  /** Resolves at the first announcement of `after` or beyond, or when `timeoutMs` passed or `signal` was aborted. */
  park(handle: Handle, after: LogOffset, timeoutMs: number, signal: StopSignal): Promise<Wake<T>> {
    if (signal.aborted) return Promise.resolve({ cause: 'aborted' });
    return new Promise((resolve) => this.join(handle, after, new Promised(this.clock.nowMs() + timeoutMs, signal, resolve)));
  }

  /** For its place: one of those who wait there goes alone. */
  leave(place: Place<T>, parked: Parked<T>): void {
    place.queue.remove(parked);
    this.parked -= 1;
    if (place.queue.size === 0) this.close(place);
    parked.wake({ cause: 'aborted' });
  }

  private wakeAll(place: Place<T>, wake: Wake<T>): void {
    this.parked -= place.queue.size;
    this.close(place);
    this.waking.begin(place.queue, wake);
  }

  private timeOut(place: Place<T>): void {
    const due = new DueQueue<Parked<T>>();
    const nowMs = this.clock.nowMs();
    for (let { head } = place.queue; head !== undefined && head.dueMs <= nowMs; { head } = place.queue) {
      place.queue.remove(head);
      head.place = undefined;
      due.add(head);
    }
    this.parked -= due.size;
    if (place.queue.size === 0) this.close(place);
    else this.setTimer(place);
    if (due.size > 0) this.waking.begin(due, { cause: 'timeout' });
  }

  /** Of whoever has waited longest. When that one goes before, the timer finds nobody whose time is over, and is set anew. */
  private setTimer(place: Place<T>): void {
    const { clock } = this;
    if (place.timer !== undefined) clock.clearTimer(place.timer);
    const { head } = place.queue;
    place.timer = head && clock.setTimer(() => this.timeOut(place), Math.max(0, head.dueMs - clock.nowMs()));
  }

  /** Nobody else waits there: who comes from now on opens another one. */
  private close(place: Place<T>): void {
    const { handle, after } = place;
    place.isOpen = false;
    if (place.timer !== undefined) this.clock.clearTimer(place.timer);
    const shape = this.shapes.get(handle);
    shape?.delete(after);
    if (shape?.size === 0) this.shapes.delete(handle);
  }
}

/** Those who wait behind one offset of one shape. */
class Place<T> implements ParkingPlace<T> {
  readonly queue = new DueQueue<Parked<T>>();
  timer: TimerId | undefined;
  /** False when all of them are woken: each has its turn, even if its client goes meanwhile. */
  isOpen = true;

  constructor(
    private readonly listeners: ShapeListeners<T>,
    readonly handle: Handle,
    readonly after: LogOffset,
  ) {}

  leave(parked: Parked<T>): void {
    if (this.isOpen) this.listeners.leave(this, parked);
  }
}

/** One who waits as others wait for a promise. */
class Promised<T> extends Parked<T> {
  constructor(
    dueMs: number,
    signal: StopSignal,
    private readonly resolve: (wake: Wake<T>) => void,
  ) {
    super(dueMs, signal);
  }

  protected override woken(wake: Wake<T>): void {
    this.resolve(wake);
  }
}
