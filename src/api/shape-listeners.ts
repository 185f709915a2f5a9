/**
 * ShapeListeners: the long-polls that wait for a shape to change.
 *
 * `park` registers before it returns, so a caller that reads the log and parks without an `await` in between can miss
 * nothing. Readers that wait behind the same offset of one shape are woken together with one `Shared`: the first to
 * need the bytes makes them, and they live no longer than the readers that hold them. A waiter leaves on every path:
 * woken, timed out, client gone.
 */
import type { Clock } from '../base/clock.ts';
import type { StopSignal } from '../base/stop-signal.ts';
import { compareOffsets, type LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';
import type { ShapeAnnouncements } from './ports.ts';
import type { Refusal } from './refusal.ts';

/** One value, made at the first use and common to all who were woken together. */
export class Shared<T> {
  private made: { readonly value: T } | undefined;

  get(make: () => T): T {
    this.made ??= { value: make() };
    return this.made.value;
  }
}

export type Wake<T> =
  | { readonly cause: 'appended'; readonly shared: Shared<T> }
  /** The answer of the first who has to look for a replacement is that of all. */
  | { readonly cause: 'rotated'; readonly replacement: Handle | undefined; readonly answer: Shared<Promise<Refusal>> }
  | { readonly cause: 'timeout' }
  /** The request's signal: its reason says whether the client went or we close. */
  | { readonly cause: 'aborted' };

type Waiter<T> = (wake: Wake<T>) => void;
/** The waiters of one shape, by the offset behind which they wait. */
type Waiters<T> = Map<LogOffset, Set<Waiter<T>>>;

export class ShapeListeners<T = unknown> implements ShapeAnnouncements {
  private readonly shapes = new Map<Handle, Waiters<T>>();
  private parked = 0;

  constructor(private readonly clock: Clock) {}

  /** How many requests wait. */
  get parkedCount(): number {
    return this.parked;
  }

  /** How many of them wait for this shape. */
  parkedOn(handle: Handle): number {
    let count = 0;
    for (const waiters of this.shapes.get(handle)?.values() ?? []) count += waiters.size;
    return count;
  }

  announce(handle: Handle, end: LogOffset): void {
    const shape = this.shapes.get(handle);
    if (shape === undefined) return;
    for (const [after, waiters] of shape) {
      if (compareOffsets(end, after) >= 0) wakeAll(waiters, { cause: 'appended', shared: new Shared() });
    }
  }

  rotate(handle: Handle, replacement?: Handle): void {
    const answer = new Shared<Promise<Refusal>>();
    for (const waiters of this.shapes.get(handle)?.values() ?? []) wakeAll(waiters, { cause: 'rotated', replacement, answer });
  }

  /** Resolves at the first announcement of `after` or beyond, or when `timeoutMs` passed or `signal` was aborted. */
  park(handle: Handle, after: LogOffset, timeoutMs: number, signal: StopSignal): Promise<Wake<T>> {
    if (signal.aborted) return Promise.resolve({ cause: 'aborted' });
    return new Promise((resolve) => {
      const waiter: Waiter<T> = (wake) => {
        this.clock.clearTimer(timer);
        signal.removeEventListener('abort', abort);
        this.remove(handle, after, waiter);
        resolve(wake);
      };
      const abort = (): void => waiter({ cause: 'aborted' });
      const timer = this.clock.setTimer(() => waiter({ cause: 'timeout' }), timeoutMs);
      signal.addEventListener('abort', abort);
      this.add(handle, after, waiter);
    });
  }

  private add(handle: Handle, after: LogOffset, waiter: Waiter<T>): void {
    const shape = this.shapes.get(handle) ?? new Map<LogOffset, Set<Waiter<T>>>();
    const waiters = shape.get(after) ?? new Set();
    this.shapes.set(handle, shape.set(after, waiters.add(waiter)));
    this.parked += 1;
  }

  private remove(handle: Handle, after: LogOffset, waiter: Waiter<T>): void {
    const shape = this.shapes.get(handle);
    const waiters = shape?.get(after);
    if (!waiters?.delete(waiter)) return;
    this.parked -= 1;
    if (waiters.size === 0) shape?.delete(after);
    if (shape?.size === 0) this.shapes.delete(handle);
  }
}

function wakeAll<T>(waiters: Set<Waiter<T>>, wake: Wake<T>): void {
  for (const waiter of waiters) waiter(wake);
}
